//! A finding comes with its cause, and goes when its cause is mended: one history in four states, each measured once.
//!
//! | finding | 1 as generated | 2 | 3 | 4 |
//! | --- | --- | --- | --- | --- |
//! | overconfident_intent, loop_limit, failing_command, unused_skill, unknown_skill, data_quality, costly_subagent | found | mended: none | none | none |
//! | flooding_tool, tool_errors_rose, skill_success_fell, stubborn_file, weaker_edit_format, cost_anomaly, cache_hits_fell | none | planted: found | mended: none | none |
//! | costly_model | none | planted: found | mended, cheaper: none | dear again, but better: none |

use crate::generator::plan::{DAY_MS, DEFAULT_NOW_MS};
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

fn has(found: &[String], finding: &str) -> bool {
    found.iter().any(|own| own.starts_with(finding))
}

/// Statements that change the database, all at once.
fn change(world: &World, statements: &[String]) {
    let mut database = rusqlite::Connection::open(&world.db).expect("the database");
    let all = database.transaction().expect("a transaction");
    for sql in statements {
        let changed = all.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
        assert!(changed > 0, "nothing to change: {sql}");
    }
    all.commit().expect("changed");
}

/// Findings of what the generator plants, and what mends it.
fn generated(world: &World) -> Vec<(&'static str, String)> {
    let bad: Vec<String> =
        world.planted("bad_rows").iter().map(|row| row["row_id"].to_string().replace('"', "'")).collect();
    let replaced = |old: &str, new: &str, which: &str| {
        format!("update part set data = replace(data, '{old}', '{new}') where data like '%{which}%'")
    };
    let tests_pass = replaced(r#""exit":101"#, r#""exit":0"#, "cargo test");
    vec![
        // Half of the decisions were right: now it says so.
        ("overconfident_intent: verify", replaced(r#"\"confidence\":0.95"#, r#"\"confidence\":0.5"#, "fast_heuristic")),
        ("loop_limit: dev", tests_pass.clone()),
        ("failing_command: cargo test", tests_pass),
        ("unused_skill: standup", replaced(r#""name":"pr-review""#, r#""name":"standup""#, r#""tool":"skill""#)),
        ("unknown_skill", "delete from part where data like '%Available skills:%'".to_owned()),
        ("data_quality: quarantined rows of part", format!("delete from part where id in ({})", bad.join(", "))),
        ("costly_subagent: general", answers(r#""subagent_type":"general""#, 90_000, 14)),
    ]
}

/// Calls that completed return so many characters, these last days.
fn answers(which: &str, length: i64, days: i64) -> String {
    format!(
        "update part set data = json_set(data, '$.state.output', printf('%.*c', {length}, 'x')) where json_valid(data) \
         and json_extract(data, '$.state.status') = 'completed' and data like '%{which}%' and time_created > {}",
        ago(days)
    )
}

/// Calls that were something fail.
fn calls_fail(error: &str, which: &str) -> String {
    format!(
        "update part set data = json_set(json_remove(data, '$.state.output', '$.state.metadata'), '$.state.status', 'error', \
         '$.state.error', '{error}') where json_valid(data) and json_extract(data, '$.type') = 'tool' and {which}"
    )
}

/// Calls that failed succeed.
fn calls_succeed(which: &str) -> String {
    format!(
        "update part set data = json_set(json_remove(data, '$.state.error'), '$.state.status', 'completed', \
         '$.state.output', 'Edit applied successfully.', '$.state.metadata', json('{{}}')) \
         where json_valid(data) and json_extract(data, '$.state.status') = 'error' and {which}"
    )
}

/// What models answered is otherwise now.
fn answered(new: &str, which: &str) -> String {
    format!(
        "update message set data = {new} where json_valid(data) and json_extract(data, '$.role') = 'assistant' and {which}"
    )
}

const BROKEN: &str = r#"json_set(data, '$.error', json('{"name":"APIError","data":{"message":"x"}}'))"#;

fn costs(times: f64, which: &str) -> String {
    answered(&format!("json_set(data, '$.cost', json_extract(data, '$.cost') * {times})"), which)
}

/// For each token that acme-sonnet-5 sends anew it reads so many from the cache, these four weeks.
fn cached(times: i64) -> Vec<String> {
    let answers = "select id from message where data like '%\"acme-sonnet-5\"%'";
    let (new, since) = ("json_extract(data, '$.tokens.input') + json_extract(data, '$.tokens.cache.write')", ago(27));
    [("part", "message_id"), ("message", "id")]
        .map(|(table, key)| {
            format!(
                "update {table} set data = json_set(data, '$.tokens.cache.read', {times} * ({new})) where json_valid(data) \
                 and json_extract(data, '$.tokens.cache.read') is not null and {key} in ({answers}) and time_created > {since}"
            )
        })
        .to_vec()
}

/// A time some days before the clock of the tests.
fn ago(days: i64) -> i64 {
    DEFAULT_NOW_MS - days * DAY_MS
}

const SONNET: &str = "json_extract(data, '$.modelID') = 'acme-sonnet-5'";

/// Findings that the generator does not plant, what brings them, and what mends them.
fn planted() -> Vec<(&'static str, Vec<String>, Vec<String>)> {
    let glob = |days| format!("json_extract(data, '$.tool') = 'glob' and time_created > {}", ago(days));
    let commits = |days| {
        let since = ago(days);
        format!(
            "session_id in (select session_id from part where data like '%\"tool\":\"skill\"%git-commit%' \
             and time_created > {since})"
        )
    };
    let moved = |to: &str, which: &str| {
        format!(
            "update part set data = json_set(data, '$.state.input.filePath', '/home/dev/storefront/src/{to}.ts') \
             where json_valid(data) and {which}"
        )
    };
    let ambiguous = "Found multiple matches for oldString. Provide more surrounding context to make the match unique.";
    let day = "date(time_created / 1000, 'unixepoch') = '2026-11-05'";
    vec![
        // Mended is what goes well of late, whatever was before. So with most of these.
        (
            "flooding_tool: grep",
            vec![answers(r#""tool":"grep""#, 60_000, 90)],
            vec![answers(r#""tool":"grep""#, 6_000, 7)],
        ),
        ("tool_errors_rose: glob", vec![calls_fail("broken", &glob(20))], vec![calls_succeed(&glob(12))]),
        (
            "skill_success_fell: git-commit",
            vec![answered(BROKEN, &commits(21))],
            vec![answered("json_remove(data, '$.error')", &commits(10))],
        ),
        (
            "stubborn_file: ",
            vec![moved(
                "stubborn",
                "json_extract(data, '$.tool') = 'edit' and json_extract(data, '$.state.status') = 'error'",
            )],
            vec![calls_succeed(&format!("data like '%/stubborn.ts%' and time_created > {}", ago(28)))],
        ),
        // Mended: a matcher that takes all of them.
        (
            "weaker_edit_format: str_replace on acme/acme-sonnet-5",
            vec![
                calls_fail(
                    ambiguous,
                    "json_extract(data, '$.tool') = 'edit' and rowid % 2 > 0 and json_extract(data, '$.state.status') = 'completed'",
                ),
                moved("known", "json_extract(data, '$.tool') = 'write'"),
            ],
            vec![calls_succeed(&format!("data like '%Found multiple matches%' and time_created > {}", ago(10)))],
        ),
        ("cost_anomaly: 2026-11-05", vec![costs(300.0, day)], vec![costs(1.0 / 300.0, day)]),
        ("cache_hits_fell: acme/acme-sonnet-5", cached(0), cached(9)),
        (DEAR, vec![costs(20.0, SONNET)], vec![costs(0.05, SONNET)]),
    ]
}

const DEAR: &str = "costly_model: acme/acme-sonnet-5";

#[test]
fn findings_come_with_their_cause_and_go_when_it_is_mended() {
    let world = World::new(|plan| plan.seed = 41);
    let (generated, planted) = (generated(&world), planted());
    let mut names: Vec<&str> =
        planted.iter().map(|own| own.0).chain(generated.iter().map(|own| own.0)).filter_map(name).collect();
    names.sort_unstable();
    assert_eq!(names, all_findings(), "each finding is held here once");

    let first = found(&world);
    for (finding, _) in &generated {
        assert!(has(&first, finding), "{finding} is not found; found are {first:#?}");
    }
    for (finding, ..) in &planted {
        assert!(!has(&first, finding), "{finding} is found before it was planted: {first:#?}");
    }

    let mut mending: Vec<String> = generated.iter().map(|(_, sql)| sql.clone()).collect();
    mending.dedup();
    change(&world, &mending);
    change(&world, &planted.iter().flat_map(|(_, plant, _)| plant.clone()).collect::<Vec<_>>());
    let second = found(&world);
    for (finding, _) in &generated {
        assert!(!has(&second, finding), "{finding} is still found: {second:#?}");
    }
    for (finding, ..) in &planted {
        assert!(has(&second, finding), "{finding} is not found; found are {second:#?}");
    }

    change(&world, &planted.iter().flat_map(|(.., mend)| mend.clone()).collect::<Vec<_>>());
    let third = found(&world);
    for finding in generated.iter().map(|own| own.0).chain(planted.iter().map(|own| own.0)) {
        assert!(!has(&third, finding), "{finding} is still found: {third:#?}");
    }

    // As dear as before, but what the other models begin they do not finish.
    change(&world, &[costs(20.0, SONNET), answered(BROKEN, "json_extract(data, '$.modelID') <> 'acme-sonnet-5'")]);
    let fourth = found(&world);
    assert!(!has(&fourth, DEAR), "{fourth:#?}");
}

fn name(finding: &str) -> Option<&str> {
    finding.split(':').next()
}

/// The files of `queries/findings`, by name.
fn all_findings() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/findings");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}
