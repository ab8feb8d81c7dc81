//! Nothing of Logicoma's reaches beyond the store: no secret table is opened, no link followed, no path of a manifest or a
//! database leads out, and everything written is for its owner only.

use crate::harness::{Place, real, tree};
use logicoma::engine::duck::Duck;
use logicoma::extract::opencode::sqlite::ALLOWED;
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const MARKER: &str = "MARKERofSECRETS";

/// The real database with a marker in every column of every table that is none of Logicoma's business. Gives their names.
fn planted(path: &Path) -> Vec<String> {
    fs::copy(real(), path).expect("copied");
    let database = Connection::open(path).expect("opened");
    database.execute_batch("pragma foreign_keys = off").expect("off");
    let names: Vec<String> = database
        .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .expect("tables");
    let secret: Vec<String> = names.into_iter().filter(|name| !ALLOWED.contains(&name.as_str())).collect();
    for table in &secret {
        let columns: Vec<(String, bool)> = database
            .prepare(&format!("select name, lower(type) = 'integer' and pk = 1 from pragma_table_info('{table}')"))
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .expect("columns");
        let values: Vec<String> = columns
            .iter()
            .map(
                |(name, is_number)| if *is_number { "987654".to_owned() } else { format!("'{MARKER} {table} {name}'") },
            )
            .collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        database
            .execute(&format!("insert into \"{table}\" ({}) values ({})", names.join(", "), values.join(", ")), [])
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    secret
}

/// Overwrites the root page of every table and index that holds secrets: who opens one, stumbles.
fn break_pages(path: &Path, secret: &[String]) -> usize {
    let database = Connection::open(path).expect("opened");
    let size: isize = database.query_row("pragma page_size", [], |row| row.get(0)).expect("a size");
    let pages: Vec<(String, isize)> = database
        .prepare("select tbl_name, rootpage from sqlite_schema where rootpage > 0")
        .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .expect("pages");
    drop(database);
    let mut bytes = fs::read(path).expect("read");
    let size = size.unsigned_abs();
    let mut broken = 0;
    for (table, page) in pages {
        let page = page.unsigned_abs();
        if secret.contains(&table) && page > 1 {
            bytes[(page - 1) * size..page * size].fill(0xa5);
            broken += 1;
        }
    }
    fs::write(path, bytes).expect("written");
    broken
}

/// Searches every file: its bytes and, for Parquet, its values.
fn search(folder: &Path, except: &Path) -> usize {
    let duck = Duck::open(1, camino::Utf8Path::new("/tmp")).expect("DuckDB");
    let mut searched = 0;
    for path in tree(folder) {
        let file = folder.join(&path);
        if file == except {
            continue;
        }
        let bytes = fs::read(&file).expect("file");
        assert!(!bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes()), "{path}");
        if path.ends_with(".parquet") {
            let sql = format!(
                "select count(*) from read_parquet('{}') as rows where cast(rows as varchar) like '%{MARKER}%'",
                file.display()
            );
            assert_eq!(duck.query(&path, &sql, &[]).expect("rows").value(0, 0).as_i64(), Some(0), "{path}");
        }
        searched += 1;
    }
    searched
}

#[test]
fn no_secret_table_is_ever_opened() {
    let place = Place::new();
    let db = place.path("opencode.db");
    let secret = planted(&db);
    for table in ["account", "account_state", "control_account", "credential", "session_share", "event"] {
        assert!(secret.iter().any(|name| name == table), "{table} is not among {secret:?}");
    }
    let broken = break_pages(&db, &secret);
    let mut said = String::new();
    for args in [
        &["extract", "-vv"][..],
        &["report", "--all", "-vv", "--out", "out"],
        &["stats", "--json", "--tools", "--models"],
        &["skills", "--json"],
        &["findings", "--json"],
        &["metrics", "run", "--json"],
        &["doctor", "--json"],
        &["schema", "--json"],
        &["query", "-c", "select * from part", "--json"],
        &["query", "-c", "select * from session", "--format", "parquet", "-o", "sessions.parquet"],
        &["snapshot", "create"],
        &["snapshot", "create", "--lean"],
        &["snapshot", "diff", "2026-11-22T120000Z", "store", "--json"],
    ] {
        let run = place.on(&db, args);
        assert!([0, 1].contains(&run.code), "{args:?}: {} {}", run.code, run.err);
        said.push_str(&run.out);
        said.push_str(&run.err);
    }
    assert!(!said.contains(MARKER));
    for table in ["event", "account", "credential", "session_share", "control_account"] {
        place.on(&db, &["query", "-c", &format!("select * from {table}")]).fails(5, &[table]);
    }
    let searched = search(place.folder.path(), &db);
    eprintln!(
        "{} secret tables, {broken} broken pages, {searched} files searched: no marker, no stumble",
        secret.len()
    );
    assert!(searched > 50 && broken >= secret.len());
}

