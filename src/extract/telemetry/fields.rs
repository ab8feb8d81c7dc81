//! The measured values that each kind of event may hold, and how a recorded value becomes a typed one.
//!
//! Input: a kind, or a recorded value. Output: [`Field`]s, cells. The same list stands in `events.schema.json`, which is
//! what `emit` checks against; a test holds the two equal. Reading is tolerant: keys match whatever their case and
//! underscores, and known other names are taken; what makes no sense is refused one value at a time.

use super::event::{Cell, EventKind};
use serde_json::Value;

/// How exactly types must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// JSON: a string is no number.
    Json,
    /// SQLite: 0 and 1 are flags, numbers may be text, lists are JSON in text.
    Sqlite,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Any text; long ones are cut.
    Text,
    /// Text, or a number as text.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Names; kept with commas between.
    List,
    /// A whole number, not negative.
    Count,
    /// Milliseconds, not negative; parts of them are rounded.
    Millis,
    /// A number, not negative.
    Amount,
    /// A number from 0 to 1.
    Share,
    /// True or false.
    Flag,
}

/// One value that an event may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its key in `data`.
    pub key: &'static str,
    /// The column of the table.
    pub column: &'static str,
    /// What it must be.
    pub kind: Type,
    /// Other keys under which it is known, in lower case and without `_`.
    also: &'static [&'static str],
}

const fn field(key: &'static str, kind: Type) -> Field {
    Field { key, column: key, kind, also: &[] }
}

const fn known_as(key: &'static str, kind: Type, also: &'static [&'static str]) -> Field {
    Field { key, column: key, kind, also }
}

use Type::{Amount, Count, Flag, List, Millis, Name, Share, Text, Word};

/// Keys beside `data`.
pub(super) const ENVELOPE: &[Field] = &[
    field("session_id", Text),
    field("message_id", Text),
    field("part_id", Text),
    field("call_id", Text),
    known_as("agent", Text, &["agentname"]),
    known_as("provider", Text, &["providerid"]),
    known_as("model", Text, &["modelid"]),
];

const SKILL: &[Field] = &[
    known_as("skill", Text, &["skillname", "skillid", "name"]),
    field("skill_raw", Text),
    field("via", Text),
    field("status", Word(&["pending", "running", "completed", "error"])),
    field("load_ms", Millis),
    known_as("duration_ms", Millis, &["duration", "windowms"]),
    known_as("tokens", Count, &["totaltokens", "tokensused"]),
    known_as("tokens_input", Count, &["inputtokens"]),
    known_as("tokens_output", Count, &["outputtokens"]),
    known_as("tokens_reasoning", Count, &["reasoningtokens"]),
    known_as("tokens_cache_read", Count, &["cachereadtokens"]),
    known_as("tokens_cache_write", Count, &["cachewritetokens"]),
    known_as("cost", Amount, &["costusd"]),
    field("tool_calls", Count),
    field("tool_errors", Count),
    field("iterations", Count),
    field("retries", Count),
    field("success", Flag),
    field("quality", Share),
    known_as("error", Text, &["errormessage"]),
    field("complexity", Name),
];

const EDIT: &[Field] = &[
    known_as("file", Text, &["path", "filepath"]),
    field("tool", Text),
    known_as("format", Text, &["formattype", "editformat"]),
    field("recommended_format", Text),
    known_as("attempt_no", Count, &["attempt", "attempts", "attemptnumber"]),
    field("edit_group_id", Text),
    field("outcome", Word(&["applied", "format_error", "blocked", "denied", "aborted", "other_error"])),
    field("is_final", Flag),
    known_as("duration_ms", Millis, &["duration"]),
    known_as("tokens", Count, &["tokensused", "totaltokens"]),
    known_as("lsp_errors", Flag, &["haslsperrors"]),
    known_as("error", Text, &["errormessage"]),
];

const RLM: &[Field] = &[
    field("run_id", Name),
    field("grain", Word(&["run", "chunk"])),
    field("chunk_id", Name),
    field("mode", Word(&["parallel", "sequential", "unknown"])),
    known_as("chunk_count", Count, &["totalchunks", "chunks"]),
    known_as("waves", Count, &["wavecount", "totalwaves"]),
    field("chunk_size", Count),
    field("chunk_unit", Word(&["chars", "tokens"])),
    known_as("tokens", Count, &["totaltokens", "tokensprocessed"]),
    known_as("duration_ms", Millis, &["duration", "processingtimems"]),
    known_as("ok_chunks", Count, &["successfulchunks"]),
    field("early_termination", Flag),
    field("accuracy", Share),
    known_as("error", Text, &["errormessage"]),
];

const INTENT: &[Field] = &[
    field("query_hash", Name),
    known_as("predicted_intent", Text, &["intent", "predicted"]),
    field("confidence", Share),
    field("confidence_scale", Word(&["share", "pattern"])),
    field("complexity", Name),
    field("strategy", Text),
    known_as("predicted_skills", List, &["predictedskill", "skills", "skillchain"]),
    field("action", Text),
    field("threshold", Share),
    field("escalated", Flag),
    known_as("actual_skills", List, &["actualskill"]),
    known_as("actual_intent", Text, &["actual"]),
    known_as("correct", Flag, &["iscorrect"]),
    field("label_rule", Text),
];

const VERIFICATION: &[Field] = &[
    field("loop_id", Name),
    known_as("skill", Text, &["skillname", "skillid"]),
    field("iterations", Count),
    field("max_iterations", Count),
    known_as("verified", Flag, &["passed", "isverified"]),
    known_as("max_reached", Flag, &["maxiterationsreached", "ismaxreached"]),
    field("escalated", Flag),
    field("criteria_passed", Count),
    field("criteria_total", Count),
    field("failed_criteria", List),
    field("rubric_verdict", Word(&["pass", "fail", "needs_revision", "cant_evaluate"])),
    field("gvr_verdict", Word(&["pass", "fail", "uncertain"])),
    field("confidence", Share),
    known_as("quality", Share, &["score"]),
    known_as("duration_ms", Millis, &["duration"]),
    known_as("error", Text, &["errormessage"]),
];

const TOOL_ERROR: &[Field] = &[
    known_as("tool", Text, &["toolname"]),
    known_as("error", Text, &["errormessage", "message"]),
    known_as("duration_ms", Millis, &["duration"]),
];

/// The values of a kind.
pub(super) fn of(kind: EventKind) -> &'static [Field] {
    match kind {
        EventKind::Skill => SKILL,
        EventKind::Edit => EDIT,
        EventKind::Rlm => RLM,
        EventKind::Intent => INTENT,
        EventKind::Verification => VERIFICATION,
        EventKind::ToolError => TOOL_ERROR,
    }
}

