//! Using snapshots: thinning them out, going back to one, looking at one, sharing an archive, reading old ones for ever.

mod damage;
mod place;

use crate::harness::{Place, copy_folder, fixture, real, tree};
use crate::snapshot::{copy_of_real, create, name, rows, two_weeks};
use serde_json::{Value, json};
use std::fs;

#[test]
fn prune_keeps_what_it_says_and_what_the_others_need() {
    let place = Place::new();
    let db = copy_of_real(&place);
    // Two a week for four weeks, all sharing their files.
    for day in ["02", "04", "09", "11", "16", "18", "23", "25"] {
        create(&place, &db, &format!("2026-11-{day}T06:00:00Z"), &[]);
    }
    let args = ["snapshot", "prune", "--keep-last", "1", "--keep-weekly", "3", "--json"];
    let dry = rows(place.run(&[&args[..], &["--dry-run"]].concat()));
    let fate = |rows: &Value, status: &str| -> Vec<String> {
        let rows = rows.as_array().expect("rows").iter().filter(|row| row["status"] == status);
        rows.map(|row| row["name"].as_str().expect("a name")[8..10].to_owned()).collect()
    };
    assert_eq!(fate(&dry, "would go"), ["02", "04", "09", "16", "23"]);
    assert_eq!(fate(&dry, "kept"), ["11", "18", "25"]);
    assert_eq!(
        rows(place.run(&["snapshot", "list", "--json"])).as_array().map(Vec::len),
        Some(8),
        "a dry run changes nothing"
    );
    let gone = rows(place.run(&args));
    assert_eq!(fate(&gone, "removed"), fate(&dry, "would go"));
    assert!(gone.as_array().expect("rows").iter().all(|row| row["freed_bytes"] == 0), "all files are shared: {gone}");
    let verified = rows(place.run(&["snapshot", "verify", "--json"]));
    assert_eq!(verified.as_array().map(Vec::len), Some(3));
    place.run(&["snapshot", "prune"]).fails(2, &["--keep-last"]);
    place.run(&["snapshot", "prune", "--keep-last", "0"]).fails(2, &["keeping none"]);
}

#[test]
fn restore_brings_an_old_state_back_and_loses_none() {
    let place = Place::new();
    let (db, first, second) = two_weeks(&place);
    let ask = |sql: &str| rows(place.run(&["--no-extract", "query", "-c", sql, "--json"]));
    let count = "select count(*) as n from session";
    assert_eq!(ask(count)[0]["n"], 49);
    place.run(&["snapshot", "restore", &first]).ok();
    assert_eq!(ask(count)[0]["n"], 48);
    assert_eq!(ask("select count(*) as n from session where title = 'Renamed'")[0]["n"], 0);
    place.run(&["snapshot", "restore", &second]).ok();
    assert_eq!(ask(count)[0]["n"], 49);
    // The restored store goes on from there.
    place.run(&["snapshot", "restore", &first]).ok();
    place.again(&db, &["extract"]).ok();
    assert_eq!(ask(count)[0]["n"], 49);
    // A state that no snapshot holds is not given up without a word.
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer
        .execute_batch("update session set title = 'Unsaved', time_updated = time_updated + 5 where id = 'ses_new'")
        .expect("updated");
    drop(writer);
    place.again(&db, &["extract"]).ok();
    place.run(&["snapshot", "restore", &first]).fails(2, &["is in no snapshot", "hint:", "--force"]);
    assert_eq!(ask("select title from session where id = 'ses_new'")[0]["title"], "Unsaved");
    place.run(&["snapshot", "restore", &first, "--force"]).ok();
    assert_eq!(ask(count)[0]["n"], 48);
    // A damaged snapshot is not restored, and the store stands.
    let folder = place.path("store/snapshots").join(&second);
    let path = tree(&folder).into_iter().find(|path| path.starts_with("session/")).expect("a file");
    fs::write(folder.join(path), b"nothing").expect("written");
    place.run(&["snapshot", "restore", &second, "--force"]).fails(6, &[&second, "session/"]);
    assert_eq!(ask(count)[0]["n"], 48);
    place.run(&["snapshot", "restore", "2020-01-01T000000Z"]).fails(2, &["there is no snapshot", "hint:", "list"]);
}

