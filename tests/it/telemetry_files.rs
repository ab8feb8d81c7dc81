//! Telemetry files by hand: every format, every known error of their writers, every sort of bad line.

use crate::harness::Place;
use serde_json::{Value, json};
use std::fs;

fn rows(place: &Place, sql: &str) -> Value {
    let out = place.run(&["--no-extract", "query", "-c", sql, "--json"]).ok().out;
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn ingest(place: &Place, args: &[&str]) -> Value {
    let mut all = vec!["ingest", "--json"];
    all.extend(args);
    let run = place.run(&all).ok();
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}

fn event(id: &str, kind: &str, data: &Value) -> String {
    json!({"v": 1, "kind": kind, "ts": 1_772_000_000_000_i64, "id": id, "data": data}).to_string()
}

#[test]
fn bad_lines_are_counted_and_shown_and_the_others_are_taken() {
    let place = Place::new();
    let mut bytes = Vec::new();
    let mut line = |text: &[u8]| {
        bytes.extend_from_slice(text);
        bytes.push(b'\n');
    };
    line(format!("\u{feff}{}\r", event("e1", "edit", &json!({"format": "hashline", "outcome": "applied"}))).as_bytes());
    line(b"");
    line(b"  \r");
    line(event("e1", "edit", &json!({"outcome": "blocked"})).as_bytes());
    line(b"{\"v\":1,\"kind\":\"edit\",\"ts\":17");
    line(b"not json");
    line(b"[1,2]");
    line(b"{\"v\":1,\"ts\":1}");
    line(b"{\"v\":1,\"kind\":\"edit\xff\"}");
    line(b"{\"v\":2,\"kind\":\"edit\",\"ts\":1772000000000,\"id\":\"later\",\"data\":{}}");
    line(b"{\"v\":1,\"kind\":\"dance\",\"ts\":1772000000000,\"id\":\"d\",\"data\":{}}");
    line(b"{\"v\":1,\"kind\":7,\"ts\":1772000000000,\"id\":\"d\",\"data\":{}}");
    line(format!("{{\"v\":1,\"kind\":\"edit\",\"x\":\"{}\"}}", "x".repeat(10 << 20)).as_bytes());
    line(format!("{{\"v\":1,\"kind\":\"edit\",\"x\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)).as_bytes());
    line(b"\0\0\0\0");
    line(event("e2", "skill", &json!({"skill": "dev", "success": true})).as_bytes());
    fs::write(place.path("events.jsonl"), &bytes).expect("written");
    let taken = ingest(&place, &["events.jsonl"]);
    assert_eq!(taken[0]["format"], "jsonl");
    for (column, count) in [("added_count", 2), ("duplicate_count", 1), ("bad_line_count", 11), ("problem_count", 0)] {
        assert_eq!(taken[0][column], count, "{column}: {taken}");
    }
    let bad = rows(
        &place,
        "select split_part(row_id, ':', -1) as line, reason, length(data) as kept from quarantine
         where table_name = 'telemetry' order by cast(split_part(row_id, ':', -1) as int)",
    );
    let says = [
        (5, "not valid JSON at byte 28"),
        (6, "not valid JSON at byte"),
        (7, "JSON but not an object"),
        (8, "event has no kind"),
        (9, "not valid UTF-8 at byte 19"),
        (10, "v is 2, not 1"),
        (11, "kind is 'dance'"),
        (12, "kind is not text"),
        (13, "longer than 4194304"),
        (14, "not valid JSON"),
        (15, "not valid JSON"),
    ];
    assert_eq!(bad.as_array().map(Vec::len), Some(says.len()), "{bad}");
    for ((line, reason), row) in says.iter().zip(bad.as_array().expect("rows")) {
        assert_eq!(row["line"], line.to_string());
        assert!(row["reason"].as_str().is_some_and(|text| text.contains(reason)), "{reason}: {row}");
        assert!(row["kept"].as_i64().is_some_and(|kept| kept <= 20_000), "{row}");
    }
    let kept =
        rows(&place, "select id, line, json_extract(raw, '$.data.format') as format from raw_telemetry order by id");
    assert_eq!(kept, json!([{"id": "e1", "line": 1, "format": "hashline"}, {"id": "e2", "line": 16, "format": null}]));
    let health = place.run(&["--no-extract", "metrics", "run", "telemetry", "--json"]).ok().out;
    let health: Value = serde_json::from_str(&health).expect("rows");
    for (column, count) in [("event_count", 2), ("edit_count", 1), ("duplicate_count", 1), ("bad_line_count", 11)] {
        assert_eq!(health[0][column], count, "{column}: {health}");
    }
}

#[test]
fn values_that_make_no_sense_are_unknown_and_the_event_stays() {
    let place = Place::new();
    let at = |id: &str, ts: Value| {
        json!({"v": 1, "kind": "skill", "ts": ts, "id": id, "data": {"skill": "dev"}}).to_string()
    };
    let lines = [
        event(
            "types",
            "skill",
            &json!({"skill": ["dev"], "duration_ms": "40", "success": 1, "quality": 85, "iterations": -2, "tokens": 1.5, "cost": 1e300, "status": "failed"}),
        ),
        at("zero", json!(0)),
        at("negative", json!(-5)),
        at("year-3000", json!(32_503_680_000_000_i64)),
        at("seconds", json!(1_772_000_000)),
        at("huge", json!(1e300)),
        at("text", json!("yesterday")),
        at("iso", json!("2026-02-25T06:13:20Z")),
        at("null", Value::Null),
        json!({"kind": "skill", "ts": 1_772_000_000_000_i64, "data": {"skill": "no version, no id"}}).to_string(),
        json!({"v": 1, "kind": "skill", "ts": 1_772_000_000_000_i64, "id": "no-data"}).to_string(),
        json!({"v": 1, "kind": "skill", "ts": 1_772_000_000_000_i64, "id": "odd-data", "data": [1], "session_id": 7})
            .to_string(),
    ];
    fs::write(place.path("e.jsonl"), lines.join("\n")).expect("written");
    let taken = ingest(&place, &["e.jsonl"]);
    assert_eq!(taken[0]["added_count"], 12);
    assert_eq!(taken[0]["bad_line_count"], 0);
    assert_eq!(taken[0]["problem_count"], 11, "all but the ISO time");
    let row = &rows(&place, "select * from raw_telemetry where id = 'types'")[0];
    for column in ["skill", "duration_ms", "success", "quality", "iterations", "tokens", "cost"] {
        assert!(row[column].is_null(), "{column}: {row}");
        let problem = row["problem"].as_str().expect("problems");
        assert!(problem.contains(&format!("data.{column} is")), "{column}: {problem}");
    }
    assert_eq!(row["status"], "error");
    let times = rows(
        &place,
        "select event_id, cast(epoch_ms(cast(occurred_at as bigint)) as varchar) as at, has_absurd_time from stg_telemetry
         where event_id in ('zero', 'negative', 'year-3000', 'seconds', 'huge', 'text', 'iso', 'null') order by event_id",
    );
    for row in times.as_array().expect("rows") {
        let absurd = matches!(row["event_id"].as_str(), Some("zero" | "negative" | "year-3000" | "seconds"));
        assert_eq!(row["has_absurd_time"], absurd, "{row}");
        assert_eq!(row["at"].is_null(), row["event_id"] != "iso", "{row}");
    }
    // Every metric lives with them.
    place.run(&["--no-extract", "--all", "metrics", "run", "skills", "edits", "health", "--json"]).ok();
}

#[test]
fn the_same_file_twice_changes_nothing_and_a_longer_one_adds_what_is_new() {
    let place = Place::new();
    let first = event("a", "skill", &json!({"skill": "dev"}));
    fs::write(place.path("e.jsonl"), format!("{first}\nbad\n")).expect("written");
    assert_eq!(ingest(&place, &["e.jsonl"])[0]["added_count"], 1);
    let state = || fs::read(place.path("store/manifest.json")).expect("manifest");
    let before = state();
    let again = ingest(&place, &["e.jsonl"]);
    for (column, value) in [
        ("added_count", json!(0)),
        ("duplicate_count", json!(1)),
        ("bad_line_count", json!(1)),
        ("is_changed", json!(false)),
    ] {
        assert_eq!(again[0][column], value, "{column}");
    }
    assert_eq!(state(), before);
    // A copy under another name says nothing new.
    fs::copy(place.path("e.jsonl"), place.path("copy.jsonl")).expect("copied");
    let copy = ingest(&place, &["copy.jsonl"]);
    assert_eq!((&copy[0]["added_count"], &copy[0]["duplicate_count"]), (&json!(0), &json!(1)));
    // The file grows and its bad line is mended; what it held before stays when it is cut.
    let second = event("b", "skill", &json!({"skill": "plan"}));
    fs::write(place.path("e.jsonl"), format!("{first}\n{second}\n")).expect("written");
    let grown = ingest(&place, &["e.jsonl"]);
    assert_eq!((&grown[0]["added_count"], &grown[0]["bad_line_count"]), (&json!(1), &json!(0)));
    fs::write(place.path("e.jsonl"), format!("{}\n", event("c", "skill", &json!({"skill": "meta"})))).expect("written");
    ingest(&place, &["e.jsonl"]);
    assert_eq!(
        rows(&place, "select id, skill from raw_telemetry order by id"),
        json!([{"id": "a", "skill": "dev"}, {"id": "b", "skill": "plan"}, {"id": "c", "skill": "meta"}])
    );
    let bad = rows(&place, "select count(*) as n from quarantine");
    assert_eq!(bad[0]["n"], 1, "the copy's");
}

#[test]
fn what_is_no_telemetry_is_refused_and_nothing_is_taken() {
    let place = Place::new();
    fs::write(place.path("good.jsonl"), event("a", "skill", &json!({"skill": "dev"}))).expect("written");
    fs::write(place.path("state.pkl"), b"\x80\x04K\x01.").expect("written");
    fs::write(place.path("disguised.json"), b"\x80\x04K\x01.").expect("written");
    fs::write(place.path("other.json"), "{\"shopping\":[\"milk\"]}").expect("written");
    fs::write(place.path("broken.json"), "{\"skills\":").expect("written");
    fs::create_dir(place.path("empty")).expect("made");
    for (file, says) in [
        ("state.pkl", "is a pickle"),
        ("disguised.json", "is a pickle"),
        ("other.json", "no telemetry that is known"),
        ("broken.json", "is not valid JSON at line 1"),
        ("gone.jsonl", "cannot open"),
        ("empty", "is a folder without telemetry files"),
    ] {
        place.run(&["ingest", "good.jsonl", file]).fails(4, &[file, says, "hint:"]);
    }
    place.run(&["ingest", "good.jsonl", "--as", "graph"]).fails(4, &["good.jsonl", "does not hold graph"]);
    place.run(&["ingest", "good.jsonl", "--as", "poem"]).fails(2, &["poem", "metrics-json"]);
    place.run(&["ingest"]).fails(2, &["FILE"]);
    assert!(!place.path("store/manifest.json").exists(), "nothing was taken");
}

const METRICS: &str = r#"{"skills":{"rlm":{"invocations":7,"total_tokens":900,"total_duration_ms":4100,"success_count":1,"total_iterations":3,
  "last_used":"2026-02-17T10:00:00.000001",
  "history":[{"timestamp":"2026-02-17T10:00:00.000003","tokens":500,"duration_ms":2000,"success":false,"iterations":2},
             {"timestamp":"2026-02-17T10:00:05.500000","tokens":400,"duration_ms":2100,"success":true,"iterations":1}, 7],
  "additional_data":{"max_iterations_reached":[{"timestamp":"2026-02-17T10:00:00.900003","value":true},
                                               {"timestamp":"2026-02-17T10:00:09","value":false}],
    "verification_criteria":[{"timestamp":"2026-02-17T10:00:00.4","value":["a","b","c"]}],
    "failed_criteria":[{"timestamp":"2026-02-17T10:00:00.4","value":["b"]}]}}},
 "edits":{"glm-4.7":{"format_success":{"hashline":{"attempts":3,"successes":1,"total_tokens":10,"total_duration_ms":20}},
  "format_usage":{"hashline":1},"total_attempts":3,"total_success":1}},
 "rlm":{"total_chunks":9,"chunk_sizes":[50000,60000],"processing_times":[100,200],"parallel_runs":2,"sequential_runs":0,
  "total_tokens":77,"accuracy_scores":[0,0.8]},
 "intents":{"git":{"count":4,"total_confidence":3.2,"correct_count":1,"escalation_count":0}},
 "created_at":"2026-02-17T09:00:00","last_updated":"2026-02-17T10:00:10"}"#;

