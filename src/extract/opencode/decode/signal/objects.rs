//! JSON objects inside of printed text. Input: text. Output: the objects, and their values by key.

use crate::model::text::cut;
use serde_json::{Map, Value};

/// An object, keys in their order.
pub(super) type Object = Map<String, Value>;

/// Places that are tried; a text of nothing but braces must not take long.
const MOST_TRIES: usize = 2_000;
/// Bytes at the end that are searched: OpenCode keeps the end of a long output.
const TAIL: usize = 256 << 10;
/// Names kept of a list.
const MOST_NAMES: usize = 32;

/// The last object that fits. Objects inside of others are not looked at.
pub(super) fn last(text: &str, fits: impl Fn(&Object) -> bool) -> Option<Object> {
    let mut start = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let text = text.get(start..)?;
    let (mut at, mut found) = (0, None);
    for _ in 0..MOST_TRIES {
        let Some(offset) = text.get(at..).and_then(|rest| memchr::memchr(b'{', rest.as_bytes())) else { break };
        at += offset;
        let mut stream = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<Object>();
        if let Some(Ok(object)) = stream.next() {
            at += stream.byte_offset().max(1);
            found = Some(object).filter(|object| fits(object)).or(found);
        } else {
            at += 1;
        }
    }
    found
}

/// A text that says something.
pub(super) fn text(object: &Object, key: &str) -> Option<String> {
    object.get(key)?.as_str().and_then(word)
}

/// Characters kept of a name.
const WORD_CHARS: usize = 200;

/// Drops what stands for nothing.
pub(super) fn word(text: &str) -> Option<String> {
    let text = cut(text.trim(), WORD_CHARS);
    (!text.is_empty() && !["n/a", "none", "null", "-"].contains(&text.to_ascii_lowercase().as_str()))
        .then(|| text.to_owned())
}

/// A whole number that is not negative.
pub(super) fn count(object: &Object, key: &str) -> Option<i64> {
    object.get(key)?.as_i64().filter(|number| *number >= 0)
}

/// A share, as a number or as printed.
pub(super) fn share(object: &Object, key: &str) -> Option<f64> {
    match object.get(key)? {
        Value::Number(number) => number.as_f64().and_then(super::lines::within),
        Value::String(text) => super::lines::share(text),
        _ => None,
    }
}

/// Names in a list, comma-separated: a list of texts, or of objects with a name.
pub(super) fn names(value: Option<&Value>) -> Option<String> {
    let names: Vec<String> = value?
        .as_array()?
        .iter()
        .filter_map(|item| item.as_str().or_else(|| item.get("name")?.as_str()).or_else(|| item.get("skill")?.as_str()))
        .filter_map(word)
        .map(|name| name.replace(',', " "))
        .take(MOST_NAMES)
        .collect();
    (!names.is_empty()).then(|| names.join(","))
}
