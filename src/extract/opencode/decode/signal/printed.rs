//! Decisions that a router printed, in each era's words. Input: output without colours. Output: a [`Signal`].

use super::Signal;
use super::lines::{self, chain, entries, name, noted_share, share};
use super::objects::{self, Object};
use serde_json::Value;

/// A decision of the first two eras: JSON as the last object, else lines.
pub(super) fn routed(output: &str, era: &'static str) -> Option<Signal> {
    let is_decision = |object: &Object| {
        objects::text(object, "intent").is_some()
            && ["route", "query", "suggested_action", "invoke_via"].iter().any(|key| object.contains_key(*key))
    };
    let signal = match objects::last(output, is_decision) {
        Some(object) => of_object(&object),
        None => of_lines(output, false).or_else(|| refusal(output))?,
    };
    Some(Signal { era: Some(era), confidence_scale: signal.confidence.map(|_| "share"), ..signal })
}

/// What the second era's router prints instead of an answer.
fn refusal(output: &str) -> Option<Signal> {
    let (_, rest) = output.rsplit_once("No route found for intent:")?;
    let (intent, _) = name(rest.lines().next()?.trim())?;
    Some(Signal { predicted_intent: Some(intent), rule: "no_route", evidence: "observed", ..decision() })
}

fn decision() -> Signal {
    Signal { kind: "intent", ..Signal::default() }
}

fn of_object(object: &Object) -> Signal {
    let named = |key: &str| match object.get(key) {
        Some(Value::String(text)) => objects::word(text),
        Some(Value::Object(inner)) if inner.get("needed") == Some(&Value::Bool(false)) => None,
        Some(Value::Object(inner)) => objects::text(inner, "name").or_else(|| objects::text(inner, "workflow")),
        _ => None,
    };
    let listed = |key: &str| match object.get(key) {
        Some(Value::Object(inner)) if inner.get("needed") == Some(&Value::Bool(false)) => None,
        Some(Value::Object(inner)) => {
            objects::names(inner.get("chain")).or_else(|| objects::names(inner.get("skills")))
        }
        value => objects::names(value),
    };
    let mut signal = Signal {
        predicted_intent: objects::text(object, "intent").map(|intent| intent.to_ascii_lowercase()),
        confidence: objects::share(object, "confidence"),
        strategy: objects::text(object, "strategy"),
        route: objects::text(object, "route"),
        invoke_via: objects::text(object, "invoke_via"),
        predicted_skills: ["skill_chain", "workflow", "skills_bulk"].into_iter().find_map(listed),
        workflow: named("workflow").or_else(|| named("skills_bulk")),
        action: objects::text(object, "suggested_action"),
        rule: "json",
        evidence: "observed",
        ..decision()
    };
    match object.get("complexity") {
        Some(Value::String(text)) => set_complexity(&mut signal, text),
        _ => signal.complexity_score = objects::share(object, "complexity"),
    }
    signal
}

/// `HIGH`, `low`, `40%`, `0.4`
pub(super) fn set_complexity(signal: &mut Signal, text: &str) {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        signal.complexity_score = share(text);
    } else if let Some((word, _)) = name(text) {
        signal.complexity = Some(word.replace('-', "_"));
    }
}

/// A decision in lines. `is_strict`: prose may surround it, so a bare intent without a confidence is none.
pub(super) fn of_lines(text: &str, is_strict: bool) -> Option<Signal> {
    let mut found = Signal { rule: "lines", evidence: "derived", ..decision() };
    let mut is_pattern = false;
    for (key, value) in entries(text) {
        match key.to_ascii_lowercase().as_str() {
            "intent" if found.predicted_intent.is_none() => {
                if let Some((intent, note)) = name(value) {
                    found.predicted_intent = Some(intent);
                    is_pattern = note.ends_with("confidence)");
                    found.confidence = noted_share(note);
                }
            }
            // Everything else belongs to an intent that was named before.
            _ if found.predicted_intent.is_none() => {}
            "confidence" => found.confidence = found.confidence.or_else(|| share(value)),
            "route" | "route to" if found.route.is_none() => {
                let target = value.split(" (").next().unwrap_or(value);
                found.route = objects::word(target).filter(|target| !target.contains(['{', ' ']));
                found.invoke_via = found.invoke_via.take().or_else(|| invoked(value));
            }
            "invoke" => found.invoke_via = objects::word(value),
            "strategy" if found.strategy.is_none() => found.strategy = name(value).map(|(word, _)| word),
            "action" if found.action.is_none() => found.action = name(value).map(|(word, _)| word),
            "complexity" => set_complexity(&mut found, value),
            "workflow" | "skills bulk" => {
                let named = objects::word(value).and_then(|value| name(&value).map(|(word, _)| word));
                found.workflow = found.workflow.take().or(named);
            }
            "skill" if found.predicted_skills.is_none() => {
                found.predicted_skills = objects::word(value).filter(|skill| name(skill).is_some());
            }
            "skill chain" => found.predicted_skills = chain(value).or(found.predicted_skills.take()),
            "needs clarification" | "needsclarification" | "clarification needed" => {
                found.is_escalated = Some(value.starts_with(['t', 'T', 'y', 'Y']));
            }
            _ => {}
        }
    }
    if is_pattern {
        (found.era, found.confidence_scale, found.rule) = (Some("e3"), found.confidence.map(|_| "pattern"), "e3_lines");
    }
    let is_sure = found.confidence.is_some() || !is_strict;
    (found.predicted_intent.is_some() && is_sure).then_some(found)
}