/// A key in lower case, without `_`, `-`, `.` and spaces.
pub(super) fn plain(key: &str) -> String {
    key.chars().filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The field of a key: by its own name, else however it is spelt.
pub(super) fn find(fields: &'static [Field], key: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.key == key).or_else(|| {
        let key = plain(key);
        fields.iter().find(|field| plain(field.key) == key || field.also.contains(&key.as_str()))
    })
}

/// Longer texts are cut: `raw` has them whole.
const TEXT_CHARS: usize = 2_000;
/// Amounts above this are no measurements.
const MOST: f64 = 1e12;

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The typed value; None for null.
///
/// # Errors
/// A sentence's second half: what is wrong with the value.
pub(super) fn decode(field: &Field, value: &Value, strictness: Strictness) -> Result<Option<Cell>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = |wanted: &str| Err(format!("is {}, not {wanted}", kind_of(value)));
    let cell = match field.kind {
        Type::Text => match value {
            Value::String(text) => Cell::Text(cut(text)),
            Value::Number(number) if strictness == Strictness::Sqlite => Cell::Text(number.to_string()),
            _ => return wrong("text"),
        },
        Type::Name => match value {
            Value::String(text) => Cell::Text(cut(text)),
            Value::Number(number) => Cell::Text(number.to_string()),
            _ => return wrong("a name"),
        },
        Type::Word(words) => match value {
            Value::String(text) => {
                let text = text.trim().to_lowercase();
                // OpenCode writes `error`; its first documentation says `failed`.
                let text = if text == "failed" && words.contains(&"error") { "error" } else { text.as_str() };
                match words.iter().find(|word| **word == text) {
                    Some(word) => Cell::from(*word),
                    None => return Err(format!("is '{}', not one of {}", cut(text), words.join(", "))),
                }
            }
            _ => return wrong("text"),
        },
        Type::List => match list(value, strictness) {
            Some(names) => Cell::Text(names),
            None => return wrong("a list of names"),
        },
        Type::Flag => match value {
            Value::Bool(flag) => Cell::Bool(*flag),
            _ => match loose_flag(value).filter(|_| strictness == Strictness::Sqlite) {
                Some(flag) => Cell::Bool(flag),
                None => return wrong("true or false"),
            },
        },
        Type::Count | Type::Millis | Type::Amount | Type::Share => {
            let Some(number) = number(value, strictness) else { return wrong("a number") };
            return measured(field.kind, number).map(Some);
        }
    };
    Ok(Some(cell).filter(|cell| !matches!(cell, Cell::Text(text) if text.is_empty())))
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn measured(kind: Type, number: f64) -> Result<Cell, String> {
    let inside = match kind {
        Type::Share => (0.0..=1.0).contains(&number),
        _ => (0.0..=MOST).contains(&number),
    };
    if !inside {
        let wanted = if kind == Type::Share { "from 0 to 1" } else { "a plausible amount" };
        return Err(format!("is {number}, which is not {wanted}"));
    }
    match kind {
        Type::Count if number.fract() != 0.0 => Err(format!("is {number}, not a whole number")),
        Type::Count | Type::Millis => Ok(Cell::Int(number.round() as i64)),
        _ => Ok(Cell::Float(number)),
    }
}

