//! Planted telemetry: every event is found once, joined as planned, and counts as its writer's word.

use crate::generator::plan::{DEFAULT_NOW_MS, Plan, Schema};
use crate::harness::Place;
use serde_json::{Value, json};
use std::path::PathBuf;

struct World {
    place: Place,
    db: PathBuf,
    home: PathBuf,
    truth: Value,
}

impl World {
    fn new(schema: Schema) -> Self {
        let place = Place::new();
        let (db, home) = (place.path("opencode.db"), place.path("their-home"));
        let mut plan = Plan::preset("tiny", DEFAULT_NOW_MS).expect("preset");
        plan.home = Some(home.clone());
        plan.schema = schema;
        let truth = crate::generator::generate(&plan, &db).expect("generated").0;
        Self { place, db, home, truth }
    }

    fn json(&self, args: &[&str]) -> Value {
        let (home, map) = (self.home.display().to_string(), format!("/home/dev={}", self.home.display()));
        let mut all = vec!["--home", &home, "--map", &map];
        all.extend(args);
        self.place.json(&self.db, &all)
    }

    fn ask(&self, sql: &str) -> Vec<Value> {
        self.json(&["query", "-c", sql, "--json"]).as_array().expect("rows").clone()
    }

    fn planted(&self, section: &str) -> &Vec<Value> {
        self.truth[section].as_array().unwrap_or_else(|| panic!("the truth says nothing of {section}"))
    }
}

fn holds(world: &World) {
    let found =
        world.ask("select event_id, kind, matched_by, is_contradiction from telemetry_events where source = 'jsonl'");
    let of = |relation: &str| world.planted("telemetry").iter().filter(|row| row["relation"] == relation).count();
    assert_eq!(found.len(), world.planted("telemetry").len() - of("duplicate"), "each event id once");
    for planted in world.planted("telemetry").iter().filter(|row| row["relation"] != "duplicate") {
        let own = found.iter().find(|row| row["event_id"] == planted["id"]).unwrap_or_else(|| panic!("{planted}"));
        assert_eq!(own["kind"], planted["kind"]);
        let joined = own["matched_by"].as_str().unwrap_or("none");
        assert_eq!(joined, planted["joined_by"].as_str().expect("a word"), "{planted}");
        assert_eq!(own["is_contradiction"], planted["relation"] == "contradicts", "{planted}");
    }
    let health = world.json(&["metrics", "run", "telemetry", "--json"]);
    let rows = health.as_array().expect("rows");
    let of_file = |name: &str| {
        rows.iter().find(|row| row["path"].as_str().is_some_and(|path| path.ends_with(name))).expect("a row")
    };
    let events = of_file("ledger-api/.opencode/telemetry/events.jsonl");
    assert_eq!(events["duplicate_count"].as_u64(), u64::try_from(of("duplicate")).ok());
    assert_eq!(events["contradiction_count"].as_u64(), u64::try_from(of("contradicts")).ok());
    assert_eq!(events["bad_line_count"].as_u64(), u64::try_from(world.planted("telemetry_bad_lines").len()).ok());
    for planted in world.planted("telemetry_files") {
        let own = of_file(planted["file"].as_str().expect("a name"));
        for column in ["format", "bad_line_count", "total_count"] {
            assert_eq!(own[column], planted[column], "{column}: {planted}");
        }
        let path = own["path"].as_str().expect("a path").replace('\'', "''");
        let stored = world.ask(&format!("select count(*) as n from stg_telemetry where path = '{path}'"));
        assert_eq!(stored[0]["n"], planted["event_count"], "{planted}");
    }
    let bad = world.ask("select cast(split_part(row_id, ':', -1) as int) as line from quarantine where row_id like '%events.jsonl:%' order by line");
    let lines: Vec<&Value> = world.planted("telemetry_bad_lines").iter().map(|row| &row["line"]).collect();
    assert_eq!(bad.iter().map(|row| &row["line"]).collect::<Vec<_>>(), lines);
}

#[test]
fn planted_telemetry_is_found_joined_and_judged() {
    for schema in [Schema::V1, Schema::V1Old] {
        holds(&World::new(schema));
    }
}

