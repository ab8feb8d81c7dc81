//! A finding comes with its cause, and goes when its cause is mended: the same history with the trouble and without.

use crate::truth::World;
use serde_json::Value;

/// All findings as `finding: subject`, each held against the contract.
fn found(world: &World) -> Vec<String> {
    // What was deleted would count as history: mended is what the database says now.
    let rows = world.json(&["findings", "--all", "--json", "--present-only"]);
    rows.as_array().expect("rows").iter().map(held).collect()
}

fn held(row: &Value) -> String {
    let text = |column: &str| row[column].as_str().unwrap_or_else(|| panic!("no {column} in {row}")).to_owned();
    assert!(!text("sentence").is_empty() && !text("evidence").is_empty() && !text("metric").is_empty(), "{row}");
    assert!(row["n"].as_i64() >= Some(5), "too few for a finding: {row}");
    assert!(row["ci_low"].is_number() && row["ci_high"].is_number(), "no interval: {row}");
    assert!(row["ci_low"].as_f64() <= row["ci_high"].as_f64(), "an interval upside down: {row}");
    assert!(row["saved_tokens_per_week"].is_number() || row["saved_usd_per_week"].is_number(), "no saving: {row}");
    // Where models have no price nobody knows what it saves in money.
    if let Some(saved) = row["saved_usd_per_week"].as_f64() {
        let (low, high) = (row["saved_usd_low"].as_f64().expect("low"), row["saved_usd_high"].as_f64().expect("high"));
        assert!(low <= saved + 1e-12 && saved <= high + 1e-12, "a saving outside of its interval: {row}");
    }
    format!("{}: {}", text("finding"), text("subject"))
}

fn change(world: &World, sql: &str) {
    let database = rusqlite::Connection::open(&world.db).expect("the database");
    let changed = database.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
    assert!(changed > 0, "nothing to change: {sql}");
}

fn has(found: &[String], finding: &str) -> bool {
    found.iter().any(|own| own.starts_with(finding))
}

/// What the generator plants, and what mends it.
const MENDED: [(&str, &str); 7] = [
    (
        "overconfident_intent: verify",
        // Half of the decisions were right: now it says so.
        r#"update part set data = replace(data, '\"confidence\":0.95', '\"confidence\":0.5') where data like '%fast_heuristic%'"#,
    ),
    (
        "loop_limit: dev",
        r#"update part set data = replace(data, '"exit":101', '"exit":0') where data like '%cargo test%'"#,
    ),
    ("failing_command: cargo test", "update part set time_updated = time_updated + 1 where data like '%cargo test%'"),
    (
        "unused_skill: standup",
        r#"update part set data = replace(data, '"name":"pr-review"', '"name":"standup"') where data like '%"tool":"skill"%'"#,
    ),
    ("unknown_skill", "delete from part where data like '%Available skills:%'"),
    ("data_quality: quarantined rows of part", "delete from part where id in (BAD)"),
    (
        "costly_subagent: general",
        "update part set data = json_set(data, '$.state.output', printf('%.*c', 90000, 'x')) \
         where data like '%\"subagent_type\":\"general\"%' and json_extract(data, '$.state.status') = 'completed'",
    ),
];

/// What the generator does not plant, and what brings it.
const PLANTED: [(&str, &str); 5] = [
    (
        "flooding_tool: grep",
        "update part set data = json_set(data, '$.state.output', printf('%.*c', 60000, 'x')) \
         where data like '%\"tool\":\"grep\"%' and json_valid(data)",
    ),
    (
        "tool_errors_rose: glob",
        "update part set data = json_set(json_remove(data, '$.state.output'), '$.state.status', 'error', '$.state.error', 'broken') \
         where data like '%\"tool\":\"glob\"%' and time_created > 1795348800000 - 20 * 86400000",
    ),
    (
        "skill_success_fell: git-commit",
        "update message set data = json_set(data, '$.error', json('{\"name\":\"APIError\",\"data\":{\"message\":\"x\"}}')) \
         where json_valid(data) and json_extract(data, '$.role') = 'assistant' and session_id in (select session_id from part \
         where data like '%\"tool\":\"skill\"%git-commit%' and time_created > 1795348800000 - 21 * 86400000)",
    ),
    (
        "weaker_edit_format: str_replace on acme/acme-sonnet-5",
        "update part set data = json_set(json_remove(data, '$.state.output', '$.state.metadata'), '$.state.status', 'error', \
         '$.state.error', 'Found multiple matches for oldString. Provide more surrounding context to make the match unique.') \
         where data like '%\"tool\":\"edit\"%' and rowid % 4 > 0 and json_extract(data, '$.state.status') = 'completed'; \
         update part set data = json_set(data, '$.state.input.filePath', '/home/dev/storefront/src/known.ts') \
         where data like '%\"tool\":\"write\"%' and json_valid(data)",
    ),
    (
        "cost_anomaly: 2026-11-05",
        "update message set data = json_set(data, '$.cost', json_extract(data, '$.cost') * 300) \
         where json_valid(data) and date(time_created / 1000, 'unixepoch') = '2026-11-05'",
    ),
];

