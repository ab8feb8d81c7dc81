//! Planted truth: the generator writes down what it planted, the metrics must find it.

mod oracle;

use crate::generator::ledger::Told;
use crate::generator::plan::{Plan, Schema};
use crate::harness::Place;
use serde_json::Value;
use std::path::PathBuf;

/// A generated database with its truth and a store of its own.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) db: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) truth: Value,
    pub(crate) stories: Vec<Told>,
}

impl World {
    pub(crate) fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let place = Place::new();
        let (db, home) = (place.path("opencode.db"), place.path("their-home"));
        let mut plan = Plan::preset("tiny", crate::generator::plan::DEFAULT_NOW_MS).expect("preset");
        plan.home = Some(home.clone());
        // The truth of the database alone; telemetry_truth.rs has the other.
        plan.telemetry = false;
        plan.keeps_stories = true;
        change(&mut plan);
        let truth = crate::generator::generate(&plan, &db).expect("generated");
        let (truth, stories) = (truth.0, truth.1);
        Self { place, db, home, truth, stories }
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let (home, map) = (self.home.display().to_string(), format!("/home/dev={}", self.home.display()));
        let mut all = vec!["--home", &home, "--map", &map];
        all.extend(args);
        self.place.json(&self.db, &all)
    }

    pub(crate) fn metric(&self, name: &str, more: &[&str]) -> Vec<Value> {
        let mut args = vec!["metrics", "run", name, "--json"];
        args.extend(more);
        self.json(&args).as_array().expect("rows").clone()
    }

    pub(crate) fn planted(&self, name: &str) -> &Vec<Value> {
        self.truth[name].as_array().unwrap_or_else(|| panic!("the truth says nothing of {name}"))
    }
}

/// Equal, with room for the last bits of sums of doubles.
pub(crate) fn same(ours: &Value, planted: &Value) -> bool {
    match (ours.as_f64(), planted.as_f64()) {
        (Some(ours), Some(planted)) => (ours - planted).abs() <= 1e-9 * planted.abs().max(1.0),
        _ => ours == planted,
    }
}

