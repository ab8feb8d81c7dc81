//! `stats --as-opencode`: the text of `opencode stats` 1.18.33, byte for byte.
//!
//! Input: [`StatsNumbers`] and which tables to show. Output: the whole text, escape sequence and blank lines
//! included. Numbers are formatted as JavaScript formats them, because that is what the program is written in.

use std::fmt::Write as _;

use super::numbers::{ModelUsage, StatsNumbers, ToolUsage};

/// Width between the two borders.
const WIDTH: usize = 56;
/// Above this many sessions the program prints a note first.
const LARGE_DATASET: u64 = 1000;
/// Cursor up one line: the program lets the bottom border overwrite the last divider.
const CURSOR_UP: &str = "\u{1b}[1A";

/// How many rows of a table to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rows {
    /// No table.
    #[default]
    Hidden,
    /// All rows.
    All,
    /// The first N; a negative N leaves that many off at the end, as JavaScript's `slice` does.
    First(i64),
}

/// What to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextOptions {
    /// `--models [N]`: hidden unless given; without N all.
    pub models: Rows,
    /// `--tools [N]`: without N, or with 0, all.
    pub tools: Option<i64>,
}

/// Prints the numbers as `opencode stats` does.
#[must_use]
pub(super) fn print_opencode(numbers: &StatsNumbers, options: &TextOptions) -> String {
    let mut text = String::with_capacity(16 * 1024);
    if numbers.session_count > LARGE_DATASET {
        // Writing to a String cannot fail; the same holds for every `let _ =` below.
        let _ = writeln!(text, "Large dataset detected ({} sessions). This may take a while...", numbers.session_count);
    }
    overview(&mut text, numbers);
    cost_and_tokens(&mut text, numbers);
    let shown = match options.models {
        Rows::Hidden => None,
        Rows::All => Some(&numbers.models[..]),
        Rows::First(count) => Some(slice(&numbers.models, count)),
    };
    if let Some(models) = shown
        && !numbers.models.is_empty()
    {
        model_usage(&mut text, models);
    }
    text.push('\n');
    if !numbers.tools.is_empty() {
        tool_usage(&mut text, &numbers.tools, options.tools);
    }
    text.push('\n');
    text
}

fn overview(text: &mut String, numbers: &StatsNumbers) {
    head(text, "                       OVERVIEW                         ");
    line(text, "Sessions", &grouped(numbers.session_count));
    line(text, "Messages", &grouped(numbers.message_count));
    line(text, "Days", &plain(numbers.days));
    border(text, '└', '┘');
    text.push('\n');
}

fn cost_and_tokens(text: &mut String, numbers: &StatsNumbers) {
    head(text, "                    COST & TOKENS                       ");
    line(text, "Total Cost", &format!("${}", fixed(or_zero(numbers.cost), 2)));
    line(text, "Avg Cost/Day", &format!("${}", fixed(or_zero(numbers.cost_per_day), 2)));
    line(text, "Avg Tokens/Session", &short(round(or_zero(numbers.tokens_per_session))));
    line(text, "Median Tokens/Session", &short(round(or_zero(numbers.median_tokens_per_session))));
    line(text, "Input", &tokens(numbers.tokens.input));
    line(text, "Output", &tokens(numbers.tokens.output));
    line(text, "Cache Read", &tokens(numbers.tokens.cache_read));
    line(text, "Cache Write", &tokens(numbers.tokens.cache_write));
    border(text, '└', '┘');
    text.push('\n');
}

fn model_usage(text: &mut String, models: &[ModelUsage]) {
    head(text, "                      MODEL USAGE                       ");
    for model in models {
        let name =
            format!("{}/{}", or_undefined(model.provider_id.as_deref()), or_undefined(model.model_id.as_deref()));
        let _ = writeln!(text, "│ {} │", pad_end(&name, WIDTH - 2));
        line(text, "  Messages", &grouped(model.message_count));
        line(text, "  Input Tokens", &tokens(model.tokens.input));
        line(text, "  Output Tokens", &tokens(model.shown_output()));
        line(text, "  Cache Read", &tokens(model.tokens.cache_read));
        line(text, "  Cache Write", &tokens(model.tokens.cache_write));
        line(text, "  Cost", &format!("${}", fixed(model.cost, 4)));
        border(text, '├', '┤');
    }
    text.push_str(CURSOR_UP);
    border(text, '└', '┘');
}

