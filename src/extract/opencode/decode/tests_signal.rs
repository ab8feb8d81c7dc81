//! What is read out of the words of each era's programs, and what is not.

use super::super::{decode_part, decode_v2_row};
use super::Signal;
use proptest::prelude::*;
use serde_json::json;

fn bash(command: &str, exit: Option<i64>, output: &str) -> Vec<Signal> {
    let part = json!({"type": "tool", "tool": "bash", "callID": "c", "state": {"status": "completed",
        "input": {"command": command}, "output": output, "title": "", "metadata": {"exit": exit}, "time": {"start": 1, "end": 2}}});
    let text = part.to_string();
    decode_part(text.as_bytes()).expect("a part").signals
}

fn tool(tool: &str, input: serde_json::Value, output: &str) -> Vec<Signal> {
    let part =
        json!({"type": "tool", "tool": tool, "state": {"status": "completed", "input": input, "output": output}});
    decode_part(part.to_string().as_bytes()).expect("a part").signals
}

fn text(text: &str) -> Vec<Signal> {
    decode_part(json!({"type": "text", "text": text}).to_string().as_bytes()).expect("a part").signals
}

fn one(found: Vec<Signal>) -> Signal {
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("one")
}

const ROUTER: &str = "python3 .opencode/skills/cli-router.py full \"the totals are wrong\" --json";

#[test]
fn the_first_era_s_router_prints_json_last_between_colours() {
    let output = format!(
        "{}\nFULL ROUTING: \"the totals {{are}} wrong\"\n\n[1/3] Classifying intent...\n\u{1b}[32m[+]\u{1b}[0m Intent: debug (confidence: 100%)\n\nIntent: debug\nConfidence: 100%\n\n{}\n",
        "=".repeat(60),
        json!({"query": "the totals are wrong", "intent": "debug", "confidence": 0.86, "route": "code-agent", "invoke_via": "skill",
            "strategy": "direct", "context_modules": ["core"], "tools": [], "workflow": "ship", "skills_bulk": ""})
    );
    let found = one(bash(ROUTER, Some(0), &output));
    assert_eq!((found.kind, found.era, found.rule, found.evidence), ("intent", Some("e1"), "json", "observed"));
    assert_eq!(found.predicted_intent.as_deref(), Some("debug"));
    assert_eq!((found.confidence, found.confidence_scale), (Some(0.86), Some("share")));
    assert_eq!(found.route.as_deref(), Some("code-agent"));
    assert_eq!((found.workflow.as_deref(), found.predicted_skills), (Some("ship"), None));
    assert_eq!(found.query_hash.as_deref().map(str::len), Some(16));
    // Without the flag the lines are all there is; a long output keeps its end.
    let lines = "rmed (con\nQuery: x\nIntent: research\nConfidence: 85.5%\nRoute to: research-agent\nInvoke: skill\nStrategy: rlm\nTools: a\n";
    let found = one(bash("cd /p && uv run python -u .opencode/skills/cli-router.py full 'x'", None, lines));
    assert_eq!((found.rule, found.evidence, found.confidence), ("lines", "derived", Some(0.855)));
    assert_eq!((found.route.as_deref(), found.strategy.as_deref()), (Some("research-agent"), Some("rlm")));
}

#[test]
fn no_output_and_exit_127_are_no_classification() {
    let json = json!({"query": "q", "intent": "debug", "confidence": 1.0, "route": "code-agent"}).to_string();
    assert!(bash(ROUTER, Some(127), "/bin/sh: python3: command not found\n").is_empty());
    assert!(bash(ROUTER, Some(127), &json).is_empty());
    assert!(bash(ROUTER, Some(0), "").is_empty());
    assert!(bash(ROUTER, Some(0), "(no output)").is_empty());
    assert!(bash("cat .opencode/skills/cli-router.py", Some(0), &json).is_empty());
    assert!(bash("grep -n full cli-router.py", Some(0), &json).is_empty());
    assert!(bash("echo \"python3 skills/cli-router.py full\"", Some(0), &json).is_empty());
    assert!(!bash("bash -lc \"cd /p && python3 skills/cli-router.py full 'q' -j\"", Some(0), &json).is_empty());
}

