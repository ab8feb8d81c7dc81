//! The format of `events.jsonl` as a JSON Schema, and the check of a value against it.
//!
//! Input: a value. Output: one sentence a problem. Only what the shipped schema uses is understood: `type`, `enum`, `const`,
//! `required`, `properties`, `items`, `minimum`, `maximum`, `minLength`, `maxLength`, `allOf` with `if` and `then`, `$ref`
//! into `$defs`.

use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schema's text.
pub const TEXT: &str = include_str!("events.schema.json");

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// What is wrong with an event; nothing when it is valid.
#[must_use]
pub fn problems(event: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(&SCHEMA, event, "", &mut problems);
    problems
}

/// Keys of `data` that the schema names for a kind.
#[must_use]
pub fn keys(kind: &str) -> Vec<&'static str> {
    let properties = SCHEMA["$defs"][kind]["properties"].as_object();
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Keys of the envelope.
#[must_use]
pub fn envelope_keys() -> Vec<&'static str> {
    SCHEMA["properties"].as_object().map(|keys| keys.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn resolved(schema: &'static Value) -> &'static Value {
    match schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => SCHEMA.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

fn check(schema: &'static Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let schema = resolved(schema);
    let Some(rules) = schema.as_object() else { return };
    let name = if place.is_empty() { "the event" } else { place };
    if let Some(types) = rules.get("type")
        && !types_of(types).iter().any(|kind| is_of(kind, value))
    {
        let wanted: Vec<&str> = types_of(types).into_iter().filter(|kind| *kind != "null").map(in_words).collect();
        problems.push(format!("{name} is {}: it must be {}", shown(value), wanted.join(" or ")));
        return;
    }
    // NULL says that a value is not known.
    if value.is_null() {
        return;
    }
    if let Some(words) = rules.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        let words: Vec<String> = words.iter().filter(|word| !word.is_null()).map(plain).collect();
        problems.push(format!("{name} is {}: it must be one of {}", shown(value), words.join(", ")));
    }
    if let Some(only) = rules.get("const")
        && !is_same(only, value)
    {
        problems.push(format!("{name} is {}: it must be {}", shown(value), plain(only)));
    }
    bounds(rules, value, name, problems);
    if let (Some(items), Some(list)) = (rules.get("items"), value.as_array()) {
        for (index, item) in list.iter().enumerate() {
            check(items, item, &format!("{place}[{index}]"), problems);
        }
    }
    if let Some(object) = value.as_object() {
        members(rules, object, place, problems);
    }
    for rule in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let applies = rule.get("if").is_none_or(|condition| {
            let mut found = Vec::new();
            check(condition, value, place, &mut found);
            found.is_empty()
        });
        if let (true, Some(then)) = (applies, rule.get("then")) {
            check(then, value, place, problems);
        }
    }
}

fn members(rules: &'static Map<String, Value>, object: &Map<String, Value>, place: &str, problems: &mut Vec<String>) {
    let inside = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    for key in rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            problems.push(format!("{} is missing", inside(key)));
        }
    }
    for (key, rule) in rules.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = object.get(key) {
            check(rule, value, &inside(key), problems);
        }
    }
}

fn bounds(rules: &Map<String, Value>, value: &Value, name: &str, problems: &mut Vec<String>) {
    let limit = |key: &str| rules.get(key).and_then(Value::as_f64);
    if let Some(number) = value.as_f64() {
        if limit("minimum").is_some_and(|least| number < least) {
            problems.push(format!("{name} is {number}: it must be {} or more", rules["minimum"]));
        }
        if limit("maximum").is_some_and(|most| number > most) {
            problems.push(format!("{name} is {number}: it must be {} or less", rules["maximum"]));
        }
    }
    if let Some(text) = value.as_str() {
        #[allow(clippy::cast_precision_loss, reason = "lengths of texts")]
        let length = text.chars().count() as f64;
        if limit("minLength").is_some_and(|least| length < least) {
            problems.push(format!("{name} is empty"));
        }
        if limit("maxLength").is_some_and(|most| length > most) {
            problems.push(format!("{name} has {length} characters: it must have {} or fewer", rules["maxLength"]));
        }
    }
}

fn types_of(types: &Value) -> Vec<&str> {
    match types {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && one.as_f64() == other.as_f64())
}

