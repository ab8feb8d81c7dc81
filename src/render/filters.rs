//! Filters that templates may use: `{{ value|usd }}`, `{{ text|short(40) }}`, `{{ sql|fenced }}` …
//!
//! Input: plain values. Output: text as [`super::format`] writes it; unknown values are an en dash.

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, State};

use super::env::{html, markdown};
use super::format;
use crate::engine::table::Unit;

/// Adds all of them.
pub(super) fn add(env: &mut Environment<'_>) {
    env.add_filter("usd", |value: Value| shown(&value, Unit::Usd));
    env.add_filter("tokens", |value: Value| shown(&value, Unit::Tokens));
    env.add_filter("count", |value: Value| shown(&value, Unit::Count));
    env.add_filter("ms", |value: Value| shown(&value, Unit::Ms));
    env.add_filter("ratio", |value: Value| shown(&value, Unit::Ratio));
    env.add_filter("bytes", |value: Value| shown(&value, Unit::Bytes));
    env.add_filter("score", |value: Value| shown(&value, Unit::Score));
    env.add_filter("short", |text: &str, chars: Option<usize>| {
        format::short(&format::clean(text), chars.unwrap_or(60))
    });
    env.add_filter("date", |text: &str| text.get(..10).unwrap_or(text).to_owned());
    env.add_filter("moment", |text: &str| text.get(..16).unwrap_or(text).replace('T', " "));
    env.add_filter("prose", prose);
    env.add_filter("breakable", |text: &str| Value::from_safe_string(breakable(text)));
    env.add_filter("multiline", |text: &str| Value::from_safe_string(multiline(text)));
    env.add_filter("urlpath", |text: &str| Value::from_safe_string(urlpath(text)));
    env.add_filter("fenced", |text: &str| Value::from_safe_string(fenced(text)));
    env.add_filter("code", |text: &str| Value::from_safe_string(code(text)));
    env.add_filter("sentence", |text: &str| sentence(text));
}

fn shown(value: &Value, unit: Unit) -> Result<String, Error> {
    if value.is_none() {
        return Ok(format::UNKNOWN.to_owned());
    }
    Ok(format::number(f64::try_from(value.clone())?, unit))
}

/// Sentences of ours with `code` in backticks: elements in HTML, as they stand in Markdown.
fn prose(state: &State<'_, '_>, text: &str) -> Value {
    let is_html = matches!(state.auto_escape(), AutoEscape::Html);
    let escape = if is_html { html } else { markdown };
    let text = sentence(text);
    let pieces = text.split('`').enumerate().map(|(index, piece)| match (index % 2 == 1, is_html) {
        (true, true) => format!("<code>{}</code>", html(&format::clean(piece))),
        (true, false) => code(piece),
        (false, _) => escape(&format::clean(piece)),
    });
    Value::from_safe_string(pieces.collect())
}

/// Text as HTML that may be broken after the slashes of a path.
fn breakable(text: &str) -> String {
    html(&format::clean(text)).replace('/', "/<wbr>")
}

/// Text of several lines as HTML, its lines kept.
fn multiline(text: &str) -> String {
    text.lines().map(|line| html(&format::clean(line))).collect::<Vec<_>>().join("\n")
}

/// One segment of a relative link.
fn urlpath(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

/// A Markdown code block whose fence is longer than any run of backticks in it.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}sql\n{}\n{fence}", text.trim_end())
}

/// Markdown inline code.
fn code(text: &str) -> String {
    let clean = format::clean(text).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&clean) + 1);
    if fence.len() > 1 { format!("{fence} {clean} {fence}") } else { format!("{fence}{clean}{fence}") }
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// First letter large (unless the first word is a name), a full stop at the end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let is_word = text
        .split(' ')
        .next()
        .is_some_and(|word| word.chars().all(|letter| letter.is_alphabetic() || ",;:".contains(letter)));
    let mut letters = text.chars();
    let mut whole = match letters.next() {
        Some(first) if is_word => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if !whole.is_empty() && !whole.ends_with(['.', '!', '?', '…']) {
        whole.push('.');
    }
    whole
}
