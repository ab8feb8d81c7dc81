//! Bad input: a clear sentence, the right exit code, a hint, and nothing half-written.

mod beside;
mod wounds;

use crate::harness::{Place, fixture, real};
use std::fs;
use std::path::Path;

fn copy_of_real(place: &Place) -> std::path::PathBuf {
    let path = place.path("copy.db");
    fs::copy(real(), &path).expect("copied");
    path
}

/// Nothing that looks like a store was left behind.
fn no_store(place: &Place) {
    assert!(!place.path("store/manifest.json").exists(), "a store was left behind");
}

#[test]
fn no_database_is_exit_3_and_says_where_it_looked() {
    let place = Place::new();
    for verb in ["extract", "stats", "skills", "report"] {
        place.run(&[verb]).fails(3, &["no OpenCode database found", ".local/share/opencode", "hint:", "--db"]);
    }
    place.run(&["--db", "nowhere.db", "extract"]).fails(3, &["nowhere.db does not exist", "hint:"]);
    fs::create_dir(place.path("empty")).expect("folder");
    place.run(&["--db", "empty", "extract"]).fails(3, &["holds no opencode*.db", "hint:"]);
    place.run(&["--db", "no*.db", "extract"]).fails(3, &["no*.db"]);
    no_store(&place);
}

#[test]
fn files_that_are_no_database_are_exit_4() {
    let place = Place::new();
    fs::write(place.path("empty.db"), b"").expect("written");
    fs::write(place.path("text.db"), "this is a shopping list\n".repeat(400)).expect("written");
    fs::write(place.path("short.db"), b"SQLite").expect("written");
    let other = rusqlite::Connection::open(place.path("other.db")).expect("opened");
    other.execute_batch("create table notes (id integer primary key, body text)").expect("made");
    drop(other);
    for (file, says) in [
        ("empty.db", "is empty"),
        ("text.db", "is not an SQLite database"),
        ("short.db", "is not an SQLite database"),
        ("other.db", "not OpenCode's"),
    ] {
        for verb in ["extract", "report", "stats"] {
            place.run(&["--db", file, verb]).fails(4, &[file, says, "hint:"]);
        }
    }
    no_store(&place);
    assert!(!place.path("reports").exists());
}

#[test]
fn of_a_truncated_database_what_can_be_read_is_read_and_nothing_known_is_lost() {
    let place = Place::new();
    let db = copy_of_real(&place);
    place.on(&db, &["extract"]).ok();
    let counts = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend([
            "query",
            "-c",
            "select (select count(*) from session) as s, (select count(*) from message) as m,
            (select count(*) from part) as p, (select count(last_seen_at) from raw_part) as gone",
            "--json",
        ]);
        place.on(&db, &all).ok().out
    };
    let before = counts(&["--no-extract"]);
    let whole = fs::read(&db).expect("read");
    for percent in [90, 85] {
        fs::write(&db, &whole[..whole.len() * percent / 100]).expect("written");
        let run = place.on(&db, &["extract"]).ok();
        for text in ["copy.db", "is damaged", "not read", "part ("] {
            assert!(run.err.contains(text), "'{text}' is not in:\n{}", run.err);
        }
        assert_eq!(counts(&["--no-extract"]), before);
        // It is said again, though nothing is written.
        let again = place.on(&db, &["extract", "--json"]).ok();
        assert!(again.out.contains("\"is_changed\": false") && again.err.contains("is damaged"), "{}", again.err);
    }
    // No session, message or part can be read: an error, and the old state stands.
    let manifest = fs::read(place.path("store/manifest.json")).expect("manifest");
    for length in [whole.len() * 2 / 3, whole.len() / 3, 4096] {
        fs::write(&db, &whole[..length]).expect("written");
        place.on(&db, &["extract"]).fails(4, &["copy.db", "is damaged", "hint:", "--no-extract"]);
        assert_eq!(fs::read(place.path("store/manifest.json")).expect("manifest"), manifest);
        assert_eq!(counts(&["--no-extract"]), before);
    }
    // Whole again, everything is as it was.
    fs::write(&db, &whole).expect("written");
    place.on(&db, &["extract"]).ok();
    assert_eq!(counts(&["--no-extract"]), before);
}

