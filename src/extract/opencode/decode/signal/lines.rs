//! Lines `Key: value` of printed text, however they are decorated. Input: text. Output: keys, values, numbers.

use std::borrow::Cow;

/// Marks before a key: lists, trees, quotes, bold.
const MARKS: [char; 13] = [' ', '\t', '-', '*', '•', '>', '`', '├', '─', '└', '│', '|', '#'];

/// Without the codes that colour a terminal.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.strip_prefix('[').map_or(after, |code| {
            let end = code.find(|letter: char| !(' '..='?').contains(&letter)).unwrap_or(code.len());
            let last = code.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            code.get(end + last..).unwrap_or_default()
        });
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The entries of a text: each line's key and value.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(entry)
}

fn entry(line: &str) -> Option<(&str, &str)> {
    // A logger's prefix: time, program and level.
    let line = line.rsplit_once("[INFO] ").map_or(line, |(_, rest)| rest);
    let line = line.trim_start_matches(MARKS);
    let line = line.strip_prefix("[+]").or_else(|| line.strip_prefix("[x]")).unwrap_or(line);
    let (key, value) = line.split_once(':')?;
    let key = key.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '*' | '`' | '_'));
    let value = value.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '*' | '`'));
    (!key.is_empty() && key.len() <= 40).then_some((key, value))
}

/// The name of an intent with what stands behind it: `debug (confidence: 85%)`. Prose and placeholders are no name.
pub(super) fn name(value: &str) -> Option<(String, &str)> {
    let end = value
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')))
        .unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(end)?;
    let rest = rest.trim_start_matches(['`', '*']).trim_start();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.len() <= 64;
    (is_name && (rest.is_empty() || rest.starts_with('('))).then(|| (name.to_ascii_lowercase(), rest))
}

/// The number at the start of a text, thousands separated or not, and what follows it.
fn leading(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_start();
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || matches!(letter, '.' | ','))).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let digits: String = digits.trim_end_matches(['.', ',']).chars().filter(|letter| *letter != ',').collect();
    digits.parse().ok().map(|number| (number, rest.trim_start()))
}

/// A share: `85%`, `0.85`, or `85`.
pub(super) fn share(text: &str) -> Option<f64> {
    let (number, rest) = leading(text)?;
    within(if rest.starts_with('%') || number > 1.0 { number / 100.0 } else { number })
}

/// The share inside of a note: `(confidence: 85%)` or `(67% confidence)`.
pub(super) fn noted_share(note: &str) -> Option<f64> {
    let from = note.find(|letter: char| letter.is_ascii_digit())?;
    share(note.get(from..)?)
}

/// A share is between 0 and 1.
pub(super) fn within(number: f64) -> Option<f64> {
    (0.0..=1.0).contains(&number).then_some(number)
}

/// A whole number: `50,000 characters`.
#[allow(clippy::cast_possible_truncation, reason = "range and wholeness are checked first")]
pub(super) fn count(text: &str) -> Option<i64> {
    let (number, _) = leading(text)?;
    (number.fract() == 0.0 && number < 9.0e15).then_some(number as i64)
}

/// `4/5`
pub(super) fn of(text: &str) -> Option<(i64, i64)> {
    let (passed, total) = text.split_once('/')?;
    let (passed, total) = (count(passed)?, count(total)?);
    (passed <= total).then_some((passed, total))
}

/// `a → b`, `a -> b`, `a, b`: names, comma-separated.
pub(super) fn chain(text: &str) -> Option<String> {
    let text = text.replace("->", ",").replace('→', ",");
    let names: Vec<String> = text
        .split(',')
        .map(|name| {
            name.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '[' | ']' | '\'' | '"'))
        })
        .filter_map(super::objects::word)
        .collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// `PASS`, `FAIL`, `NEEDS_REVISION` or `ESCALATE` at the start of a text. A list of choices is a template.
pub(super) fn verdict(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
    let end = text.find(|letter: char| !(letter.is_ascii_alphabetic() || letter == '_')).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    if rest.trim_start().starts_with('|') {
        return None;
    }
    ["PASS", "FAIL", "NEEDS_REVISION", "ESCALATE"].into_iter().find(|known| *known == word)
}
