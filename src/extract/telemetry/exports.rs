//! What Tachikoma's tracking modules export: traces, competence models, routing decisions, agents, graph memory, samples.
//!
//! Input: a file as JSON (samples: lines). Output: events and counters into the sink. Figures that the source makes up
//! are left where they are: competence models' averages (smoothed up from 0), agents' costs and successes (unless the
//! user asks for them), the so-called routing accuracy.

use super::clock;
use super::event::{Event, EventKind};
use super::fields::Strictness;
use super::jsonl::each_line;
use super::sink::{Sink, Total};
use serde_json::{Map, Value};
use std::io::{self, BufRead};

fn position(index: usize) -> i64 {
    i64::try_from(index + 1).unwrap_or(i64::MAX)
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The objects of a list; other items go into the quarantine.
fn objects<'a>(items: &'a [Value], sink: &mut Sink<'_>) -> Vec<(i64, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::Object(object) => found.push((position(index), object)),
            other => sink.bad(Some(position(index)), "item is not an object", other.to_string().as_bytes()),
        }
    }
    found
}

fn set_time(event: &mut Event, value: Option<&Value>) {
    match value.and_then(|value| clock::moment(value, None)) {
        Some(time) => {
            event.set("ts", time);
            if !clock::is_plausible(time) {
                event.problem(format!("the time is {time}, which is absurd"));
            }
        }
        None => event.problem("the time is missing"),
    }
}

/// `execution-traces.json`: one event a trace, its quality kept.
pub(super) fn traces(items: &[Value], sink: &mut Sink<'_>) {
    for (line, trace) in objects(items, sink) {
        let mut event = Event::new(EventKind::Skill, "traces", "explicit", line);
        let Some(skill) = text(trace, "skillId") else {
            sink.bad(Some(line), "trace has no skillId", Value::Object(trace.clone()).to_string().as_bytes());
            continue;
        };
        set_time(&mut event, trace.get("startTime"));
        for part in ["metrics", "context"] {
            if let Some(values) = trace.get(part).and_then(Value::as_object) {
                event.take_all(&format!("{part}."), values, Strictness::Json);
            }
        }
        event.take_all("", trace, Strictness::Json);
        if event.get("duration_ms").is_none() {
            // Times in another unit would give a length in another unit.
            let moment = |key: &str| {
                trace.get(key).and_then(|value| clock::moment(value, None)).filter(|at| clock::is_plausible(*at))
            };
            if let (Some(start), Some(end)) = (moment("startTime"), moment("endTime")) {
                event.maybe("duration_ms", Some(end - start).filter(|length| *length >= 0));
            }
        }
        if let Some(task) = text(trace, "taskId") {
            // OpenCode's own ids join; any other word for a task does not.
            if task.starts_with("ses_") {
                event.set("session_id", task);
            } else if task.starts_with("prt_") {
                event.set("part_id", task);
            } else if task.starts_with("call_") || task.starts_with("toolu_") {
                event.set("call_id", task);
            }
        }
        let start = trace.get("startTime").map(ToString::to_string).unwrap_or_default();
        let end = trace.get("endTime").map(ToString::to_string).unwrap_or_default();
        event.identify(&[skill, text(trace, "taskId").unwrap_or_default(), &start, &end]);
        sink.event(event, &Value::Object(trace.clone()).to_string());
    }
}

/// `competence-models.json`: counts only. Rates and averages in it are smoothed from 0 (a first success gives 0.01).
pub(super) fn competence(items: &[Value], sink: &mut Sink<'_>) {
    for (index, item) in items.iter().enumerate() {
        let pair = item.as_array().map(Vec::as_slice);
        let Some([Value::String(skill), Value::Object(model)]) = pair else {
            sink.bad(Some(position(index)), "item is not a pair of skill and model", item.to_string().as_bytes());
            continue;
        };
        let updated_at = model.get("lastUpdated").and_then(|value| clock::moment(value, None));
        for (counter, meaning) in [("totalExecutions", "executions"), ("successCount", "executions that succeeded")] {
            if let Some(value) = model.get(counter).and_then(Value::as_f64) {
                let (subject, value) = (Some(skill.as_str()), Some(value));
                let total = Total { kind: "skill", subject, counter, value, meaning, updated_at, ..Total::default() };
                sink.total("traces", &total);
            }
        }
    }
}