#[test]
fn metrics_json_is_read_with_its_known_errors() {
    let place = Place::new();
    fs::write(place.path("metrics.json"), METRICS).expect("written");
    let taken = ingest(&place, &["metrics.json", "--timezone", "Europe/Berlin"]);
    assert_eq!(taken[0]["format"], "metrics-json");
    assert_eq!(taken[0]["added_count"], 6, "{taken}");
    assert_eq!(taken[0]["bad_line_count"], 1, "an entry of a history that is a number");
    // Ten o'clock in Berlin is nine in UTC.
    let skills = rows(
        &place,
        "select ts, skill, tokens, duration_ms, success, iterations, source, label from raw_telemetry where kind = 'skill' order by ts",
    );
    assert_eq!(
        skills,
        json!([
            {"ts": 1_771_318_800_000_i64, "skill": "rlm", "tokens": 500, "duration_ms": 2000, "success": false, "iterations": 2, "source": "metrics_json", "label": "explicit"},
            {"ts": 1_771_318_805_500_i64, "skill": "rlm", "tokens": 400, "duration_ms": 2100, "success": true, "iterations": 1, "source": "metrics_json", "label": "explicit"},
        ])
    );
    // Zipped with the entry nearest in time, if one lies within a second.
    let loops = rows(
        &place,
        "select skill, iterations, max_reached, verified, criteria_passed, criteria_total, failed_criteria from raw_telemetry where kind = 'verification' order by ts",
    );
    assert_eq!(
        loops,
        json!([
            {"skill": "rlm", "iterations": 2, "max_reached": true, "verified": false, "criteria_passed": 2, "criteria_total": 3, "failed_criteria": "b"},
            {"skill": "rlm", "iterations": null, "max_reached": false, "verified": null, "criteria_passed": null, "criteria_total": null, "failed_criteria": null},
        ])
    );
    // Index-aligned; an accuracy of 0 means that none was given.
    let runs = rows(
        &place,
        "select grain, mode, chunk_size, duration_ms, accuracy, ts from raw_telemetry where kind = 'rlm' order by chunk_size",
    );
    assert_eq!(
        runs,
        json!([
            {"grain": "run", "mode": "parallel", "chunk_size": 50000, "duration_ms": 100, "accuracy": null, "ts": null},
            {"grain": "run", "mode": "parallel", "chunk_size": 60000, "duration_ms": 200, "accuracy": 0.8, "ts": null},
        ])
    );
    // Edits and intents are counters, never rows.
    assert_eq!(rows(&place, "select count(*) as n from raw_telemetry where kind in ('edit', 'intent')")[0]["n"], 0);
    let total = |counter: &str| {
        rows(&place, &format!("select kind, subject, format, value, is_lower_bound, meaning from stg_telemetry_totals where counter = '{counter}'"))[0].clone()
    };
    let attempts = total("attempts");
    assert_eq!((&attempts["value"], &attempts["format"]), (&json!(3.0), &json!("hashline")));
    assert!(attempts["meaning"].as_str().is_some_and(|text| text.contains("not calls")), "{attempts}");
    assert_eq!(total("format_usage")["value"], 1.0);
    let correct = total("correct_count");
    assert_eq!((&correct["value"], &correct["is_lower_bound"]), (&json!(1.0), &json!(true)));
    assert_eq!(total("count")["is_lower_bound"], false);
    // The history holds the last hundred only: what was read stays when it is gone from the file.
    let later = METRICS.replace("2026-02-17T10:00:00.000003", "2026-02-18T10:00:00.000003").replace(", 7]", "]");
    fs::write(place.path("metrics.json"), later).expect("written");
    ingest(&place, &["metrics.json", "--timezone", "Europe/Berlin"]);
    assert_eq!(rows(&place, "select count(*) as n from raw_telemetry where kind = 'skill'")[0]["n"], 3);
    assert_eq!(rows(&place, "select count(*) as n from stg_telemetry_totals where counter = 'attempts'")[0]["n"], 1);
}

