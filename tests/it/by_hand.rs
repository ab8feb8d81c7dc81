//! Rules of inference on small databases, each answer worked out by hand from the rule's own words.

use crate::small::{Book, FOLDER};
use serde_json::{Value, json};

const MISS: &str = "Could not find oldString in the file. It must match exactly, including whitespace.";

/// Attempts of each edit of each session, by title, edits in their order.
fn attempts(book: &mut Book) -> Vec<(String, Vec<i64>)> {
    let rows = book.ask(
        "select title, attempt_count from edits inner join sessions using (session_id)
         order by sessions.started_at, edits.started_at",
    );
    let mut found: Vec<(String, Vec<i64>)> = Vec::new();
    for row in rows {
        let (title, count) = (row["title"].as_str().expect("text"), row["attempt_count"].as_i64().expect("a count"));
        match found.last_mut().filter(|(last, _)| last == title) {
            Some((_, counts)) => counts.push(count),
            None => found.push((title.to_owned(), vec![count])),
        }
    }
    found
}

#[test]
fn an_edit_is_the_attempts_on_one_path_until_applied_a_prompt_or_ten_minutes() {
    let mut book = Book::new();
    let file = format!("{FOLDER}/src/a.ts");
    let mut plan: Vec<(&str, Vec<i64>)> = Vec::new();
    let mut tell = |book: &mut Book, title: &'static str, counts: &[i64]| {
        book.session(title);
        plan.push((title, counts.to_vec()));
    };
    tell(&mut book, "two misses and a hit", &[3]);
    book.edit(&file, Some(MISS));
    book.edit(&file, Some("Error: oldString not found in content"));
    book.edit(&file, None);
    tell(&mut book, "applied twice", &[1, 1]);
    book.edit(&file, None);
    book.edit(&file, None);
    tell(&mut book, "blocked, then applied", &[1]);
    book.edit(&file, Some("Error: You must read file /x before overwriting it. Use the Read tool first"));
    book.edit(&file, None);
    tell(&mut book, "denied and aborted: never in earnest", &[0]);
    book.edit(&file, Some("The user rejected permission to use this specific tool call."));
    book.edit(&file, Some("Tool execution aborted"));
    tell(&mut book, "a prompt between", &[1, 1]);
    book.edit(&file, Some(MISS));
    book.prompt("Try again");
    book.edit(&file, None);
    tell(&mut book, "eleven minutes between", &[1, 1]);
    book.edit(&file, Some(MISS));
    book.wait(11 * 60_000);
    book.edit(&file, None);
    tell(&mut book, "nine minutes and other calls between", &[2]);
    book.edit(&file, Some(MISS));
    book.wait(9 * 60_000);
    book.tool("read", &json!({"filePath": file}), "text");
    book.edit(&file, None);
    tell(&mut book, "one path, however it is written", &[5]);
    for path in ["src/a.ts", "./src/a.ts", "/home/dev/app/src/../src/./a.ts", "..//app/src/a.ts"] {
        book.edit(path, Some("Found multiple matches for oldString. Provide more surrounding context"));
    }
    book.edit(&file, None);
    tell(&mut book, "two files in turn", &[2, 2]);
    for error in [Some(MISS), None] {
        book.edit("a.ts", error);
        book.edit("b.ts", error);
    }
    let expected: Vec<(String, Vec<i64>)> =
        plan.iter().map(|(title, counts)| ((*title).to_owned(), counts.clone())).collect();
    assert_eq!(attempts(&mut book), expected);
    // 0 attempts: 1 edit; 1: 7; 2: 3; 3: 1; 5: 1.
    let rows = book.metric("edit_attempts");
    let counts: Vec<(i64, i64)> = rows
        .iter()
        .map(|row| (row["attempts"].as_i64().expect("attempts"), row["edit_count"].as_i64().expect("edits")))
        .collect();
    assert_eq!(counts, [(0, 1), (1, 7), (2, 3), (3, 1), (5, 1)]);
    // 10 applied of 21 attempts; of 12 edits that were tried 5 went right at once and 10 in the end.
    let rates = &book.metric("edit_success")[0];
    for (column, value) in [
        ("attempt_count", 21),
        ("applied_count", 10),
        ("edit_count", 13),
        ("first_try_count", 5),
        ("eventual_count", 10),
    ] {
        assert_eq!(rates[column], value, "{column}: {rates}");
    }
}

