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
        "select outcome, evidence from edit_attempts where evidence <> 'derived' and format = 'str_replace' order by attempted_at",
    );
    assert_eq!(
        json!(edits),
        json!([{"outcome": "format_error", "evidence": "observed"}, {"outcome": "format_error", "evidence": "observed"}, {"outcome": "applied", "evidence": "observed"}])
    );
    let own = world.ask("select format, session_id, outcome from edit_attempts where evidence = 'telemetry'");
    assert_eq!(json!(own), json!([{"format": "hashline", "session_id": "ses_gone", "outcome": "applied"}]));
    let skill = world.ask(
        "select skill_name, window_ms, is_success, window_iteration_count from skill_loads where event_id = 's-1'",
    );
    assert_eq!(
        json!(skill),
        json!([{"skill_name": "dev", "window_ms": 52_000, "is_success": true, "window_iteration_count": 2}])
    );
}