fn modes(folder: &Path) -> usize {
    let mut folders = vec![folder.to_path_buf()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).expect("folder").flatten() {
            count += 1;
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
            }
        }
    }
    count
}

#[test]
fn everything_in_stores_and_archives_is_for_the_owner_only() {
    let place = Place::new();
    let archive = place.path("archive").display().to_string();
    place.on(&real(), &["report", "--all", "--out", "out"]).ok();
    place.on(&real(), &["snapshot", "create"]).ok();
    place.on(&real(), &["snapshot", "create", "--lean", "--to", &archive]).ok();
    place.on(&real(), &["snapshot", "restore", "2026-11-22T120000Z"]).ok();
    place.run(&["--no-extract", "metrics", "run", "overview"]).ok();
    let counted = modes(&place.path("store")) + modes(&place.path("archive"));
    assert!(counted > 60, "{counted} files and folders");
}

/// The store of a measured place, and a folder outside of it that nobody may touch.
fn with_outside(place: &Place) -> (PathBuf, PathBuf) {
    let outside = place.path("outside");
    fs::create_dir(&outside).expect("folder");
    fs::write(outside.join("precious.txt"), "precious").expect("written");
    (place.path("store"), outside)
}

fn untouched(outside: &Path) {
    assert_eq!(tree(outside), ["precious.txt"]);
    assert_eq!(fs::read_to_string(outside.join("precious.txt")).expect("read"), "precious");
}

#[test]
fn links_inside_a_store_are_never_followed() {
    // A folder of the store that is a link: nothing is read, written or removed behind it.
    for name in ["part", "marts", "snapshots", ".incoming"] {
        let place = Place::measured();
        let (store, outside) = with_outside(&place);
        let _ = fs::remove_dir_all(store.join(name));
        symlink(&outside, store.join(name)).expect("linked");
        for args in [
            &["extract", "--full"][..],
            &["metrics", "run", "overview"],
            &["--no-extract", "stats"],
            &["snapshot", "create"],
            &["snapshot", "prune", "--keep-last", "1"],
        ] {
            let run = place.on(&real(), args);
            assert!([0, 6].contains(&run.code), "{name} {args:?}: {} {}", run.code, run.err);
            untouched(&outside);
        }
    }
    // A file of the store that is a link.
    let place = Place::measured();
    let (store, outside) = with_outside(&place);
    let path = tree(&store).into_iter().find(|path| path.starts_with("part/")).expect("a file");
    fs::rename(store.join(&path), place.path("aside.parquet")).expect("moved");
    symlink(place.path("aside.parquet"), store.join(&path)).expect("linked");
    place.run(&["--no-extract", "query", "-c", "select count(*) from part"]).fails(6, &[&path, "link"]);
    // Temporary names that somebody has laid out as traps.
    let place = Place::measured();
    let (store, _) = with_outside(&place);
    for name in ["manifest.tmp", "manifest.json.tmp", ".lock"] {
        let _ = fs::remove_file(store.join(name));
        symlink(outside.join("precious.txt"), store.join(name)).expect("linked");
        let run = place.on(&real(), &["extract", "--full"]);
        assert!([0, 6].contains(&run.code), "{name}: {}", run.err);
        untouched(&outside);
        let _ = fs::remove_file(store.join(name));
    }
}