#[test]
fn metrics_json_of_other_shapes_does_no_harm() {
    for text in [
        r#"{"skills":{},"edits":{},"rlm":{},"intents":{},"created_at":"x","last_updated":null}"#,
        r#"{"skills":[1],"edits":7,"rlm":"no","intents":null}"#,
        r#"{"skills":{"a":7,"b":{"history":{"x":1},"additional_data":{"max_iterations_reached":[1,{"timestamp":1}]}}},"edits":{"m":{"format_success":{"f":2},"format_usage":[1]}},"intents":{"i":"x"}}"#,
        r#"{"rlm":{"chunk_sizes":[1,2,3],"processing_times":[1],"accuracy_scores":["x"]}}"#,
    ] {
        let place = Place::new();
        fs::write(place.path("metrics.json"), text).expect("written");
        ingest(&place, &["metrics.json"]);
        place.run(&["--no-extract", "metrics", "run", "health", "skills", "--json"]).ok();
    }
}

#[test]
fn exports_of_the_tracking_modules_are_read_and_made_up_figures_are_not() {
    let place = Place::new();
    fs::create_dir(place.path("export")).expect("made");
    let write =
        |name: &str, value: Value| fs::write(place.path("export").join(name), value.to_string()).expect("written");
    write(
        "execution-traces.json",
        json!([
        {"skillId": "dev", "taskId": "t1", "startTime": 1_772_000_000_000_i64, "endTime": 1_772_000_004_000_i64, "duration": 4000, "success": true,
         "metrics": {"toolCalls": 3, "llmCalls": 2, "cost": 0.02, "quality": 0.9, "latency": 5, "tokensUsed": 1200}, "context": {"complexity": "high"}},
        {"skillId": "dev", "taskId": "t2", "startTime": 1_772_000_010_000_i64, "endTime": 1_772_000_011_000_i64, "success": false, "errorMessage": "no"},
        {"taskId": "nameless"}, 5]),
    );
    write(
        "competence-models.json",
        json!([["dev", {"totalExecutions": 20, "successCount": 15, "successRate": 0.14, "avgCost": 0.001}]]),
    );
    write(
        "routing-decisions.json",
        json!({"totalRoutings": 12, "routingStrategy": "hybrid", "avgConfidence": 0.5,
        "recentDecisions": [{"skillId": "plan", "confidence": 0.7, "reason": "best", "timestamp": 1_772_000_000_000_i64, "alternativeSkills": []}]}),
    );
    write("learning-metrics.json", json!({"totalTraces": 3, "routingAccuracy": 0.99}));
    write(
        "agent-metrics.json",
        json!({"agents": [], "tasks": [{"taskId": "a1", "agentName": "helper", "timestamp": 1_772_000_000_000_i64, "duration": 10, "cost": 0.01, "success": true}]}),
    );
    write(
        "graph.json",
        json!({"edges": [], "nodes": [
        {"id": "event_1772000000000_bash", "type": "event", "createdAt": "2026-02-25T06:13:20Z", "embedding": [0.1], "metadata": {"agent": "dev", "tool": "bash", "error": "command not found", "timestamp": 1_772_000_000_000_i64}},
        {"id": "node_1", "type": "concept", "label": "x"}]}),
    );
    fs::write(
        place.path("export/samples.jsonl"),
        "{\"timestamp\":1772000000.5,\"query\":\"q\",\"score\":0.4,\"passed\":false,\"duration_ms\":12.5}\n",
    )
    .expect("written");
    let taken = ingest(&place, &["export"]);
    assert_eq!(taken.as_array().map(Vec::len), Some(7), "{taken}");
    let by_name = |name: &str| {
        taken
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["path"].as_str().is_some_and(|path| path.ends_with(name)))
            .expect(name)
            .clone()
    };
    assert_eq!(by_name("execution-traces.json")["bad_line_count"], 2);
    assert_eq!(by_name("agent-metrics.json")["added_count"], 0);
    let traces = rows(
        &place,
        "select skill, duration_ms, success, tool_calls, cost, quality, tokens, complexity, error from raw_telemetry where source = 'traces' order by ts",
    );
    assert_eq!(
        traces,
        json!([
            {"skill": "dev", "duration_ms": 4000, "success": true, "tool_calls": 3, "cost": 0.02, "quality": 0.9, "tokens": 1200, "complexity": "high", "error": null},
            {"skill": "dev", "duration_ms": 1000, "success": false, "tool_calls": null, "cost": null, "quality": null, "tokens": null, "complexity": null, "error": "no"},
        ])
    );
    let totals = rows(&place, "select counter, value from stg_telemetry_totals order by counter");
    assert_eq!(
        totals,
        json!([{"counter": "successCount", "value": 15.0}, {"counter": "totalExecutions", "value": 20.0}, {"counter": "totalRoutings", "value": 12.0}])
    );
    let rest = rows(
        &place,
        "select kind, source, predicted_skills, confidence, strategy, tool, error, verified, quality, duration_ms, ts from raw_telemetry where source not in ('traces') order by kind",
    );
    assert_eq!(
        rest,
        json!([
            {"kind": "intent", "source": "routing", "predicted_skills": "plan", "confidence": 0.7, "strategy": "hybrid", "tool": null, "error": null, "verified": null, "quality": null, "duration_ms": null, "ts": 1_772_000_000_000_i64},
            {"kind": "tool_error", "source": "graph", "predicted_skills": null, "confidence": null, "strategy": null, "tool": "bash", "error": "command not found", "verified": null, "quality": null, "duration_ms": null, "ts": 1_772_000_000_000_i64},
            {"kind": "verification", "source": "samples", "predicted_skills": null, "confidence": null, "strategy": null, "tool": null, "error": null, "verified": false, "quality": 0.4, "duration_ms": 13, "ts": 1_772_000_000_500_i64},
        ])
    );
    // Invented figures come only where they are asked for, and are marked.
    let taken = ingest(&place, &["export/agent-metrics.json", "--synthetic"]);
    assert_eq!(taken[0]["added_count"], 1);
    let row = &rows(&place, "select is_synthetic, label, agent from raw_telemetry where source = 'agents'")[0];
    assert_eq!(*row, json!({"is_synthetic": true, "label": "weak", "agent": "helper"}));
}
