//! Telemetry and the database together: found by project, joined part by part, field by field, never added up.

mod kept;

use crate::harness::{Place, real};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// The session "Round subtotal to cents": an edit that fails, then one that is applied.
const ROUND: &str = "ses_ecb78e930ffeJzwJjx1hWdzW63";
/// The session "Rename sum variable": the same, by another error.
const RENAME: &str = "ses_eacb74fd9ffedXBZKpsWjiop2T";
/// The session in which `db-migrations` is loaded first.
const MIGRATE: &str = "ses_ecfb12c58ffean6q5VjcCw29ej";

struct World {
    place: Place,
    db: PathBuf,
}

impl World {
    /// A copy of the real database, whose projects lie below `dev` now.
    fn new() -> Self {
        let place = Place::new();
        let db = place.path("copy.db");
        fs::copy(real(), &db).expect("copied");
        Self { place, db }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.place.path("dev/webshop/.opencode").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        path
    }

    fn write(&self, events: &[Value]) {
        let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        fs::write(self.file("telemetry/events.jsonl"), lines.join("\n") + "\n").expect("written");
    }

    fn json(&self, args: &[&str]) -> Value {
        let map = format!("/home/dev={}", self.place.path("dev").display());
        let mut all = vec!["--map", &map];
        all.extend(args);
        self.place.json(&self.db, &all)
    }

    fn ask(&self, sql: &str) -> Value {
        self.json(&["query", "-c", sql, "--json"])
    }

    fn manifest(&self) -> Vec<u8> {
        fs::read(self.place.path("store/manifest.json")).expect("manifest")
    }
}

fn event(id: &str, kind: &str, ts: i64, envelope: &Value, data: &Value) -> Value {
    let mut event = json!({"v": 1, "kind": kind, "ts": ts, "id": id, "data": data});
    for (key, value) in envelope.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event
}