#[test]
fn a_bad_page_costs_its_rows_only() {
    let place = Place::new();
    let db = copy_of_real(&place);
    // One leaf page of the table of parts, found by its place in the file.
    let database = rusqlite::Connection::open(&db).expect("opened");
    database.execute_batch("delete from event; vacuum").expect("its copies of the parts are gone");
    let total: i64 = database.query_row("select count(*) from part", [], |row| row.get(0)).expect("a count");
    let needle: String = database
        .query_row("select id from part where length(data) < 900 order by rowid limit 1 offset 250", [], |row| {
            row.get(0)
        })
        .expect("an id");
    drop(database);
    let mut bytes = fs::read(&db).expect("read");
    let page = bytes
        .chunks(4096)
        .position(|page| page[0] == 0x0d && page.windows(needle.len()).any(|window| window == needle.as_bytes()))
        .expect("a leaf page");
    bytes[page * 4096..page * 4096 + 200].fill(0xff);
    fs::write(&db, &bytes).expect("written");
    let run = place.on(&db, &["extract", "--json"]).ok();
    assert!(run.err.contains("is damaged") && run.err.contains("part (rowid"), "{}", run.err);
    let run = place.on(&db, &["--no-extract", "query", "-c", "select count(*) as n from part", "--json"]).ok();
    let rows: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    let read = rows[0]["n"].as_i64().expect("a count");
    assert!(read < total && read > total - 60, "{read} of {total}");
}

#[test]
fn pages_overwritten_with_noise_are_said_to_be_damaged() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let mut bytes = fs::read(&db).expect("read");
    let half = bytes.len() / 2;
    for (index, byte) in bytes[4096..half].iter_mut().enumerate() {
        *byte = u8::try_from((index * 31 + 7) % 251).expect("small");
    }
    fs::write(&db, bytes).expect("written");
    place.on(&db, &["extract"]).fails(4, &["copy.db", "hint:"]);
    no_store(&place);
}

#[test]
fn a_flipped_byte_in_the_store_is_noticed_and_mended_without_losing_history() {
    let place = Place::new();
    let db = copy_of_real(&place);
    place.on(&db, &["extract"]).ok();
    let change = |sql: &str| rusqlite::Connection::open(&db).expect("opened").execute_batch(sql).expect("changed");
    change("pragma foreign_keys = on; delete from session where title = 'Audit src'");
    place.on(&db, &["extract"]).ok();
    let history = "select count(*) as n from raw_session where last_seen_at is not null";
    let flip = |table: &str| {
        let mut folders = vec![place.path("store").join(table)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let mut bytes = fs::read(entry.path()).expect("read");
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x55;
                    fs::write(entry.path(), bytes).expect("written");
                    return;
                }
            }
        }
        panic!("no file of {table}");
    };
    flip("part");
    place.on(&db, &["doctor"]).fails(6, &[]);
    change(
        "update session set title = title || '!'; update part set data = json_set(data, '$.x', 1), time_updated = time_updated + 1",
    );
    let run = place.on(&db, &["extract"]).ok();
    assert!(run.err.contains("SHA-256 differs"), "{}", run.err);
    place.on(&db, &["doctor"]).ok();
    let run = place.on(&db, &["--no-extract", "query", "-c", history, "--json"]).ok();
    assert!(run.out.contains("\"n\": 1"), "{}", run.out);
}

#[test]
fn after_a_lost_manifest_history_is_salvaged_from_the_files() {
    let place = Place::new();
    let db = copy_of_real(&place);
    place.on(&db, &["extract"]).ok();
    let change = rusqlite::Connection::open(&db).expect("opened");
    change.execute_batch("pragma foreign_keys = on; delete from session where title = 'Audit src'").expect("changed");
    drop(change);
    place.on(&db, &["extract"]).ok();
    let ask = || {
        let sql = "select (select count(*) from session) as s, (select count(last_seen_at) from raw_session) as gone,
            (select count(*) from part) as p, (select count(distinct id) from part) as ids";
        place.on(&db, &["--no-extract", "query", "-c", sql, "--json"]).ok().out
    };
    let before = ask();
    fs::write(place.path("store/manifest.json"), "{").expect("written");
    place.on(&db, &["extract"]).fails(6, &["manifest", "damaged", "hint:", "--full"]);
    let run = place.on(&db, &["extract", "--full"]).ok();
    assert!(run.err.contains("history may be lost"), "{}", run.err);
    assert_eq!(ask(), before);
}

