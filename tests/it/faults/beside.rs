//! What lies beside a database, or in the place of a file: logs without their index, journals of transactions that were cut off,
//! pipes, folders. All rows are read, nothing is written where OpenCode's files are, and nothing is waited for in vain.

use crate::harness::{Place, fixture, real};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names and bytes of all that lies in a folder.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("read")))
        .collect()
}

fn parts(place: &Place, folder: &Path) -> Value {
    place.on(&folder.join("opencode.db"), &["extract"]).ok();
    let sql = "select count(*) as n, count(*) filter (where data like '%\"x\":\"changed\"%') as changed from part";
    let run = place.run(&["--no-extract", "query", "-c", sql, "--json"]).ok();
    serde_json::from_str::<Value>(&run.out).expect("JSON")[0].clone()
}

/// A folder with the recorded database, open in a journal mode, and an empty one.
fn at_work(place: &Place, mode: &str) -> (PathBuf, PathBuf, rusqlite::Connection) {
    let (live, left) = (place.path("live"), place.path("left"));
    fs::create_dir(&live).expect("folder");
    fs::create_dir(&left).expect("folder");
    let db = live.join("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.query_row(&format!("pragma journal_mode = {mode}"), [], |_| Ok(())).expect("a mode");
    (live, left, writer)
}

#[test]
fn a_log_without_its_index_is_read_and_gets_none() {
    let place = Place::new();
    let (live, left, writer) = at_work(&place, "wal");
    writer.execute_batch("pragma wal_autocheckpoint = 0").expect("no checkpoint");
    writer.execute_batch("update part set data = json_set(data, '$.x', 'changed')").expect("changed");
    // As a backup takes it, or a machine that lost its power leaves it.
    for name in ["opencode.db", "opencode.db-wal"] {
        fs::copy(live.join(name), left.join(name)).expect("copied");
    }
    let before = all(&left);
    let found = parts(&place, &left);
    assert!(found["n"] == found["changed"] && found["n"].as_i64() > Some(400), "{found}");
    assert!(all(&left) == before, "{:?}", all(&left).keys());
    // The log is empty: everything is in the database.
    fs::write(left.join("opencode.db-wal"), "").expect("written");
    let before = all(&left);
    let found = parts(&place, &left);
    assert_eq!(found["changed"], 0);
    assert!(all(&left) == before, "{:?}", all(&left).keys());
    // The database is empty: everything is in the log.
    drop(writer);
    let writer = rusqlite::Connection::open(live.join("new.db")).expect("opened");
    writer.query_row("pragma journal_mode = wal", [], |_| Ok(())).expect("wal");
    writer.execute_batch("pragma wal_autocheckpoint = 0").expect("no checkpoint");
    let schema = fs::read_to_string(fixture("opencode/schema-1.18.33.sql")).expect("schema");
    writer.execute_batch(&schema).expect("made");
    fs::copy(live.join("new.db"), left.join("opencode.db")).expect("copied");
    fs::copy(live.join("new.db-wal"), left.join("opencode.db-wal")).expect("copied");
    let before = all(&left);
    place.on(&left.join("opencode.db"), &["extract"]).ok();
    assert!(all(&left) == before, "{:?}", all(&left).keys());
}

#[test]
fn a_transaction_that_was_cut_off_counts_for_nothing_and_is_left_to_opencode() {
    let place = Place::new();
    let (live, left, writer) = at_work(&place, "delete");
    let total: i64 = writer.query_row("select count(*) from part", [], |row| row.get(0)).expect("a count");
    // More than fits into the cache, so that half of it is in the file.
    writer
        .execute_batch("pragma cache_size = 5; begin; update part set data = json_set(data, '$.x', 'changed')")
        .expect("begun");
    for name in ["opencode.db", "opencode.db-journal"] {
        fs::copy(live.join(name), left.join(name)).expect("copied");
    }
    assert!(fs::read(left.join("opencode.db")).expect("read") != fs::read(real()).expect("read"));
    let before = all(&left);
    let found = parts(&place, &left);
    assert_eq!((found["n"].as_i64(), found["changed"].as_i64()), (Some(total), Some(0)));
    assert!(all(&left) == before, "{:?}", all(&left).keys());
    place.on(&left.join("opencode.db"), &["doctor"]).ok();
    assert!(all(&left) == before, "{:?}", all(&left).keys());
}

#[test]
fn a_pipe_is_no_database_and_is_not_waited_for() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.path("opencode.db")).status().is_ok_and(|status| status.success()));
    for verb in ["extract", "doctor", "report"] {
        place.run(&["--db", "opencode.db", verb]).fails(4, &[]);
    }
    place.run(&["--db", "opencode.db", "extract"]).fails(4, &["is not an SQLite database", "hint:", "--db"]);
    // In a data folder it is no file of that name.
    place.run(&["--db", ".", "extract"]).fails(3, &["hint:"]);
    place.run(&["--store", "", "--db", "opencode.db", "extract"]).fails(2, &["--store"]);
}

#[test]
fn a_folder_in_the_place_of_a_file_of_the_store_is_mended() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let manifest = fs::read_to_string(place.path("store/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let path = manifest["tables"]["part"]["files"][0]["path"].as_str().expect("a path");
    let path = place.path("store").join(path);
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    place.run(&["--no-extract", "stats"]).fails(6, &["hint:", "--full"]);
    place.on(&real(), &["extract"]).ok();
    assert!(path.is_file());
    place.on(&real(), &["doctor"]).ok();
}
