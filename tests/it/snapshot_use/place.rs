//! Where snapshots may lie, what they are called, and what becomes of the state that a restore replaces.

use crate::harness::{Place, fixture, real, tree};
use crate::snapshot::{copy_of_real, create, name, rows};
use serde_json::json;
use std::fs;

#[test]
fn an_archive_is_never_taken_for_a_store() {
    let place = Place::new();
    let snapshot = name(&create(&place, &real(), "2026-11-22T12:00:00Z", &[]));
    let archive = place.path("store/snapshots");
    let before = tree(&archive);
    let path = archive.to_str().expect("UTF-8");
    let says = ["holds snapshots", &snapshot, "--store", "--to"];
    let on = |args: &[&str]| place.output(place.with_store(&archive).args(args));
    let db = real();
    let db = db.to_str().expect("UTF-8");
    for args in [
        &["--db", db, "stats"][..],
        &["--db", db, "extract"],
        &["--db", db, "extract", "--source", "laptop"],
        &["--db", db, "report"],
        &["--no-extract", "stats"],
        &["query", "-c", "select 1"],
        &["snapshot", "create"],
        &["snapshot", "list"],
        &["snapshot", "restore", &snapshot, "--to", path],
        &["snapshot", "restore", &snapshot, "--to", path, "--force"],
    ] {
        on(args).fails(2, &says);
    }
    let run = on(&["doctor"]);
    assert!(run.code != 0 && run.out.contains("holds snapshots"), "{} {}", run.out, run.err);
    assert_eq!(tree(&archive), before, "nothing was written");
    place.run(&["snapshot", "verify"]).ok();
    // The other way round: no archive in a snapshot, in a table, or where somebody else's manifest lies.
    place.on(&real(), &["extract", "--source", "laptop", "--store", place.path("shared").to_str().expect("UTF-8")]);
    for to in [format!("{path}/{snapshot}"), format!("{path}/{snapshot}/part"), format!("{path}/../part/x")] {
        place.run(&["--no-extract", "snapshot", "create", "--to", &to]).fails(2, &["is itself a store or a snapshot"]);
    }
    assert_eq!(tree(&archive), before);
}

#[test]
fn a_store_of_named_writers_alone_is_no_archive() {
    let place = Place::new();
    place.on(&real(), &["extract", "--source", "laptop"]).ok();
    let store = place.path("store").display().to_string();
    place.run(&["snapshot", "create", "--to", &store]).fails(2, &["is itself a store"]);
}

#[test]
fn a_name_that_can_be_made_can_be_found() {
    let place = Place::new();
    let db = real();
    for length in [64, 90, 91, 92, 101, 102, 110, 120, 121, 200] {
        let source = "n".repeat(length);
        let run = place.on(&db, &["snapshot", "create", "--source", &source, "--json"]);
        if run.code == 0 {
            let made = name(&rows(run)[0]);
            place.run(&["snapshot", "verify", &made]).ok();
            assert!(place.run(&["snapshot", "list", "--json"]).ok().out.contains(&made));
        } else {
            run.fails(2, &["hint:"]);
            assert!(length > 64);
        }
    }
    let listed = rows(place.run(&["snapshot", "list", "--json"]));
    let folders = fs::read_dir(place.path("store/snapshots")).expect("archive").flatten();
    // Names that earlier versions gave.
    let long = format!("2026-11-01T120000Z-{}", "n".repeat(120));
    fs::rename(
        place.path("store/snapshots").join(listed[0]["name"].as_str().expect("a name")),
        place.path("store/snapshots").join(&long),
    )
    .expect("renamed");
    place.run(&["snapshot", "verify"]).fails(6, &[&long, "names another snapshot"]);
    let visible = folders.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(listed.as_array().map(Vec::len), Some(visible));
}