#[test]
fn the_second_era_prints_no_json_when_it_is_unclear() {
    let command = "bun run .opencode/cli/router.ts full \"find out\" --json";
    let found = one(bash(command, Some(1), "\u{1b}[31m[x]\u{1b}[0m No route found for intent: unclear\n"));
    assert_eq!((found.era, found.predicted_intent.as_deref(), found.confidence), (Some("e2"), Some("unclear"), None));
    let printed = json!({"query": "find", "intent": "git-diff-analysis", "confidence": 0.71, "route": "code-agent",
        "invoke_via": "skill", "strategy": null, "tools": [], "token_estimate": 3});
    let found = one(bash(command, Some(0), &printed.to_string()));
    assert_eq!((found.route.as_deref(), found.strategy), (Some("code-agent"), None));
    let other = one(bash("bun run .opencode/cli/router.ts full \"find\" --json", Some(0), &printed.to_string()));
    assert_ne!(found.query_hash, other.query_hash, "the query is the command's, not the output's");
}

#[test]
fn heuristics_and_classify() {
    let printed = json!({"intent": "verify", "confidence": 0.95, "reasoning": "k", "suggested_action": "skill_chain",
        "keywords_matched": [], "alternative_intents": [{"intent": "debug", "score": 1}],
        "skill_chain": {"needed": true, "chain": ["code-agent", "verifier-code-agent"]}, "complexity": 0.4});
    let found = one(bash("python3 .opencode/core/fast_heuristic.py \"q\" --json", Some(0), &printed.to_string()));
    assert_eq!(found.predicted_skills.as_deref(), Some("code-agent,verifier-code-agent"));
    assert_eq!((found.complexity_score, found.action.as_deref()), (Some(0.4), Some("skill_chain")));
    let found =
        one(bash("python3 .opencode/core/fast_heuristic.py \"q\"", Some(0), "Intent: debug (confidence: 0.8)\n"));
    assert_eq!((found.predicted_intent.as_deref(), found.confidence), (Some("debug"), Some(0.8)));
    let classified = "\u{1b}[1mIntent:\u{1b}[0m debug\nConfidence: 90%\nAction: workflow\nComplexity: 40%\nKeywords: bug\nWorkflow: \nSkills Bulk: \nAlternatives: \n";
    let found = one(bash("python .opencode/skills/cli-router.py classify \"q\"", Some(0), classified));
    assert_eq!((found.confidence, found.complexity_score, found.workflow), (Some(0.9), Some(0.4), None));
}

#[test]
fn the_confidence_router_judges() {
    let output = "Task: t\nDifficulty: medium\nConfidence: 0.35 (threshold: 0.77)\nAction: ask_user\nReason: r\nRoute to: verifier-code-agent\n";
    let command = "python3 .opencode/core/confidence-router.py route \"t\" --confidence 0.35 --intent Debug";
    let found = one(bash(command, Some(0), output));
    assert_eq!((found.kind, found.is_escalated, found.threshold), ("confidence", Some(true), Some(0.77)));
    assert_eq!((found.complexity.as_deref(), found.predicted_intent.as_deref()), (Some("medium"), Some("debug")));
    let output = output.replace("ask_user", "verify");
    assert_eq!(one(bash(command, Some(0), &output)).is_escalated, Some(false));
}

#[test]
fn the_third_era_decides_in_json_or_lines() {
    let printed = json!({"strategy": "skill_chain", "intent": {"type": "implement", "confidence": 0.22, "complexity": "high",
        "keywords": [], "requiresTools": true}, "skillChain": ["dev", "think"], "needsClarification": true});
    let command = "bun run .opencode/plugin/tachikoma/intent-router.ts \"q\"";
    let found = one(bash(command, Some(0), &printed.to_string()));
    assert_eq!((found.era, found.confidence_scale, found.is_escalated), (Some("e3"), Some("pattern"), Some(true)));
    assert_eq!((found.predicted_skills.as_deref(), found.complexity.as_deref()), (Some("dev,think"), Some("high")));
    let inline = "bun -e 'import { IntentRouter } from \"./x\"; console.log(await new IntentRouter().route(\"q\"))'";
    assert_eq!(one(bash(inline, Some(0), &printed.to_string())).era, Some("e3"));
    let lines = "Intent: debug (67% confidence)\nComplexity: very_high\nStrategy: skill_chain\nLatency target: 5-15s\nSkill chain: dev → think\n";
    let found = one(bash(command, Some(0), lines));
    assert_eq!((found.confidence, found.confidence_scale), (Some(0.67), Some("pattern")));
    assert_eq!(
        (found.predicted_skills.as_deref(), found.complexity.as_deref()),
        (Some("dev,think"), Some("very_high"))
    );
}