#[test]
fn a_loop_is_counted_by_its_checks_or_taken_as_printed() {
    let mut book = Book::new();
    let round = |book: &mut Book, exit: i64| {
        book.edit("a.ts", None);
        book.bash("npm test", "…", Some(exit));
    };
    book.session("twice");
    book.skill("dev");
    round(&mut book, 1);
    round(&mut book, 0);
    book.session("given up");
    book.skill("verifier-code-agent");
    (0..3).for_each(|_| round(&mut book, 1));
    book.session("three failures, then it holds");
    book.skill("dev");
    (0..3).for_each(|_| round(&mut book, 1));
    round(&mut book, 0);
    book.session("the engine's word, not its exit code");
    book.skill("verification");
    book.edit("a.ts", None);
    book.bash(
        "python .opencode/core/verification-engine.py verify x",
        "\u{1b}[31mOverall: FAIL\u{1b}[0m\nConfidence: 60%\nCriteria: 3/5",
        Some(0),
    );
    book.edit("a.ts", None);
    book.bash(
        "bun run .opencode/cli/verification-engine.ts verify x --json",
        "…\n{\"overall_pass\":true,\"results\":[],\"confidence\":1.0,\"criteria_passed\":5,\"criteria_total\":5}",
        Some(0),
    );
    book.session("another skill's window is another loop");
    book.skill("dev");
    round(&mut book, 1);
    book.skill("plan");
    round(&mut book, 0);
    book.session("the same skill again is the same loop");
    book.skill("dev");
    round(&mut book, 1);
    book.skill("dev");
    round(&mut book, 0);
    book.session("a person is asked");
    book.skill("dev");
    round(&mut book, 1);
    book.tool("question", &json!({"questions": []}), "yes");
    round(&mut book, 0);
    book.session("a report");
    book.skill("verifier-code-agent");
    book.say("- **Generation attempts**: 2\n- **Final state**: PASS");
    book.session("a rubric");
    book.tool(
        "rubric-verify",
        &json!({"request": "a", "result": "b"}),
        "Verified: ✗ FAIL\nRubric Verdict: needs_revision\nGVR Verdict: fail\nCombined Verdict: FAIL\nIterations: 4",
    );
    book.session("a first pass that says false means nothing");
    book.bash("bun run src/verification/verifier.ts x", "{\"result\":{},\"iterations\":1,\"verified\":false}", Some(0));
    book.session("no check, no loop");
    book.skill("dev");
    book.edit("a.ts", None);
    book.bash("npm test", "…\n<bash_metadata>timeout</bash_metadata>", None);
    let rows = book.ask(
        "select title, rule, iterations, is_verified, is_max_reached, is_escalated
         from verification_loops inner join sessions using (session_id) order by sessions.started_at",
    );
    let brief: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["title"],
                row["rule"],
                row["iterations"],
                row["is_verified"],
                row["is_max_reached"],
                row["is_escalated"]
            ])
        })
        .collect();
    assert_eq!(
        json!(brief),
        json!([
            ["twice", "skill_window", 2, true, false, false],
            ["given up", "skill_window", 3, false, true, false],
            ["three failures, then it holds", "skill_window", 4, true, false, false],
            ["the engine's word, not its exit code", "skill_window", 2, true, false, false],
            ["another skill's window is another loop", "skill_window", 1, false, false, false],
            ["the same skill again is the same loop", "skill_window", 2, true, false, false],
            ["a person is asked", "skill_window", 2, true, false, true],
            ["a report", "printed", 2, true, false, false],
            ["a rubric", "printed", 4, false, true, false],
            ["a first pass that says false means nothing", "printed", 1, null, false, false],
        ])
    );
}

