//! `snapshot diff` where states are not of one source and one version: rows that stand twice count once.

use crate::harness::{Place, copy_folder, fixture, real};
use crate::snapshot::{copy_of_real, name, rows};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The rows of a comparison, in which the numbers of each table must agree.
fn diff(place: &Place, args: &[&str]) -> Vec<Value> {
    let found = rows(place.run(&[&["--no-extract", "snapshot", "diff", "--json"], args].concat()));
    let found = found.as_array().expect("rows").clone();
    for row in found.iter().filter(|row| row["kind"] == "table" && !row["added_rows"].is_null()) {
        let number = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("{column} of {row}"));
        assert!(
            (number("before") + number("added_rows") - number("removed_rows") - number("after")).abs() < 0.5,
            "{row}"
        );
        let is_same = ["added_rows", "removed_rows", "changed_rows"].iter().all(|column| row[*column] == 0);
        assert_eq!(row["status"], if is_same { "same" } else { "changed" }, "{row}");
    }
    found
}

fn table<'r>(found: &'r [Value], name: &str) -> &'r Value {
    found.iter().find(|row| row["kind"] == "table" && row["name"] == name).expect("the table")
}

fn counts(found: &[Value], name: &str) -> [i64; 5] {
    let row = table(found, name);
    let number = |column: &str| format!("{:.0}", row[column].as_f64().expect("a number")).parse().expect("whole");
    ["before", "after", "added_rows", "removed_rows", "changed_rows"].map(number)
}

fn sessions(found: &[Value]) -> Vec<&Value> {
    found.iter().filter(|row| row["kind"] == "session").collect()
}

#[test]
fn snapshots_of_two_schema_versions_differ_in_what_opencode_wrote_alone() {
    let place = Place::new();
    let archive = place.path("archive");
    copy_folder(&fixture("snapshots"), &archive);
    let to = archive.to_str().expect("UTF-8");
    let db = copy_of_real(&place);
    let now = |time: &str, place: &Place| {
        name(&rows(place.again(&db, &["--now", time, "snapshot", "create", "--to", to, "--json"]))[0])
    };
    let same = now("2026-11-22T12:00:00Z", &place);
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.execute_batch("update todo set status = 'cancelled' where position = 0").expect("changed");
    let other = now("2026-11-23T12:00:00Z", &place);
    let current = u64::from(logicoma::store::schema::SCHEMA_VERSION);
    for version in 1..current {
        let old = format!("2026-11-22T120000Z-schema-{version}");
        let found = diff(&place, &[&old, &same, "--to", to]);
        for (name, rows) in [("session", 48), ("message", 193), ("part", 493), ("todo", 3), ("project", 3)] {
            assert_eq!(counts(&found, name), [rows, rows, 0, 0, 0], "{name}");
        }
        assert!(table(&found, "signal")["changed_rows"].is_null(), "unknown, not 0");
        assert!(sessions(&found).is_empty(), "{:?}", sessions(&found));
        let found = diff(&place, &[&other, &old, "--to", to]);
        assert_eq!(counts(&found, "todo"), [3, 3, 0, 0, 1]);
        assert_eq!(sessions(&found).len(), 1);
    }
}

/// Two databases with the same rows.
fn twins(place: &Place) -> [PathBuf; 2] {
    ["one.db", "two.db"].map(|name| {
        let path = place.path(name);
        fs::copy(real(), &path).expect("copied");
        path
    })
}

fn freeze(place: &Place, dbs: &[PathBuf], now: &str) -> String {
    let mut args = vec!["--now", now, "snapshot", "create", "--json"];
    args.extend(dbs.iter().flat_map(|db| ["--db", db.to_str().expect("UTF-8")]));
    name(&rows(place.output(place.without_clock().args(args)))[0])
}

fn change(db: &Path, sql: &str) {
    rusqlite::Connection::open(db).expect("opened").execute_batch(sql).expect("changed");
}

const PART: &str = "(select id from part where json_extract(data, '$.type') = 'text' order by id limit 1)";

