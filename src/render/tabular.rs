//! A metric's rows as a table for reading: which columns, in which words, how many rows before the fold.
//!
//! Input: a [`Table`] and what `layout.toml` says of the metric. Output: [`Shown`], texts only, for the templates of HTML
//! and Markdown alike, so that both say the same.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::format;
use crate::engine::table::{Column, Data, Table, Unit, Value};

/// Columns shown where the layout does not choose.
const DEFAULT_COLUMNS: usize = 8;
/// Rows that stand in the page at most, folded ones included; the rest is had by `metrics run`.
const MOST_ROWS: usize = 40;
/// Characters of a text in a cell.
const CELL_CHARS: usize = 64;
/// Characters of a path in a cell.
const PATH_CHARS: usize = 30;
/// Characters of a text in a tooltip.
const TITLE_CHARS: usize = 400;
/// Characters of a text that stays on one line.
const SHORT_CHARS: usize = 30;
/// Below this many observations a rate is shown greyed.
const FEWEST: f64 = 5.0;

/// A table as it stands on the page.
#[derive(Debug, Clone, Serialize, Default)]
pub(super) struct Shown {
    /// Headings.
    pub columns: Vec<Heading>,
    /// Rows before the fold.
    pub top: Vec<Vec<Cell>>,
    /// Rows inside the fold.
    pub rest: Vec<Vec<Cell>>,
    /// Rows of the metric.
    pub row_count: usize,
    /// Rows that are not on the page.
    pub left_out: usize,
    /// Columns of the metric that are not on the page.
    pub columns_left_out: usize,
    /// Some rate rests on too few observations.
    pub has_weak: bool,
}

/// Heading of a column.
#[derive(Debug, Clone, Serialize, Default)]
pub(super) struct Heading {
    /// Name in the metric.
    pub name: String,
    /// In words.
    pub label: String,
    /// Right-aligned.
    pub is_number: bool,
    /// Holds long texts.
    pub is_long: bool,
    /// Kept on one line.
    pub is_moment: bool,
    /// The rows are in the order of this column: `ascending` or `descending`.
    pub sort: Option<&'static str>,
}

/// One cell.
#[derive(Debug, Clone, Serialize, Default)]
pub(super) struct Cell {
    /// As people read it.
    pub text: String,
    /// The whole or exact value, where the text is not.
    pub title: Option<String>,
    /// The interval of a rate.
    pub interval: Option<String>,
    /// A rate on too few observations.
    pub is_weak: bool,
    /// Too short to be broken.
    pub is_short: bool,
    /// A small drawing in place of the text.
    pub svg: Option<String>,
}

/// Lays a table out.
#[must_use]
pub(super) fn shown(table: &Table, wanted: &[String], rows_before_fold: usize, zone: &TimeZone) -> Shown {
    let columns = chosen(table, wanted);
    let merged = columns.iter().filter(|index| interval_of(table, **index).is_some()).count() * 2;
    let row = |row: usize| columns.iter().map(|column| cell(table, row, *column, zone)).collect::<Vec<_>>();
    let row_count = table.len();
    let on_page = row_count.min(MOST_ROWS);
    // A fold of one or two rows hides more than it saves.
    let top_count = if on_page <= rows_before_fold + 2 { on_page } else { rows_before_fold };
    let top: Vec<Vec<Cell>> = (0..top_count).map(row).collect();
    let rest: Vec<Vec<Cell>> = (top_count..on_page).map(row).collect();
    let has_weak = top.iter().chain(&rest).flatten().any(|cell| cell.is_weak);
    Shown {
        columns: sorted(headings(table, &columns), table, &columns),
        top,
        rest,
        row_count,
        left_out: row_count - on_page,
        columns_left_out: table.columns.len().saturating_sub(columns.len() + merged),
        has_weak,
    }
}