#[test]
fn a_state_that_only_a_damaged_snapshot_holds_is_not_given_up() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let old = name(&create(&place, &db, "2026-11-15T12:00:00Z", &[]));
    rusqlite::Connection::open(&db)
        .expect("opened")
        .execute_batch("update session set title = 'Now', time_updated = time_updated + 5")
        .expect("changed");
    let present = name(&create(&place, &db, "2026-11-22T12:00:00Z", &[]));
    let folder = place.path("store/snapshots").join(&present);
    let victim = tree(&folder).into_iter().find(|path| path.starts_with("session/")).expect("a file");
    let file = folder.join(&victim);
    let whole = fs::read(&file).expect("read");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damage in [None, Some(&flipped[..]), Some(&whole[..whole.len() - 1])] {
        fs::remove_file(&file).expect("removed");
        if let Some(bytes) = damage {
            fs::write(&file, bytes).expect("written");
        }
        place.run(&["snapshot", "restore", &old]).fails(2, &["would lose it", "--force", &present, &victim]);
        if damage.is_none() {
            fs::write(&file, b"").expect("written");
        }
    }
    let titles = "select count(*) as n from session where title = 'Now'";
    let count = || rows(place.run(&["--no-extract", "query", "-c", titles, "--json"]))[0]["n"].clone();
    assert_eq!(count(), 48);
    fs::write(&file, &whole).expect("written");
    place.run(&["snapshot", "restore", &old]).ok();
    assert_eq!(count(), 0);
    place.run(&["snapshot", "restore", &present]).ok();
    assert_eq!(count(), 48);
}

#[test]
fn lean_keeps_neither_code_nor_free_text_and_what_is_undone_stays_undone() {
    let place = Place::new();
    let db = copy_of_real(&place);
    rusqlite::Connection::open(&db)
        .expect("opened")
        .execute_batch(
            "update session set revert = json_set(revert, '$.diff', 'MARKER of code') where revert is not null;
             update todo set content = 'MARKER of a todo';",
        )
        .expect("changed");
    let asked = "select
            (select count(revert) from session) as reverts, (select count(content) from todo) as todos,
            (select count(todo_text) from todos) as texts, (select count(*) from todos) as todo_rows,
            (select count(revert_message_id) from raw_session) as places, (select count(*) from messages where is_undone) as undone,
            (select count(*) from stg_parts where error_text is not null) as errors";
    let ask = |command: &mut std::process::Command| {
        rows(place.output(command.args(["--no-extract", "--all", "query", "-c", asked, "--json"])))[0].clone()
    };
    let full = create(&place, &db, "2026-11-15T12:00:00Z", &[]);
    let lean = create(&place, &db, "2026-11-22T12:00:00Z", &["--lean"]);
    let on = |made: &serde_json::Value| ask(&mut place.with_store(made["path"].as_str().expect("a path").as_ref()));
    let (full, lean) = (on(&full), on(&lean));
    assert_eq!((&full["reverts"], &full["todos"]), (&json!(1), &json!(3)), "{full}");
    assert!(full["undone"].as_i64() > Some(0), "{full}");
    let mut expected = full.clone();
    for column in ["reverts", "todos", "texts"] {
        expected[column] = json!(0);
    }
    assert_eq!(lean, expected);
    // A store that keeps no content, from the first row on.
    let other = place.path("other");
    place.output(place.with_store(&other).arg("--db").arg(&db).args(["extract", "--no-content"])).ok();
    assert_eq!(ask(&mut place.with_store(&other)), expected);
    // One writer leaves the text out, another keeps it: --lean leaves out that, too.
    let mixed = place.path("mixed");
    let desk = fixture("opencode/opencode-1.2.27.db");
    let extract = |db: &std::path::Path, more: &[&str]| {
        place.output(place.with_store(&mixed).arg("--db").arg(db).arg("extract").args(more)).ok();
    };
    extract(&db, &["--source", "laptop"]);
    extract(&desk, &["--source", "desk", "--no-content"]);
    let run = place.output(place.with_store(&mixed).args(["--no-extract", "snapshot", "create", "--lean", "--json"]));
    let made = rows(run)[0].clone();
    assert_eq!(made["is_lean"], true);
    let kept = "select (select count(data) from part) + (select count(data) from message) as n";
    let mut frozen = place.with_store(made["path"].as_str().expect("a path").as_ref());
    assert_eq!(rows(place.output(frozen.args(["query", "-c", kept, "--json"])))[0]["n"], 0);
}
