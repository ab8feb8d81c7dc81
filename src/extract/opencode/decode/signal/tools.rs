//! Tachikoma's tools, plugins and RLM workers. Input: a tool's name and its output. Output: a [`Signal`].

use super::lines::{chain, count, entries, plain, share, verdict};
use super::objects::{self, Object};
use super::{Signal, printed};
use serde_json::Value;

/// What a call of any tool but the shell says. `agent` is the subagent that was asked, `command` the input's.
pub(in super::super) fn of_tool(
    tool: &str,
    agent: Option<&str>,
    command: Option<&str>,
    output: impl FnOnce() -> String,
) -> Option<Signal> {
    let signal = if tool == "task" {
        let agent = agent.filter(|agent| agent.starts_with("rlm-") || agent.starts_with("rlm_"))?;
        worker(&output()).map(|found| Signal { action: Some(agent.to_owned()), origin: "task", ..found })
    } else {
        let name = own_name(tool).or_else(|| tool.starts_with("tachikoma").then_some("tachikoma"))?;
        named(name, command, &plain(&output())).map(|found| Signal { program: Some(name), origin: "tool", ..found })
    };
    signal.map(|found| Signal { evidence: "observed", ..found })
}

/// The tool's own name: `tachikoma.x`, `tachikoma_x`, `tachikoma-x` and `x` are one.
fn own_name(tool: &str) -> Option<&'static str> {
    const KNOWN: [&str; 5] = ["rubric-verify", "graph-route", "edit-format-selector", "rlm-repl", "intent-router"];
    let rest = tool.strip_prefix("tachikoma").map_or(tool, |rest| rest.trim_start_matches(['.', '_', '-']));
    KNOWN.into_iter().find(|known| {
        known.len() == rest.len()
            && known.bytes().zip(rest.bytes()).all(|(left, right)| left == right || (left == b'-' && right == b'_'))
    })
}

fn named(name: &str, command: Option<&str>, output: &str) -> Option<Signal> {
    match name {
        "rubric-verify" => rubric(output),
        "graph-route" => graph(output),
        "edit-format-selector" => Some(Signal { era: Some("e3"), ..printed::recommended(output)? }),
        "intent-router" | "tachikoma" => printed::decided(output),
        "rlm-repl" => Some(Signal {
            kind: "rlm_repl",
            era: Some("e1"),
            rule: "repl_tool",
            action: Some(command?.to_owned()),
            ..Signal::default()
        }),
        _ => None,
    }
}

fn rubric(output: &str) -> Option<Signal> {
    let mut found = Signal { kind: "verification", era: Some("e3"), rule: "rubric_verify", ..Signal::default() };
    let mut verified = None;
    for (key, value) in entries(output) {
        let word = || value.split_whitespace().next().map(str::to_ascii_lowercase);
        match key {
            "Verified" => verified = verdict(value),
            "Combined Verdict" => found.verdict = verdict(value),
            "Rubric Verdict" => found.rubric_verdict = word(),
            "GVR Verdict" => found.gvr_verdict = word(),
            "Iterations" => found.iterations = count(value),
            "Confidence" => found.confidence = share(value),
            _ => {}
        }
    }
    found.verdict = found.verdict.or(verified);
    found.verdict.is_some().then_some(found)
}

fn graph(output: &str) -> Option<Signal> {
    let mut found = Signal { kind: "graph_route", era: Some("e3"), rule: "graph_route", ..Signal::default() };
    for (key, value) in entries(output) {
        match key {
            "Path" => found.predicted_skills = chain(value),
            "Confidence" => found.confidence = share(value),
            _ => {}
        }
    }
    // How sure the graph is of its way: none of the routers' scales.
    found.confidence_scale = found.confidence.map(|_| "graph");
    if found.predicted_skills.is_none() && output.contains("Fallback to LLM routing") {
        found.action = Some("llm".into());
    }
    (found.predicted_skills.is_some() || found.action.is_some()).then_some(found)
}

/// One chunk's result: what it found. A result that is not of this shape leaves `relevant_count` unknown.
fn worker(output: &str) -> Option<Signal> {
    let object = objects::last(output, |object: &Object| object.get("relevant").is_some_and(Value::is_array))?;
    let relevant = object.get("relevant")?.as_array()?.len();
    let chunk_id = match object.get("chunk_id") {
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => objects::text(&object, "chunk_id"),
    };
    Some(Signal {
        kind: "rlm_result",
        rule: "worker_json",
        chunk_id,
        relevant_count: i64::try_from(relevant).ok(),
        ..Signal::default()
    })
}
