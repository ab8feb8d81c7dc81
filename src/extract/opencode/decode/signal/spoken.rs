//! What agents write about their own work: low trust. Input: a text. Output: [`Signal`]s whose evidence is weak.
//!
//! Who wrote the text is not known here: readers of the table leave out what a user wrote. Templates, with their
//! placeholders and lists of choices, say nothing.

use super::lines::{count, entries, verdict};
use super::objects::{self, Object};
use super::{Signal, printed};

/// Pieces of which a text must hold one.
pub(in super::super) const HINTS: [&str; 5] =
    ["Intent:", "suggested_action", "ESCALATE", "Verdict", "Generation attempts"];

/// What a text says.
pub(in super::super) fn of_text(text: &str) -> Vec<Signal> {
    [intent(text), escalation(text), attempts(text), reviewed(text)]
        .into_iter()
        .flatten()
        .map(|found| Signal { evidence: "weak", origin: "text", ..found })
        .collect()
}

fn intent(text: &str) -> Option<Signal> {
    if text.contains("suggested_action")
        && let Some(found) = classified(text)
    {
        return Some(found);
    }
    let found = text.contains("Intent:").then(|| printed::of_lines(text, true)).flatten()?;
    Some(match found.era {
        Some(_) => found,
        // The model's own words: neither of the routers' scales.
        None => Signal {
            era: Some("e1"),
            confidence_scale: found.confidence.map(|_| "stated"),
            rule: "spoken_lines",
            ..found
        },
    })
}

/// The JSON that the skill intent-classifier has the model write.
fn classified(text: &str) -> Option<Signal> {
    let is_decision =
        |object: &Object| objects::text(object, "intent").is_some() && object.contains_key("suggested_action");
    let object = objects::last(text, is_decision)?;
    let (intent, _) = super::lines::name(&objects::text(&object, "intent")?)?;
    let confidence = objects::share(&object, "confidence");
    let nested = |key: &str| object.get(key).and_then(serde_json::Value::as_object);
    let chain = nested("skill_chain")
        .filter(|chain| chain.get("needed") != Some(&serde_json::Value::Bool(false)))
        .and_then(|chain| objects::names(chain.get("chain")));
    let routing = nested("confidence_routing");
    let action = routing.and_then(|routing| objects::text(routing, "action"));
    Some(Signal {
        kind: "intent",
        era: Some("e1"),
        rule: "spoken_json",
        predicted_intent: Some(intent),
        confidence,
        confidence_scale: confidence.map(|_| "stated"),
        complexity: routing.and_then(|routing| objects::text(routing, "difficulty")),
        route: routing.and_then(|routing| objects::text(routing, "route_to")),
        predicted_skills: chain,
        is_escalated: action.as_deref().map(|action| action == "ask_user"),
        action: action.or_else(|| objects::text(&object, "suggested_action")),
        ..Signal::default()
    })
}

/// The word `ESCALATE`, standing alone and in no list of choices.
fn escalation(text: &str) -> Option<Signal> {
    let joins = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '|' | '{' | '}' | '/');
    text.match_indices("ESCALATE").find(|(at, word)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })?;
    Some(Signal { kind: "escalation", rule: "escalate_text", is_escalated: Some(true), ..Signal::default() })
}

/// The verifier's report: how often it tried, and how it ended.
fn attempts(text: &str) -> Option<Signal> {
    if !text.contains("Generation attempts") {
        return None;
    }
    let mut found = Signal { kind: "verification", era: Some("e1"), rule: "attempts_text", ..Signal::default() };
    for (key, value) in entries(text) {
        match key {
            "Generation attempts" => found.iterations = count(value),
            "Final state" => found.verdict = verdict(value),
            _ => {}
        }
    }
    found.iterations.is_some().then_some(found)
}

/// The third era's review: a verdict under its heading, and a row for each criterion.
fn reviewed(text: &str) -> Option<Signal> {
    let mut lines = text.lines().skip_while(|line| {
        line.strip_prefix('#').map(|line| line.trim_matches(['#', ' ', '*', ':'])) != Some("Verdict")
    });
    lines.next()?;
    let verdict = verdict(lines.find(|line| !line.trim().is_empty())?)?;
    let results: Vec<&str> = text
        .lines()
        .filter(|line| line.trim_start().starts_with("| AC"))
        .filter_map(|line| line.split('|').nth(2))
        .map(str::trim)
        .collect();
    let passed = results.iter().filter(|result| **result == "PASS").count();
    Some(Signal {
        kind: "verification",
        era: Some("e3"),
        rule: "verdict_text",
        verdict: Some(verdict),
        criteria_passed: i64::try_from(passed).ok().filter(|_| !results.is_empty()),
        criteria_total: i64::try_from(results.len()).ok().filter(|_| !results.is_empty()),
        ..Signal::default()
    })
}
