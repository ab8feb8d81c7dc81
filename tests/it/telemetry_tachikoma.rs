//! Telemetry on decisions, runs and verdicts: its word counts over what was printed or counted, and never beside it.

use crate::generator::plan::{DEFAULT_NOW_MS, Plan};
use crate::harness::Place;
use serde_json::{Value, json};
use std::fs;

struct World {
    place: Place,
    truth: Value,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let mut plan = Plan::preset("tiny", DEFAULT_NOW_MS).expect("preset");
        plan.home = Some(place.path("their-home"));
        plan.telemetry = false;
        let truth = crate::generator::generate(&plan, &place.path("opencode.db")).expect("generated").0;
        Self { place, truth }
    }

    fn json(&self, args: &[&str]) -> Value {
        let home = self.place.path("their-home").display().to_string();
        let map = format!("/home/dev={home}");
        let mut all = vec!["--home", &home, "--map", &map];
        all.extend(args);
        self.place.json(&self.place.path("opencode.db"), &all)
    }

    fn ask(&self, sql: &str) -> Vec<Value> {
        self.json(&["query", "-c", sql, "--json"]).as_array().expect("rows").clone()
    }

    fn tell(&self, events: &[Value]) {
        let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        let folder = self.place.path("their-home/ledger-api/.opencode/telemetry");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("events.jsonl"), lines.join("\n")).expect("written");
    }
}

fn event(id: &str, kind: &str, ts: &Value, envelope: &Value, data: &Value) -> Value {
    let mut event = json!({"v": 1, "kind": kind, "ts": ts, "id": id, "data": data});
    for (key, value) in envelope.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event
}

fn millis(at: &Value) -> i64 {
    match at {
        Value::String(text) => text.parse::<jiff::Timestamp>().expect("RFC 3339").as_millisecond(),
        other => other.as_i64().expect("a time"),
    }
}

#[test]
fn a_decision_is_corrected_by_part_by_time_and_by_hash() {
    let world = World::new();
    let before = world.ask(
        "select decision_id, session_id, decided_at as at, predicted_intent, confidence from intent_decisions
        where predicted_intent is not null and is_correct and not is_escalated order by decided_at, decision_id limit 2",
    );
    let count = world.ask("select count(*) as n from intent_decisions")[0]["n"].as_i64().expect("a count");
    let confusion = world.json(&["metrics", "run", "intent_confusion", "--json"]);
    assert!(!confusion.as_array().expect("rows").is_empty());
    let (one, two) = (&before[0], &before[1]);
    let late = json!(millis(&two["at"]) + 1_900);
    world.tell(&[
        event("by-part", "intent", &json!(0), &json!({"part_id": one["decision_id"]}), &json!({"correct": false, "actual_intent": "refactor", "escalated": true})),
        event("by-time", "intent", &late, &json!({"session_id": two["session_id"]}), &json!({"predicted_intent": two["predicted_intent"], "confidence": 0.11, "correct": false, "label_rule": "asked"})),
        // A decision that only telemetry knows, and a later word on it.
        event("own", "intent", &late, &json!({"session_id": "ses_gone"}), &json!({"query_hash": "h1", "predicted_intent": "debug", "confidence": 0.9, "predicted_skills": ["dev"]})),
        event("own-later", "intent", &json!(late.as_i64().expect("a time") + 60_000), &json!({"session_id": "ses_gone"}), &json!({"query_hash": "h1", "actual_intent": "plan"})),
    ]);
    let of = |id: &Value| {
        world.ask(&format!("select predicted_intent, actual_intent, is_correct, confidence, label_rule, label_evidence, evidence, is_escalated, escalated_by from intent_decisions where decision_id = {}", id.to_string().replace('"', "'")))[0].clone()
    };
    assert_eq!(
        of(&one["decision_id"]),
        json!({"predicted_intent": one["predicted_intent"], "actual_intent": "refactor", "is_correct": false, "confidence": one["confidence"],
            "label_rule": "told", "label_evidence": "observed", "evidence": "observed", "is_escalated": true, "escalated_by": "telemetry"})
    );
    assert_eq!(
        of(&two["decision_id"]),
        json!({"predicted_intent": two["predicted_intent"], "actual_intent": null, "is_correct": false, "confidence": 0.11,
            "label_rule": "asked", "label_evidence": "observed", "evidence": "observed", "is_escalated": false, "escalated_by": null})
    );
    let own = world.ask("select predicted_intent, actual_intent, predicted_skill, is_correct, confidence, confidence_scale, label_rule, evidence, source from intent_decisions where session_id = 'ses_gone'");
    assert_eq!(
        json!(own),
        json!([{"predicted_intent": "debug", "actual_intent": "plan", "predicted_skill": "dev", "is_correct": false, "confidence": 0.9,
            "confidence_scale": "stated", "label_rule": "told_intents", "evidence": "telemetry", "source": "jsonl"}])
    );
    let after = world.ask("select count(*) as n from intent_decisions")[0]["n"].as_i64();
    assert_eq!(after, Some(count + 1), "two events joined, two are one decision");
    let cells = world.json(&["metrics", "run", "intent_confusion", "--json"]);
    let cell = |rows: &Value, predicted: &Value, actual: &Value| {
        rows.as_array()
            .expect("rows")
            .iter()
            .find(|row| row["level"] == "intent" && row["predicted"] == *predicted && row["actual"] == *actual)
            .map_or(0, |row| row["decision_count"].as_i64().unwrap_or(0))
    };
    assert_eq!(cell(&cells, &json!("debug"), &json!("plan")), cell(&confusion, &json!("debug"), &json!("plan")) + 1);
    let refactor = json!("refactor");
    assert_eq!(
        cell(&cells, &one["predicted_intent"], &refactor),
        cell(&confusion, &one["predicted_intent"], &refactor) + 1
    );
    world.json(&["metrics", "run", "intent", "rlm", "verification", "health", "--json"]);
}