#[test]
fn verdicts_are_what_was_printed_whatever_the_exit_code() {
    let command = "python3 .opencode/core/verification-engine.py verify src/main.rs";
    let lines = "\u{1b}[1mOverall: \u{1b}[31mFAIL\u{1b}[0m\nConfidence: 60%\nCriteria: 3/5\n[PASS] syntax: ok\n";
    let found = one(bash(command, Some(0), lines));
    assert_eq!((found.verdict, found.criteria_passed, found.criteria_total), (Some("FAIL"), Some(3), Some(5)));
    let json = json!({"overall_pass": true, "results": [{"criterion": "logic", "passed": true}], "confidence": 1.0,
        "criteria_passed": 5, "criteria_total": 5});
    assert_eq!(one(bash(command, Some(0), &json.to_string())).verdict, Some("PASS"));
    for name in ["rubric-verify", "tachikoma.rubric-verify", "tachikoma_rubric_verify", "tachikoma-rubric-verify"] {
        let output = "Verified: ✗ FAIL\nRubric Verdict: needs_revision\nGVR Verdict: uncertain\nCombined Verdict: FAIL\nIterations: 4\n";
        let found = one(tool(name, json!({"request": "r"}), output));
        assert_eq!((found.verdict, found.iterations), (Some("FAIL"), Some(4)), "{name}");
        assert_eq!(found.rubric_verdict.as_deref(), Some("needs_revision"));
    }
}

#[test]
fn rlm_calls_are_read_and_the_self_test_is_not() {
    let output = "Content Type: Log\nChunk Size: 50,000 characters\nCreated 7 chunks\nOutput directory: d\n";
    let found = one(bash("python3 a/adaptive-chunker.py chunk f.log -o d", Some(0), output));
    assert_eq!((found.chunk_count, found.chunk_size, found.chunk_unit), (Some(7), Some(50_000), Some("chars")));
    let test = "Processed 10 chunks in 2 waves\nTime: 0.02s\nSuccessful chunks: 10/10\n";
    assert!(bash("python3 a/parallel-processor.py test --chunks 10", Some(0), test).is_empty());
    let init = one(bash(
        "python3 .opencode/skills/rlm/scripts/rlm_repl.py init f",
        Some(0),
        "Loaded context: f (123,456 chars)",
    ));
    assert_eq!((init.kind, init.action.as_deref()), ("rlm_repl", Some("init")));
    let broken = "SyntaxError: await is only valid in async functions";
    assert!(bash("bun run a/rlm-repl.ts exec -c \"await subLlm()\"", Some(0), broken).is_empty());
    let result = "<task id=\"ses_1\" state=\"completed\"><task_result>Here:\n```json\n{\"chunk_id\": \"chunk_001\", \"relevant\": [{\"point\": \"p {x}\"}], \"missing\": []}\n```\n</task_result>";
    let found = one(tool("task", json!({"subagent_type": "rlm-subcall"}), result));
    assert_eq!((found.chunk_id.as_deref(), found.relevant_count), (Some("chunk_001"), Some(1)));
    assert!(tool("task", json!({"subagent_type": "explore"}), result).is_empty());
}

#[test]
fn selectors_say_model_and_format() {
    let output = "=== Format Recommendation for glm-4.7 ===\nFormat: hashline\nConfidence: 85.0%\nReason: x\nFallback chain: a -> b\n";
    let found = one(bash("python3 .opencode/core/edit-format-selector.py recommend", Some(0), output));
    assert_eq!((found.model.as_deref(), found.format.as_deref()), (Some("glm-4.7"), Some("hashline")));
    let output = "2026-03-01T10:00:00.000Z [tachikoma-cli] [INFO] \nModel: unknown\nFormat: str_replace_fuzzy\nConfidence: 50%\n";
    let found = one(tool("tachikoma.edit-format-selector", json!({"args": "recommend"}), output));
    assert_eq!((found.model, found.format.as_deref()), (None, Some("str_replace_fuzzy")));
}

#[test]
fn texts_count_only_where_they_are_no_templates() {
    let found = one(text("## Routing\n├── Intent: research (confidence: 0.88)\n├── Complexity: HIGH\n"));
    assert_eq!((found.evidence, found.confidence_scale), ("weak", Some("stated")));
    assert_eq!((found.confidence, found.complexity.as_deref()), (Some(0.88), Some("high")));
    let found = one(text("- Intent: git\n- Confidence: 90%\nRoute: git-commit"));
    assert_eq!((found.predicted_intent.as_deref(), found.route.as_deref()), (Some("git"), Some("git-commit")));
    let json = "```json\n{\"intent\": \"debug\", \"confidence\": 0.6, \"suggested_action\": \"ask\", \"alternative_intents\": [{\"intent\": \"x\", \"confidence\": 0.2}], \"confidence_routing\": {\"action\": \"ask_user\"}}\n```";
    assert_eq!(one(text(json)).is_escalated, Some(true));
    let found = text("- **Generation attempts**: 3\n- **Final state**: ESCALATE\n");
    assert_eq!(found.iter().map(|signal| signal.kind).collect::<Vec<_>>(), ["escalation", "verification"]);
    assert_eq!((found[1].iterations, found[1].verdict), (Some(3), Some("ESCALATE")));
    let found = one(text("### Verdict\n\n**FAIL**\n\n| AC-1: a | PASS | x |\n| AC-2: b | FAIL | y |\n"));
    assert_eq!((found.verdict, found.criteria_passed, found.criteria_total), (Some("FAIL"), Some(1), Some(2)));
    for template in [
        "Intent: {intent} (confidence: {0-1}%)",
        "Intent: the user wants more",
        "- **Generation attempts**: {1-3}\n- **Final state**: PASS|ESCALATE",
        "### Verdict\nPASS | FAIL | NEEDS_REVISION",
        "We ESCALATED nothing.",
    ] {
        assert_eq!(text(template), [], "{template}");
    }
    let skill =
        tool("skill", json!({"name": "x"}), "Intent: debug (confidence: 90%)\n- **Generation attempts**: 2\nESCALATE");
    assert!(skill.is_empty());
}

