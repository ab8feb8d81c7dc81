//! History: what a database no longer holds stays in the store, and is marked; nothing is merged in silence.

mod copies;

use crate::harness::{Place, fixture, real};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The real database, in a place where it can change.
fn copy(place: &Place) -> PathBuf {
    fs::create_dir_all(place.path("data")).expect("folder");
    let path = place.path("data/opencode.db");
    fs::copy(real(), &path).expect("copied");
    path
}

fn change(db: &Path, sql: &str) {
    Connection::open(db).expect("opened").execute_batch(sql).expect("changed");
}

/// Refreshes at an hour of a day, so that times can be told apart.
fn extract_at(place: &Place, db: &Path, hour: u32, args: &[&str]) -> Value {
    let now = format!("2026-11-22T{hour:02}:00:00Z");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"));
    command.env_clear().env("HOME", place.path("home")).current_dir(place.folder.path());
    command.args(["--timezone", "UTC", "--now", &now]).arg("--store").arg(place.path("store")).arg("--db").arg(db);
    let run = place.output(command.args(["extract", "--json"]).args(args)).ok();
    serde_json::from_str(&run.out).expect("JSON")
}

/// As a column that ends in `_at` is printed.
fn at(hour: u32) -> String {
    format!("2026-11-22T{hour:02}:00:00.000Z")
}

fn ask(place: &Place, db: &Path, sql: &str) -> Value {
    place.json(db, &["--no-extract", "query", "-c", sql, "--json"])
}

fn overview(place: &Place, db: &Path, args: &[&str]) -> Value {
    let mut all = vec!["metrics", "run", "overview", "--json", "--all"];
    all.extend(args);
    place.json(db, &all)[0].clone()
}

#[test]
fn a_deleted_session_stays_and_is_told_apart() {
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    let before = overview(&place, &db, &[]);
    let stats = place.on(&real(), &["stats", "--as-opencode"]).ok().out;
    assert_eq!(before["present_sessions"], before["sessions"]);
    assert_eq!(before["vanished_sessions"], 0);
    change(&db, "pragma foreign_keys = on; delete from session where title = 'Audit src'");
    let done = extract_at(&place, &db, 2, &[]);
    assert_eq!(done[0]["is_changed"], true);
    let gone = ask(&place, &db, "select title, last_seen_at from raw_session where last_seen_at is not null");
    assert_eq!(gone, json!([{"title": "Audit src", "last_seen_at": at(1)}]));
    let parts = ask(
        &place,
        &db,
        "select count(*) as n, min(last_seen_at) as first_at, max(last_seen_at) as last_at from raw_part
         where session_id in (select id from raw_session where title = 'Audit src')",
    );
    assert!(parts[0]["n"].as_i64().expect("a count") > 0);
    assert_eq!((&parts[0]["first_at"], &parts[0]["last_at"]), (&json!(at(1)), &json!(at(1))));
    let after = overview(&place, &db, &[]);
    for column in ["sessions", "messages", "cost_usd", "raw_cost_usd", "tool_calls", "input_tokens"] {
        assert_eq!(after[column], before[column], "{column}");
    }
    assert_eq!(after["vanished_sessions"], 1);
    assert_eq!(after["present_sessions"], before["sessions"].as_i64().expect("a count") - 1);
    assert_eq!(
        after["present_messages"].as_i64().expect("a count") + after["vanished_messages"].as_i64().expect("a count"),
        before["messages"].as_i64().expect("a count")
    );
    // What the source holds now is what a new store of it holds.
    let other = Place::new();
    let fresh = overview(&other, &db, &[]);
    let present = overview(&place, &db, &["--present-only"]);
    assert_eq!(present, fresh);
    let now = place.on(&db, &["stats", "--as-opencode"]).ok().out;
    assert_ne!(now, stats);
    assert_eq!(now, other.on(&db, &["stats", "--as-opencode"]).ok().out);
}