fn in_words(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "string" => "text",
        "number" => "a number",
        "integer" => "a whole number",
        "array" => "a list",
        "object" => "an object",
        other => other,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "an object".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::event::EventKind;
    use super::super::fields;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_and_the_reader_know_the_same_values() {
        assert!(SCHEMA.is_object(), "the schema is JSON");
        for kind in EventKind::ALL {
            let mut ours: Vec<&str> = fields::of(kind).iter().map(|field| field.key).collect();
            let mut named = keys(kind.name());
            ours.sort_unstable();
            named.sort_unstable();
            assert_eq!(ours, named, "{}", kind.name());
            for field in fields::of(kind) {
                let words = SCHEMA["$defs"][kind.name()]["properties"][field.key]["enum"].as_array();
                if let fields::Type::Word(known) = field.kind {
                    let words: Vec<&str> = words.into_iter().flatten().filter_map(Value::as_str).collect();
                    assert_eq!(words, known, "{}.{}", kind.name(), field.key);
                } else {
                    assert!(words.is_none(), "{}.{}", kind.name(), field.key);
                }
            }
        }
        for field in fields::ENVELOPE {
            assert!(envelope_keys().contains(&field.key), "{}", field.key);
        }
        let kinds: Vec<Value> = EventKind::ALL.iter().map(|kind| json!(kind.name())).collect();
        assert_eq!(SCHEMA["properties"]["kind"]["enum"], json!(kinds));
    }

    #[test]
    fn good_events_are_good() {
        for text in [
            r#"{"v":1,"kind":"edit","ts":1772000000000,"id":"e1","session_id":"ses_a","call_id":"call_9","model":"glm-4.7","data":{"file":"a.rs","format":"hashline","attempt_no":2,"outcome":"applied","duration_ms":40}}"#,
            r#"{"v":1,"kind":"verification","ts":1772000005000,"id":"v1","session_id":"ses_a","source":"jsonl","data":{"iterations":4,"verified":false,"max_reached":true,"escalated":true}}"#,
            r#"{"v":1,"kind":"intent","ts":1772000005000,"id":"i1","unknown":{"kept":1},"data":{"predicted_intent":null,"predicted_skills":["dev"],"confidence":0.5,"complexity":"high","more":[1]}}"#,
            r#"{"v":1.0,"kind":"rlm","ts":1772000005000,"id":"r1","data":{"grain":"chunk","chunk_id":3,"accuracy":1}}"#,
        ] {
            let event: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(problems(&event), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn bad_events_get_a_sentence_each() {
        for (event, says) in [
            (json!([1]), vec!["the event is a list: it must be an object"]),
            (json!({"v": 1, "ts": 1_772_000_000_000_i64, "id": "a", "data": {}}), vec!["kind is missing"]),
            (
                json!({"v": 2, "kind": "skill", "ts": 1_772_000_000, "id": "", "data": {"success": 1, "quality": 7}}),
                vec![
                    "v is 2: it must be 1",
                    "ts is 1772000000: it must be 1000000000000 or more",
                    "id is empty",
                    "data.success is 1: it must be true or false",
                    "data.quality is 7: it must be 1 or less",
                ],
            ),
            (
                json!({"v": 1, "kind": "edit", "ts": 1_772_000_000_000_i64, "id": "a", "data": {"outcome": "done", "attempt_no": 1.5}}),
                vec![
                    "data.outcome is 'done': it must be one of applied, format_error, blocked, denied, aborted, other_error",
                    "data.attempt_no is 1.5: it must be a whole number",
                ],
            ),
            (
                json!({"v": 1, "kind": "intent", "ts": 1_772_000_000_000_i64, "id": "a", "data": {"predicted_skills": ["dev", 3]}}),
                vec!["data.predicted_skills[1] is 3: it must be text"],
            ),
            (
                json!({"v": 1, "kind": "dance", "ts": 1_772_000_000_000_i64, "id": "a"}),
                vec!["data is missing", "kind is 'dance'"],
            ),
        ] {
            let found = problems(&event);
            assert_eq!(found.len(), says.len(), "{found:?}");
            for text in says {
                assert!(found.iter().any(|problem| problem.starts_with(text)), "{text}: {found:?}");
            }
        }
    }
}
