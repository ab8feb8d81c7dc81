//! Numbers that are easily wrong: unknown amounts, days of 25 hours, quoted commands, rows that only a copy still holds.

use crate::harness::{Place, real};
use crate::small::Book;
use serde_json::{Value, json};
use std::fs;

const EDIT_MS: i64 = 500;

fn change(path: &std::path::Path, sql: &str) {
    rusqlite::Connection::open(path).expect("opened").execute_batch(sql).expect("changed");
}

#[test]
fn a_check_is_what_the_shell_runs_and_not_what_is_quoted_or_written_into_a_file() {
    let mut book = Book::new();
    book.session("commands");
    let checks = [
        "npm test",
        "cd app && npm run build",
        "  make",
        "time -p npm run build",
        "npx -y jest",
        "cargo +nightly test",
        "sudo -u ci make",
        "nice -n 10 make",
        "if make; then echo ok; fi",
        "uv run --with hypothesis pytest -q",
        "timeout -k 5 60 pytest",
        "FOO='a b' BAR=1 pytest",
        "bash -c \"npm test\"",
        "sh -c 'cd x && pytest'",
        "bun run \".opencode/cli/verification-engine.ts\" verify x",
        "cat > a.txt <<EOF\nnothing\nEOF\nnpm test",
        "echo \"it's fine\" && npm test",
    ];
    let others = [
        "cat > README.md <<'EOF'\nRun it:\nnpm test\nEOF",
        "cat > run.sh <<-marker\n\tnpm test\n\tmarker",
        "git commit -m \"fix: rounding\n\nmake totals exact; npm test still fails\"",
        "git commit -m 'a && npm test'",
        "git commit -m \"$(cat <<'EOF'\nfix; pytest\nmake it so\nEOF\n)\"",
        "echo \"run; pytest\"",
        "echo npm test",
        "bash -c \"echo 'done; pytest'\"",
        "printf '%s' \"a \\\"; make\"",
    ];
    for command in checks.iter().chain(&others) {
        book.bash(command, "", Some(0));
    }
    let rows = book.ask("select command, tool_class from tool_calls order by started_at");
    let found: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["command"].as_str().expect("text"), row["tool_class"].as_str().expect("text")))
        .collect();
    let expected: Vec<(&str, &str)> = checks
        .iter()
        .map(|command| (*command, "check"))
        .chain(others.iter().map(|command| (*command, "shell")))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_answer_without_all_of_its_tokens_is_in_no_rate_of_them() {
    let mut book = Book::new();
    book.session("amounts");
    for _ in 0..3 {
        book.say("text");
    }
    book.ask("select 1");
    // 100 read anew and 900 of the cache, nothing said of what was written; no word of what was read anew; 100 read anew.
    for (number, tokens) in [
        (0, json!({"input": 100, "output": 10, "reasoning": 0, "cache": {"read": 900}})),
        (1, json!({"output": 5000, "reasoning": 0, "cache": {"read": 7000, "write": 0}})),
    ] {
        let sql = "update message set data = json_set(data, '$.tokens', json(?1)), time_updated = time_updated + 1
             where id = (select id from message where json_extract(data, '$.role') = 'assistant' order by id limit 1 offset ?2)";
        book.db.execute(sql, (tokens.to_string(), number)).expect("changed");
    }
    let expected = json!(900.0 / 1100.0);
    for name in ["overview", "by_model", "by_agent", "by_project", "by_session", "efficiency_daily"] {
        assert_eq!(book.metric(name)[0]["cache_hit_ratio"], expected, "{name}");
    }
    let weekly = book.metric("weekly");
    let row = weekly.iter().find(|row| row["series"] == "cache_hit_ratio").expect("the series");
    assert_eq!(row["value"], expected);
    assert_eq!(book.metric("efficiency_daily")[0]["output_input_ratio"], json!(20.0 / 1100.0));
}

#[test]
fn a_day_of_25_hours_is_one_day() {
    let mut book = Book::new();
    book.wait(-9 * 86_400_000 - 3_600_000);
    book.session("2026-10-25");
    book.say("text");
    book.wait(86_400_000);
    book.session("2026-10-26");
    book.say("text");
    book.ask("select 1");
    for (since, until, days) in
        [("2026-10-25", "2026-10-25", 1), ("2026-10-19", "2026-10-25", 7), ("2026-10-25", "2026-10-26", 2)]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"))
            .current_dir(book.place.path(""))
            .env("HOME", book.place.path("home"))
            .args(["-z", "Europe/Berlin", "--now", "2026-11-22T12:00:00Z", "--since", since, "--until", until, "--db"])
            .arg(&book.path)
            .arg("--store")
            .arg(book.place.path("store"))
            .args(["metrics", "run", "overview", "--json"])
            .output()
            .expect("it runs");
        let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(rows[0]["days"], days, "{since} to {until}: {}", rows[0]);
        assert_eq!(rows[0]["raw_days"], days);
    }
}