#[test]
fn what_an_event_says_of_an_edit_counts_instead_of_what_was_inferred() {
    let world = World::new();
    let attempts = |world: &World, session: &str| {
        world.ask(&format!(
            "select attempt_number, outcome, evidence, source, duration_ms from edit_attempts where session_id = '{session}'
             and path like '%totals.ts' order by attempted_at"
        ))
    };
    let edits = |world: &World| world.ask("select count(*) as n, sum(attempt_count) as attempts from edits");
    let before = attempts(&world, ROUND);
    assert_eq!(before[0]["outcome"], "format_error");
    assert_eq!(before[1]["outcome"], "applied");
    assert_eq!(before[1]["evidence"], "derived");
    let sums = edits(&world);
    world.write(&[
        event("agree", "edit", 1_791_882_675_795, &json!({"session_id": ROUND, "call_id": "toolu_00012_0"}),
            &json!({"format": "str_replace", "outcome": "format_error", "attempt_no": 1, "duration_ms": 41})),
        event("agree", "edit", 1_791_882_675_795, &json!({"session_id": ROUND, "call_id": "toolu_00012_0"}), &json!({"duration_ms": 7})),
        event("contradict", "edit", 0, &json!({"part_id": "prt_13487fdb9001GiOg1T7qAlUEPJ"}), &json!({"outcome": "format_error"})),
        // The same session and file, 1.5 s after the second attempt began.
        event("near", "edit", 1_792_398_708_385, &json!({"session_id": RENAME}), &json!({"file": "src/cart/totals.ts", "attempt_no": 3})),
        // Nothing near, and nothing of that name.
        event("far", "edit", 1_792_398_750_000, &json!({"session_id": RENAME}), &json!({"file": "src/cart/totals.ts", "format": "hashline", "outcome": "applied"})),
        event("lost", "edit", 1_792_398_706_885, &json!({"session_id": "ses_gone", "call_id": "x", "model": "glm-4.7"}), &json!({"file": "/gone.rs", "format": "hashline", "outcome": "applied"})),
        event("two-of-one", "edit", 1_792_398_707_885, &json!({"session_id": "ses_gone", "model": "glm-4.7"}), &json!({"file": "/two.rs", "format": "hashline", "outcome": "format_error", "edit_group_id": "g", "attempt_no": 1})),
        event("two-of-two", "edit", 1_792_398_708_885, &json!({"session_id": "ses_gone", "model": "glm-4.7"}), &json!({"file": "/two.rs", "format": "hashline", "outcome": "applied", "edit_group_id": "g", "attempt_no": 2})),
    ]);
    let after = attempts(&world, ROUND);
    assert_eq!(
        after[0],
        json!({"attempt_number": 1, "outcome": "format_error", "evidence": "observed", "source": "jsonl", "duration_ms": 41})
    );
    assert_eq!((&after[1]["outcome"], &after[1]["evidence"]), (&json!("format_error"), &json!("observed")));
    assert_eq!(after[1]["duration_ms"], before[1]["duration_ms"], "what is not told stays inferred");
    let renamed = attempts(&world, RENAME);
    assert_eq!(renamed.as_array().map(Vec::len), Some(3), "{renamed}");
    assert_eq!((&renamed[1]["attempt_number"], &renamed[1]["outcome"]), (&json!(3), &json!("applied")));
    assert_eq!(
        renamed[2],
        json!({"attempt_number": 1, "outcome": "applied", "evidence": "telemetry", "source": "jsonl", "duration_ms": null})
    );
    // Three attempts although two are recorded: the number was told. Then the two edits that only telemetry knows, and the far one.
    let edited = edits(&world);
    assert_eq!(edited[0]["n"].as_i64(), sums[0]["n"].as_i64().map(|n| n + 3));
    assert_eq!(edited[0]["attempts"].as_i64(), sums[0]["attempts"].as_i64().map(|n| n + 1 + 1 + 2 + 1));
    let rates = world.json(&["metrics", "run", "edit_success", "--json"]);
    let hashline = rates
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["format"] == "hashline" && row["model"] == "glm-4.7")
        .expect("a row");
    for (column, value) in [
        ("attempt_count", json!(3)),
        ("applied_count", json!(2)),
        ("edit_count", json!(2)),
        ("first_try_ratio", json!(0.5)),
        ("eventual_ratio", json!(1.0)),
    ] {
        assert_eq!(hashline[column], value, "{column}: {hashline}");
    }
    let joined = world.ask("select event_id, matched_by, is_contradiction from telemetry_events order by event_id");
    let of = |id: &str| joined.as_array().expect("rows").iter().find(|row| row["event_id"] == id).expect(id).clone();
    assert_eq!(of("agree"), json!({"event_id": "agree", "matched_by": "call_id", "is_contradiction": false}));
    assert_eq!(of("contradict"), json!({"event_id": "contradict", "matched_by": "part_id", "is_contradiction": true}));
    assert_eq!(of("near")["matched_by"], "time");
    assert!(of("far")["matched_by"].is_null() && of("lost")["matched_by"].is_null());
    let health = world.json(&["metrics", "run", "telemetry", "--json"]);
    for (column, count) in [
        ("event_count", 7),
        ("matched_count", 3),
        ("contradiction_count", 1),
        ("duplicate_count", 1),
        ("absurd_time_count", 1),
    ] {
        assert_eq!(health[0][column], count, "{column}: {health}");
    }
    world.json(&["metrics", "run", "edits", "health", "skills", "--json"]);
}

