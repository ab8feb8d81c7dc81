//! Several databases and several machines in one store: each kept whole, all of them counted once.

use crate::harness::{Place, fixture, real, tree};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn json_of(place: &Place, args: &[&str]) -> Value {
    let run = place.run(args).ok();
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}

fn change(db: &Path, sql: &str) {
    Connection::open(db).expect("opened").execute_batch(sql).expect("changed");
}

#[test]
fn another_database_in_the_same_store_is_not_mixed_in() {
    let place = Place::new();
    let old = fixture("opencode/opencode-1.2.27.db");
    let sessions =
        |db: &Path| place.json(db, &["metrics", "run", "overview", "--json", "--all"])[0]["raw_sessions"].clone();
    assert_eq!(sessions(&real()), 48);
    assert_eq!(sessions(&old), 6);
    assert_eq!(sessions(&real()), 48);
    let all = json_of(&place, &["--no-extract", "metrics", "run", "overview", "--json", "--all"]);
    assert_eq!(all[0]["raw_sessions"], 54);
    place
        .on(Path::new("nowhere.db"), &["--no-extract", "stats"])
        .fails(2, &["nowhere.db", "holds nothing of it", "logicoma extract"]);
    place.run(&["--no-extract", "--source", "nobody", "stats"]).fails(2, &["nobody", "opencode-1.2.27"]);
}

#[test]
fn databases_of_the_same_name_get_names_of_their_own() {
    let place = Place::new();
    for folder in ["a", "b"] {
        fs::create_dir(place.path(folder)).expect("folder");
    }
    fs::copy(real(), place.path("a/opencode.db")).expect("copied");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), place.path("b/opencode.db")).expect("copied");
    place.run(&["--db", "a", "extract"]).ok();
    let run = place.run(&["--db", "b", "extract"]).ok();
    assert!(run.err.contains("is kept as source 'opencode-2'"), "{}", run.err);
    for (folder, count) in [("a", 48), ("b", 6)] {
        let rows = json_of(&place, &["--db", folder, "query", "-c", "select count(*) as n from session", "--json"]);
        assert_eq!(rows[0]["n"], count);
    }
    assert_eq!(place.run(&["--db", "b", "extract"]).ok().err.matches("kept as").count(), 0);
}

#[test]
fn a_session_in_two_databases_counts_once_and_the_newest_state_of_each_row_wins() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("folder");
    let (first, second) = (place.path("data/opencode.db"), place.path("data/opencode-copy.db"));
    fs::copy(real(), &first).expect("copied");
    fs::copy(real(), &second).expect("copied");
    // Both went on: one has a later title and a deleted answer, the other a later part.
    change(
        &first,
        "update session set title = 'Later', time_updated = time_updated + 1000 where title = 'Audit src';
         delete from part where message_id = (select max(id) from message);
         delete from message where id = (select max(id) from message);",
    );
    change(
        &second,
        "update part set data = json_set(data, '$.text', 'Later text'), time_updated = time_updated + 5
         where id = (select min(id) from part where json_extract(data, '$.type') = 'text');",
    );
    let counts = place.json(
        &place.path("data"),
        &[
            "query",
            "-c",
            "select (select count(*) from session) as sessions, (select count(*) from message) as messages,
             (select count(*) from part) as parts, (select count(distinct id) from part) as ids,
             (select count(*) from project) as projects, (select count(distinct id) from project) as project_ids",
            "--json",
        ],
    );
    assert_eq!(
        counts[0],
        json!({"sessions": 48, "messages": 193, "parts": 493, "ids": 493, "projects": 3, "project_ids": 3})
    );
    let rows = place.json(
        &place.path("data"),
        &[
            "query",
            "-c",
            "select (select source from raw_session where title = 'Later') as session_of,
             (select count(*) from raw_session where title = 'Audit src') as stale,
             (select source from raw_part where data like '%Later text%') as part_of",
            "--json",
        ],
    );
    assert_eq!(rows[0], json!({"session_of": "opencode", "stale": 0, "part_of": "opencode-copy"}));
    // Each alone is as it is.
    let alone = place.json(&first, &["query", "-c", "select count(*) as n from message", "--json"]);
    assert_eq!(alone[0]["n"], 192);
    let overview = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["metrics", "run", "overview", "--json", "--all"]);
        json_of(&place, &all)[0].clone()
    };
    let both = overview(&["--no-extract"]);
    let whole = overview(&["--no-extract", "--source", "opencode-copy"]);
    for column in ["sessions", "messages", "cost_usd", "raw_cost_usd", "tool_calls", "skill_loads", "input_tokens"] {
        assert_eq!(both[column], whole[column], "{column}");
    }
}