#[test]
fn telemetry_beats_inference_and_is_never_added_to_it() {
    let world = World::new(Schema::V1);
    // What the database alone says: the file with its events is not there.
    let alone = Place::new();
    let rates = |rows: &Value| {
        let sum = |column: &str| {
            rows.as_array()
                .expect("rows")
                .iter()
                .filter(|row| row["format"] == "str_replace")
                .filter_map(|row| row[column].as_i64())
                .sum::<i64>()
        };
        (sum("attempt_count"), sum("applied_count"), sum("format_error_count"), sum("edit_count"))
    };
    let args = ["metrics", "run", "edit_success", "--json"];
    let (before, after) = (rates(&alone.json(&world.db, &args)), rates(&world.json(&args)));
    // Three events tell of three recorded attempts; one says that an applied one was a format error.
    assert_eq!(after, (before.0, before.1 - 1, before.2 + 1, before.3));
    let edits = world.ask(
        "select outcome, evidence from edit_attempts
         where evidence <> 'derived' and source = 'jsonl' and format = 'str_replace' order by attempted_at",
    );
    assert_eq!(
        json!(edits),
        json!([{"outcome": "format_error", "evidence": "observed"}, {"outcome": "format_error", "evidence": "observed"}, {"outcome": "applied", "evidence": "observed"}])
    );
    let own = world
        .ask("select format, session_id, outcome from edit_attempts where evidence = 'telemetry' and source = 'jsonl'");
    assert_eq!(json!(own), json!([{"format": "hashline", "session_id": "ses_gone", "outcome": "applied"}]));
    let skill = world.ask(
        "select skill_name, window_ms, is_success, window_iteration_count from skill_loads where event_id = 's-1'",
    );
    assert_eq!(
        json!(skill),
        json!([{"skill_name": "dev", "window_ms": 52_000, "is_success": true, "window_iteration_count": 2}])
    );
}

/// What follows from a told value without being told, or says where it came from.
const FOLLOWS: [&str; 23] = [
    "evidence",
    "source",
    "label",
    "event_id",
    "is_synthetic",
    "error_class",
    "ended_at",
    "attempt_number",
    "edit_id",
    "call_number",
    "is_attempt",
    "is_first_pass",
    "max_iterations",
    "confidence",
    "is_max_reached",
    "label_rule",
    "label_evidence",
    "rule",
    "predicted_by",
    "is_overlapping",
    "chunk_ms",
    "ci_low",
    "ci_high",
];

#[test]
fn tables_in_the_database_beat_inference_value_by_value_and_are_never_added() {
    for schema in [Schema::V1, Schema::V1Old] {
        let world = World::new(schema);
        // The same database without the tables.
        let alone = Place::new();
        let bare = alone.path("bare.db");
        std::fs::copy(&world.db, &bare).expect("copied");
        let database = rusqlite::Connection::open(&bare).expect("opened");
        for table in ["skill", "edit", "rlm", "intent", "verification"] {
            database.execute_batch(&format!("drop table {table}_metrics")).expect("dropped");
        }
        drop(database);
        let map = format!("/home/dev={}", world.home.display());
        let ask = |is_bare: bool, sql: &str| {
            let rows = if is_bare {
                alone.json(&bare, &["--map", &map, "query", "-c", sql, "--json"])
            } else {
                world.json(&["query", "-c", sql, "--json"])
            };
            rows.as_array().expect("rows").clone()
        };
        for planted in world.planted("telemetry_tables") {
            let [mart, key, id] = ["mart", "key", "id"].map(|name| planted[name].as_str().expect("text"));
            let sql = format!("select * from {mart} where {key} = '{id}'");
            let (before, after) = (ask(true, &sql), ask(false, &sql));
            assert_eq!(after.len(), 1, "one row, told and inferred: {planted}");
            let told = planted["told"].as_object().expect("an object");
            for (column, value) in told {
                assert_eq!(&after[0][column], value, "{column}: {planted}");
            }
            if planted["relation"] == "adds" {
                assert_eq!(before.len(), 0, "the database does not know it: {planted}");
                assert_eq!(after[0]["evidence"], "telemetry", "{planted}");
                continue;
            }
            assert_eq!(after[0]["evidence"], "observed", "{planted}");
            for (column, value) in before[0].as_object().expect("an object") {
                if !told.contains_key(column) && !FOLLOWS.contains(&column.as_str()) {
                    assert_eq!(&after[0][column], value, "{column} was not told: {planted}");
                }
            }
        }
        for mart in ["skill_loads", "edit_attempts", "verification_loops", "rlm_runs", "rlm_chunks", "intent_decisions"]
        {
            let adds = world
                .planted("telemetry_tables")
                .iter()
                .filter(|row| row["mart"] == mart && row["relation"] == "adds")
                .count();
            let count = |is_bare| ask(is_bare, &format!("select count(*) as n from {mart}"))[0]["n"].as_u64();
            assert_eq!(count(false), count(true).map(|n| n + adds as u64), "rows of {mart}");
        }
    }
}