#[test]
fn undone_messages_count_as_undone_and_come_back_when_they_do() {
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    let before = overview(&place, &db, &[]);
    change(
        &db,
        "create table kept_message as select * from message where session_id = (select id from session where title = 'Audit src')
             and time_created >= (select max(time_created) from message where session_id = (select id from session where title = 'Audit src'));
         create table kept_part as select * from part where message_id in (select id from kept_message);
         delete from part where id in (select id from kept_part);
         delete from message where id in (select id from kept_message);",
    );
    extract_at(&place, &db, 2, &[]);
    let undone = overview(&place, &db, &[]);
    assert_eq!(undone["messages"], before["messages"]);
    assert_eq!(undone["cost_usd"], before["cost_usd"]);
    assert_eq!(
        undone["undone_messages"].as_i64().expect("a count"),
        before["undone_messages"].as_i64().expect("a count") + 1
    );
    assert_eq!(undone["vanished_messages"], 1);
    change(&db, "insert into message select * from kept_message; insert into part select * from kept_part;");
    extract_at(&place, &db, 3, &[]);
    assert_eq!(overview(&place, &db, &[]), before);
    let left = ask(&place, &db, "select count(*) as n from raw_message where last_seen_at is not null");
    assert_eq!(left[0]["n"], 0);
}

#[test]
fn full_and_another_content_keep_history() {
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    change(&db, "pragma foreign_keys = on; delete from session where title = 'Audit src'");
    extract_at(&place, &db, 2, &[]);
    let sql = "select id, last_seen_at, data_chars from raw_part where last_seen_at is not null order by id";
    let history = ask(&place, &db, sql);
    assert!(!history.as_array().expect("rows").is_empty());
    for args in [&["--full"][..], &["--no-content"], &["--content"]] {
        extract_at(&place, &db, 3, args);
        assert_eq!(ask(&place, &db, sql), history, "{args:?}");
    }
    // The raw text of history went with --no-content, and cannot come back.
    let texts = ask(&place, &db, "select count(data) as n from raw_part where last_seen_at is not null");
    assert_eq!(texts[0]["n"], 0);
    let texts = ask(&place, &db, "select count(*) - count(data) as n from raw_part where last_seen_at is null");
    assert_eq!(texts[0]["n"], 0);
}

#[test]
fn another_database_at_the_same_path_is_noticed_and_never_merged() {
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    fs::copy(fixture("opencode/opencode-1.2.27.db"), &db).expect("replaced");
    let run = place.on(&db, &["extract"]).ok();
    assert!(run.err.contains("is another database than before"), "{}", run.err);
    assert!(run.err.contains("opencode-2"), "{}", run.err);
    // The database that is named is looked at alone; without a name everything counts.
    assert_eq!(ask(&place, &db, "select count(*) as n from session")[0]["n"], 6);
    let all = |args: &[&str]| -> Value {
        let mut command = place.command();
        let run = place.output(command.args(["--no-extract"]).args(args)).ok();
        serde_json::from_str(&run.out).expect("JSON")
    };
    let both = all(&[
        "query",
        "-c",
        "select source, count(*) as n, count(last_seen_at) as gone from raw_session group by source order by source",
        "--json",
    ]);
    assert_eq!(both, json!([{"source": "opencode", "n": 48, "gone": 48}, {"source": "opencode-2", "n": 6, "gone": 0}]));
    let old = all(&["--source", "opencode", "query", "-c", "select count(*) as n from raw_session", "--json"]);
    assert_eq!(old[0]["n"], 48);
    let doctor = place.on(&db, &["doctor", "--json"]).ok();
    assert!(doctor.out.contains("is another database than before"), "{}", doctor.out);
    // Nothing more is said when nothing more happens.
    let again = place.on(&db, &["extract"]).ok();
    assert!(!again.err.contains("another database"), "{}", again.err);
}

