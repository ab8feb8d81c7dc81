//! Planted truth about Tachikoma: intents, RLM runs, verdicts. What the generator wrote down, the metrics must find.

use crate::generator::plan::{Plan, Schema};
use crate::truth::{World, hold, same};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn rows(world: &World, sql: &str) -> Vec<Value> {
    world.json(&["query", "-c", sql, "--all", "--json"]).as_array().expect("rows").clone()
}

/// Rows by session, in their order.
fn by_session(rows: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut sessions: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        sessions.entry(row["session_id"].as_str().expect("a session").to_owned()).or_default().push(row);
    }
    sessions
}

fn decisions(world: &World) {
    let ours = rows(
        world,
        "select session_id, predicted_intent as intent, confidence, confidence_scale, program, predicted_skill, actual_skill, \
         actual_intent, is_correct, label_rule, evidence, is_escalated, escalated_by from intent_decisions \
         where predicted_intent is not null order by session_id, decided_at, decision_id",
    );
    let planted = world.planted("intent_decisions");
    assert_eq!(ours.len(), planted.len(), "decisions");
    let (ours, planted) = (by_session(&ours), by_session(planted));
    let mut wrong = Vec::new();
    for (session, expected) in &planted {
        let found = ours.get(session).map(Vec::as_slice).unwrap_or_default();
        if found.len() != expected.len() {
            wrong.push(format!("{session}: {} decisions instead of {}", found.len(), expected.len()));
            continue;
        }
        for (found, expected) in found.iter().zip(expected) {
            for column in found.as_object().expect("a row").keys() {
                if !same(&found[column], &expected[column]) {
                    wrong.push(format!(
                        "{} {column}: {} instead of {}",
                        expected["intent"], found[column], expected[column]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn confusion(world: &World) {
    let found = world.metric("intent_confusion", &["--all"]);
    let skills: Vec<Value> = found.iter().filter(|row| row["level"] == "skill").cloned().collect();
    hold(
        "intent_confusion",
        &skills,
        world.planted("intent_skill_confusion"),
        &[("predicted", "predicted"), ("actual", "actual")],
        &[("decision_count", "decision_count")],
    );
    // At intent level from the decisions themselves.
    let mut cells: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in world.planted("intent_decisions") {
        if let (Some(intent), Some(actual), false) =
            (row["intent"].as_str(), row["actual_intent"].as_str(), row["is_correct"].is_null())
        {
            *cells.entry((intent.to_owned(), actual.to_owned())).or_default() += 1;
        }
    }
    let planted: Vec<Value> = cells
        .iter()
        .map(|((predicted, actual), count)| json!({"predicted": predicted, "actual": actual, "decision_count": count}))
        .collect();
    let intents: Vec<Value> = found.into_iter().filter(|row| row["level"] == "intent").collect();
    let keys = [("predicted", "predicted"), ("actual", "actual")];
    hold("intent_confusion by intent", &intents, &planted, &keys, &[("decision_count", "decision_count")]);
}

fn scores(world: &World) {
    let planted = world.planted("intent_decisions");
    let found: Vec<Value> =
        world.metric("intent_scores", &["--all"]).into_iter().filter(|row| row["level"] == "intent").collect();
    let intents: std::collections::BTreeSet<&str> = planted.iter().filter_map(|row| row["intent"].as_str()).collect();
    let share = |part: usize, whole: usize| if whole == 0 { Value::Null } else { json!(part as f64 / whole as f64) };
    let expected: Vec<Value> = intents
        .into_iter()
        .map(|intent| {
            let own: Vec<&Value> = planted.iter().filter(|row| row["intent"] == intent).collect();
            let labelled = own.iter().filter(|row| !row["is_correct"].is_null()).count();
            let right = own.iter().filter(|row| row["is_correct"] == true).count();
            let actual =
                planted.iter().filter(|row| row["actual_intent"] == intent && !row["is_correct"].is_null()).count();
            json!({"intent": intent, "decision_count": own.len(), "labelled_count": labelled, "precision": share(right, labelled),
                "recall": share(right, actual)})
        })
        .collect();
    let columns = ["decision_count", "labelled_count", "precision", "recall"].map(|column| (column, column));
    // A label that was only actual (never predicted) has a row of ours alone.
    let predicted: Vec<Value> = found.into_iter().filter(|row| row["decision_count"] != 0).collect();
    hold("intent_scores", &predicted, &expected, &[("intent", "intent")], &columns);
}

fn calibration(world: &World) {
    let found = world.metric("intent_calibration", &["--all"]);
    for (scale, section) in [("share", "intent_calibration"), ("pattern", "intent_calibration_pattern")] {
        let truth = &world.truth[section];
        let own: Vec<Value> = found.iter().filter(|row| row["confidence_scale"] == scale).cloned().collect();
        hold(
            section,
            &own,
            truth["bins"].as_array().expect("bins"),
            &[("bin_low", "bin_low")],
            &[("decision_count", "decision_count"), ("mean_confidence", "mean_confidence"), ("accuracy", "accuracy")],
        );
        for row in &own {
            for (ours, planted) in [("ece", "ece"), ("brier", "brier"), ("scale_decision_count", "decision_count")] {
                assert!(
                    same(&row[ours], &truth[planted]),
                    "{scale} {ours}: {} instead of {}",
                    row[ours],
                    truth[planted]
                );
            }
        }
    }
}

fn escalations(world: &World) {
    let found = world.metric("intent_escalation", &["--all"]);
    let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in world.planted("intent_decisions") {
        let cell = expected.entry(row["intent"].as_str().expect("an intent").to_owned()).or_default();
        cell.0 += 1;
        cell.1 += i64::from(row["is_escalated"] == true);
    }
    for row in world.planted("escalations") {
        let cell = expected.entry("(none)".to_owned()).or_default();
        cell.0 += 1;
        cell.1 += i64::from(row["is_escalated"] == true);
    }
    let planted: Vec<Value> = expected
        .iter()
        .map(|(intent, (count, escalated))| json!({"intent": intent, "decision_count": count, "escalated_count": escalated}))
        .collect();
    let columns = [("decision_count", "decision_count"), ("escalated_count", "escalated_count")];
    hold("intent_escalation", &found, &planted, &[("intent", "intent")], &columns);
    let silent = &world.planted("no_decisions")[0]["session_id"];
    let sql = format!(
        "select count(*) as n from intent_decisions where session_id = {}",
        silent.to_string().replace('"', "'")
    );
    assert_eq!(rows(world, &sql)[0]["n"], 0, "router commands without output decided something");
}

fn rlm(world: &World) {
    let found = rows(
        world,
        "select session_id, started_at as started_ms, duration_ms, mode, chunk_count, planned_chunk_count, wave_count, ok_chunks, \
         relevant_chunks, chunk_size, chunk_unit, tokens, cost_usd from rlm_runs order by session_id",
    );
    let same_named = [
        "duration_ms",
        "mode",
        "chunk_count",
        "wave_count",
        "ok_chunks",
        "relevant_chunks",
        "chunk_size",
        "chunk_unit",
        "tokens",
        "cost_usd",
    ];
    let mut columns: Vec<(&str, &str)> = same_named.iter().map(|column| (*column, *column)).collect();
    columns.extend([("planned_chunk_count", "chunk_count"), ("started_ms", "started_at")]);
    hold("rlm_runs", &found, world.planted("rlm_runs"), &[("session_id", "session_id")], &columns);
    let metric = world.metric("rlm_runs", &["--all"]);
    assert_eq!(metric.len(), found.len());
    for row in world.metric("rlm_modes", &["--all"]) {
        let of_mode: Vec<&Value> = world.planted("rlm_runs").iter().filter(|run| run["mode"] == row["mode"]).collect();
        assert_eq!(row["run_count"], of_mode.len(), "{}", row["mode"]);
        let chunks: i64 = of_mode.iter().filter_map(|run| run["chunk_count"].as_i64()).sum();
        assert_eq!(row["chunk_count"], chunks);
        let speed_up = row["speed_up"].as_f64().expect("a speed-up");
        assert!(if row["mode"] == "parallel" { speed_up > 1.0 } else { speed_up <= 1.0 }, "{} {speed_up}", row["mode"]);
    }
    let accuracy = world.metric("rlm_accuracy", &["--all"]);
    let relevant: i64 = world.planted("rlm_runs").iter().filter_map(|run| run["relevant_chunks"].as_i64()).sum();
    assert_eq!(accuracy.iter().filter_map(|row| row["relevant_count"].as_i64()).sum::<i64>(), relevant);
}

fn loops(world: &World) {
    let planted: Vec<&Value> =
        world.planted("verification_loops").iter().chain(world.planted("verification_reports")).collect();
    let found = rows(
        world,
        "select session_id, source, iterations, is_verified as verified, is_max_reached as max_reached, is_escalated as escalated \
         from verification_loops where rule <> 'repair' order by session_id",
    );
    let owned: Vec<Value> = planted.iter().map(|row| (*row).clone()).collect();
    let columns = ["source", "iterations", "verified", "max_reached", "escalated"].map(|column| (column, column));
    hold("verification_loops", &found, &owned, &[("session_id", "session_id")], &columns);
    let mut expected: BTreeMap<i64, [i64; 4]> = BTreeMap::new();
    for row in &planted {
        let cell = expected.entry(row["iterations"].as_i64().expect("iterations")).or_default();
        cell[0] += 1;
        for (at, column) in ["verified", "max_reached", "escalated"].into_iter().enumerate() {
            cell[at + 1] += i64::from(row[column] == true);
        }
    }
    let planted: Vec<Value> = expected
        .iter()
        .map(|(iterations, cell)| {
            json!({"iterations": iterations, "loop_count": cell[0], "verified_count": cell[1], "max_reached_count": cell[2],
                "escalated_count": cell[3]})
        })
        .collect();
    let columns =
        ["loop_count", "verified_count", "max_reached_count", "escalated_count"].map(|column| (column, column));
    hold("loops", &world.metric("loops", &["--all"]), &planted, &[("iterations", "iterations")], &columns);
}

fn verdicts(world: &World) {
    let found = rows(
        world,
        "select session_id, verdict = 'PASS' as verified, criteria_passed, criteria_total, confidence, rule = 'engine_json' as is_json \
         from signals where program = 'verification-engine' order by session_id",
    );
    let columns =
        ["verified", "criteria_passed", "criteria_total", "confidence", "is_json"].map(|column| (column, column));
    hold(
        "verification_engines",
        &found,
        world.planted("verification_engines"),
        &[("session_id", "session_id")],
        &columns,
    );
    let retries = rows(
        world,
        "select session_id, count(*) filter (where is_failed) as error_count, count(retry_of) as retry_count, \
         max(case when is_failed then is_recovered end) as is_recovered from tool_calls \
         where tool_name = 'webfetch' and session_id in (select session_id from sessions where title = 'Read the page that moved') \
         group by session_id order by session_id",
    );
    let columns = ["error_count", "retry_count", "is_recovered"].map(|column| (column, column));
    hold("retries", &retries, world.planted("retries"), &[("session_id", "session_id")], &columns);
}

/// Everything, in a database of one schema.
fn hold_all(schema: Schema, seed: u64) {
    let world = World::new(|plan: &mut Plan| {
        plan.schema = schema;
        plan.seed = seed;
    });
    decisions(&world);
    confusion(&world);
    scores(&world);
    calibration(&world);
    escalations(&world);
    rlm(&world);
    loops(&world);
    verdicts(&world);
}

#[test]
fn planted_work_is_found_in_the_first_generation() {
    hold_all(Schema::V1, 21);
}

#[test]
fn planted_work_is_found_in_the_old_schema() {
    hold_all(Schema::V1Old, 22);
}

#[test]
fn planted_work_is_found_in_the_second_generation() {
    hold_all(Schema::V2, 23);
}

#[test]
fn a_table_that_the_configuration_names_holds_everywhere() {
    let place = crate::harness::Place::new();
    std::fs::write(place.path("mine.yaml"), "routes:\n  debug:\n    skill: my-fixer\nmodel_formats:\n  acme: whole\n")
        .unwrap();
    std::fs::write(place.path("logicoma.toml"), "routes = [\"mine.yaml\"]\n").unwrap();
    let real = crate::harness::real();
    let sql = "select era, skills, origin from stg_routes where name = 'debug' and project_id is null order by era";
    let found = place.json(&real, &["query", "-c", sql, "--json"]);
    let skills: Vec<&Value> = found.as_array().expect("rows").iter().map(|row| &row["skills"]).collect();
    assert_eq!(
        skills,
        ["my-fixer", "my-fixer", "dev"],
        "its own era's table, and the second's, which is of the same kind"
    );
    let formats = place.json(&real, &["query", "-c", "select name_part, format from stg_model_formats", "--json"]);
    assert_eq!(formats, json!([{"name_part": "acme", "format": "whole"}]));
    let doctor = place.on(&real, &["doctor", "--format", "csv"]);
    assert!(
        doctor.out.lines().any(|line| line.starts_with("routes,ok,") && line.contains("mine.yaml")),
        "{}",
        doctor.out
    );
}
