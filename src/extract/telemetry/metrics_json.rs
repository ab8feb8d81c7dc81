//! `metrics.json` of Tachikoma's telemetry logger: aggregates, with a short history of skills.
//!
//! Input: the file as JSON. Output: a skill event for each entry of a history, a verification event where the logger
//! was told whether the limit was reached, an event for each run of the index-aligned lists; everything else becomes
//! counters, marked with what they really count. The logger's errors are known: its times are local without a zone,
//! `attempts` adds what callers said while `successes` adds one a call, an accuracy of 0 means that none was given, and
//! `correct_count` takes an unknown answer for a wrong one, so that it is a lower bound.

use super::clock;
use super::event::{Event, EventKind};
use super::fields::{self, Strictness};
use super::sink::{Sink, Total};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

const SOURCE: &str = "metrics_json";
/// How far apart two notes on one call may lie.
const SAME_CALL_MS: i64 = 1_000;

/// Reads the whole file.
pub(super) fn read(file: &Map<String, Value>, zone: &TimeZone, sink: &mut Sink<'_>) {
    let updated_at = file.get("last_updated").and_then(|value| clock::moment(value, Some(zone)));
    let mut reader = Reader { zone, sink, updated_at, line: 0 };
    for (name, skill) in section(file, "skills") {
        match skill.as_object() {
            Some(skill) => reader.skill(name, skill),
            None => reader.odd(&format!("skills.{name} is not an object"), skill),
        }
    }
    for (model, edits) in section(file, "edits") {
        match edits.as_object() {
            Some(edits) => reader.edits(model, edits),
            None => reader.odd(&format!("edits.{model} is not an object"), edits),
        }
    }
    for (intent, counts) in section(file, "intents") {
        match counts.as_object() {
            Some(counts) => reader.intent(intent, counts),
            None => reader.odd(&format!("intents.{intent} is not an object"), counts),
        }
    }
    if let Some(rlm) = file.get("rlm").and_then(Value::as_object) {
        let created = file.get("created_at").and_then(Value::as_str).unwrap_or_default();
        reader.rlm(rlm, created);
    }
    for name in ["skills", "edits", "intents", "rlm"] {
        if let Some(value) = file.get(name).filter(|value| !value.is_object() && !value.is_null()) {
            reader.odd(&format!("{name} is not an object"), value);
        }
    }
}

fn section<'a>(file: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    file.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn number(object: &Map<String, Value>, name: &str) -> Option<f64> {
    object.get(name).and_then(Value::as_f64).filter(|number| *number >= 0.0)
}

struct Reader<'a, 'b> {
    zone: &'a TimeZone,
    sink: &'a mut Sink<'b>,
    updated_at: Option<i64>,
    line: i64,
}

/// A note beside the history: what was said, and when.
struct Note<'a> {
    at: i64,
    value: &'a Value,
}

impl Reader<'_, '_> {
    fn odd(&mut self, reason: &str, value: &Value) {
        self.sink.bad(None, reason, value.to_string().as_bytes());
    }

    fn event(&mut self, kind: EventKind, label: &str) -> Event {
        self.line += 1;
        Event::new(kind, SOURCE, label, self.line)
    }

    fn total(&mut self, total: Total<'_>) {
        if total.value.is_some() {
            self.sink.total(SOURCE, &Total { updated_at: self.updated_at, ..total });
        }
    }

    fn skill(&mut self, name: &str, skill: &Map<String, Value>) {
        for (counter, meaning) in [
            ("invocations", "calls of the logger"),
            ("total_tokens", "sum over the calls"),
            ("total_duration_ms", "sum over the calls"),
            ("success_count", "calls that succeeded"),
            ("total_iterations", "sum over the calls"),
        ] {
            let value = number(skill, counter);
            self.total(Total { kind: "skill", subject: Some(name), counter, value, meaning, ..Total::default() });
        }
        let mut times = Vec::new();
        for entry in list(skill, "history") {
            match entry.as_object() {
                Some(entry) => times.push(self.history(name, entry)),
                None => self.odd(&format!("an entry of skills.{name}.history is not an object"), entry),
            }
        }
        self.verifications(name, skill, &times);
    }

