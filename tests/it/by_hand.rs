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

/// What a router of the first era prints for `full … --json`, in colours, with a decoy before its answer.
fn routed(intent: &str, confidence: f64, route: &str) -> String {
    let answer = json!({"query": "q", "intent": intent, "confidence": confidence, "route": route, "invoke_via": "skill",
        "strategy": "direct", "context_modules": [], "tools": [], "workflow": "", "skills_bulk": ""});
    let decoy = json!({"query": "q", "intent": "decoy", "confidence": 0.1, "route": "decoy"});
    format!(
        "{decoy}\nFULL ROUTING: \"q\"\n\u{1b}[32m[+]\u{1b}[0m Intent: {intent} (confidence: {:.0}%)\n\u{1b}[36m{answer:#}\u{1b}[0m\n",
        confidence * 100.0
    )
}

const ROUTER: &str = "cd /home/dev/app && python3 .opencode/skills/cli-router.py full \"q\" --json 2>&1 | tail -40";

#[test]
fn a_decision_is_right_or_wrong_by_what_was_used_in_its_window() {
    let mut book = Book::new();
    let route = |book: &mut Book, title: &str, intent: &str, skill: &str| {
        book.session(title);
        book.bash(ROUTER, &routed(intent, 0.9, skill), Some(0));
    };
    route(&mut book, "right", "debug", "code-agent");
    book.skill("code-agent");
    route(&mut book, "right by its new name", "debug", "code-agent");
    book.skill("dev");
    route(&mut book, "another skill", "review", "analysis-agent");
    book.skill("research-agent");
    route(&mut book, "the predicted one second", "debug", "code-agent");
    book.skill("research-agent");
    book.skill("code-agent");
    route(&mut book, "nothing used", "debug", "code-agent");
    book.say("Done.");
    route(&mut book, "a load that failed is no use", "debug", "code-agent");
    book.fails("skill", &json!({"name": "code-agent"}), "Skill \"code-agent\" not found. Available skills: dev");
    route(&mut book, "the classifier only decides", "debug", "code-agent");
    book.skill("intent-classifier");
    book.skill("code-agent");
    route(&mut book, "corrected", "debug", "code-agent");
    book.skill("code-agent");
    book.prompt("\"No, that is not it\"");
    book.say("Sorry.");
    route(&mut book, "used after the next prompt", "debug", "code-agent");
    book.prompt("And now the tests");
    book.skill("code-agent");
    book.session("a way through the graph");
    book.tool(
        "graph-route",
        &json!({"startNode": "plan", "endGoal": "dev", "task": "t"}),
        "Path: plan → dev\nCost: 1.00\nLatency: 50ms\nConfidence: 90%",
    );
    book.skill("plan");
    book.session("no way through the graph");
    book.tool("graph-route", &json!({"startNode": "plan", "endGoal": "dev"}), "Fallback to LLM routing");
    book.skill("plan");
    let chained = |skills: &str| routed("implement", 0.9, "code-agent").replace("\"workflow\": \"\"", skills);
    book.session("a chain that no table has, and its route");
    book.bash(ROUTER, &chained("\"workflow\": \"ship-it\""), Some(0));
    book.skill("code-agent");
    book.session("a chain that no table has, and another skill");
    book.bash(ROUTER, &chained("\"workflow\": \"ship-it\""), Some(0));
    book.skill("pr");
    book.session("a chain that was printed");
    book.bash(ROUTER, &chained("\"skill_chain\": [\"plan\", \"pr\"]"), Some(0));
    book.skill("pr");
    book.session("a router that did not run");
    book.bash(ROUTER, "bash: python3: command not found", Some(127));
    book.skill("code-agent");
    book.session("what a user pastes is no decision");
    book.prompt("Intent: debug (confidence: 85%)\nRoute: code-agent");
    book.say("I see.");
    let rows = book.ask(
        "select title, predicted_intent, predicted_skills, confidence, confidence_scale, actual_skill, is_correct, label_rule, evidence
         from intent_decisions inner join sessions using (session_id) order by decided_at",
    );
    let brief: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["title"],
                row["predicted_intent"],
                row["confidence_scale"],
                row["actual_skill"],
                row["is_correct"],
                row["label_rule"]
            ])
        })
        .collect();
    assert_eq!(
        json!(brief),
        json!([
            ["right", "debug", "share", "code-agent", true, "first_skill"],
            ["right by its new name", "debug", "share", "dev", true, "first_skill"],
            ["another skill", "review", "share", "research-agent", false, "other_skill"],
            ["the predicted one second", "debug", "share", "research-agent", null, null],
            ["nothing used", "debug", "share", null, null, null],
            ["a load that failed is no use", "debug", "share", null, null, null],
            ["the classifier only decides", "debug", "share", "code-agent", true, "first_skill"],
            ["corrected", "debug", "share", "code-agent", false, "corrected"],
            ["used after the next prompt", "debug", "share", null, null, null],
            ["a way through the graph", null, "graph", "plan", true, "first_skill"],
            ["no way through the graph", null, null, "plan", null, null],
            ["a chain that no table has, and its route", "implement", "share", "code-agent", true, "first_skill"],
            ["a chain that no table has, and another skill", "implement", "share", "pr", null, null],
            ["a chain that was printed", "implement", "share", "pr", true, "first_skill"],
        ])
    );
    assert_eq!((&rows[9]["predicted_skills"], &rows[9]["confidence"]), (&json!("plan,dev"), &json!(0.9)));
    // Predicted against used: a corrected decision says that code-agent was wrong, not what would have been right.
    let confusion = book.metric("intent_confusion");
    let of_skills: Vec<Value> = confusion
        .iter()
        .filter(|row| row["level"] == "skill")
        .map(|row| json!([row["predicted"], row["actual"], row["decision_count"]]))
        .collect();
    assert_eq!(
        json!(of_skills),
        json!([
            ["analysis-agent", "research-agent", 1],
            ["code-agent", "code-agent", 3],
            ["dev", "dev", 1],
            ["plan", "plan", 1],
            ["pr", "pr", 1]
        ])
    );
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
fn what_a_shell_command_emits_tells_of_the_work_before_it_and_is_counted_once() {
    let mut book = Book::new();
    let emitted = |book: &mut Book, id: &str, kind: &str, data: &Value| {
        // The model takes its time before it writes down how it went.
        book.wait(20_000);
        let at = book.now() + 250;
        book.bash(&format!("logicoma emit {kind} --json '{data}'"), "", Some(0));
        json!({"v": 1, "kind": kind, "ts": at, "id": id, "source": "jsonl", "data": data})
    };
    let session = book.session("told");
    book.bash(ROUTER, &routed("debug", 0.9, "dev"), Some(0));
    book.skill("dev");
    for exit in [1, 0] {
        book.edit("a.ts", None);
        book.bash("npm test", "…", Some(exit));
    }
    let events = [
        emitted(
            &mut book,
            "v",
            "verification",
            &json!({"skill": "dev", "iterations": 5, "verified": false, "escalated": true}),
        ),
        emitted(
            &mut book,
            "i",
            "intent",
            &json!({"predicted_intent": "debug", "actual_intent": "refactor", "correct": false}),
        ),
        emitted(&mut book, "s", "skill", &json!({"skill": "dev", "success": false, "duration_ms": 52_000})),
    ];
    let folder = book.place.path("app/.opencode/telemetry");
    std::fs::create_dir_all(&folder).expect("made");
    let text: Vec<String> = events.iter().map(ToString::to_string).collect();
    std::fs::write(folder.join("events.jsonl"), text.join("\n")).expect("written");
    for (sql, expected) in [
        (
            "select session_id, iterations, is_verified, is_escalated, evidence from verification_loops",
            json!([{"session_id": session, "iterations": 5, "is_verified": false, "is_escalated": true, "evidence": "observed"}]),
        ),
        (
            "select session_id, predicted_intent, confidence, actual_intent, is_correct from intent_decisions",
            json!([{"session_id": session, "predicted_intent": "debug", "confidence": 0.9, "actual_intent": "refactor", "is_correct": false}]),
        ),
        (
            "select session_id, skill_name, via, is_success, window_ms from skill_loads",
            json!([{"session_id": session, "skill_name": "dev", "via": "skill_tool", "is_success": false, "window_ms": 52_000}]),
        ),
    ] {
        assert_eq!(json!(book.ask(sql)), expected, "{sql}");
    }
}