#[test]
fn an_older_copy_is_noticed_with_times_and_counts() {
    let place = Place::new();
    let db = copy(&place);
    let old = fs::read(&db).expect("read");
    change(
        &db,
        "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
             values ('ses_newest', 'global', 's', '/tmp', 'Newest', '1.18.33', 1795300000000, 1795300000000);
         insert into message (id, session_id, time_created, time_updated, data)
             values ('msg_newest', 'ses_newest', 1795300000000, 1795300000000, '{\"role\":\"user\",\"time\":{\"created\":1795300000000}}');",
    );
    extract_at(&place, &db, 1, &[]);
    fs::write(&db, old).expect("restored");
    let run = place.on(&db, &["extract"]).ok();
    for text in ["is older than what was read before", "2026-11-21T22:26:40Z", "1 sessions, 1 messages and 0 parts"] {
        assert!(run.err.contains(text), "'{text}' is not in {}", run.err);
    }
    let gone = ask(&place, &db, "select id from raw_session where last_seen_at is not null");
    assert_eq!(gone, json!([{"id": "ses_newest"}]));
}

#[test]
fn an_older_copy_is_told_from_a_deletion_although_no_change_is_newer() {
    let place = Place::new();
    let db = copy(&place);
    let old = fs::read(&db).expect("read");
    // A session that is not the newest.
    let add = "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
         values ('ses_quiet', 'global', 's', '/tmp', 'Quiet', '1.18.33', 1792000000000, 1792000000000)";
    change(&db, add);
    extract_at(&place, &db, 1, &[]);
    change(&db, "delete from session where id = 'ses_quiet'");
    let run = place.on(&db, &["extract"]).ok();
    assert!(!run.err.contains("copy") && !run.err.contains("older"), "an everyday deletion: {}", run.err);
    change(&db, add);
    extract_at(&place, &db, 2, &[]);
    fs::write(&db, old).expect("restored");
    let run = place.on(&db, &["extract"]).ok();
    for text in ["is another copy than was read before", "1 sessions, 0 messages and 0 parts are not in it"] {
        assert!(run.err.contains(text), "'{text}' is not in {}", run.err);
    }
    let gone = ask(&place, &db, "select id from raw_session where last_seen_at is not null");
    assert_eq!(gone, json!([{"id": "ses_quiet"}]));
}

#[test]
fn an_older_copy_from_which_nothing_is_missing_is_told_too() {
    let place = Place::new();
    let db = copy(&place);
    let old = fs::read(&db).expect("read");
    change(
        &db,
        "update session set title = 'Later', time_updated = 1795300000000 where id = (select min(id) from session)",
    );
    extract_at(&place, &db, 1, &[]);
    fs::write(&db, old).expect("restored");
    let run = place.on(&db, &["extract"]).ok();
    for text in ["is older than what was read before", "nothing is missing"] {
        assert!(run.err.contains(text), "'{text}' is not in {}", run.err);
    }
    assert_eq!(ask(&place, &db, "select count(*) as n from session where title = 'Later'"), json!([{"n": 0}]));
}

#[test]
fn a_database_that_is_gone_leaves_its_history() {
    let place = Place::new();
    let db = copy(&place);
    let data = place.path("home/.local/share/opencode");
    fs::create_dir_all(&data).expect("folder");
    fs::rename(&db, data.join("opencode.db")).expect("moved");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), data.join("opencode-beta.db")).expect("copied");
    place.run(&["extract"]).ok();
    fs::remove_file(data.join("opencode.db")).expect("removed");
    let run = place.run(&["extract"]).ok();
    assert!(run.err.contains("opencode.db is gone"), "{}", run.err);
    let count = |args: &[&str]| -> Value {
        let mut all = args.to_vec();
        all.extend(["query", "-c", "select count(*) as n from raw_session", "--json"]);
        serde_json::from_str(&place.run(&all).ok().out).expect("JSON")
    };
    assert_eq!(count(&[])[0]["n"], 54);
    assert_eq!(count(&["--present-only"])[0]["n"], 6);
}