/// Positions of the columns to show: those of the layout that exist, else the first ones; ends of intervals stand in
/// the cell of their rate.
fn chosen(table: &Table, wanted: &[String]) -> Vec<usize> {
    let named: Vec<usize> = wanted.iter().filter_map(|name| table.position(name)).collect();
    if !named.is_empty() {
        return named;
    }
    let ends: Vec<usize> =
        (0..table.columns.len()).filter_map(|index| interval_of(table, index)).flat_map(<[usize; 2]>::from).collect();
    (0..table.columns.len()).filter(|index| !ends.contains(index)).take(DEFAULT_COLUMNS).collect()
}

/// Positions of the interval's ends of a rate: `x_ci_low` and `x_ci_high` for `x_ratio` or `x`, else the next two columns,
/// when they are called `ci_low`, `ci_high`, or `y_ci_…` where the rate's name begins with `y`.
#[must_use]
pub(super) fn interval_of(table: &Table, index: usize) -> Option<(usize, usize)> {
    let column = table.columns.get(index)?;
    if column.unit == Unit::At || !matches!(column.data, Data::Int(_) | Data::Float(_)) {
        return None;
    }
    let stem = column.name.strip_suffix("_ratio").unwrap_or(&column.name);
    let named = table.position(&format!("{stem}_ci_low")).zip(table.position(&format!("{stem}_ci_high")));
    let beside = |at: usize, ending: &str| {
        let name = table.columns.get(at).map(|column| column.name.as_str())?;
        column.name.starts_with(name.strip_suffix(ending)?).then_some(at)
    };
    named.or_else(|| beside(index + 1, "ci_low").zip(beside(index + 2, "ci_high")))
}

/// Headings of the columns. A count in front that counts nothing (iterations, a step's number) names its row.
fn headings(table: &Table, columns: &[usize]) -> Vec<Heading> {
    let mut headings: Vec<Heading> =
        columns.iter().filter_map(|index| table.columns.get(*index)).map(heading).collect();
    if let Some(first) = headings.first_mut() {
        let is_key = columns
            .first()
            .and_then(|index| table.columns.get(*index))
            .is_some_and(|column| column.unit == Unit::Count);
        first.is_number &= !is_key || first.name.ends_with("_count") || table.columns.len() == 1;
    }
    headings
}

/// A heading in words.
#[must_use]
pub(super) fn heading(column: &Column) -> Heading {
    // A whole number without a unit (an hour, a number of attempts) names its row.
    let is_number = match (&column.data, column.unit) {
        (Data::Int(_) | Data::Float(_), Unit::At | Unit::Date) | (Data::Int(_), Unit::Name) => false,
        (Data::Int(_) | Data::Float(_), _) => true,
        _ => false,
    };
    let is_moment = column.unit == Unit::At || matches!(column.data, Data::Date(_));
    let is_long =
        ["path", "title", "message", "target", "directory", "command"].iter().any(|word| column.name.contains(word))
            && !is_number;
    Heading {
        name: column.name.clone(),
        label: format::label(&column.name, column.unit),
        is_number,
        is_long,
        is_moment,
        sort: None,
    }
}

/// Marks the column by which the rows are ordered: the first of numbers that only falls, or a first one that only rises.
fn sorted(mut headings: Vec<Heading>, table: &Table, columns: &[usize]) -> Vec<Heading> {
    if table.len() < 3 {
        return headings;
    }
    let order = |index: usize| {
        let values: Vec<f64> =
            (0..table.len()).map(|row| table.value(row, index).as_f64()).collect::<Option<Vec<_>>>()?;
        let changes = values.first() != values.last();
        if changes && values.windows(2).all(|pair| pair[0] >= pair[1]) {
            Some("descending")
        } else if changes && values.windows(2).all(|pair| pair[0] <= pair[1]) {
            Some("ascending")
        } else {
            None
        }
    };
    let found = columns.iter().enumerate().find_map(|(place, index)| {
        let order = order(*index)?;
        (order == "descending" || place == 0).then_some((place, order))
    });
    if let Some((place, order)) = found
        && let Some(heading) = headings.get_mut(place)
    {
        heading.sort = Some(order);
    }
    headings
}