#[test]
fn every_verb_runs_on_an_old_week_and_writes_nothing_in_it() {
    let place = Place::new();
    let (db, first, _) = two_weeks(&place);
    let folder = place.path("store/snapshots").join(&first);
    let state = || -> Vec<(String, std::time::SystemTime, u64)> {
        tree(&folder)
            .into_iter()
            .map(|path| {
                let found = fs::metadata(folder.join(&path)).expect("metadata");
                (path, found.modified().expect("a time"), found.len())
            })
            .collect()
    };
    let before = (state(), fs::metadata(&folder).and_then(|found| found.modified()).expect("a time"));
    let on = |args: &[&str]| place.output(place.with_store(&folder).arg("--db").arg(&db).args(args));
    for args in [
        &["stats", "--json"][..],
        &["metrics", "run", "usage", "--json"],
        &["findings", "--json"],
        &["skills", "--json"],
        &["doctor", "--json"],
        &["schema", "--json"],
        &["report", "--all"],
    ] {
        on(args).ok();
    }
    let counted: Value =
        serde_json::from_str(&on(&["query", "-c", "select count(*) as n from session", "--json"]).ok().out)
            .expect("JSON");
    assert_eq!(counted[0]["n"], 48, "the old week, not the database of today");
    on(&["extract"]).fails(2, &["is a snapshot", "hint:", "--store"]);
    on(&["extract", "--full"]).fails(2, &["is a snapshot"]);
    on(&["snapshot", "create"]).fails(2, &["is a snapshot"]);
    let after = (state(), fs::metadata(&folder).and_then(|found| found.modified()).expect("a time"));
    assert_eq!(after, before);
    place.run(&["snapshot", "verify"]).ok();
}

#[test]
fn several_machines_share_one_folder() {
    let shared = tempfile::tempdir().expect("a folder");
    let shared = shared.path().join("team").display().to_string();
    let (laptop, desk) = (Place::new(), Place::new());
    for (place, source) in [(&laptop, "laptop"), (&desk, "desk")] {
        let made = create(place, &real(), "2026-11-22T12:00:00Z", &["--to", &shared, "--source", source]);
        assert_eq!(name(&made), format!("2026-11-22T120000Z-{source}"));
    }
    let listed = rows(laptop.run(&["snapshot", "list", "--to", &shared, "--json"]));
    let sources: Vec<_> = listed.as_array().expect("rows").iter().map(|row| row["source"].clone()).collect();
    assert_eq!(sources, [json!("desk"), json!("laptop")]);
    desk.run(&["snapshot", "verify", "--to", &shared]).ok();
    // Each machine's own newest stays.
    create(&laptop, &real(), "2026-11-23T12:00:00Z", &["--to", &shared, "--source", "laptop"]);
    let fates = rows(laptop.run(&["snapshot", "prune", "--keep-last", "1", "--to", &shared, "--json"]));
    let removed: Vec<_> = fates.as_array().expect("rows").iter().filter(|row| row["status"] == "removed").collect();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0]["name"], "2026-11-22T120000Z-laptop");
    desk.run(&["snapshot", "diff", "2026-11-22T120000Z-desk", "2026-11-23T120000Z-laptop", "--to", &shared]).ok();
}

#[test]
fn names_cannot_lead_out_of_the_archive() {
    let place = Place::new();
    let db = copy_of_real(&place);
    create(&place, &db, "2026-11-22T12:00:00Z", &[]);
    for bad in ["../x", "/etc", "..", ".hidden", "a/b", ""] {
        place.run(&["snapshot", "verify", bad]).fails(2, &["is not a name"]);
        place.run(&["snapshot", "restore", bad, "--force"]).fails(2, &["is not a name"]);
        place.again(&db, &["snapshot", "create", "--source", bad]).fails(2, &["is not a name"]);
    }
    let store = place.path("store").display().to_string();
    place.again(&db, &["snapshot", "create", "--to", &store]).fails(2, &["is itself a store"]);
}

