//! Numbers and texts as people read them. Input: a value and its unit. Output: text, and the exact value where the
//! text is rounder. Pure; the zone is passed in.

pub use super::label::{label, series_unit};
use crate::engine::table::{Unit, Value};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What stands where a value is unknown.
pub const UNKNOWN: &str = "–";

/// Space that keeps a number and its unit on one line.
const NB: char = '\u{a0}';

/// Thousands separated by commas.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn fixed(number: f64, places: usize) -> String {
    let text = format!("{number:.places$}");
    // A negative number that rounds to zero is zero.
    match text.strip_prefix('-') {
        Some(size) if size.bytes().all(|byte| matches!(byte, b'0' | b'.')) => size.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// Fraction digits without the zeros at the end.
fn trimmed(number: f64, places: usize) -> String {
    let text = fixed(number, places);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[allow(clippy::cast_possible_truncation, reason = "rounded, and far below 2^63 where it is used")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// A large number with k, M, G: three significant digits.
#[must_use]
pub fn scaled(number: f64) -> String {
    let size = number.abs();
    let (divisor, unit) = match size {
        _ if size < 999.5 => return trimmed(number, usize::from(size < 10.0)),
        _ if size < 999_500.0 => (1e3, "k"),
        _ if size < 999_500_000.0 => (1e6, "M"),
        _ if size < 999_500_000_000.0 => (1e9, "G"),
        _ => (1e12, "T"),
    };
    let value = number / divisor;
    let places = usize::from(value.abs() < 99.95);
    format!("{}{NB}{unit}", fixed(value, places))
}

/// `12,345`, `1.23 M`; fractions with one digit.
#[must_use]
pub fn count(number: f64) -> String {
    if number.abs() >= 1e6 {
        return format!(
            "{}{NB}{}",
            fixed(number / if number.abs() >= 1e9 { 1e9 } else { 1e6 }, 2),
            if number.abs() >= 1e9 { "G" } else { "M" }
        );
    }
    if number.fract() == 0.0 {
        grouped(whole(number))
    } else {
        trimmed(number, if number.abs() < 10.0 { 2 } else { 1 })
    }
}

/// `$3.41`, `$0.0012`, `$1,234`.
#[must_use]
pub fn usd(number: f64) -> String {
    let sign = if number < 0.0 { "−" } else { "" };
    let size = number.abs();
    let body = match size {
        _ if size == 0.0 => "0".to_owned(),
        _ if size < 0.000_05 => return format!("{sign}<$0.0001"),
        _ if size < 0.01 => fixed(size, 4),
        _ if size < 1.0 => fixed(size, 3),
        _ if size < 1_000.0 => fixed(size, 2),
        _ if size < 1_000_000.0 => grouped(whole(size)),
        _ => format!("{}{NB}M", fixed(size / 1e6, 2)),
    };
    format!("{sign}${body}")
}

/// `850 ms`, `12.3 s`, `2 m 10 s`, `3 h 05 m`, `2 d 3 h`.
#[must_use]
pub fn ms(number: f64) -> String {
    let sign = if number < 0.0 { "−" } else { "" };
    let size = number.abs();
    let seconds = whole(size / 1e3);
    let text = match size {
        _ if size < 999.5 => format!("{}{NB}ms", whole(size)),
        _ if size < 59_950.0 => format!("{}{NB}s", trimmed(size / 1e3, 1)),
        _ if seconds < 3_600 => format!("{}{NB}m{NB}{:02}{NB}s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{}{NB}h{NB}{:02}{NB}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}{NB}d{NB}{}{NB}h", seconds / 86_400, seconds % 86_400 / 3_600),
    };
    format!("{sign}{text}")
}

/// `12.3 %`.
#[must_use]
pub fn ratio(number: f64) -> String {
    let percent = number * 100.0;
    let places = usize::from(percent.abs() < 99.95);
    if percent != 0.0 && percent.abs() < 0.05 {
        return format!("{}<0.1{NB}%", if percent < 0.0 { "−" } else { "" });
    }
    if percent.abs() >= 999.5 {
        return format!("{}{NB}%", grouped(whole(percent)));
    }
    format!("{}{NB}%", trimmed(percent, places))
}

/// `1.2 MB`.
#[must_use]
pub fn bytes(number: f64) -> String {
    if number.abs() < 1_000.0 { format!("{}{NB}B", whole(number)) } else { format!("{}B", scaled(number)) }
}

/// A number in its unit.
#[must_use]
pub fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Usd => usd(value),
        Unit::Ms => ms(value),
        Unit::Ratio => ratio(value),
        Unit::Tokens | Unit::Chars => scaled(value),
        Unit::Bytes => bytes(value),
        Unit::Score => trimmed(value, 2),
        Unit::Count | Unit::Lines | Unit::Name | Unit::At | Unit::Date => count(value),
    }
}

/// A moment in the zone, to the minute.
#[must_use]
pub fn moment(epoch_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(epoch_ms).map_or_else(
        |_| format!("{epoch_ms} ms"),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// A value of a table as text.
#[must_use]
pub fn value(value: Value<'_>, unit: Unit, zone: &TimeZone) -> String {
    match value {
        Value::Null => UNKNOWN.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Int(whole) if unit == Unit::Name => whole.to_string(),
        Value::At(at) => moment(at, zone),
        Value::Float(float) if !float.is_finite() => UNKNOWN.to_owned(),
        Value::Int(_) | Value::Float(_) => {
            value.as_f64().map_or_else(|| UNKNOWN.to_owned(), |float| number(float, unit))
        }
        Value::Text(_) | Value::Date(_) => value.to_text(),
    }
}

/// The exact value, where its text is rounder.
#[must_use]
pub fn exact(value: Value<'_>, unit: Unit) -> Option<String> {
    let noun = match unit {
        Unit::Usd => " USD",
        Unit::Ms => " ms",
        Unit::Tokens => " tokens",
        Unit::Chars => " characters",
        Unit::Bytes => " bytes",
        _ => "",
    };
    match value {
        Value::At(_) => Some(value.to_text()),
        Value::Int(whole) => {
            let is_rounded = match unit {
                Unit::Name => false,
                Unit::Usd | Unit::Ratio => true,
                Unit::Count | Unit::Lines | Unit::Score => whole.abs() >= 1_000_000,
                _ => whole.abs() >= 1_000,
            };
            is_rounded.then(|| format!("{}{noun}", grouped(whole)))
        }
        Value::Float(float) if float.is_finite() && unit != Unit::Name => {
            let is_rounded = float.fract() != 0.0 || float.abs() >= 1_000.0;
            is_rounded.then(|| format!("{float}{noun}"))
        }
        _ => None,
    }
}

/// A change as text: `+12.3 %`, `−0.4 %`, `no change`.
#[must_use]
pub fn signed_ratio(change: f64) -> String {
    if change.abs() < 0.000_5 {
        return "no change".to_owned();
    }
    let text = ratio(change);
    if change > 0.0 { format!("+{text}") } else { text }
}

/// A number in its unit with its sign.
#[must_use]
pub fn signed(value: f64, unit: Unit) -> String {
    let text = number(value, unit);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// Text without what disturbs a page: control characters become their pictures, line ends and tabs spaces, marks that
/// turn the direction of reading and non-characters the replacement character.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            _ if u32::from(letter) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&letter) => '\u{fffd}',
            _ => letter,
        })
        .collect()
}

/// The first `chars` characters, with an ellipsis where something was cut.
#[must_use]
pub fn short(text: &str, chars: usize) -> String {
    if text.char_indices().nth(chars).is_none() {
        text.to_owned()
    } else {
        let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
        format!("{}…", kept.trim_end())
    }
}

/// The end of a path, which tells it from others, in so many characters.
#[must_use]
pub fn tail(path: &str, chars: usize) -> String {
    let count = path.chars().count();
    if count <= chars {
        return path.to_owned();
    }
    let kept: String = path.chars().skip(count + 1 - chars).collect();
    let from = kept.find('/').filter(|at| at * 2 < kept.len()).unwrap_or(0);
    format!("…{}", &kept[from..])
}

#[cfg(test)]
mod tests {
    use super::{clean, count, ms, ratio, scaled, signed_ratio, tail, usd};

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn numbers_read_well() {
        let shown = [
            usd(0.0),
            usd(0.00123),
            usd(0.0154),
            usd(3.411),
            usd(-12.0),
            usd(1234.5),
            scaled(950.0),
            scaled(1234.0),
            scaled(999_600.0),
            scaled(1_250_000.0),
            ms(850.0),
            ms(12_300.0),
            ms(59_990.0),
            ms(130_000.0),
            ms(11_100_000.0),
            ms(183_600_000.0),
            ratio(0.1234),
            ratio(1.0),
            ratio(0.0001),
            ratio(75.452),
            count(12_345.0),
            count(2.5),
            signed_ratio(-0.1),
            signed_ratio(0.0),
        ];
        let wanted = [
            "$0",
            "$0.0012",
            "$0.015",
            "$3.41",
            "−$12.00",
            "$1,235",
            "950",
            "1.2 k",
            "1.0 M",
            "1.2 M",
            "850 ms",
            "12.3 s",
            "1 m 00 s",
            "2 m 10 s",
            "3 h 05 m",
            "2 d 3 h",
            "12.3 %",
            "100 %",
            "<0.1 %",
            "7,545 %",
            "12,345",
            "2.5",
            "−10 %",
            "no change",
        ];
        assert_eq!(shown.map(|text| plain(&text)), wanted);
    }

    #[test]
    fn paths_keep_their_end() {
        assert_eq!(tail("/home/a/b.rs", 20), "/home/a/b.rs");
        assert_eq!(tail("/home/someone/project/.opencode/skills/dev/SKILL.md", 24), "…/skills/dev/SKILL.md");
        assert_eq!(tail("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 10), "…aaaaaaaaa");
    }

    #[test]
    fn hostile_text_is_tamed() {
        assert_eq!(clean("a\0b\u{202e}c\nd\u{7f}\u{ffff}"), "a␀b\u{fffd}c d␡\u{fffd}");
    }
}