    /// One entry of a history: gives its time and iterations.
    fn history(&mut self, name: &str, entry: &Map<String, Value>) -> (Option<i64>, Option<i64>) {
        let mut event = self.event(EventKind::Skill, "explicit");
        event.set("skill", name);
        let at = entry.get("timestamp").and_then(|value| clock::moment(value, Some(self.zone)));
        match at {
            Some(at) => event.set("ts", at),
            None => event.problem("timestamp is no time"),
        }
        event.take_all("", entry, Strictness::Json);
        let raw = Value::Object(entry.clone()).to_string();
        let ordinal = self.line.to_string();
        let stamp = entry.get("timestamp").and_then(Value::as_str);
        // The stamp has microseconds; without one only the place tells two entries apart.
        event.identify(&["skill", name, stamp.unwrap_or(&ordinal), &raw]);
        let iterations = entry.get("iterations").and_then(Value::as_i64);
        self.sink.event(event, &raw);
        (at, iterations)
    }

    /// What callers added beside the history belongs to the entry nearest in time.
    fn verifications(&mut self, name: &str, skill: &Map<String, Value>, history: &[(Option<i64>, Option<i64>)]) {
        let Some(additional) = skill.get("additional_data").and_then(Value::as_object) else { return };
        let zone = self.zone;
        let notes = |key: &str| -> Vec<Note<'_>> {
            list(additional, key)
                .iter()
                .filter_map(|note| {
                    let at = clock::moment(note.get("timestamp")?, Some(zone))?;
                    Some(Note { at, value: note.get("value")? })
                })
                .collect()
        };
        let (criteria, failed) = (notes("verification_criteria"), notes("failed_criteria"));
        for note in notes("max_iterations_reached") {
            let mut event = self.event(EventKind::Verification, "derived");
            event.set("skill", name);
            event.set("ts", note.at);
            match note.value.as_bool() {
                Some(reached) => {
                    event.set("max_reached", reached);
                    if reached {
                        // The limit is reached by failing checks only.
                        event.set("verified", false);
                    }
                }
                None => event.problem("max_iterations_reached is not true or false"),
            }
            let entry = history
                .iter()
                .filter(|(at, _)| at.is_some_and(|at| (at - note.at).abs() <= SAME_CALL_MS))
                .min_by_key(|(at, _)| at.map_or(i64::MAX, |at| (at - note.at).abs()));
            event.maybe("iterations", entry.and_then(|(_, iterations)| *iterations));
            let total = nearest(&criteria, note.at).and_then(|note| note.value.as_array());
            let failed = nearest(&failed, note.at).map(|note| note.value);
            let count = |list: &Vec<Value>| i64::try_from(list.len()).ok();
            let failed_count = failed.and_then(Value::as_array).and_then(count);
            event.maybe("criteria_total", total.and_then(count));
            if let (Some(total), Some(failed)) = (total.and_then(count), failed_count) {
                event.set("criteria_passed", (total - failed).max(0));
            }
            if let (Some(field), Some(failed)) =
                (fields::find(fields::of(EventKind::Verification), "failed_criteria"), failed)
            {
                event.take(field, "", failed, Strictness::Json);
            }
            event.identify(&["verification", name, &note.at.to_string()]);
            self.sink.event(event, &note.value.to_string());
        }
    }

    fn edits(&mut self, model: &str, edits: &Map<String, Value>) {
        let subject = Some(model);
        for (counter, meaning) in [
            ("total_attempts", "attempts, not calls: adds what each call said"),
            ("total_success", "calls that succeeded: one a call, however many attempts"),
        ] {
            let value = number(edits, counter);
            self.total(Total { kind: "edit", subject, counter, value, meaning, ..Total::default() });
        }
        for (format, counts) in section(edits, "format_success") {
            let Some(counts) = counts.as_object() else { continue };
            for (counter, meaning) in [
                ("attempts", "attempts, not calls: adds what each call said"),
                ("successes", "calls that succeeded: one a call, however many attempts"),
                ("total_tokens", "sum over the calls"),
                ("total_duration_ms", "sum over the calls"),
            ] {
                let (format, value) = (Some(format.as_str()), number(counts, counter));
                self.total(Total { kind: "edit", subject, format, counter, value, meaning, ..Total::default() });
            }
        }
        for (format, calls) in section(edits, "format_usage") {
            let (format, value) = (Some(format.as_str()), calls.as_f64());
            let (counter, meaning) = ("format_usage", "calls of the logger");
            self.total(Total { kind: "edit", subject, format, counter, value, meaning, ..Total::default() });
        }
    }

    fn intent(&mut self, intent: &str, counts: &Map<String, Value>) {
        for (counter, meaning, is_lower_bound) in [
            ("count", "decisions", false),
            ("total_confidence", "sum over the decisions", false),
            ("correct_count", "decisions known to be right; unknown ones count as wrong", true),
            ("escalation_count", "decisions handed to a person", false),
        ] {
            let (subject, value) = (Some(intent), number(counts, counter));
            self.total(Total { kind: "intent", subject, counter, value, is_lower_bound, meaning, ..Total::default() });
        }
    }

    /// The lists hold the last thousand runs, index-aligned.
    fn rlm(&mut self, rlm: &Map<String, Value>, created: &str) {
        for (counter, meaning) in [
            ("total_chunks", "sum over the runs"),
            ("parallel_runs", "runs"),
            ("sequential_runs", "runs"),
            ("total_tokens", "sum over the runs"),
        ] {
            let value = number(rlm, counter);
            self.total(Total { kind: "rlm", counter, value, meaning, ..Total::default() });
        }
        let [sizes, times, scores] = ["chunk_sizes", "processing_times", "accuracy_scores"].map(|name| list(rlm, name));
        let runs = sizes.len().max(times.len()).max(scores.len());
        let is_aligned = [sizes, times, scores].iter().all(|list| list.is_empty() || list.len() == runs);
        let (parallel, sequential) = (number(rlm, "parallel_runs"), number(rlm, "sequential_runs"));
        let mode = match (parallel, sequential) {
            (Some(parallel), Some(0.0)) if parallel > 0.0 => "parallel",
            (Some(0.0), Some(sequential)) if sequential > 0.0 => "sequential",
            _ => "unknown",
        };
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of runs"
        )]
        let before = (parallel.unwrap_or(0.0) + sequential.unwrap_or(0.0) - runs as f64).max(0.0) as usize;
        for index in 0..runs {
            let mut event = self.event(EventKind::Rlm, "derived");
            event.set("grain", "run");
            event.set("mode", mode);
            let number_of_run = (before + index + 1).to_string();
            event.set("run_id", format!("metrics_json {number_of_run}"));
            if is_aligned {
                for (key, list) in [("chunk_size", sizes), ("duration_ms", times), ("accuracy", scores)] {
                    // 0 is what the logger writes when it was given no accuracy.
                    let is_none = |value: &&Value| key == "accuracy" && value.as_f64() == Some(0.0);
                    if let (Some(field), Some(value)) =
                        (fields::find(fields::of(EventKind::Rlm), key), list.get(index).filter(|value| !is_none(value)))
                    {
                        event.take(field, "", value, Strictness::Json);
                    }
                }
            } else {
                event.problem("the lists differ in length: which value is whose is not known");
            }
            event.identify(&["rlm", created, &number_of_run]);
            let raw = Value::Array(vec![
                sizes.get(index).cloned().unwrap_or_default(),
                times.get(index).cloned().unwrap_or_default(),
                scores.get(index).cloned().unwrap_or_default(),
            ]);
            self.sink.event(event, &raw.to_string());
        }
    }
}

fn nearest<'a, 'b>(notes: &'b [Note<'a>], at: i64) -> Option<&'b Note<'a>> {
    notes.iter().filter(|note| (note.at - at).abs() <= SAME_CALL_MS).min_by_key(|note| (note.at - at).abs())
}