#[test]
fn machines_share_a_folder_without_touching_each_others_files() {
    let place = Place::new();
    let (laptop, desktop) = (place.path("laptop.db"), place.path("desktop.db"));
    fs::copy(real(), &laptop).expect("copied");
    fs::copy(real(), &desktop).expect("copied");
    change(&desktop, "pragma foreign_keys = on; delete from session where title <> 'Audit src'");
    place.on(&laptop, &["extract", "--source", "laptop"]).ok();
    place.on(&desktop, &["extract", "--source", "desktop"]).ok();
    assert!(place.path("store/manifest-laptop.json").exists() && place.path("store/manifest-desktop.json").exists());
    assert!(!place.path("store/manifest.json").exists());
    // A reader adds nothing of its own, and needs no database.
    let count = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["query", "-c", "select count(*) as n from session", "--json"]);
        json_of(&place, &all)[0]["n"].clone()
    };
    assert_eq!(count(&[]), 48);
    assert_eq!(count(&["--source", "laptop"]), 48);
    assert_eq!(count(&["--source", "desktop"]), 1);
    assert_eq!(count(&["--source", "desktop", "--source", "laptop"]), 48);
    assert!(!place.path("store/manifest.json").exists());
    // One machine's refresh leaves the other's files alone.
    let files = || -> Vec<_> {
        let manifest = fs::read_to_string(place.path("store/manifest-laptop.json")).expect("manifest");
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        let tables = manifest["tables"].as_object().expect("tables").clone();
        tables
            .values()
            .flat_map(|table| table["files"].as_array().expect("files").clone())
            .map(|file| place.path("store").join(file["path"].as_str().expect("a path")))
            .collect()
    };
    change(&desktop, "delete from message");
    place.on(&desktop, &["extract", "--source", "desktop"]).ok();
    place.on(&desktop, &["extract", "--source", "desktop", "--full"]).ok();
    assert!(files().iter().all(|file| file.exists()));
    assert_eq!(count(&[]), 48);
    for name in ["../evil", "", ".hidden", "a/b"] {
        place.on(&desktop, &["extract", "--source", name]).fails(2, &["is no name for a source"]);
    }
    // A partition of this name is a number, a date or nothing to other engines.
    for name in ["007", "1e5", "2026-11-22", "null", "TRUE"] {
        let better = format!("db-{name}");
        place.on(&desktop, &["extract", "--source", name]).fails(2, &["is no name for a source", &better]);
    }
}

#[test]
fn a_database_whose_name_reads_as_a_value_is_a_source_of_another_name() {
    let place = Place::new();
    for name in ["2026-11-22", "null"] {
        let db = place.path(&format!("{name}.db"));
        fs::copy(real(), &db).expect("copied");
        let rows = place.json(&db, &["query", "-c", "select distinct source from raw_session order by all", "--json"]);
        assert!(rows.as_array().expect("rows").contains(&json!({"source": format!("db-{name}")})), "{rows}");
    }
}

#[test]
fn looking_at_one_source_and_then_at_another_builds_nothing_twice() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("folder");
    fs::copy(real(), place.path("data/opencode.db")).expect("copied");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), place.path("data/opencode-old.db")).expect("copied");
    place.run(&["--db", "data", "extract"]).ok();
    let ask =
        |args: &[&str]| place.run(&[&["--no-extract", "metrics", "run", "overview", "--all"], args].concat()).ok();
    let marts = || -> Vec<(String, std::time::SystemTime)> {
        let files = tree(&place.path("store/marts")).into_iter().filter(|path| path.ends_with(".parquet"));
        let at = |path: &str| fs::metadata(place.path("store/marts").join(path)).and_then(|found| found.modified());
        files.map(|path| (path.clone(), at(&path).expect("a time"))).collect()
    };
    let selections = [&[][..], &["--source", "opencode"], &["--source", "opencode-old"], &["--present-only"]];
    for args in selections {
        ask(args);
    }
    let before = marts();
    // `--present-only` of a store without history is the same as all of it, but nobody knows that beforehand.
    assert!(before.iter().filter(|(path, _)| path.ends_with("/sessions.parquet")).count() == 4, "{before:?}");
    for args in selections {
        ask(args);
    }
    assert_eq!(marts(), before);
    // Marts of an earlier state go.
    change(&place.path("data/opencode.db"), "update session set title = 'Later', time_updated = time_updated + 1000");
    place.run(&["--db", "data", "extract"]).ok();
    ask(&[]);
    assert!(marts().iter().all(|mart| !before.contains(mart)));
}

#[cfg(unix)]
#[test]
fn what_is_called_like_a_database_and_cannot_be_read_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let data = place.path("home/.local/share/opencode");
    fs::create_dir_all(&data).expect("folder");
    fs::copy(real(), data.join(std::ffi::OsStr::from_bytes(b"opencode-\xff.db"))).expect("copied");
    std::os::unix::fs::symlink("/nowhere/opencode.db", data.join("opencode.db")).expect("linked");
    for named in [&[][..], &["--db", data.to_str().expect("UTF-8")]] {
        let run = place.run(&[named, &["extract"]].concat());
        assert_eq!(run.code, 3, "{}", run.err);
        let says = ["not UTF-8", "opencode.db was not read: it is a link to nothing"];
        assert!(says.iter().all(|text| run.err.contains(text)), "{}", run.err);
    }
    fs::copy(real(), data.join("opencode-beta.db")).expect("copied");
    let run = place.run(&["extract"]).ok();
    assert!(run.err.contains("not UTF-8") && run.err.contains("link to nothing"), "{}", run.err);
    // A name in which DuckDB would see a pattern.
    for name in ["a*b", "a?/store"] {
        place.output(place.with_store(&place.path(name)).args(["extract"])).fails(2, &["* or ?"]);
        assert!(!place.path(name).exists());
    }
}
