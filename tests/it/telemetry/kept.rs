//! Counters and times of `metrics.json`: what was known stays when the file is reset or half written, and times without a
//! zone follow the zone that is asked for.

use crate::harness::{Place, real};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const METRICS: &str = r#"{"skills":{"rlm":{"invocations":2,"total_tokens":900,"history":[
    {"timestamp":"2026-02-17T10:00:00.000003","tokens":500,"duration_ms":2000,"success":false,"iterations":2}]}},
  "edits":{},"rlm":{},"intents":{"git":{"count":4,"total_confidence":3.2,"correct_count":1,"escalation_count":0}},
  "created_at":"2026-02-17T09:00:00","last_updated":"2026-02-17T10:00:10"}"#;

/// A database whose sessions ran in a folder with this file.
fn world(place: &Place) -> (PathBuf, PathBuf) {
    let (db, folder) = (place.path("opencode.db"), place.path("project/.opencode/telemetry"));
    fs::create_dir_all(&folder).expect("folder");
    fs::copy(real(), &db).expect("copied");
    let project = place.path("project");
    let project = project.to_str().expect("UTF-8");
    let database = Connection::open(&db).expect("opened");
    database.execute("update session set directory = ?", [project]).expect("moved");
    database.execute("update project set worktree = ?", [project]).expect("moved");
    let file = folder.join("metrics.json");
    fs::write(&file, METRICS).expect("written");
    (db, file)
}

#[test]
fn counters_stay_when_their_file_is_reset_or_half_written() {
    let place = Place::new();
    let (db, file) = world(&place);
    let counters = |args: &[&str]| {
        place.on(&db, &[&["extract"], args].concat()).ok();
        let sql = "select subject, counter, value from raw_telemetry_total
             where counter in ('invocations', 'total_tokens', 'count') order by 1, 2";
        place.json(&db, &["--no-extract", "query", "-c", sql, "--json"])
    };
    let row =
        |subject: &str, counter: &str, value: f64| json!({"subject": subject, "counter": counter, "value": value});
    let known = json!([row("git", "count", 4.0), row("rlm", "invocations", 2.0), row("rlm", "total_tokens", 900.0)]);
    assert_eq!(counters(&[]), known);
    for (text, args) in [
        (r#"{"skills":"#, &[][..]),
        ("", &[]),
        (r#"{"skills":{},"edits":{},"rlm":{},"intents":{}}"#, &[]),
        (r#"{"skills":{"rlm":{}},"intents":{"git":7}}"#, &["--full"]),
    ] {
        fs::write(&file, text).expect("written");
        assert_eq!(counters(args), known, "{text} {args:?}");
    }
    // What the file says counts; and what it does not say stays.
    fs::write(&file, r#"{"skills":{"rlm":{"invocations":3},"dev":{"invocations":1}}}"#).expect("written");
    assert_eq!(
        counters(&[]),
        json!([
            row("dev", "invocations", 1.0),
            row("git", "count", 4.0),
            row("rlm", "invocations", 3.0),
            row("rlm", "total_tokens", 900.0)
        ])
    );
    fs::remove_file(&file).expect("removed");
    assert_eq!(counters(&[]).as_array().expect("rows").len(), 4);
}

#[test]
fn times_without_a_zone_follow_the_zone_that_is_asked_for() {
    let place = Place::new();
    let (db, file) = world(&place);
    fs::write(
        file.with_file_name("events.jsonl"),
        r#"{"v":1,"id":"e","ts":1771000000000,"kind":"skill","data":{"skill":"dev"}}"#,
    )
    .expect("written");
    let times = |place: &Place, zone: &str| -> Value {
        let sql = "select id, ts from raw_telemetry order by ts";
        place.json(&db, &["query", "-c", sql, "--json", "--timezone", zone])
    };
    let mine = Place::new();
    let winter = times(&mine, "America/New_York");
    assert_eq!(winter.as_array().expect("rows").len(), 2);
    let utc = times(&mine, "UTC");
    assert_ne!(utc, winter);
    // As a new store has it, and back again.
    assert_eq!(utc, times(&Place::new(), "UTC"));
    assert_eq!(times(&mine, "America/New_York"), winter);
    // In the same zone nothing is read again.
    let run = mine.on(&db, &["extract", "--json", "--timezone", "America/New_York"]).ok();
    let rows: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(rows[0]["is_changed"], false);
}

#[test]
fn a_file_that_is_named_keeps_its_format_while_it_is_half_written() {
    let place = Place::new();
    let file = place.path("list.json");
    fs::write(&file, "[]").expect("written");
    place.run(&["ingest", "list.json", "--as", "competence"]).ok();
    let state = || {
        place.on(&real(), &["extract"]).ok();
        place.json(&real(), &["--no-extract", "query", "-c", "select format, note from raw_telemetry_file", "--json"])
    };
    fs::write(&file, "[{").expect("written");
    assert_eq!(state(), json!([{"format": "competence", "note": "not read: see the quarantine"}]));
    fs::write(&file, "[ ]").expect("written");
    assert_eq!(state(), json!([{"format": "competence", "note": null}]));
}