fn number(value: &Value, strictness: Strictness) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if strictness == Strictness::Sqlite => text.trim().parse().ok(),
        _ => None,
    }
}

fn loose_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Names with commas between; a single name is a list of one.
fn list(value: &Value, strictness: Strictness) -> Option<String> {
    match value {
        Value::Array(items) => {
            let names: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(names?.join(","))
        }
        Value::String(text) if strictness == Strictness::Sqlite && text.trim_start().starts_with('[') => {
            list(&serde_json::from_str(text).ok()?, Strictness::Json)
        }
        Value::String(text) => Some(text.split(',').map(str::trim).collect::<Vec<_>>().join(",")),
        _ => None,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn take(kind: EventKind, key: &str, value: &Value, strictness: Strictness) -> Result<Option<Cell>, String> {
        decode(find(of(kind), key).expect("a field"), value, strictness)
    }

    #[test]
    fn values_that_make_no_sense_are_refused_with_a_reason() {
        let json = |key: &str, value: Value| take(EventKind::Skill, key, &value, Strictness::Json);
        assert_eq!(json("duration_ms", json!(40.6)), Ok(Some(Cell::Int(41))));
        assert_eq!(json("iterations", json!(2.0)), Ok(Some(Cell::Int(2))));
        assert_eq!(json("status", json!("failed")), Ok(Some(Cell::from("error"))));
        assert_eq!(json("complexity", json!(0.4)), Ok(Some(Cell::from("0.4"))));
        assert_eq!(json("success", Value::Null), Ok(None));
        for (key, value, says) in [
            ("duration_ms", json!(-1), "is -1, which is not a plausible amount"),
            ("duration_ms", json!("40"), "is text, not a number"),
            ("iterations", json!(1.5), "not a whole number"),
            ("success", json!(1), "is a number, not true or false"),
            ("quality", json!(85), "is 85, which is not from 0 to 1"),
            ("status", json!("done"), "is 'done', not one of pending, running, completed, error"),
            ("skill", json!(["dev"]), "is a list, not text"),
        ] {
            let problem = json(key, value).expect_err(key);
            assert!(problem.contains(says), "{key}: {problem}");
        }
    }

    #[test]
    fn sqlite_has_no_flags_and_no_lists() {
        let sqlite = |kind, key: &str, value: Value| take(kind, key, &value, Strictness::Sqlite);
        assert_eq!(sqlite(EventKind::Intent, "correct", json!(0)), Ok(Some(Cell::Bool(false))));
        assert_eq!(sqlite(EventKind::Intent, "correct", json!("true")), Ok(Some(Cell::Bool(true))));
        assert_eq!(
            sqlite(EventKind::Intent, "predicted_skills", json!("[\"dev\",\"think\"]")),
            Ok(Some(Cell::from("dev,think")))
        );
        assert_eq!(sqlite(EventKind::Skill, "tokens", json!("1200")), Ok(Some(Cell::Int(1200))));
    }

    #[test]
    fn keys_match_however_they_are_spelt() {
        for (kind, key, field) in [
            (EventKind::Skill, "skillName", "skill"),
            (EventKind::Edit, "filePath", "file"),
            (EventKind::Edit, "attempts", "attempt_no"),
            (EventKind::Verification, "maxIterationsReached", "max_reached"),
        ] {
            assert_eq!(find(of(kind), key).map(|found| found.key), Some(field), "{key}");
        }
        assert!(find(of(EventKind::Edit), "unheard_of").is_none());
    }
}
