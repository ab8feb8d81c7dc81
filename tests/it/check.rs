//! `check`: gates and data checks, their exit codes, formats and words.

use crate::harness::{Place, Run, fixture, real};
use serde_json::Value;

fn rows(run: &Run) -> Vec<Value> {
    serde_json::from_str::<Value>(&run.out).expect("JSON").as_array().expect("rows").clone()
}

fn row(run: &Run, check: &str) -> Value {
    rows(run).into_iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("no {check}: {}", run.out))
}

#[test]
fn data_that_keep_their_contracts_pass() {
    let place = Place::measured();
    let run = place.on(&real(), &["check", "--json"]).ok();
    assert!(run.err.contains("checks passed"), "{}", run.err);
    let rows = rows(&run);
    assert!(rows.len() > 6 && rows.iter().all(|row| row["status"] == "pass" && row["kind"] == "data"), "{rows:?}");
}

#[test]
fn a_gate_that_fails_is_exit_1_and_says_what_it_saw() {
    let place = Place::measured();
    let gates = ["check", "--all", "--max-cost-per-week", "0.000001", "--min-edit-success", "99%", "--json"];
    let run = place.on(&real(), &gates);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("error: 2 of") && run.err.contains("max_cost_per_week, min_edit_success"), "{}", run.err);
    let cost = row(&run, "max_cost_per_week");
    assert_eq!((cost["status"].as_str(), cost["limit"].as_f64()), (Some("fail"), Some(0.000_001)));
    // The dearest seven days in a row, by another route: sums of daily.
    let daily = place.json(&real(), &["metrics", "run", "daily", "--json"]);
    let days: Vec<(i64, f64)> = daily
        .as_array()
        .expect("days")
        .iter()
        .map(|row| {
            let date: jiff::civil::Date = row["date"].as_str().expect("a day").parse().expect("a day");
            let start = date.to_zoned(jiff::tz::TimeZone::UTC).expect("a day").timestamp().as_second() / 86_400;
            (start, row["cost_usd"].as_f64().expect("a cost"))
        })
        .collect();
    let dearest = days
        .iter()
        .map(|(last, _)| days.iter().filter(|(day, _)| (last - 6..=*last).contains(day)).map(|(_, cost)| cost).sum())
        .fold(0.0, f64::max);
    assert!((cost["value"].as_f64().expect("a cost") - dearest).abs() < 1e-9, "{cost} is not {dearest}");
    let edits = row(&run, "min_edit_success");
    let overview = place.json(&real(), &["metrics", "run", "overview", "--json"]);
    assert_eq!(edits["value"], overview[0]["edit_success_ratio"]);
}

#[test]
fn gates_that_hold_pass_and_what_is_unknown_fails_nothing() {
    let place = Place::measured();
    let gates = ["check", "--all", "--max-cost-per-week", "1000", "--min-edit-success", "0.01", "--json"];
    let run = place.on(&real(), &gates).ok();
    assert_eq!(row(&run, "min_edit_success")["status"], "pass");
    // A week without any use: nothing was spent, and nothing is known of edits.
    let gates = ["check", "--week", "2026-W01", "--max-cost-per-week", "0", "--min-edit-success", "1", "--json"];
    let run = place.on(&real(), &gates).ok();
    assert_eq!(row(&run, "max_cost_per_week")["status"], "pass");
    let edits = row(&run, "min_edit_success");
    assert_eq!((edits["status"].as_str(), &edits["value"]), (Some("unknown"), &Value::Null));
    assert!(run.err.contains("1 unknown"), "{}", run.err);
}

#[test]
fn a_finding_can_fail_a_run_and_an_unknown_one_is_wrong_use() {
    let place = Place::measured();
    let home = fixture("home-dev").display().to_string();
    let map = format!("/home/dev={home}");
    let here = ["--home", &home, "--map", &map, "--all", "check", "--json"];
    let with = |more: &[&str]| place.on(&real(), &[&here[..], more].concat());
    let run = with(&["--fail-on", "unused_skill,unknown_skill"]);
    let found = row(&run, "unused_skill");
    assert_eq!((run.code, found["status"].as_str(), found["kind"].as_str()), (1, Some("fail"), Some("finding")));
    assert!(found["value"].as_f64().is_some_and(|count| count >= 1.0), "{found}");
    let all = with(&["--fail-on", "all"]);
    assert_eq!(all.code, 1);
    assert!(rows(&all).iter().filter(|row| row["kind"] == "finding").count() > 10);
    with(&["--fail-on", "unused_skills"])
        .fails(2, &["no finding called 'unused_skills'", "did you mean 'unused_skill'?"]);
    with(&["--min-edit-success", "80"]).fails(2, &["write a share: 0.8 or 80%"]);
    with(&["--max-cost-per-week", "-3"]).fails(2, &["write an amount"]);
}

#[test]
fn a_check_of_ones_own_names_its_offenders() {
    let place = Place::measured();
    std::fs::create_dir_all(place.path("queries/checks")).expect("folder");
    let sql = "-- check:   chk_titles\n-- title:   Every session has a short title\n-- sources: stg_sessions\n--\n-- Ours.\n\
        select session_id as subject, title as detail from stg_sessions where length(title) > 20 order by session_id\n";
    std::fs::write(place.path("queries/checks/chk_titles.sql"), sql).expect("written");
    let run = place.on(&real(), &["check", "--format", "csv"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let line = run.out.lines().find(|line| line.starts_with("chk_titles")).expect("its row");
    assert!(
        line.contains(",data,fail,") && line.contains("ses_") && line.contains("logicoma query chk_titles"),
        "{line}"
    );
    assert!(run.err.contains("checks failed: chk_titles"), "{}", run.err);
    Place::new().run(&["check"]).fails(3, &["no OpenCode database found"]);
}