#[test]
fn a_session_that_moves_to_the_second_generation_is_no_history() {
    let place = Place::new();
    let db = place.path("opencode.db");
    let database = Connection::open(&db).expect("opened");
    let schema = |name: &str| fs::read_to_string(fixture(&format!("opencode/schema-{name}.sql"))).expect("schema");
    database.execute_batch(&schema("1.18.33")).expect("first generation");
    database
        .execute_batch("drop table session_message; drop table event; drop table event_sequence;")
        .expect("dropped");
    let second = schema("2.0.26").replace("CREATE TABLE `project`", "CREATE TABLE `project_of_v2`");
    database.execute_batch(&second).expect("second generation");
    database
        .execute_batch(
            "insert into project (id, worktree, time_created, time_updated, sandboxes) values ('global', '/', 1, 1, '[]');
             insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
                 values ('ses_1', 'global', 's', '/tmp', 'Moves', '1.18.33', 1795000000000, 1795000000000);
             insert into message (id, session_id, time_created, time_updated, data) values
                 ('msg_1', 'ses_1', 1795000000100, 1795000000100, '{\"role\":\"user\",\"time\":{\"created\":1795000000100}}'),
                 ('msg_2', 'ses_1', 1795000000200, 1795000000200, '{\"role\":\"assistant\",\"cost\":0.5,\"time\":{\"created\":1795000000200}}');
             insert into part (id, message_id, session_id, time_created, time_updated, data) values
                 ('prt_1', 'msg_1', 'ses_1', 1795000000100, 1795000000100, '{\"type\":\"text\",\"text\":\"one\"}'),
                 ('prt_2', 'msg_2', 'ses_1', 1795000000200, 1795000000200, '{\"type\":\"text\",\"text\":\"two\"}');",
        )
        .expect("filled");
    extract_at(&place, &db, 1, &[]);
    // The answer is not taken along: it was undone on the way.
    database
        .execute_batch(
            "insert into session_v2 (id, project_id, slug, directory, title, version, time_created, time_updated)
                 values ('ses_1', 'global', 's', '/tmp', 'Moved', '2.0.26', 1795000000000, 1795000000000);
             insert into session_message (id, session_id, type, seq, time_created, time_updated, data)
                 values ('msg_1', 'ses_1', 'user', 1, 1795000000100, 1795000000100, '{\"text\":\"one\",\"time\":{\"created\":1795000000100}}');",
        )
        .expect("moved");
    extract_at(&place, &db, 2, &[]);
    assert_eq!(
        ask(&place, &db, "select title, generation, last_seen_at from raw_session"),
        json!([{"title": "Moved", "generation": "v2", "last_seen_at": null}])
    );
    assert_eq!(
        ask(&place, &db, "select id, generation, last_seen_at from raw_message order by id"),
        json!([
            {"id": "msg_1", "generation": "v2", "last_seen_at": null},
            {"id": "msg_2", "generation": "v1", "last_seen_at": at(1)},
        ])
    );
    assert_eq!(
        ask(&place, &db, "select id, generation, last_seen_at from raw_part order by id"),
        json!([
            {"id": "msg_1.00000", "generation": "v2", "last_seen_at": null},
            {"id": "prt_2", "generation": "v1", "last_seen_at": at(1)},
        ])
    );
}

#[test]
fn sessions_and_projects_without_an_id_are_quarantined_once_over_refreshes() {
    let place = Place::new();
    let db = copy(&place);
    let odd = "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
            values (null, 'global', 's', '/x', 't', '1', 1, 1);
        insert into project (id, worktree, sandboxes, time_created, time_updated) values (null, '/w', '[]', 1, 1);";
    let quarantined = |table: &str| {
        let sql = format!("select count(*) as n from quarantine where table_name = '{table}'");
        ask(&place, &db, &sql)[0]["n"].as_i64()
    };
    extract_at(&place, &db, 12, &[]);
    for (hour, count) in [(13, 1), (14, 2)] {
        change(&db, odd);
        extract_at(&place, &db, hour, &[]);
        assert_eq!((quarantined("session"), quarantined("project")), (Some(count), Some(count)));
    }
    extract_at(&place, &db, 15, &["--full"]);
    assert_eq!((quarantined("session"), quarantined("project")), (Some(2), Some(2)));
    change(&db, "delete from project where id is null; delete from session where id is null");
    extract_at(&place, &db, 16, &[]);
    assert_eq!((quarantined("session"), quarantined("project")), (Some(0), Some(0)));
    assert_eq!(ask(&place, &db, "select count(*) as n from project")[0]["n"], 3);
}