#[test]
fn a_command_that_tests_builds_or_lints_is_a_check_and_another_is_not() {
    const CHECKS: [(&str, &str); 24] = [
        ("npm test", "test"),
        ("npm --prefix web test", "test"),
        ("pnpm --filter app run lint", "lint"),
        ("yarn build", "build"),
        ("cd web && CI=1 npx vitest run", "test"),
        ("bash -lc \"npm test\"", "test"),
        ("./node_modules/.bin/tsc --noEmit", "lint"),
        ("python3 -m pytest -q", "test"),
        ("uv run pytest", "test"),
        (".venv/bin/pytest tests", "test"),
        ("python manage.py test", "test"),
        ("timeout 60 cargo test", "test"),
        ("cargo clippy -- -D warnings", "lint"),
        ("cargo fmt --all --check", "lint"),
        ("cargo build --release", "build"),
        ("go vet ./...", "lint"),
        ("./gradlew test", "test"),
        ("mix test", "test"),
        ("bundle exec rspec", "test"),
        ("bazel test //...", "test"),
        ("make", "build"),
        ("ruff check .", "lint"),
        ("black --check .", "lint"),
        ("pre-commit run --all-files", "lint"),
    ];
    const OTHERS: [&str; 12] = [
        "npm install",
        "npm run dev",
        "git commit -m test",
        "git log --grep=build",
        "echo npm test",
        "cat test.txt",
        "ls tests",
        "grep -rn test src",
        "rm -rf build",
        "cargo run",
        "pip install pytest",
        "cargo fmt",
    ];
    let mut book = Book::new();
    book.session("commands");
    for command in CHECKS.iter().map(|(command, _)| *command).chain(OTHERS) {
        book.bash(command, "…", Some(0));
    }
    let found = book.ask("select command from tool_calls where tool_class = 'check' order by started_at");
    assert_eq!(json!(found), json!(CHECKS.map(|(command, _)| json!({"command": command}))));
    let count = |kind: &str| CHECKS.iter().filter(|(_, own)| *own == kind).count() as u64;
    let kinds = book.metric("checks");
    for kind in ["test", "lint", "build"] {
        let own = kinds.iter().filter(|row| row["check_kind"] == kind).filter_map(|row| row["check_count"].as_u64());
        assert_eq!(own.sum::<u64>(), count(kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn a_run_is_parallel_where_chunks_overlap_and_sequential_where_none_do() {
    let mut book = Book::new();
    let chunk = |book: &mut Book, from: i64, to: i64, result: &str| {
        let at = book.now();
        let output = format!("<task_result>\n{result}\n</task_result>");
        book.call_at(
            "task",
            &json!({"description": "d", "prompt": "p", "subagent_type": "rlm-subcall"}),
            json!({"status": "completed", "output": output, "title": "", "metadata": {}}),
            (at + from, at + to),
        );
    };
    let found = r#"{"chunk_id": "c", "relevant": [{"point": "p"}], "missing": []}"#;
    let nothing = r#"{"chunk_id": "c", "relevant": [], "missing": []}"#;
    book.session("one after the other");
    book.bash(
        "python .opencode/skills/rlm/adaptive-chunker.py chunk big.md -o d",
        "\u{1b}[1mContent Type:\u{1b}[0m Log\nChunk Size: 50,000 characters\nCreated 4 chunks\nOutput directory: d",
        Some(0),
    );
    for result in [found, nothing, "no answer in the form"] {
        chunk(&mut book, 0, 900, result);
        book.wait(1_000);
    }
    book.session("two waves");
    for (from, to) in [(0, 3_000), (100, 2_500), (2_900, 3_100), (4_000, 5_000), (4_500, 6_000)] {
        chunk(&mut book, from, to, found);
    }
    book.session("a single chunk");
    chunk(&mut book, 0, 500, nothing);
    book.session("a self-test is no run, nor is a look at the state");
    book.bash(
        "python x/parallel-processor.py test --chunks 10",
        "Processed 10 chunks in 2 waves\nSuccessful chunks: 10/10",
        Some(0),
    );
    book.bash("python x/rlm_repl.py status", "Context chars: 0", Some(0));
    book.session("as printed");
    book.bash(
        "python x/parallel-processor.py run",
        &json!({"total_waves": 4, "processed_waves": 2, "total_chunks": 20,
        "processed_chunks": 10, "successful_chunks": 9, "tokens_processed": 5000, "early_termination": true})
        .to_string(),
        Some(0),
    );
    let rows = book.ask(
        "select title, mode, chunk_count, planned_chunk_count, wave_count, ok_chunks, accuracy, chunk_size
         from rlm_runs inner join sessions using (session_id) order by rlm_runs.started_at",
    );
    let brief: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["title"],
                row["mode"],
                row["chunk_count"],
                row["planned_chunk_count"],
                row["wave_count"],
                row["ok_chunks"],
                row["accuracy"],
                row["chunk_size"]
            ])
        })
        .collect();
    assert_eq!(
        json!(brief),
        json!([
            ["one after the other", "sequential", 3, 4, 3, 3, 0.5, 50_000],
            ["two waves", "parallel", 5, null, 2, 5, 1.0, null],
            ["a single chunk", "unknown", 1, null, 1, 1, 0.0, null],
            ["as printed", "unknown", 10, null, 2, 9, null, null],
        ])
    );
}