#[test]
fn an_unknown_schema_names_the_table_and_the_column() {
    let place = Place::new();
    let db = rusqlite::Connection::open(place.path("new.db")).expect("opened");
    db.execute_batch(
        "create table session (id text, time_created integer); create table message (id text, session_id text, data text);
         create table part (id text, message_id text, session_id text, payload blob);",
    )
    .expect("made");
    drop(db);
    place.run(&["--db", "new.db", "extract"]).fails(4, &["table part has no column 'data'", "hint:"]);
    no_store(&place);
}

#[test]
fn a_locked_database_is_exit_4_after_the_busy_time_out() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.execute_batch("begin exclusive").expect("locked");
    place.on(&db, &["extract"]).fails(4, &["is locked by another process", "hint:", "--no-extract"]);
    writer.execute_batch("rollback").expect("unlocked");
    place.on(&db, &["extract"]).ok();
}

#[test]
fn an_unwritable_store_is_exit_6() {
    let place = Place::new();
    fs::write(place.path("file"), "not a folder").expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"));
    command.env_clear().env("HOME", place.path("home")).current_dir(place.folder.path());
    command.arg("--store").arg(place.path("file/store")).arg("--db").arg(real()).arg("extract");
    place.output(&mut command).fails(6, &["cannot create", "file/store", "hint:", "--store"]);
    // A folder with other things in it is not taken for a store.
    fs::create_dir_all(place.path("photos")).expect("folder");
    fs::write(place.path("photos/cat.jpg"), "cat").expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"));
    command.env_clear().env("HOME", place.path("home")).current_dir(place.folder.path());
    command.arg("--store").arg(place.path("photos")).arg("--db").arg(real()).arg("extract");
    place.output(&mut command).fails(6, &["is not a Logicoma store", "hint:"]);
    assert_eq!(fs::read_dir(place.path("photos")).expect("folder").count(), 1);
}

#[test]
fn a_store_of_a_newer_schema_is_exit_4_and_one_with_a_torn_manifest_6() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let path = place.path("store/manifest.json");
    let manifest = fs::read_to_string(&path).expect("manifest");
    fs::write(&path, manifest.replacen("\"schema_version\": ", "\"schema_version\": 9", 1)).expect("written");
    place.on(&real(), &["--no-extract", "stats"]).fails(4, &["schema version 9", "newer Logicoma", "hint:"]);
    fs::write(&path, &manifest[..manifest.len() / 2]).expect("written");
    place.on(&real(), &["extract"]).fails(6, &["manifest", "damaged", "hint:", "--full"]);
    place.on(&real(), &["extract", "--full"]).ok();
    // A manifest that points outside the store is not followed.
    let manifest = fs::read_to_string(&path).expect("manifest");
    let evil = manifest.replacen("\"path\": \"part/", "\"path\": \"part/../../", 1);
    assert_ne!(evil, manifest);
    fs::write(&path, evil).expect("written");
    place.on(&real(), &["--no-extract", "stats"]).fails(6, &["not a file of table part"]);
}

#[test]
fn a_missing_file_of_the_store_is_noticed_and_mended_by_extract() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let source = fs::read_dir(place.path("store/part")).expect("folder").flatten().next().expect("a source").path();
    let folder = fs::read_dir(source).expect("folder").flatten().next().expect("a week").path();
    let file = fs::read_dir(&folder).expect("folder").flatten().next().expect("a file").path();
    fs::remove_file(file).expect("removed");
    place.on(&real(), &["--no-extract", "stats"]).fails(6, &["is missing", "hint:", "--full"]);
    place.on(&real(), &["extract"]).ok();
    place.on(&real(), &["--no-extract", "stats"]).ok();
}