/// Holds rows against rows: the same keys, and each pair of (our column, the truth's column) equal.
pub(crate) fn hold(what: &str, ours: &[Value], planted: &[Value], keys: &[(&str, &str)], columns: &[(&str, &str)]) {
    assert!(!planted.is_empty(), "{what}: nothing was planted");
    let key = |row: &Value, side: fn(&(&str, &str)) -> String| {
        keys.iter().map(|pair| row[side(pair)].to_string()).collect::<Vec<_>>()
    };
    let our_key = |row: &Value| key(row, |pair| pair.0.to_owned());
    let their_key = |row: &Value| key(row, |pair| pair.1.to_owned());
    let mut wrong = Vec::new();
    for row in planted {
        let Some(own) = ours.iter().find(|own| our_key(own) == their_key(row)) else {
            wrong.push(format!("{:?} is missing", their_key(row)));
            continue;
        };
        for (own_column, column) in columns {
            if !same(&own[*own_column], &row[*column]) {
                wrong.push(format!(
                    "{:?} {own_column}: {} instead of {}",
                    their_key(row),
                    own[*own_column],
                    row[*column]
                ));
            }
        }
    }
    for own in ours {
        if !planted.iter().any(|row| their_key(row) == our_key(own)) {
            wrong.push(format!("{:?} was never planted", our_key(own)));
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

const TOKENS: [(&str, &str); 5] = [
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("reasoning_tokens", "reasoning_tokens"),
    ("cache_read_tokens", "cache_read_tokens"),
    ("cache_write_tokens", "cache_write_tokens"),
];

fn with_tokens<'a>(columns: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    columns.iter().copied().chain(TOKENS).collect()
}

fn usage(world: &World) {
    let overview = world.metric("overview", &[]);
    let truth = &world.truth["overview"];
    for column in [
        "sessions",
        "messages",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "tool_calls",
        "tool_errors",
        "raw_sessions",
        "raw_messages",
        "raw_cost_usd",
        "raw_input_tokens",
        "raw_output_tokens",
        "raw_reasoning_tokens",
        "raw_cache_read_tokens",
        "raw_cache_write_tokens",
        "raw_tool_calls",
        "raw_tool_errors",
        "steps",
    ] {
        assert!(
            same(&overview[0][column], &truth[column]),
            "overview.{column}: {} instead of {}",
            overview[0][column],
            truth[column]
        );
    }
    let messages = [("message_count", "message_count"), ("cost_usd", "cost_usd")];
    hold(
        "by_model",
        &world.metric("by_model", &[]),
        world.planted("by_model"),
        &[("model", "model")],
        &with_tokens(&messages),
    );
    let raw = [("message_count", "raw_message_count"), ("cost_usd", "raw_cost_usd")];
    hold(
        "by_model raw",
        &world.metric("by_model", &["--count-forks"]),
        world.planted("by_model"),
        &[("model", "model")],
        &raw,
    );
    hold(
        "by_agent",
        &world.metric("by_agent", &[]),
        world.planted("by_agent"),
        &[("agent", "agent")],
        &with_tokens(&[("cost_usd", "cost_usd"), ("session_count", "session_count")]),
    );
    hold(
        "by_project",
        &world.metric("by_project", &[]),
        world.planted("by_project"),
        &[("project_id", "project_id")],
        &with_tokens(&[("cost_usd", "cost_usd"), ("message_count", "message_count")]),
    );
    for zone in ["UTC", "Europe/Berlin", "America/New_York"] {
        let planted = world.truth["daily"][zone].as_array().expect("days");
        hold(
            &format!("daily in {zone}"),
            // Messages whose time is absurd (0, negative, the year 3000) belong to no day.
            &world
                .metric("daily", &["--timezone", zone])
                .into_iter()
                .filter(|row| !row["date"].is_null())
                .collect::<Vec<_>>(),
            planted,
            &[("date", "date"), ("model", "model")],
            &with_tokens(&[("cost_usd", "cost_usd")]),
        );
    }
}

fn tools(world: &World) {
    hold(
        "tool_usage",
        &world.metric("tool_usage", &[]),
        world.planted("tool_usage"),
        &[("tool_name", "tool_name")],
        &[
            ("call_count", "call_count"),
            ("error_count", "error_count"),
            ("error_ratio", "error_ratio"),
            ("p50_ms", "p50_ms"),
            ("p95_ms", "p95_ms"),
        ],
    );
    // By program: what was planted stands by command.
    let mut programs: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    for row in world.planted("shell_commands") {
        let program = row["program"].as_str().unwrap_or_default().to_owned();
        *programs.entry(program).or_default() += row["call_count"].as_i64().expect("a count");
    }
    for row in world.metric("shell_commands", &[]) {
        let program = row["program"].as_str().unwrap_or_default();
        assert_eq!(row["command_count"].as_i64(), programs.get(program).copied(), "shell_commands {program}");
    }
}

fn skills(world: &World) {
    hold(
        "skill_usage",
        &world.metric("skill_usage", &[]).into_iter().filter(|row| row["ask_count"] != 0).collect::<Vec<_>>(),
        world.planted("skill_usage"),
        &[("skill_name", "skill_name")],
        &[("load_count", "load_count"), ("session_count", "session_count")],
    );
    hold(
        "skill_unknown",
        &world.metric("skill_unknown", &[]),
        world.planted("skill_unknown"),
        &[("skill_name", "skill_name")],
        &[("ask_count", "ask_count"), ("nearest_name", "nearest_name"), ("recovered_count", "recovered_count")],
    );
    let unused = world.json(&["skills", "--unused", "--json"]);
    // Which skills a permission hides stands in a configuration that the generator does not write.
    let denied = |name: &&str| {
        world.planted("skill_unused").iter().any(|row| row["skill_name"] == *name && row["is_denied"] == true)
    };
    let mut ours: Vec<&str> = unused
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["skill_name"].as_str())
        .filter(|name| !denied(name))
        .collect();
    let mut planted: Vec<&str> = world
        .planted("skill_unused")
        .iter()
        .filter(|row| row["load_count"] == 0 && row["other_uses"] == 0 && row["is_denied"] == false)
        .filter_map(|row| row["skill_name"].as_str())
        .collect();
    ours.sort_unstable();
    planted.sort_unstable();
    assert_eq!(ours, planted, "skill_unused");
}

#[test]
fn every_planted_number_is_found_in_the_first_generation() {
    let world = World::new(|_| {});
    usage(&world);
    tools(&world);
    skills(&world);
    oracle::everything(&world);
    oracle::periods_and_filters(&world);
    oracle::versions(&world);
}

#[test]
fn every_planted_number_is_found_in_the_old_schema() {
    let world = World::new(|plan| {
        plan.schema = Schema::V1Old;
        plan.seed = 11;
    });
    usage(&world);
    tools(&world);
    skills(&world);
    oracle::everything(&world);
}

#[test]
fn every_planted_number_is_found_in_the_second_generation() {
    let world = World::new(|plan| {
        plan.schema = Schema::V2;
        plan.seed = 13;
    });
    usage(&world);
    tools(&world);
    oracle::everything(&world);
    oracle::a_week_and_a_project(&world);
}

#[test]
fn every_planted_number_is_found_during_the_move_to_the_second_generation() {
    let world = World::new(|plan| {
        plan.schema = Schema::Migrated;
        plan.seed = 13;
    });
    usage(&world);
    tools(&world);
    oracle::everything(&world);
}

#[test]
fn bad_rows_are_quarantined_one_by_one_and_nothing_else_is() {
    let world = World::new(|_| {});
    let rows = world.json(&[
        "query",
        "-c",
        "select table_name, row_id from quarantine where table_name <> 'telemetry'",
        "--json",
    ]);
    hold(
        "quarantine",
        rows.as_array().expect("rows"),
        world.planted("bad_rows"),
        &[("row_id", "row_id")],
        &[("table_name", "table_name")],
    );
    // Everything else is there.
    let sql =
        "select (select count(*) from part) + (select count(*) from raw_quarantine where table_name = 'part') as n";
    let parts = world.json(&["query", "-c", sql, "--json"]);
    assert_eq!(parts[0]["n"], world.truth["rows"]["part"]);
}
