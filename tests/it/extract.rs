//! `extract`: both generations of schema, whole, in any column order, from several databases, into one store.

use crate::harness::{Place, fixture, real, tree};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn schema(name: &str) -> String {
    fs::read_to_string(fixture(&format!("opencode/schema-{name}.sql"))).expect("schema")
}

/// Both generations in one file.
fn both_generations(place: &Place) -> PathBuf {
    let path = place.path("opencode.db");
    let database = Connection::open(&path).expect("opened");
    database.execute_batch(&schema("1.18.33")).expect("first generation");
    // 1.18.33 makes an empty session_message of its own; the second generation makes it anew.
    database
        .execute_batch("drop table session_message; drop table event; drop table event_sequence;")
        .expect("dropped");
    let second = schema("2.0.26").replace("CREATE TABLE `project`", "CREATE TABLE `project_of_v2`");
    database.execute_batch(&second).expect("second generation");
    database.execute_batch(&fs::read_to_string(fixture("cases/both-generations.sql")).expect("case")).expect("filled");
    path
}

fn ask(place: &Place, db: &Path, sql: &str) -> Value {
    place.json(db, &["query", "-c", sql, "--json"])
}

#[test]
fn the_real_databases_are_read_whole() {
    for (file, counts) in [("1.18.33", [48, 193, 493]), ("1.2.27", [6, 0, 0])] {
        let place = Place::new();
        let db = fixture(&format!("opencode/opencode-{file}.db"));
        let source = Connection::open(&db).expect("opened");
        for (table, expected) in ["session", "message", "part"].iter().zip(counts) {
            let there: i64 =
                source.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).expect("a count");
            assert!(expected == 0 || there == expected);
            assert_eq!(
                ask(&place, &db, &format!("select count(*) as n from {table}"))[0]["n"],
                there,
                "{file} {table}"
            );
        }
        assert_eq!(ask(&place, &db, "select count(*) as n from quarantine")[0]["n"], 0);
    }
}

#[test]
fn the_second_generation_continues_the_first_and_both_are_one_by_id() {
    let place = Place::new();
    let db = both_generations(&place);
    let sessions = ask(&place, &db, "select id, title, generation from raw_session order by id");
    assert_eq!(
        sessions,
        json!([
            {"id": "ses_fork", "title": "New (fork #1)", "generation": "v2"},
            {"id": "ses_late", "title": "Late", "generation": "v1"},
            {"id": "ses_new", "title": "New", "generation": "v2"},
            {"id": "ses_old", "title": "Old, continued", "generation": "v2"},
        ])
    );
    let overview = place.json(&db, &["metrics", "run", "overview", "--json"]);
    // 0.75 of ses_old, 0.25 of ses_late, 1.0 of ses_new, 0.125 of ses_fork; the fork's copies stand for another 1.0.
    assert!((overview[0]["cost_usd"].as_f64().expect("cost") - 2.125).abs() < 1e-9, "{overview}");
    assert!((overview[0]["raw_cost_usd"].as_f64().expect("cost") - 3.125).abs() < 1e-9, "{overview}");
    assert_eq!(overview[0]["tool_calls"], 4);
    assert_eq!(overview[0]["raw_tool_calls"], 8);
    let calls = ask(&place, &db, "select tool_name, status, call_id from tool_calls order by call_id");
    assert_eq!(
        calls,
        json!([
            {"tool_name": "skill", "status": "completed", "call_id": "call_1"},
            {"tool_name": "bash", "status": "completed", "call_id": "call_2"},
            {"tool_name": "edit", "status": "error", "call_id": "call_3"},
            {"tool_name": "grep", "status": "pending", "call_id": "call_4"},
        ])
    );
    let kept =
        ask(&place, &db, "select id, kind, role from raw_message where id in ('msg_new4', 'msg_new5') order by id");
    assert_eq!(kept[1], json!({"id": "msg_new5", "kind": "telepathy", "role": null}));
    assert_eq!(ask(&place, &db, "select content from todo")[0]["content"], "Keep me");
}

#[test]
fn columns_may_stand_in_any_order_or_be_missing() {
    let place = Place::new();
    let path = place.path("opencode.db");
    let database = Connection::open(&path).expect("opened");
    database
        .execute_batch(
            "create table part (data text, time_updated integer, time_created integer, session_id text, message_id text, id text primary key);
             create table message (data text, id text primary key, session_id text, time_created integer);
             create table session (time_created integer, title text, id text primary key, extra_of_the_future blob);
             insert into session values (1795000000000, 'Sparse', 'ses_1', x'00');
             insert into message values ('{\"role\":\"user\"}', 'msg_1', 'ses_1', 1795000000001);
             insert into part values ('{\"type\":\"text\",\"text\":\"hi\"}', 2, 1795000000002, 'ses_1', 'msg_1', 'prt_1');",
        )
        .expect("filled");
    drop(database);
    let row = ask(&place, &path, "select id, title, project_id, cost, time_updated from session");
    assert_eq!(
        row,
        json!([{"id": "ses_1", "title": "Sparse", "project_id": null, "cost": null, "time_updated": null}])
    );
    let row = ask(&place, &path, "select id, message_id, session_id, time_created, time_updated from part");
    assert_eq!(
        row,
        json!([{"id": "prt_1", "message_id": "msg_1", "session_id": "ses_1", "time_created": 1_795_000_000_002_i64, "time_updated": 2}])
    );
    for family in ["usage", "tools", "skills"] {
        place.on(&path, &["metrics", "run", family, "--json"]).ok();
    }
}