#[test]
fn the_second_generation_says_the_same() {
    let row = json!({"agent": "build", "content": [
        {"type": "text", "text": "- **Final state**: ESCALATE"},
        {"type": "tool", "id": "c", "name": "shell", "state": {"status": "completed", "input": {"command": ROUTER},
            "content": [{"type": "text", "text": "Intent: debug\nConfidence: 90%\n"}], "metadata": {"exit": 0}}},
        {"type": "tool", "id": "d", "name": "subagent", "state": {"status": "completed", "input": {"agent": "rlm-subcall"},
            "content": [{"type": "text", "text": "{\"chunk_id\": 3, \"relevant\": []}"}], "metadata": {}}}]});
    let row = row.to_string();
    let found = decode_v2_row("assistant", row.as_bytes()).expect("a row");
    let kinds: Vec<&str> = found.parts.iter().flat_map(|part| &part.fields.signals).map(|signal| signal.kind).collect();
    assert_eq!(kinds, ["escalation", "intent", "rlm_result"]);
}

#[test]
fn nothing_but_braces_ends() {
    for output in ["{".repeat(100_000), "{\"a\":".repeat(40_000), "{\"intent\":\"x\",\"q".to_owned()] {
        assert!(bash(ROUTER, Some(0), &output).is_empty());
    }
}

/// Pieces that programs print, and what may stand between them.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "Intent: ",
        "Confidence: ",
        "Complexity: ",
        "Route to: ",
        "Skill chain: ",
        "Action: ask_user",
        "Overall: ",
        "PASS",
        "FAIL|",
        "Criteria: ",
        "Verified: ",
        "Iterations: ",
        "Created ",
        "Chunk Size: ",
        " chunks",
        "Generation attempts: ",
        "### Verdict",
        "No route found for intent: ",
        "Format Recommendation for ",
        "ESCALATE",
        "debug",
        "(67% confidence)",
        "(via skill)",
        "99%",
        "0.5",
        "4/5",
        "1e999",
        "-1",
        "→",
        "->",
        "\u{1b}[31m",
        "\u{1b}[",
        "\u{1b}",
        "{",
        "}",
        "[",
        "]",
        "\"intent\":",
        "\"overall_pass\":true",
        "\"relevant\":[",
        "\"",
        ",",
        ":",
        "\n",
        "\n\n",
        " ",
        "é",
        "\u{200d}",
        "\0",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn whatever_is_printed_nothing_panics_and_shares_are_shares(
        pieces in prop::collection::vec(piece(), 0..40), program in 0_usize..10, exit in prop::option::of(-1_i64..200),
    ) {
        let output = pieces.concat();
        let command = [
            ROUTER, "bun run cli/router.ts full q --json", "python fast_heuristic.py q", "python cli-router.py classify q",
            "python confidence-router.py route t --confidence x", "python verification-engine.py verify x",
            "python adaptive-chunker.py chunk f", "python rlm_repl.py exec -c x", "bun intent-router.ts q",
            "python edit-format-selector.py recommend",
        ][program];
        let mut found = bash(command, exit, &output);
        found.extend(text(&output));
        found.extend(tool("rubric-verify", json!({}), &output));
        found.extend(tool("task", json!({"subagent_type": "rlm-subcall"}), &output));
        for signal in found {
            for share in [signal.confidence, signal.complexity_score, signal.threshold].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&share), "{signal:?}");
            }
            prop_assert!(signal.iterations.is_none_or(|count| count >= 0) && signal.chunk_count.is_none_or(|count| count >= 0));
            prop_assert!(exit != Some(127) || signal.origin != "bash");
        }
    }
}