#[test]
fn loops_and_runs_take_what_was_told_of_them() {
    let world = World::new();
    let loops = world.ask("select loop_id, session_id, ended_at as at, iterations, is_verified from verification_loops where rule = 'skill_window' and evidence = 'derived' order by started_at, loop_id");
    let runs = world.ask("select run_id, session_id, tokens, mode, chunk_count from rlm_runs where chunk_count > 2 order by started_at, run_id");
    let (one, two, run) = (&loops[0], &loops[1], &runs[0]);
    let chunks = world.ask(&format!(
        "select chunk_part_id, tokens, duration_ms from rlm_chunks where run_id = '{}' order by chunk_number",
        run["run_id"].as_str().expect("an id")
    ));
    let ended = millis(&two["at"]);
    let planted = world.truth["verification_loops"].as_array().expect("planted").len();
    assert!(planted > 1 && loops.len() > 1 && !chunks.is_empty());
    let loose = |ts: i64| json!(ts);
    world.tell(&[
        event("loop-part", "verification", &json!(0), &json!({"part_id": one["loop_id"]}), &json!({"iterations": 9, "verified": false, "max_reached": true, "escalated": true, "criteria_passed": 3, "criteria_total": 5})),
        event("loop-time", "verification", &loose(ended + 1_500), &json!({"session_id": two["session_id"]}), &json!({"gvr_verdict": "fail", "max_iterations": 3})),
        event("loop-own", "verification", &loose(ended), &json!({"session_id": "ses_gone"}), &json!({"iterations": 4, "verified": false, "max_reached": true, "escalated": true})),
        event("chunk-part", "rlm", &json!(0), &json!({"part_id": chunks[0]["chunk_part_id"]}), &json!({"grain": "chunk", "tokens": 7, "duration_ms": 11})),
        event("run-part", "rlm", &json!(0), &json!({"part_id": run["run_id"]}), &json!({"grain": "run", "accuracy": 0.25, "waves": 6})),
        event("c1", "rlm", &loose(ended), &json!({"session_id": "ses_gone"}), &json!({"run_id": "r1", "chunk_id": "chunk_001", "mode": "parallel", "tokens": 1_200, "duration_ms": 900, "accuracy": 0.5})),
        event("c2", "rlm", &loose(ended + 10), &json!({"session_id": "ses_gone"}), &json!({"run_id": "r1", "chunk_id": "chunk_002", "mode": "parallel", "tokens": 800, "duration_ms": 400, "accuracy": 1})),
    ]);
    let of = |id: &Value| {
        world.ask(&format!("select iterations, is_verified, is_max_reached, is_escalated, evidence, source from verification_loops where loop_id = '{}'", id.as_str().expect("an id")))[0].clone()
    };
    assert_eq!(
        of(&one["loop_id"]),
        json!({"iterations": 9, "is_verified": false, "is_max_reached": true, "is_escalated": true, "evidence": "observed", "source": "jsonl"})
    );
    let told = of(&two["loop_id"]);
    assert_eq!(
        (&told["iterations"], &told["is_verified"], &told["evidence"]),
        (&two["iterations"], &json!(false), &json!("observed"))
    );
    let own = world.ask("select iterations, is_verified, is_max_reached, is_escalated, rule, evidence from verification_loops where session_id = 'ses_gone'");
    assert_eq!(
        json!(own),
        json!([{"iterations": 4, "is_verified": false, "is_max_reached": true, "is_escalated": true, "rule": "telemetry", "evidence": "telemetry"}])
    );
    let metric = world.json(&["metrics", "run", "loops", "--json"]);
    let nine = metric.as_array().expect("rows").iter().find(|row| row["iterations"] == 9).expect("a row").clone();
    assert_eq!(
        (&nine["loop_count"], &nine["max_reached_count"], &nine["escalated_count"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let after = &world.ask(&format!(
        "select tokens, accuracy, wave_count, mode, chunk_count, evidence from rlm_runs where run_id = '{}'",
        run["run_id"].as_str().expect("an id")
    ))[0];
    let moved = run["tokens"].as_i64().expect("tokens") - chunks[0]["tokens"].as_i64().expect("tokens") + 7;
    assert_eq!(
        *after,
        json!({"tokens": moved, "accuracy": 0.25, "wave_count": 6, "mode": run["mode"], "chunk_count": run["chunk_count"], "evidence": "observed"})
    );
    let own = world.ask(
        "select mode, chunk_count, tokens, accuracy, evidence, source from rlm_runs where session_id = 'ses_gone'",
    );
    assert_eq!(
        json!(own),
        json!([{"mode": "parallel", "chunk_count": 2, "tokens": 2_000, "accuracy": 0.75, "evidence": "telemetry", "source": "jsonl"}])
    );
    world.json(&["metrics", "run", "rlm", "verification", "--json"]);
}