#[test]
fn restore_gives_every_writer_its_own_back() {
    let place = Place::new();
    let desk = place.path("desk.db");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), &desk).expect("copied");
    place.on(&real(), &["extract", "--source", "laptop"]).ok();
    place.on(&desk, &["extract", "--source", "desk"]).ok();
    let made = rows(place.run(&["snapshot", "create", "--json"]));
    let manifests = || -> Vec<Value> {
        ["laptop", "desk"]
            .iter()
            .map(|writer| fs::read(place.path(&format!("store/manifest-{writer}.json"))).expect("a manifest"))
            .map(|bytes| serde_json::from_slice::<Value>(&bytes).expect("JSON")["tables"].clone())
            .collect()
    };
    let count = |args: &[&str]| {
        let sql = "select count(*) as n from session";
        rows(place.run(&[args, &["--no-extract", "query", "-c", sql, "--json"]].concat()))[0]["n"].clone()
    };
    let before = manifests();
    assert_eq!([count(&[]), count(&["--source", "laptop"]), count(&["--source", "desk"])], [54, 48, 6]);
    // One machine goes on, and a third comes.
    let writer = rusqlite::Connection::open(&desk).expect("opened");
    writer.execute_batch("update session set title = 'Later', time_updated = time_updated + 5").expect("updated");
    drop(writer);
    place.on(&desk, &["extract", "--source", "desk"]).ok();
    place.on(&desk, &["extract", "--source", "tower"]).ok();
    place.run(&["snapshot", "restore", &name(&made[0])]).fails(2, &["is in no snapshot", "--force"]);
    place.run(&["snapshot", "restore", &name(&made[0]), "--force"]).ok();
    assert_eq!(manifests(), before);
    assert!(!place.path("store/manifest.json").exists());
    assert_eq!([count(&[]), count(&["--source", "laptop"]), count(&["--source", "desk"])], [54, 48, 6]);
    assert_eq!(count(&["--present-only"]), 54);
    // Each goes on from there.
    place.on(&desk, &["extract", "--source", "desk"]).ok();
    assert_eq!(count(&[]), 54);
    let later = "select count(*) as n from session where title = 'Later'";
    assert_eq!(rows(place.run(&["--no-extract", "query", "-c", later, "--json"]))[0]["n"], 6);
    place.run(&["--no-extract", "stats"]).ok();
}

#[test]
fn a_database_that_a_snapshot_is_not_of_is_told_and_everything_in_it_counts() {
    let place = Place::new();
    let made = name(&create(&place, &real(), "2026-11-15T06:00:00Z", &[]));
    let folder = place.path("store/snapshots").join(made);
    let ask = |db: &str| {
        let count = ["--db", db, "query", "-c", "select count(*) as n from session", "--json"];
        place.output(place.with_store(&folder).args(count)).ok()
    };
    let elsewhere = ask("/home/other/opencode.db");
    assert!(elsewhere.err.contains("is none of the databases of this snapshot"), "{}", elsewhere.err);
    assert_eq!(rows(elsewhere)[0]["n"], 48);
    assert!(!ask(real().to_str().expect("UTF-8")).err.contains("none of the databases"));
}