#[test]
fn telemetry_that_names_a_part_or_call_that_is_nowhere_still_tells_of_the_edit_at_its_time() {
    let mut book = Book::new();
    book.session("edits");
    let at = book.now() + EDIT_MS;
    book.edit("/home/dev/app/a.ts", None);
    let id = book.ask("select session_id from session_places")[0]["session_id"].as_str().map(str::to_owned);
    let id = id.expect("a session");
    for (number, named) in [("part_id", "prt_gone"), ("call_id", "call_gone")].into_iter().enumerate() {
        let event = json!({"v": 1, "kind": "edit", "ts": at, "id": format!("e{number}"), "session_id": id, "model": "m1",
            "source": "jsonl", named.0: named.1,
            "data": {"file": "/home/dev/app/a.ts", "format": "str_replace", "outcome": "applied"}});
        let file = book.place.path(&format!("{number}.jsonl"));
        fs::write(&file, format!("{event}\n")).expect("written");
        book.place.again(&book.path, &["ingest", file.to_str().expect("a path")]).ok();
        assert_eq!(book.metric("overview")[0]["edit_attempts"], 1, "{named:?}");
    }
}

#[test]
fn what_was_newest_counts_although_it_is_gone_from_its_source() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("folder");
    let (first, second) = (place.path("data/opencode.db"), place.path("data/opencode-copy.db"));
    fs::copy(real(), &first).expect("copied");
    fs::copy(real(), &second).expect("copied");
    let session = "(select session_id from message where json_extract(data, '$.cost') > 0 order by id limit 1)";
    change(
        &first,
        &format!(
            "update message set data = json_set(data, '$.cost', 5.0), time_updated = time_updated + 1000
             where id = (select id from message where json_extract(data, '$.cost') > 0 order by id limit 1);
             create table kept as select {session} as id"
        ),
    );
    let overview = |args: &[&str]| {
        let all = [args, &["metrics", "run", "overview", "--json", "--all"]].concat();
        place.json(&place.path("data"), &all)[0].clone()
    };
    let before = overview(&[]);
    change(
        &first,
        "pragma foreign_keys = on; delete from session where id = (select id from kept);
         delete from part where session_id = (select id from kept); delete from message where session_id = (select id from kept)",
    );
    let after = overview(&[]);
    for column in ["sessions", "messages", "cost_usd", "present_sessions", "vanished_sessions", "vanished_messages"] {
        assert_eq!(before[column], after[column], "{column}");
    }
    assert!(after["cost_usd"].as_f64() > Some(5.0));
    assert_eq!(after["vanished_sessions"], 0, "the other database holds the session");
}

#[test]
fn what_only_a_fork_still_holds_is_present() {
    let place = Place::new();
    let path = place.path("opencode.db");
    fs::copy(real(), &path).expect("copied");
    let copied =
        "select record_session_id as id, count(*) as n from messages_raw where is_fork_copy group by all order by id";
    let forks = place.json(&path, &["--all", "query", "-c", copied, "--json"]);
    let original = forks[0]["id"].as_str().expect("the recorded database has a fork").to_owned();
    change(
        &path,
        &format!(
            "pragma foreign_keys = on; delete from part where session_id = '{original}';
             delete from message where session_id = '{original}'; delete from session where id = '{original}'"
        ),
    );
    let overview = |args: &[&str]| {
        let all = [args, &["metrics", "run", "overview", "--json", "--all"]].concat();
        place.json(&path, &all)[0].clone()
    };
    let (all, present) = (overview(&[]), overview(&["--present-only"]));
    assert_eq!(all["present_messages"], present["messages"]);
    assert_eq!(all["present_sessions"], present["sessions"]);
    let cost = |row: &Value, column: &str| row[column].as_f64().expect("a number");
    assert!((cost(&all, "present_cost_usd") - cost(&present, "cost_usd")).abs() < 1e-9);
    assert!(all["vanished_sessions"].as_i64() > Some(0));
}