/// `(via skill)`
fn invoked(value: &str) -> Option<String> {
    let (_, via) = value.split_once("(via ")?;
    objects::word(via.trim_end_matches(')'))
}

/// A decision of the third era: `RoutingDecision` as JSON, or its lines.
pub(super) fn decided(output: &str) -> Option<Signal> {
    let is_decision = |object: &Object| {
        object.get("strategy").is_some_and(Value::is_string)
            && object.get("intent").and_then(|intent| intent.get("type")).is_some_and(Value::is_string)
    };
    let Some(object) = objects::last(output, is_decision) else {
        return of_lines(output, true)
            .filter(|found| found.era == Some("e3") && (found.strategy.is_some() || found.complexity.is_some()));
    };
    let empty = Object::new();
    let intent = object.get("intent").and_then(Value::as_object).unwrap_or(&empty);
    let confidence = objects::share(intent, "confidence");
    let mut signal = Signal {
        era: Some("e3"),
        predicted_intent: objects::text(intent, "type").map(|name| name.to_ascii_lowercase()),
        confidence,
        confidence_scale: confidence.map(|_| "pattern"),
        strategy: objects::text(&object, "strategy"),
        predicted_skills: objects::names(object.get("skillChain")).or_else(|| objects::text(&object, "skill")),
        is_escalated: object.get("needsClarification").and_then(Value::as_bool),
        rule: "e3_json",
        evidence: "observed",
        ..decision()
    };
    match intent.get("complexity") {
        Some(Value::String(text)) => set_complexity(&mut signal, text),
        _ => signal.complexity_score = objects::share(intent, "complexity"),
    }
    Some(signal)
}

/// What the confidence router says of a decision that somebody else made.
pub(super) fn judged(output: &str) -> Option<Signal> {
    let mut found = Signal {
        kind: "confidence",
        era: Some("e1"),
        rule: "confidence_router",
        evidence: "observed",
        ..Signal::default()
    };
    for (key, value) in entries(output) {
        match key.to_ascii_lowercase().as_str() {
            "difficulty" => set_complexity(&mut found, value),
            "confidence" => {
                found.confidence = share(value);
                found.threshold = value.split_once("threshold:").and_then(|(_, rest)| share(rest));
            }
            "action" => found.action = name(value).map(|(word, _)| word.replace('-', "_")),
            "route to" => found.route = objects::word(value),
            _ => {}
        }
    }
    found.confidence_scale = found.confidence.map(|_| "share");
    found.is_escalated = Some(found.action.as_deref()? == "ask_user");
    Some(found)
}

/// Which format a selector recommends for which model.
pub(super) fn recommended(output: &str) -> Option<Signal> {
    let header = output
        .split_once("Format Recommendation for ")
        .and_then(|(_, rest)| objects::word(rest.lines().next()?.trim_end_matches(['=', ' '])));
    let mut found = Signal {
        kind: "edit_choice",
        rule: "format_selector",
        evidence: "observed",
        model: header,
        ..Signal::default()
    };
    for (key, value) in entries(output) {
        match key {
            "Model" | "Detected model" => found.model = objects::word(value),
            "Format" => found.format = name(value).map(|(word, _)| word.replace('-', "_")),
            "Confidence" => found.confidence = lines::share(value),
            _ => {}
        }
    }
    found.model = found.model.filter(|model| model != "unknown");
    (found.format.is_some() || found.model.is_some()).then_some(found)
}