#[test]
fn what_an_event_says_of_a_skill_counts_value_by_value() {
    let world = World::new();
    let usage = |world: &World, skill: &str| {
        let rows = world.json(&["metrics", "run", "skill_usage", "--json"]);
        rows.as_array().expect("rows").iter().find(|row| row["skill_name"] == skill).cloned().unwrap_or_default()
    };
    let load = |world: &World| {
        world.ask(&format!("select window_ms, window_tokens, window_cost_usd, is_success, window_iteration_count, window_retry_count, evidence, source, label
            from skill_loads where session_id = '{MIGRATE}' and skill_name = 'db-migrations' and via = 'skill_tool'"))[0].clone()
    };
    let (before, one) = (usage(&world, "db-migrations"), load(&world));
    world.write(&[
        event(
            "s1",
            "skill",
            1_791_811_876_130,
            &json!({"session_id": MIGRATE, "call_id": "toolu_00005_0"}),
            &json!({"skill": "db-migrations", "duration_ms": 52_000, "success": false, "iterations": 3}),
        ),
        // A later word on the same load: what it says stands, what it leaves out does not.
        event(
            "s2",
            "skill",
            1_791_811_876_131,
            &json!({"session_id": MIGRATE}),
            &json!({"skill": "db-migrations", "iterations": 4, "retries": 1, "tokens_input": 10, "tokens_output": 5}),
        ),
        event(
            "s3",
            "skill",
            1_791_811_990_000,
            &json!({"session_id": MIGRATE, "model": "m"}),
            &json!({"skill": "dev", "duration_ms": 9, "success": true}),
        ),
        event("s4", "skill", 1_791_811_990_000, &json!({}), &json!({"skill": "db-migrations", "success": true})),
    ]);
    let told = load(&world);
    assert_eq!(
        told,
        json!({"window_ms": 52_000, "window_tokens": 15, "window_cost_usd": one["window_cost_usd"], "is_success": false,
            "window_iteration_count": 4, "window_retry_count": 1, "evidence": "observed", "source": "jsonl", "label": "explicit"})
    );
    let after = usage(&world, "db-migrations");
    assert_eq!(after["load_count"], before["load_count"], "a use that only telemetry knows is no load of the tool");
    assert_eq!(after["telemetry_count"], 1);
    let moved = |column: &str| after[column].as_i64().expect("a number") - before[column].as_i64().expect("a number");
    let own = |column: &str| one[column].as_i64().expect("a number");
    assert_eq!(moved("window_ms"), 52_000 - own("window_ms"));
    assert_eq!(moved("window_tokens"), 15 - own("window_tokens"));
    assert_eq!(usage(&world, "dev")["telemetry_count"], 1);
    let row = world.ask("select via, evidence, skill_name, project_name, model, window_ms from skill_loads where evidence = 'telemetry' order by skill_name desc");
    assert_eq!(
        row[0],
        json!({"via": "telemetry", "evidence": "telemetry", "skill_name": "dev", "project_name": "webshop", "model": "m", "window_ms": 9})
    );
    assert_eq!(row[1]["project_name"], "webshop", "by the file's place");
    // Filters and periods work on them.
    let by_model = world.json(&["--model", "m", "metrics", "run", "skill_usage", "--json"]);
    assert!(by_model.as_array().expect("rows").iter().any(|row| row["skill_name"] == "dev"), "{by_model}");
}

#[test]
fn files_are_found_by_project_and_read_only_when_they_change() {
    let world = World::new();
    world.write(&[event("a", "skill", 1_792_000_000_000, &json!({}), &json!({"skill": "dev"}))]);
    fs::write(world.file("telemetry/metrics.json"), r#"{"skills":{"dev":{"history":[{"timestamp":"2026-10-17T10:00:00","tokens":5,"duration_ms":2,"success":true,"iterations":1}]}},"rlm":{}}"#).expect("written");
    fs::write(world.file("memory/graph.json"), r#"{"nodes":[],"edges":[]}"#).expect("written");
    fs::write(
        world.file("exports/execution-traces.json"),
        r#"[{"skillId":"dev","startTime":1792000000000,"duration":5,"success":true,"taskId":"t"}]"#,
    )
    .expect("written");
    fs::write(
        world.file("agent-metrics.json"),
        r#"{"agents":[],"tasks":[{"taskId":"a","agentName":"x","success":true}]}"#,
    )
    .expect("written");
    fs::write(world.file("telemetry/state.pkl"), b"\x80\x04.").expect("written");
    fs::write(world.file("telemetry/broken.jsonl"), "half a li").expect("written");
    assert_eq!(world.json(&["extract", "--json"])[0]["is_changed"], true);
    let files = world.ask("select replace(path, split_part(path, '/.opencode/', 1) || '/.opencode/', '') as name, format, event_count, bad_line_count, directory from stg_telemetry_files order by name");
    let names: Vec<&str> = files.as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "agent-metrics.json",
            "exports/execution-traces.json",
            "memory/graph.json",
            "telemetry/broken.jsonl",
            "telemetry/events.jsonl",
            "telemetry/metrics.json"
        ]
    );
    assert!(files.as_array().expect("rows").iter().all(|row| row["directory"] == "/home/dev/webshop"), "{files}");
    assert_eq!(world.ask("select count(*) as n from raw_telemetry")[0]["n"], 3);
    let before = world.manifest();
    assert_eq!(world.json(&["extract", "--json"])[0]["is_changed"], false);
    assert_eq!(world.manifest(), before, "nothing changed, nothing was written");
    // An event is added: it alone is new.
    world.write(&[
        event("a", "skill", 1_792_000_000_000, &json!({}), &json!({"skill": "dev"})),
        event("b", "skill", 1_792_000_000_001, &json!({}), &json!({"skill": "plan"})),
    ]);
    assert_eq!(world.json(&["extract", "--json"])[0]["is_changed"], true);
    assert_eq!(world.ask("select count(*) as n from raw_telemetry")[0]["n"], 4);
    // The files go, the events stay: also when everything is read again.
    fs::remove_dir_all(world.place.path("dev")).expect("removed");
    assert_eq!(world.json(&["extract", "--json"])[0]["is_changed"], false);
    world.json(&["extract", "--full", "--json"]);
    world.json(&["extract", "--no-content", "--json"]);
    assert_eq!(world.ask("select count(*) as n, count(raw) as raws from raw_telemetry")[0], json!({"n": 4, "raws": 0}));
    assert_eq!(world.ask("select count(*) as n from quarantine")[0]["n"], 1);
}

#[test]
fn a_file_given_by_hand_is_remembered_and_joins_the_database_that_comes_later() {
    let world = World::new();
    let line = event(
        "hand",
        "edit",
        0,
        &json!({"session_id": ROUND, "call_id": "toolu_00014_0"}),
        &json!({"outcome": "format_error"}),
    );
    let path = world.place.path("by-hand.jsonl");
    fs::write(&path, format!("{line}\n")).expect("written");
    world.place.run(&["ingest", "by-hand.jsonl"]).ok();
    let joined = world.ask("select matched_by, is_contradiction from telemetry_events");
    assert_eq!(joined, json!([{"matched_by": "call_id", "is_contradiction": true}]));
    let more = event("more", "skill", 1_792_000_000_000, &json!({}), &json!({"skill": "dev"}));
    fs::write(&path, format!("{line}\n{more}\n")).expect("written");
    assert_eq!(world.ask("select count(*) as n from telemetry_events")[0]["n"], 2);
    fs::remove_file(&path).expect("removed");
    assert_eq!(world.ask("select count(*) as n from telemetry_events")[0]["n"], 2);
}

#[test]
fn tables_inside_the_database_are_read_by_the_names_of_their_columns() {
    let world = World::new();
    let database = Connection::open(&world.db).expect("opened");
    database
        .execute_batch(&format!(
            "create table skill_metrics (success integer, Skill text, id text primary key, ts_ms integer, call_id text, session_id text, duration_ms real, tokens_input text, tokens_output integer, novel blob);
             insert into skill_metrics values (0, 'db-migrations', 'sm1', 1791811876130, 'toolu_00005_0', '{MIGRATE}', 52000.4, '10', 5, x'ff');
             create table edit_metrics (id integer primary key, timeCreated text, partId text, outcome text, attempt_no integer, lsp_errors integer);
             insert into edit_metrics values (1, '2026-10-13 12:00:00', 'prt_13487fdb9001GiOg1T7qAlUEPJ', 'blocked', 2, 1);
             create table intent_metrics (ts integer, predicted_intent text, predicted_skills text, confidence real, correct integer);
             insert into intent_metrics values (1791811876130, 'debug', '[\"dev\",\"think\"]', 0.9, null), (5, 'debug', 'dev', 7, 1);
             create table rlm_metrics (run_id integer);
             create table verification_metrics (loop_id text, iterations integer, verified text, ts integer);
             insert into verification_metrics values ('l', 3, 'false', 1791811876130);"
        ))
        .expect("made");
    drop(database);
    let row = world.ask("select id, skill, success, duration_ms, tokens_input, tokens_output, ts, source from raw_telemetry where kind = 'skill'");
    assert_eq!(
        row[0],
        json!({"id": "sm1", "skill": "db-migrations", "success": false, "duration_ms": 52_000, "tokens_input": 10, "tokens_output": 5, "ts": 1_791_811_876_130_i64, "source": "tables"})
    );
    let load = world.ask(&format!("select is_success, window_ms, window_tokens, evidence, source from skill_loads where session_id = '{MIGRATE}' and via = 'skill_tool'"));
    assert_eq!(
        load[0],
        json!({"is_success": false, "window_ms": 52_000, "window_tokens": 15, "evidence": "observed", "source": "tables"})
    );
    let edit =
        world.ask("select outcome, has_lsp_errors from edit_attempts where part_id = 'prt_13487fdb9001GiOg1T7qAlUEPJ'");
    assert_eq!(edit[0], json!({"outcome": "blocked", "has_lsp_errors": true}));
    let intents = world.ask("select predicted_skills, confidence, correct, problem is not null as has_problem from raw_telemetry where kind = 'intent' order by ts desc");
    assert_eq!(
        intents,
        json!([{"predicted_skills": "dev,think", "confidence": 0.9, "correct": null, "has_problem": false},
            {"predicted_skills": "dev", "confidence": null, "correct": true, "has_problem": true}])
    );
    let verified = world.ask("select verified, iterations from raw_telemetry where kind = 'verification'");
    assert_eq!(verified[0], json!({"verified": false, "iterations": 3}));
    // The row changes in place: its last state stands, once.
    Connection::open(&world.db)
        .expect("opened")
        .execute_batch("update skill_metrics set success = 1")
        .expect("changed");
    assert_eq!(world.ask("select success from raw_telemetry where kind = 'skill'"), json!([{"success": true}]));
}

#[test]
fn an_event_without_session_is_of_the_session_whose_shell_command_emitted_it() {
    let world = World::new();
    let database = Connection::open(&world.db).expect("opened");
    let (part, session, start): (String, String, i64) = database
        .query_row(
            "select part.id, session.id, json_extract(part.data, '$.state.time.start') from part join session on session.id = part.session_id
             where json_extract(part.data, '$.tool') = 'bash' and session.directory = '/home/dev/webshop' order by part.id limit 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .expect("a shell command");
    database
        .execute(
            "update part set data = json_set(data, '$.state.input.command', 'cd x && logicoma emit skill --json ''{}''') where id = ?1",
            [&part],
        )
        .expect("changed");
    drop(database);
    world.write(&[
        event("here", "skill", start + 5, &json!({}), &json!({"skill": "dev", "success": true})),
        event("other-kind", "edit", start + 5, &json!({}), &json!({"file": "a", "outcome": "applied"})),
        event("later", "skill", start + 3_600_000, &json!({}), &json!({"skill": "dev"})),
    ]);
    let found = world.ask("select event_id, session_id from telemetry_events order by event_id");
    assert_eq!(
        found,
        json!([{"event_id": "here", "session_id": session}, {"event_id": "later", "session_id": null}, {"event_id": "other-kind", "session_id": null}])
    );
    let load = world.ask("select session_id, evidence from skill_loads where event_id = 'here'");
    assert_eq!(load, json!([{"session_id": session, "evidence": "telemetry"}]));
}
