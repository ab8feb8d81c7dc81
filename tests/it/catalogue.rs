//! The documentation is true: the catalogue in `queries/README.md`, the README's commands.

use crate::harness::Place;
use std::fs;
use std::path::Path;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("text")
}

#[test]
fn the_catalogue_of_metrics_is_the_registrys() {
    let place = Place::new();
    let list = place.run(&["metrics", "list", "--format", "markdown"]).ok().out;
    let readme = text("queries/README.md");
    let (_, catalogue) = readme.split_once("a test holds it -->\n").expect("the marker");
    assert_eq!(
        catalogue.trim(),
        list.trim(),
        "run `logicoma metrics list --format markdown` and paste it below the marker"
    );
}

#[test]
fn the_readme_names_the_two_commands_and_ci_calls_the_second() {
    let readme = text("README.md");
    assert!(readme.contains("cargo run --release -- report --demo") && readme.contains("cargo test --release"));
    assert!(text(".ci/run").contains("cargo test --release"));
}

#[test]
fn help_completions_and_manual_need_nothing() {
    let place = Place::new();
    for args in [&["--help"][..], &["report", "--help"], &["completions", "bash"], &["completions", "zsh"], &["man"]] {
        let run = place.run(args).ok();
        assert!(run.out.contains("logicoma"), "{args:?}");
    }
    for verb in [
        "report",
        "extract",
        "query",
        "queries",
        "schema",
        "metrics",
        "stats",
        "skills",
        "findings",
        "doctor",
        "completions",
    ] {
        assert!(place.run(&["--help"]).ok().out.contains(verb), "{verb}");
    }
}

#[test]
fn every_contract_column_of_the_command_line_is_there() {
    let contracts: &[(&str, &[&str])] = &[
        (
            "overview",
            &[
                "sessions",
                "messages",
                "cost_usd",
                "input_tokens",
                "tool_calls",
                "tool_errors",
                "raw_sessions",
                "raw_cost_usd",
                "raw_tool_errors",
                "raw_cache_write_tokens",
            ],
        ),
        ("tool_usage", &["tool_name", "call_count", "error_count", "error_ratio", "p50_ms", "p95_ms"]),
        (
            "skill_usage",
            &[
                "skill_name",
                "load_count",
                "session_count",
                "error_count",
                "first_used_at",
                "last_used_at",
                "window_tokens",
                "window_cost_usd",
                "window_ms",
            ],
        ),
        ("skill_unused", &["skill_name", "scope", "path", "description_tokens", "last_used_at", "load_count"]),
        ("skill_unknown", &["skill_name", "ask_count", "nearest_name", "recovered_count"]),
        (
            "edit_success",
            &[
                "format",
                "model",
                "attempt_count",
                "applied_count",
                "format_error_count",
                "success_ratio",
                "ci_low",
                "ci_high",
                "edit_count",
                "first_try_ratio",
                "eventual_ratio",
            ],
        ),
        (
            "by_model",
            &[
                "model",
                "message_count",
                "cost_usd",
                "input_tokens",
                "output_tokens",
                "reasoning_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
            ],
        ),
        ("daily", &["date", "model", "cost_usd", "session_count", "message_count", "reasoning_tokens"]),
        ("intent_confusion", &["predicted", "actual", "decision_count"]),
        ("intent_scores", &["intent", "precision", "recall", "f1", "decision_count"]),
        ("intent_escalation", &["intent", "decision_count", "escalated_count", "escalated_ratio"]),
        ("edit_attempts", &["attempts", "edit_count"]),
        (
            "rlm_runs",
            &["run_id", "started_at", "mode", "chunk_count", "wave_count", "tokens", "duration_ms", "ok_chunks"],
        ),
        ("quarantine", &["table_name", "row_id", "reason"]),
        ("loops", &["iterations", "loop_count", "verified_count", "max_reached_count", "escalated_count"]),
        ("weekly", &["week", "series", "value", "previous", "change_ratio", "robust_z", "is_unfinished"]),
        ("change_points", &["series", "date", "before", "after", "confidence"]),
    ];
    let place = Place::new();
    place.on(&crate::harness::real(), &["extract"]).ok();
    for (metric, columns) in contracts {
        let run = place.on(&crate::harness::real(), &["metrics", "run", metric, "--format", "csv"]).ok();
        let header: Vec<&str> = run.out.lines().next().expect("a header").split(',').collect();
        for column in *columns {
            assert!(header.contains(column), "{metric}.{column} is not in {header:?}");
        }
    }
}