#[test]
fn sums_hold_after_an_undo_and_a_todo_without_a_session_is_nobodys() {
    let mut book = Book::new();
    let session = book.session("undone");
    for prompt in ["One", "Two", "Three"] {
        book.prompt(prompt);
        book.say("Done.");
    }
    let whole = book.session("deleted");
    book.say("Done.");
    book.session("stays");
    let add_up = "update session set
        cost = (select coalesce(sum(json_extract(data, '$.cost')), 0) from message where session_id = session.id),
        tokens_input = (select coalesce(sum(json_extract(data, '$.tokens.input')), 0) from message where session_id = session.id),
        tokens_output = (select coalesce(sum(json_extract(data, '$.tokens.output')), 0) from message where session_id = session.id)";
    // OpenCode holds its references only while it runs itself.
    book.db.execute_batch("pragma foreign_keys = off").expect("off");
    for owner in [session.as_str(), "ses_gone"] {
        let sql = "insert into todo (session_id, content, status, priority, position, time_created, time_updated)
            values (?1, 'x', 'pending', 'high', 0, 1793610000000, 1793610000000)";
        book.db.execute(sql, [owner]).expect("a todo");
    }
    let checks = |book: &Book| -> Vec<String> {
        let run = book.place.on(&book.path, &["check", "--json"]);
        let rows: Vec<Value> = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out));
        let failed = rows.iter().filter(|row| row["status"] == "fail");
        failed
            .map(|row| {
                format!("{} {:.0}", row["check"].as_str().expect("a name"), row["value"].as_f64().expect("a count"))
            })
            .collect()
    };
    let only_the_todo = ["chk_orphans 1"];
    book.db.execute_batch(add_up).expect("added up");
    assert_eq!(checks(&book), only_the_todo);
    assert_eq!(json!(book.ask("select session_id from todos")), json!([{"session_id": session}]));
    // The last prompt of one session is undone, and OpenCode takes it off the totals; another session is deleted.
    book.db
        .execute_batch(&format!(
            "delete from part where message_id in (select id from message where session_id = '{session}' order by id desc limit 2);
             delete from message where id in (select id from message where session_id = '{session}' order by id desc limit 2);
             delete from part where session_id = '{whole}'; delete from message where session_id = '{whole}';
             delete from session where id = '{whole}'; {add_up}; update session set time_updated = time_updated + 9"
        ))
        .expect("undone");
    assert_eq!(checks(&book), only_the_todo);
    let kept = book.ask("select count(last_seen_at) as gone, count(*) as n from stg_messages where role = 'assistant'");
    assert_eq!(json!(kept), json!([{"gone": 2, "n": 4}]), "what was paid stays");
    // Totals that do not add up are told.
    book.db
        .execute("update session set cost = cost + 1, time_updated = time_updated + 9 where id = ?1", [&session])
        .expect("changed");
    assert_eq!(checks(&book), ["chk_orphans 1", "chk_session_sums 1"]);
}