/// Bars relate to the most used tool, percentages to all calls, also of the tools that `limit` hides.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the program computes in doubles; a bar has at most 20 blocks"
)]
fn tool_usage(text: &mut String, tools: &[ToolUsage], limit: Option<i64>) {
    let mut ordered: Vec<&ToolUsage> = tools.iter().collect();
    // JavaScript lists whole-number keys of an object first; the sort by count is stable after that.
    ordered.sort_by_key(|usage| (std::cmp::Reverse(usage.call_count), index_key(&usage.tool)));
    let shown = match limit {
        None | Some(0) => &ordered[..],
        Some(count) => slice(&ordered, count),
    };
    head(text, "                      TOOL USAGE                        ");
    let most = shown.iter().map(|usage| usage.call_count).max().unwrap_or(1) as f64;
    let all: u64 = tools.iter().map(|usage| usage.call_count).sum();
    for usage in shown {
        let count = usage.call_count as f64;
        let bar = "█".repeat(((count / most * 20.0).floor() as usize).max(1));
        let percentage = fixed(count / all as f64 * 100.0, 1);
        let row = format!(
            " {} {} {:>3} ({percentage:>4}%)",
            pad_end(&cut(&usage.tool), 18),
            pad_end(&bar, 20),
            usage.call_count
        );
        let _ = writeln!(text, "│{} │", pad_end(&row, WIDTH - 1));
    }
    border(text, '└', '┘');
}

/// Key for the order of an object's keys: array indices ascending, then names as they came.
fn index_key(name: &str) -> u64 {
    let is_index = name == "0" || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
    match name.parse::<u32>() {
        Ok(index) if is_index && index < u32::MAX => u64::from(index),
        _ => u64::MAX,
    }
}

/// JavaScript's `slice(0, count)`.
fn slice<T>(rows: &[T], count: i64) -> &[T] {
    let length = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 { &rows[..rows.len().saturating_sub(length)] } else { &rows[..length.min(rows.len())] }
}

/// A long tool name is cut to 16 characters and two dots. JavaScript counts UTF-16 units.
fn cut(name: &str) -> String {
    if utf16_len(name) <= 18 {
        return name.to_owned();
    }
    let units: Vec<u16> = name.encode_utf16().take(16).collect();
    String::from_utf16_lossy(&units) + ".."
}

fn head(text: &mut String, title: &str) {
    border(text, '┌', '┐');
    let _ = writeln!(text, "│{title}│");
    border(text, '├', '┤');
}

fn border(text: &mut String, left: char, right: char) {
    let _ = writeln!(text, "{left}{}{right}", "─".repeat(WIDTH));
}

fn line(text: &mut String, label: &str, value: &str) {
    let gap = (WIDTH - 1).saturating_sub(utf16_len(label) + utf16_len(value));
    let _ = writeln!(text, "│{label}{}{value} │", " ".repeat(gap));
}

fn pad_end(value: &str, width: usize) -> String {
    format!("{value}{}", " ".repeat(width.saturating_sub(utf16_len(value))))
}

fn utf16_len(value: &str) -> usize {
    value.encode_utf16().count()
}

fn or_undefined(value: Option<&str>) -> &str {
    value.unwrap_or("undefined")
}

fn or_zero(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

#[expect(clippy::cast_precision_loss, reason = "the program computes in doubles")]
fn tokens(count: i64) -> String {
    short(count as f64)
}

/// `1.2M`, `3.4K`, or the number itself.
fn short(value: f64) -> String {
    if value >= 1e6 {
        fixed(value / 1e6, 1) + "M"
    } else if value >= 1e3 {
        fixed(value / 1e3, 1) + "K"
    } else {
        plain(value)
    }
}

/// JavaScript's `Math.round`: halves go up, also below zero.
fn round(value: f64) -> f64 {
    let floor = value.floor();
    if value - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// JavaScript's `toString` of a number (without exponents, which no count here reaches).
fn plain(value: f64) -> String {
    // Adding zero turns -0 into 0.
    format!("{}", value + 0.0)
}

/// JavaScript's `toFixed`: the exact binary value is rounded, and exact halves go away from zero (Rust: to even).
fn fixed(value: f64, digits: u8) -> String {
    let value = value + 0.0;
    // A multiple of 1 / 2^(digits + 1) has at most digits + 1 decimals, so the longer text is exact.
    let is_short = (value * f64::from(1_u32 << (digits + 1))).fract() == 0.0;
    let longer = format!("{value:.*}", usize::from(digits) + 1);
    let rounded = match (is_short && longer.ends_with('5'), value > 0.0) {
        (false, _) => value,
        (true, true) => value.next_up(),
        (true, false) => value.next_down(),
    };
    format!("{rounded:.*}", usize::from(digits))
}

/// `toLocaleString` in English: thousands separated by commas.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