#[test]
fn a_session_seen_from_two_machines_is_compared_once_in_its_newest_state() {
    let place = Place::new();
    let dbs = twins(&place);
    let [one, two] = &dbs;
    let first = freeze(&place, &dbs, "2026-11-15T06:00:00Z");
    let edit = format!(
        "update part set data = json_set(data, '$.text', 'Changed'), time_updated = time_updated + 5 where id = {PART};"
    );
    change(two, &edit);
    let second = freeze(&place, &dbs, "2026-11-16T06:00:00Z");
    let found = diff(&place, &[&first, &second]);
    assert_eq!(counts(&found, "part"), [493, 493, 0, 0, 1], "one of two copies changed: its newest state is another");
    for name in ["session", "message", "todo", "project"] {
        assert_eq!(table(&found, name)["status"], "same", "{name}");
    }
    let touched = sessions(&found);
    assert_eq!(touched.len(), 1, "{touched:?}");
    let id = touched[0]["name"].as_str().expect("an id");
    let cost: f64 = rusqlite::Connection::open(one)
        .and_then(|db| {
            let sql = "select sum(json_extract(data, '$.cost')) from message where session_id = ?1";
            db.query_row(sql, [id], |row| row.get(0))
        })
        .expect("a cost");
    for side in ["before", "after"] {
        assert!((touched[0][side].as_f64().expect("a cost") - cost).abs() < 1e-9, "{cost} {touched:?}");
    }
    // The other copy catches up: one change still. A title of the newest state, which sorts before the old one; and a
    // session that is new in both.
    change(one, &edit);
    for db in &dbs {
        change(
            db,
            "update session set title = '!', time_updated = time_updated + 5 where title = 'Audit src';
             insert into session (id, project_id, slug, directory, title, version, time_created, time_updated, cost)
             values ('ses_new', 'global', 'new', '/tmp', 'New work', '1.18.33', 1795000000000, 1795000005000, 0.5);",
        );
    }
    let third = freeze(&place, &dbs, "2026-11-17T06:00:00Z");
    let found = diff(&place, &[&first, &third]);
    assert_eq!(counts(&found, "part"), [493, 493, 0, 0, 1], "the same change in both copies is one change");
    assert_eq!(counts(&found, "session"), [48, 49, 1, 0, 1]);
    let named: Vec<_> = sessions(&found).iter().map(|row| (row["title"].clone(), row["status"].clone())).collect();
    assert_eq!(named.len(), 3, "{named:?}");
    assert!(named.contains(&(json!("!"), json!("changed"))) && named.contains(&(json!("New work"), json!("added"))));
    // One source alone, without what it no longer holds, on both sides; a source that is in neither.
    change(one, "pragma foreign_keys = on; delete from session where id = 'ses_new'");
    let fourth = freeze(&place, &dbs, "2026-11-18T06:00:00Z");
    let found = diff(&place, &["--source", "one", "--present-only", &second, &fourth]);
    assert_eq!(counts(&found, "session"), [48, 48, 0, 0, 1]);
    assert_eq!(counts(&found, "part"), [493, 493, 0, 0, 1]);
    for option in ["--source", "--db"] {
        place
            .run(&["--no-extract", "snapshot", "diff", &first, "store", option, "three"])
            .fails(2, &[&format!("{option} three"), "one ("]);
    }
}

#[test]
fn a_machine_that_came_between_two_snapshots_is_new_in_the_second() {
    let place = Place::new();
    let db = place.path("other.db");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), &db).expect("copied");
    let freeze = |source: &str, db: &Path, now: &str| {
        place.on(db, &["extract", "--source", source]).ok();
        name(&rows(place.output(place.without_clock().args(["--now", now, "snapshot", "create", "--json"])))[0])
    };
    let first = freeze("laptop", &real(), "2026-11-15T06:00:00Z");
    let second = freeze("desk", &db, "2026-11-16T06:00:00Z");
    assert_eq!(counts(&diff(&place, &[&first, &second]), "session"), [48, 54, 6, 0, 0]);
    // A snapshot knows its writers by name.
    assert_eq!(counts(&diff(&place, &["--source", "desk", &first, &second]), "session"), [0, 6, 6, 0, 0]);
}