#[test]
fn several_databases_are_one_store_and_the_newest_state_of_a_session_wins() {
    let place = Place::new();
    let folder = place.path("data");
    fs::create_dir(&folder).expect("folder");
    fs::copy(real(), folder.join("opencode.db")).expect("copied");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), folder.join("opencode-beta.db")).expect("copied");
    fs::copy(real(), folder.join("opencode-local.db")).expect("copied");
    let newer = Connection::open(folder.join("opencode-local.db")).expect("opened");
    newer
        .execute_batch(
            "update session set title = 'Renamed later', time_updated = time_updated + 1 where title = 'Audit src'",
        )
        .expect("updated");
    drop(newer);
    let counts = ask(&place, &folder, "select source, count(*) as n from raw_session group by source order by source");
    let total: i64 = counts.as_array().expect("rows").iter().filter_map(|row| row["n"].as_i64()).sum();
    assert_eq!(total, 54, "{counts}");
    let titles = ask(&place, &folder, "select title from session where title in ('Audit src', 'Renamed later')");
    assert_eq!(titles, json!([{"title": "Renamed later"}]));
    let parts = ask(&place, &folder, "select count(*) as n, count(distinct id) as ids from part");
    assert_eq!(parts[0]["n"], parts[0]["ids"]);
}

#[test]
fn a_second_run_over_an_unchanged_database_writes_nothing() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let state = |folder: &Path| -> Vec<(PathBuf, std::time::SystemTime)> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("folder").flatten() {
                let metadata = entry.metadata().expect("metadata");
                found.push((entry.path(), metadata.modified().expect("a time")));
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        found.sort();
        found
    };
    let before = state(&place.path("store"));
    let again = place.json(&real(), &["extract", "--json"]);
    assert_eq!(again[0]["is_changed"], false);
    assert_eq!(again[0]["rows_read"], 0);
    assert_eq!(state(&place.path("store")), before);
}

/// The columns of each table's files.
fn columns(store: &Path) -> BTreeSet<(String, String)> {
    let files = tree(store).into_iter().filter(|path| path.ends_with(".parquet"));
    files
        .flat_map(|path| {
            let file = fs::File::open(store.join(&path)).expect("a file");
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
            let table = path.split('/').next().expect("a folder").to_owned();
            let names: Vec<String> = reader.schema().fields().iter().map(ToString::to_string).collect();
            names.into_iter().map(move |name| (table.clone(), name))
        })
        .collect()
}

#[test]
fn no_content_leaves_every_raw_text_out() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let with_content = columns(&place.path("store"));
    fs::remove_dir_all(place.path("store")).expect("the store goes");
    place.on(&real(), &["extract", "--no-content"]).ok();
    // Other engines read a folder of both kinds of files.
    assert_eq!(columns(&place.path("store")), with_content);
    let rows = place.json(
        &real(),
        &["--no-extract", "query", "-c", "select count(*) as n, count(data) as with_data from part", "--json"],
    );
    assert_eq!(rows[0], json!({"n": 493, "with_data": 0}));
    // The choice is the store's: a later refresh keeps it.
    place.on(&real(), &["extract", "--full"]).ok();
    let rows = place.json(&real(), &["--no-extract", "query", "-c", "select count(data) as n from message", "--json"]);
    assert_eq!(rows[0]["n"], 0);
    place.on(&real(), &["extract", "--content"]).ok();
    let rows = place.json(&real(), &["--no-extract", "query", "-c", "select count(data) as n from message", "--json"]);
    assert_eq!(rows[0]["n"], 193);
}

#[cfg(unix)]
#[test]
fn the_store_is_for_its_owner_only_and_its_files_are_named_by_their_checksums() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.on(&real(), &["metrics", "run", "overview"]).ok();
    let mut folders = vec![place.path("store")];
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).expect("folder").permissions().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).expect("folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let mode = entry.metadata().expect("file").permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
            }
        }
    }
    let manifest: Value =
        serde_json::from_slice(&fs::read(place.path("store/manifest.json")).expect("manifest")).expect("JSON");
    let mut count = 0;
    for (table, entry) in manifest["tables"].as_object().expect("tables") {
        for file in entry["files"].as_array().expect("files") {
            let path = file["path"].as_str().expect("a path");
            assert!(path.starts_with(&format!("{table}/source=opencode-1.18.33/week=")), "{path}");
            let bytes = fs::read(place.path("store").join(path)).expect("file");
            assert_eq!(file["sha256"], logicoma::model::digest::sha256(&bytes));
            assert_eq!(file["bytes"], bytes.len());
            count += 1;
        }
    }
    assert!(count > 10);
}

#[test]
fn secrets_are_never_read() {
    let place = Place::new();
    let path = place.path("opencode.db");
    fs::copy(real(), &path).expect("copied");
    let database = Connection::open(&path).expect("opened");
    database
        .execute_batch(
            "insert into account values ('a', 'MARKER@example.org', 'MARKER', 'MARKER', 'MARKER', 1, 1, 1);
             insert into control_account values ('MARKER', 'MARKER', 'MARKER', 'MARKER', 1, 1, 1, 1);
             insert into credential values ('c', 'MARKER', 'MARKER', 'MARKER', 'MARKER', 'MARKER', 1, 1, 1);
             insert into session_share select id, 'MARKER', 'MARKER', 'MARKER', 1, 1 from session limit 1;
             insert into event (id, aggregate_id, seq, type, data) select 'MARKER', aggregate_id, 999999, 'MARKER', 'MARKER' from event_sequence limit 1;",
        )
        .expect("planted");
    drop(database);
    let run = place.on(&path, &["report", "--all", "-v"]).ok();
    assert!(!run.out.contains("MARKER") && !run.err.contains("MARKER"));
    let mut folders = vec![place.folder.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path() != path {
                let bytes = fs::read(entry.path()).expect("file");
                assert!(!bytes.windows(6).any(|window| window == b"MARKER"), "{}", entry.path().display());
            }
        }
    }
}