/// `routing-decisions.json`: its last decisions, and how many there were.
pub(super) fn routing(file: &Map<String, Value>, sink: &mut Sink<'_>) {
    if let Some(value) = file.get("totalRoutings").and_then(Value::as_f64) {
        let (counter, meaning) = ("totalRoutings", "decisions");
        sink.total("routing", &Total { kind: "intent", counter, value: Some(value), meaning, ..Total::default() });
    }
    let decisions = file.get("recentDecisions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (line, decision) in objects(decisions, sink) {
        let mut event = Event::new(EventKind::Intent, "routing", "explicit", line);
        set_time(&mut event, decision.get("timestamp"));
        event.take_all("", decision, Strictness::Json);
        event.maybe("predicted_skills", text(decision, "skillId"));
        event.maybe("strategy", text(file, "routingStrategy"));
        event.maybe("action", text(decision, "reason"));
        let raw = Value::Object(decision.clone()).to_string();
        event.identify(&["decision", &raw]);
        sink.event(event, &raw);
    }
}

/// `agent-metrics.json`: its costs and successes are made up, so its tasks are taken only where that is asked for.
pub(super) fn agents(file: &Map<String, Value>, sink: &mut Sink<'_>) {
    if !sink.takes_synthetic() {
        return;
    }
    let tasks = file.get("tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (line, task) in objects(tasks, sink) {
        let mut event = Event::new(EventKind::Skill, "agents", "weak", line);
        event.set("is_synthetic", true);
        set_time(&mut event, task.get("timestamp"));
        event.take_all("", task, Strictness::Json);
        event.maybe("skill", text(task, "agentName"));
        event.maybe("agent", text(task, "agentName"));
        event.set("via", "agent");
        event.maybe("error", task.get("context").and_then(|context| context.get("error")).and_then(Value::as_str));
        let raw = Value::Object(task.clone()).to_string();
        event.identify(&["task", text(task, "taskId").unwrap_or(&raw)]);
        sink.event(event, &raw);
    }
}

/// `graph.json` of the graph memory: nodes of the type `event` are tools that failed.
pub(super) fn graph(file: &Map<String, Value>, sink: &mut Sink<'_>) {
    let nodes = file.get("nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (line, node) in objects(nodes, sink) {
        let metadata = node.get("metadata").and_then(Value::as_object);
        let (true, Some(metadata)) = (text(node, "type") == Some("event"), metadata) else { continue };
        if metadata.get("error").is_none_or(Value::is_null) {
            continue;
        }
        let mut event = Event::new(EventKind::ToolError, "graph", "explicit", line);
        set_time(&mut event, metadata.get("timestamp").or_else(|| node.get("createdAt")));
        event.maybe("agent", text(metadata, "agent"));
        event.take_all("metadata.", metadata, Strictness::Json);
        let mut kept = node.clone();
        kept.shift_remove("embedding");
        let raw = Value::Object(kept).to_string();
        event.identify(&["node", text(node, "id").unwrap_or(&raw)]);
        sink.event(event, &raw);
    }
}

/// `samples.jsonl` of the production monitor: times in seconds, a score and whether it passed.
///
/// # Errors
/// As the system says.
pub(super) fn samples(reader: &mut impl BufRead, sink: &mut Sink<'_>) -> io::Result<()> {
    each_line(reader, sink, |sample, number, text, sink| {
        let mut event = Event::new(EventKind::Verification, "samples", "explicit", number);
        match sample.get("timestamp").and_then(clock::seconds) {
            Some(time) => event.set("ts", time),
            None => event.problem("timestamp is no number of seconds"),
        }
        event.take_all("", sample, Strictness::Json);
        event.identify(&[text]);
        sink.event(event, text);
    })
}