#[test]
fn paths_in_manifests_lead_nowhere_else() {
    let place = Place::measured();
    let (store, outside) = with_outside(&place);
    place.on(&real(), &["snapshot", "create"]).ok();
    let snapshot = store.join("snapshots/2026-11-22T120000Z");
    for (folder, code) in [(&store, 6), (&snapshot, 6)] {
        let path = folder.join("manifest.json");
        let manifest: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        let precious = outside.join("precious.txt").display().to_string();
        for evil in
            ["../outside/precious.txt", "part/../../outside/precious.txt", &precious, "part/./x", "", "marts/x", "."]
        {
            let mut changed = manifest.clone();
            changed["tables"]["part"]["files"][0]["path"] = evil.into();
            fs::write(&path, changed.to_string()).expect("written");
            let run = place.output(place.with_store(folder).args([
                "--no-extract",
                "query",
                "-c",
                "select count(*) from part",
            ]));
            run.fails(code, &["manifest.json"]);
            if folder == &snapshot {
                place.run(&["snapshot", "verify"]).fails(6, &["manifest.json"]);
                place.run(&["snapshot", "restore", "2026-11-22T120000Z", "--force"]).fails(6, &["manifest.json"]);
            }
            untouched(&outside);
        }
        let mut changed = manifest.clone();
        changed["tables"]["../outside"] = changed["tables"]["part"].clone();
        fs::write(&path, changed.to_string()).expect("written");
        place.output(place.with_store(folder).args(["--no-extract", "stats"])).fails(code, &["manifest.json"]);
        fs::write(&path, manifest.to_string()).expect("written");
    }
    untouched(&outside);
}

#[test]
fn names_in_a_database_are_values_and_never_paths_or_sql() {
    let place = Place::new();
    let db = place.path("o'pen\"code;drop table part--.db");
    fs::copy(real(), &db).expect("copied");
    let database = Connection::open(&db).expect("opened");
    database.execute_batch("pragma foreign_keys = off").expect("off");
    let evil = "../../../../tmp/logicoma-evil'; drop view part; --";
    for column in ["title", "slug", "directory", "version", "agent", "project_id"] {
        database
            .execute(&format!("update session set {column} = ?1 where id = (select min(id) from session)"), [evil])
            .expect("updated");
    }
    database
        .execute("insert into session (id, project_id, slug, directory, title, version, time_created, time_updated) values (?1, ?1, ?1, ?1, ?1, ?1, 1795000000000, 1795000000000)", [evil])
        .expect("inserted");
    drop(database);
    for args in [
        &["extract"][..],
        &["report", "--all", "--out", "out"],
        &["findings"],
        &["snapshot", "create"],
        &["metrics", "run", "--json"],
    ] {
        place.on(&db, args).ok();
    }
    let run = place.on(&db, &["query", "-c", "select count(*) as n from session", "--json"]).ok();
    assert!(run.out.contains("49"), "{}", run.out);
    assert!(!Path::new("/tmp/logicoma-evil").exists());
    for path in tree(&place.path("store")) {
        assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._=-".contains(&byte)), "{path}");
    }
}

#[test]
fn what_ended_runs_spilled_goes_and_what_others_hold_stays() {
    let place = Place::measured();
    let marts = place.path("store/marts");
    let folders = [".spill-999999999", ".spill-999999998-0", ".spill-1-7", ".spill-1-8"].map(|name| marts.join(name));
    for folder in &folders {
        fs::create_dir(folder).expect("folder");
        fs::write(folder.join("duckdb_temp_storage_DEFAULT-0.tmp"), "spilled").expect("written");
    }
    // Killed runs leave their lock, which nobody holds; numbers of processes are used again.
    for folder in &folders[1..] {
        fs::write(folder.join("lock"), "").expect("written");
    }
    let held = fs::File::open(folders[3].join("lock")).expect("opened");
    held.lock().expect("locked");
    place.run(&["--no-extract", "query", "-c", "select count(*) from part"]).ok();
    assert_eq!(folders.map(|folder| folder.exists()), [false, false, false, true]);
    drop(held);
    place.run(&["--no-extract", "query", "-c", "select count(*) from part"]).ok();
    assert!(!tree(&marts).iter().any(|path| path.contains(".spill-")));
}