fn cell(table: &Table, row: usize, index: usize, zone: &TimeZone) -> Cell {
    let Some(column) = table.columns.get(index) else {
        return Cell::default();
    };
    let value = column.value(row);
    let unit = match (column.unit, table.get(row, "series")) {
        (Unit::Score, Value::Text(series))
            if ["value", "previous", "before", "after", "usual", "usual_low", "usual_high"]
                .contains(&column.name.as_str()) =>
        {
            format::series_unit(series)
        }
        (unit, _) => unit,
    };
    let (text, title) = match value {
        Value::Text(full) => {
            let full = format::clean(full);
            let text = match column.name.as_str() {
                // A series is called after the column that it is made of.
                "series" => format::label(&full, format::series_unit(&full)),
                _ if full.starts_with(['/', '~']) && full[1..].contains('/') => format::tail(&full, PATH_CHARS),
                _ => format::short(&full, CELL_CHARS),
            };
            let title = (text != full).then(|| format::short(&full, TITLE_CHARS));
            (if text.trim().is_empty() { "(empty)".to_owned() } else { text }, title)
        }
        Value::Int(day @ 1..=7) if column.name == "weekday" => (weekday(day).to_owned(), None),
        _ => (format::value(value, unit, zone), format::exact(value, unit)),
    };
    let ends = interval_of(table, index)
        .and_then(|(low, high)| Some((table.value(row, low).as_f64()?, table.value(row, high).as_f64()?)));
    let interval = ends.map(|(low, high)| match column.unit {
        Unit::Ratio if low < 0.0 => {
            format!("{} to {}", format::count((low * 100.0).round()), format::count((high * 100.0).round()))
        }
        Unit::Ratio => format!("{:.0}–{:.0}", low * 100.0, high * 100.0),
        unit => format!("{}–{}", format::number(low, unit), format::number(high, unit)),
    });
    let is_weak = match (column.unit, value.as_f64(), ends) {
        // Differences of two rates have another interval.
        (Unit::Ratio, Some(rate), Some(ends)) if !column.name.contains("difference") => is_weak(rate, ends),
        _ => false,
    };
    // Beside a duration or an amount there is no room for its interval: it stands with the exact value.
    let (title, interval) = match interval {
        Some(range) if matches!(column.unit, Unit::Ms | Unit::Tokens | Unit::Usd | Unit::Chars) => {
            (Some(format!("{}, 95 %: {range}", title.unwrap_or_else(|| value.to_text()))), None)
        }
        interval => (title, interval),
    };
    let is_short = text.chars().count() <= SHORT_CHARS;
    Cell { text, title, interval, is_weak, is_short, svg: None }
}

/// `Mon` … `Sun` for ISO weekdays.
#[must_use]
pub(super) fn weekday(iso: i64) -> &'static str {
    match iso {
        1 => "Mon",
        2 => "Tue",
        3 => "Wed",
        4 => "Thu",
        5 => "Fri",
        6 => "Sat",
        7 => "Sun",
        _ => "?",
    }
}

/// Whether a rate's 95 % Wilson interval is wider than one of five observations would be.
#[must_use]
pub(super) fn is_weak(rate: f64, (low, high): (f64, f64)) -> bool {
    let z2 = 1.96_f64 * 1.96;
    let widest =
        2.0 * 1.96 / (1.0 + z2 / FEWEST) * (rate * (1.0 - rate) / FEWEST + z2 / (4.0 * FEWEST * FEWEST)).sqrt();
    // A little more than five allow: their ends may come rounded.
    high - low > widest + 2e-3
}

#[cfg(test)]
mod tests {
    use super::is_weak;

    #[test]
    fn four_of_four_is_weak_and_five_of_five_is_not() {
        assert!(is_weak(1.0, (0.5101, 1.0)));
        assert!(!is_weak(1.0, (0.5655, 1.0)));
    }
}