/// `fixtures/snapshots` holds one snapshot of the real database for every schema version that there ever was.
#[test]
fn older_schema_versions_are_read_for_ever() {
    let archive = fixture("snapshots");
    let mut versions = Vec::new();
    for entry in fs::read_dir(&archive).expect("fixtures").flatten().filter(|entry| entry.path().is_dir()) {
        let place = Place::new();
        let folder = place.path("archive").join(entry.file_name());
        copy_folder(&entry.path(), &folder);
        let manifest: Value =
            serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("read")).expect("JSON");
        versions.push(manifest["schema_version"].as_u64().expect("a version"));
        let on = |args: &[&str]| rows(place.output(place.with_store(&folder).arg("--all").args(args)));
        let counts = "select (select count(*) from session) as sessions, (select count(*) from message) as messages,
            (select count(*) from part) as parts, (select count(*) from todo) as todos, (select count(*) from project) as projects";
        let found = on(&["query", "-c", counts, "--json"]);
        assert_eq!(found[0], json!({"sessions": 48, "messages": 193, "parts": 493, "todos": 3, "projects": 3}));
        let overview = on(&["metrics", "run", "overview", "--json"]);
        assert!((overview[0]["cost_usd"].as_f64().expect("a number") - 1.069_812_5).abs() < 1e-9, "{overview}");
        for args in [&["stats"][..], &["skills"], &["doctor"]] {
            place.output(place.with_store(&folder).args(args).arg("--json")).ok();
        }
        // Every metric and every finding.
        place.output(place.with_store(&folder).args(["report", "--all"])).ok();
        place.run(&["snapshot", "verify", "--to", &place.path("archive").display().to_string()]).ok();
    }
    versions.sort_unstable();
    versions.dedup();
    let current = u64::from(logicoma::store::schema::SCHEMA_VERSION);
    assert!(!versions.is_empty() && versions.iter().all(|version| *version <= current), "{versions:?}");
    for version in 1..current {
        assert!(versions.contains(&version), "no fixture of schema version {version}");
    }
}

/// A store that an older version wrote is brought up to date in place: what its databases no longer hold stays.
#[test]
fn a_store_of_an_older_schema_version_is_refreshed_in_place_and_keeps_its_history() {
    for entry in fs::read_dir(fixture("snapshots")).expect("fixtures").flatten().filter(|entry| entry.path().is_dir()) {
        let place = Place::new();
        let store = place.path("store");
        copy_folder(&entry.path(), &store);
        fs::remove_file(store.join("SHA256SUMS")).expect("removed");
        let path = store.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        manifest.as_object_mut().expect("an object").remove("snapshot");
        let db = copy_of_real(&place);
        // The old store is of this database, as it was before a session was deleted.
        manifest["sources"][0]["path"] = json!(db.to_str());
        fs::write(&path, manifest.to_string()).expect("written");
        let writer = rusqlite::Connection::open(&db).expect("opened");
        writer
            .execute_batch("pragma foreign_keys = on; delete from session where title = 'Audit src'")
            .expect("changed");
        drop(writer);
        place.again(&db, &["extract"]).ok();
        let counts = "select (select count(*) from session) as sessions, (select count(*) from message) as messages,
            (select count(*) from part) as parts, (select count(distinct id) from part) as ids,
            (select count(last_seen_at) from raw_session) as gone";
        let ask = || rows(place.again(&db, &["--no-extract", "query", "-c", counts, "--json"]));
        let all = json!({"sessions": 48, "messages": 193, "parts": 493, "ids": 493, "gone": 1});
        assert_eq!(ask()[0], all);
        let now: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        assert_eq!(now["schema_version"], logicoma::store::schema::SCHEMA_VERSION);
        let overview = ["--no-extract", "metrics", "run", "overview", "--all", "--json"];
        let cost = |args: &[&str]| rows(place.again(&db, &[&overview, args].concat()))[0]["cost_usd"].as_f64();
        assert!(cost(&[]).is_some_and(|cost| (cost - 1.069_812_5).abs() < 1e-9));
        assert!(cost(&["--present-only"]) < cost(&[]));
        // It is a store like any other from now on.
        place.again(&db, &["extract", "--full"]).ok();
        assert_eq!(ask()[0], all);
        let run = place.again(&db, &["extract"]).ok();
        assert!(run.err.contains("nothing has changed"), "{}", run.err);
    }
}