#[test]
fn a_read_only_folder_is_read_without_leaving_anything_in_it() {
    let place = Place::new();
    let folder = place.path("data");
    fs::create_dir(&folder).expect("folder");
    let db = folder.join("opencode.db");
    fs::copy(real(), &db).expect("copied");
    // As OpenCode leaves it: WAL mode, everything checkpointed, no log beside it.
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.query_row("pragma journal_mode = wal", [], |_| Ok(())).expect("wal");
    drop(writer);
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).expect("folder").flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    let before = (names(&folder), fs::read(&db).expect("read"));
    let run = place.on(&folder, &["extract", "--json"]).ok();
    assert!(run.out.contains("\"rows_quarantined\": 0"), "{}", run.out);
    assert_eq!((names(&folder), fs::read(&db).expect("read")), before);
}

#[test]
fn a_fresh_database_whose_rows_are_all_in_the_log_is_read_whole() {
    let place = Place::new();
    let db = place.path("opencode.db");
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.query_row("pragma journal_mode = wal", [], |_| Ok(())).expect("wal");
    writer.execute_batch("pragma wal_autocheckpoint = 0").expect("no checkpoint");
    let schema = fs::read_to_string(fixture("opencode/schema-1.18.33.sql")).expect("schema");
    writer.execute_batch(&schema).expect("made");
    writer
        .execute_batch(
            "insert into project (id, worktree, time_created, time_updated, sandboxes) values ('global', '/', 1, 1, '[]');
             insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
             values ('ses_1', 'global', 's', '/tmp', 'In the log', '1.18.33', 1795000000000, 1795000000000);",
        )
        .expect("filled");
    let run = place.on(&db, &["query", "-c", "select title from session", "--json"]).ok();
    assert!(run.out.contains("In the log"), "{}", run.out);
    drop(writer);
}

#[test]
fn wrong_use_is_exit_2_with_the_right_forms() {
    let place = Place::new();
    place.run(&["nonsense"]).fails(2, &["nonsense"]);
    place.on(&real(), &["metrics", "run", "overview", "--week", "2026-W99"]).fails(2, &["2026-W99", "2026-W47"]);
    place.on(&real(), &["metrics", "run", "tool_usages"]).fails(2, &["tool_usages", "did you mean 'tool_usage'?"]);
    place
        .on(&real(), &["metrics", "run", "overview", "--since", "2026-11-02", "--until", "2026-11-01"])
        .fails(2, &["ends before"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let mut child = place
        .command()
        .arg("--db")
        .arg(real())
        .args(["query", "-c", "select * from part", "--format", "jsonl"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn of_several_named_databases_those_that_are_there_are_read() {
    let place = Place::new();
    let real = real();
    let named = ["--db", real.to_str().expect("UTF-8"), "--db", "nowhere.db"];
    let run = |args: &[&str]| place.run(&[&named[..], args].concat());
    run(&["extract"]).fails(3, &["nowhere.db does not exist", "hint:"]);
    let rows = place.json(&real, &["--no-extract", "query", "-c", "select count(*) as n from session", "--json"]);
    assert_eq!(rows[0]["n"], 48);
    run(&["doctor"]).fails(3, &["nowhere.db does not exist"]);
}

#[test]
fn a_damaged_manifest_says_whose_it_is_and_how_it_is_mended() {
    let place = Place::new();
    for name in ["laptop", "desktop"] {
        place.on(&real(), &["extract", "--source", name]).ok();
    }
    let manifest = place.path("store/manifest-laptop.json");
    fs::write(&manifest, "{\"schema_version\": 2,").expect("spoilt");
    let command = format!("logicoma extract --full --source laptop --store {}", place.path("store").display());
    place.run(&["--no-extract", "stats"]).fails(6, &["manifest-laptop.json", "machine 'laptop'", &command]);
    // The hint is true.
    place.on(&real(), &["extract", "--full", "--source", "laptop"]).ok();
    place.run(&["--no-extract", "stats"]).ok();
}