#[test]
fn findings_go_when_their_cause_is_mended() {
    let world = World::new(|plan| plan.seed = 41);
    let bad: Vec<String> =
        world.planted("bad_rows").iter().map(|row| row["row_id"].to_string().replace('"', "'")).collect();
    let before = found(&world);
    for (finding, sql) in MENDED {
        assert!(has(&before, finding), "{finding} is not found; found are {before:#?}");
        for statement in sql.split(';') {
            change(&world, &statement.replace("BAD", &bad.join(", ")));
        }
    }
    let after = found(&world);
    for (finding, _) in MENDED {
        assert!(!has(&after, finding), "{finding} is still found: {after:#?}");
    }
}

#[test]
fn findings_come_with_their_cause() {
    let world = World::new(|plan| plan.seed = 41);
    let before = found(&world);
    for (finding, sql) in PLANTED {
        assert!(!has(&before, finding), "{finding} is found before it was planted: {before:#?}");
        for statement in sql.split(';') {
            change(&world, statement);
        }
    }
    let after = found(&world);
    for (finding, _) in PLANTED {
        assert!(has(&after, finding), "{finding} is not found; found are {after:#?}");
    }
}

#[test]
fn a_file_that_resists_edits_is_found_and_one_that_does_not_is_none() {
    let world = World::new(|plan| plan.seed = 41);
    assert!(!has(&found(&world), "stubborn_file"));
    change(
        &world,
        "update part set data = json_set(data, '$.state.input.filePath', '/home/dev/storefront/src/stubborn.ts') \
         where data like '%oldString%' and json_extract(data, '$.tool') = 'edit' and json_extract(data, '$.state.status') = 'error'",
    );
    assert!(has(&found(&world), "stubborn_file: "), "{:?}", found(&world));
}

#[test]
fn cache_hits_that_fell_are_found_until_they_rise_again() {
    let world = World::new(|plan| plan.seed = 41);
    let four_weeks_ago = crate::generator::plan::DEFAULT_NOW_MS - 27 * 86_400_000;
    let read_from_cache = |tokens: i64| {
        let answers = "select id from message where data like '%\"acme-sonnet-5\"%'";
        for (table, which) in [("part", "message_id"), ("message", "id")] {
            change(
                &world,
                &format!(
                    "update {table} set data = json_set(data, '$.tokens.cache.read', {tokens}) where json_valid(data) \
                     and json_extract(data, '$.tokens.cache.read') is not null and {which} in ({answers}) \
                     and time_created > {four_weeks_ago}"
                ),
            );
        }
    };
    read_from_cache(0);
    assert!(has(&found(&world), "cache_hits_fell: acme/acme-sonnet-5"), "{:?}", found(&world));
    read_from_cache(1_000_000);
    assert!(!has(&found(&world), "cache_hits_fell: acme/acme-sonnet-5"), "{:?}", found(&world));
}

/// Changes the cost of every answer of a model by a factor.
fn reprice(world: &World, model: &str, factor: f64) {
    change(
        world,
        &format!(
            "update message set data = json_set(data, '$.cost', json_extract(data, '$.cost') * {factor}) \
             where json_valid(data) and json_extract(data, '$.role') = 'assistant' and json_extract(data, '$.modelID') = '{model}'"
        ),
    );
}

#[test]
fn a_dear_model_is_found_until_it_is_cheap_and_until_it_is_better() {
    const FOUND: &str = "costly_model: acme/acme-sonnet-5";
    let world = World::new(|plan| plan.seed = 41);
    assert!(!has(&found(&world), "costly_model"), "{:?}", found(&world));
    reprice(&world, "acme-sonnet-5", 20.0);
    assert!(has(&found(&world), FOUND), "{:?}", found(&world));
    reprice(&world, "acme-sonnet-5", 0.05);
    assert!(!has(&found(&world), FOUND), "{:?}", found(&world));
    // As dear as before, but what the other models begin they do not finish.
    reprice(&world, "acme-sonnet-5", 20.0);
    change(
        &world,
        "update message set data = json_set(data, '$.error', json('{\"name\":\"APIError\",\"data\":{\"message\":\"x\"}}')) \
         where json_valid(data) and json_extract(data, '$.role') = 'assistant' and json_extract(data, '$.modelID') <> 'acme-sonnet-5'",
    );
    assert!(!has(&found(&world), FOUND), "{:?}", found(&world));
}
