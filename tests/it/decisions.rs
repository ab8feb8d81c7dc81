//! Routing decisions and what is told of work afterwards, on small databases; each answer worked out by hand.

use crate::small::Book;
use serde_json::{Value, json};

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

#[test]
fn what_the_telemetry_logger_noted_is_the_load_before_it_and_no_other_use() {
    let mut book = Book::new();
    let session = book.session("logged");
    book.skill("dev");
    book.edit("a.ts", None);
    book.wait(30_000);
    let at = jiff::Timestamp::from_millisecond(book.now() + 300).expect("a time");
    book.bash("python .opencode/core/telemetry-logger.py skill dev 900 31000 false 4", "", Some(0));
    let stamp = at.to_string().trim_end_matches('Z').to_owned();
    let file = book.place.path("app/.opencode/telemetry/metrics.json");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    let entry = json!({"timestamp": stamp, "tokens": 900, "duration_ms": 31_000, "success": false, "iterations": 4});
    let noted =
        json!({"skills": {"dev": {"invocations": 1, "history": [entry]}}, "edits": {}, "rlm": {}, "intents": {}});
    std::fs::write(&file, noted.to_string()).expect("written");
    let loads = book.ask(
        "select session_id, skill_name, via, is_success, window_ms, window_tokens, window_iteration_count, source from skill_loads",
    );
    assert_eq!(
        json!(loads),
        json!([{"session_id": session, "skill_name": "dev", "via": "skill_tool", "is_success": false, "window_ms": 31_000,
            "window_tokens": 900, "window_iteration_count": 4, "source": "metrics_json"}])
    );
}
