//! Charts: pure functions from tables to inline SVG.
//!
//! Input: a metric's table and its header's `chart:` line. Output: [`Chart`], drawn twice (for wide and for narrow screens,
//! so that labels stay legible), with classes instead of colours: the page's style sheet makes light, dark and print.

mod axis;
mod bar;
mod calibration;
mod heat;
mod interval;
mod line;
mod matrix;
pub mod scale;
mod series;
pub mod spark;
mod stacked;
pub mod svg;
pub mod waterfall;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::borrow::Cow;

use crate::engine::table::{Column, Table, Unit};
use crate::render::format;
use crate::render::model::{ChartSpec, Report};
use svg::Canvas;

/// Width of a drawing for wide screens and print, in CSS pixels.
pub const WIDE: f64 = 820.0;
/// Width of a drawing for narrow screens.
pub const NARROW: f64 = 330.0;

/// A chart, ready for the page.
#[derive(Debug, Clone, Serialize)]
pub struct Chart {
    /// Kind, as in the header.
    pub kind: String,
    /// What it shows, for screen readers and for the caption.
    pub title: String,
    /// What can be seen in it, in words.
    pub desc: String,
    /// What is not drawn.
    pub note: Option<String>,
    /// Inline SVG for wide screens.
    pub wide: String,
    /// Inline SVG for narrow screens.
    pub narrow: String,
    /// Name of the file beside the Markdown report.
    pub file: String,
}

/// What all charts of a report share.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// Days, weeks and months that are not over: where the period is unfinished, those of `--now`.
    open: Vec<String>,
    /// Points at which a series moved: series, ISO week or day, what happened.
    pub moves: Vec<(String, String, String)>,
    /// Days that stand out: series, ISO week or day, what is odd.
    pub spikes: Vec<(String, String, String)>,
    /// First and last day of the period.
    pub days: Option<(Date, Date)>,
    /// Zone of the report.
    pub zone: Option<TimeZone>,
}

impl Scene {
    /// Reads what is open off the report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let zone = TimeZone::get(&report.period.timezone).ok();
        let mut scene = Self { days: report.period.days(), zone, ..Self::default() };
        if report.period.is_unfinished {
            let day = report.now.get(..10).unwrap_or_default().to_owned();
            scene.open =
                [axis::week_of(&day), day.get(..7).map(str::to_owned), Some(day)].into_iter().flatten().collect();
        }
        let table = |name: &str| {
            report.metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.result.as_ref().ok())
        };
        scene.moves = table("change_points").map(moves).unwrap_or_default();
        scene.spikes = table("anomalies").map(spikes).unwrap_or_default();
        scene
    }

    /// Whether a step of an axis is not over yet.
    #[must_use]
    pub fn is_open(&self, label: &str) -> bool {
        self.open.iter().any(|open| open == label)
    }
}

fn moves(table: &Table) -> Vec<(String, String, String)> {
    marks(table, |series, date, number| format!("{series} moved on {date}: {} → {}", number("before"), number("after")))
}

fn spikes(table: &Table) -> Vec<(String, String, String)> {
    marks(table, |series, date, number| format!("{series} on {date}: {}, usually {}", number("value"), number("usual")))
}

/// Rows of `(series, date)` as marks on the day and on its week.
fn marks(table: &Table, what: impl Fn(&str, &str, &dyn Fn(&str) -> String) -> String) -> Vec<(String, String, String)> {
    let mut marks = Vec::new();
    for row in 0..table.len() {
        let (series, date) = (table.get(row, "series").to_text(), table.get(row, "date").to_text());
        let unit = format::series_unit(&series);
        let number = |name: &str| {
            let value = table.get(row, name).as_f64();
            value.map_or_else(|| format::UNKNOWN.to_owned(), |number| format::number(number, unit))
        };
        let text = what(&format::label(&series, unit), &date, &number);
        marks.extend(
            [axis::week_of(&date), Some(date)].into_iter().flatten().map(|step| (series.clone(), step, text.clone())),
        );
    }
    marks
}

/// Draws a metric's chart. `None`: the header wants none, or there is nothing to draw.
///
/// # Errors
/// When the header names a column that the table does not have; the text says which.
pub fn draw(name: &str, title: &str, spec: &ChartSpec, table: &Table, scene: &Scene) -> Option<Result<Chart, String>> {
    if table.is_empty() {
        return None;
    }
    let table = &*of_one_level(table);
    let figure = match spec.kind.as_str() {
        "line" => line::figure(spec, table, scene),
        "bar" => bar::figure(spec, table, scene),
        "stacked" => stacked::figure(spec, table, scene),
        "heat" => heat::figure(spec, table),
        "matrix" | "sankey" => matrix::figure(spec, table),
        "interval" => interval::figure(spec, table),
        "calibration" => calibration::figure(spec, table),
        _ => return None,
    };
    match figure {
        Ok(None) => None,
        Ok(Some(figure)) => Some(Ok(compose(name, title, &spec.kind, figure))),
        Err(message) => Some(Err(message)),
    }
}

/// A metric that says the same at several levels (intents, skills) is drawn at the first of them.
fn of_one_level(table: &Table) -> Cow<'_, Table> {
    let Some(levels) = table.column("level") else { return Cow::Borrowed(table) };
    let first = levels.value(0).to_text();
    let rows: Vec<usize> = (0..table.len()).filter(|row| levels.value(*row).to_text() == first).collect();
    Cow::Owned(table.take(&rows))
}

/// A figure before it is drawn: words, and how to draw it on a canvas of any width.
pub struct Figure {
    /// What can be seen in it, in words.
    pub desc: String,
    /// What is not drawn.
    pub note: Option<String>,
    /// Draws on the canvas and returns the height.
    pub draw: Box<dyn Fn(&mut Canvas) -> f64>,
}

/// Draws a figure for wide and narrow screens.
#[must_use]
pub fn compose(name: &str, title: &str, kind: &str, figure: Figure) -> Chart {
    let once = |width: f64, is_narrow: bool| {
        let mut canvas = Canvas::new(width, is_narrow);
        let height = (figure.draw)(&mut canvas);
        let (id, class) =
            if is_narrow { (format!("c-{name}-n"), "chart narrow") } else { (format!("c-{name}-w"), "chart wide") };
        canvas.finish(height, &id, class, title, &figure.desc)
    };
    Chart {
        kind: kind.to_owned(),
        title: title.to_owned(),
        wide: once(WIDE, false),
        narrow: once(NARROW, true),
        file: format!("{name}.svg"),
        note: figure.note,
        desc: figure.desc,
    }
}

/// A column that the header names.
pub(super) fn needed<'a>(name: Option<&str>, key: &str, table: &'a Table) -> Result<&'a Column, String> {
    let name = name.ok_or_else(|| format!("the chart has no {key}="))?;
    table.column(name).ok_or_else(|| format!("the chart wants {key}={name}, which the metric does not have"))
}

/// Title of an axis: the column in words, with its unit.
pub(super) fn axis_title(column: &str, unit: Unit) -> String {
    let words = format::label(column, unit);
    match unit {
        Unit::Usd => format!("{words} (US dollars)"),
        Unit::Ms => format!("{words} (duration)"),
        Unit::Ratio => format!("{words} (%)"),
        Unit::Tokens if !words.contains("token") => format!("{words} (tokens)"),
        Unit::Chars if !words.contains("char") => format!("{words} (characters)"),
        Unit::Bytes => format!("{words} (bytes)"),
        _ => words,
    }
}

/// A value without its unit where the axis says it.
pub(super) fn tick_text(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Usd if value != 0.0 && value.abs() < 1_000.0 => {
            let is_cents = ((value * 100.0).round() - value * 100.0).abs() < 1e-6;
            let places = if value.abs() < 0.01 {
                4
            } else if is_cents {
                2
            } else {
                3
            };
            let text = format!("{:.places$}", value.abs());
            format!("{}${}", if value < 0.0 { "−" } else { "" }, text.strip_suffix(".00").unwrap_or(&text))
        }
        Unit::Count | Unit::Tokens | Unit::Chars if value.abs() >= 1_000.0 => {
            format::scaled(value).replacen(".0\u{a0}", "\u{a0}", 1)
        }
        _ => format::number(value, unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::table::Data;

    #[test]
    fn only_the_first_level_is_drawn() {
        let text = |name: &str, values: [&str; 3]| Column {
            name: name.into(),
            unit: Unit::Name,
            data: Data::Text(values.iter().map(|value| Some((*value).to_owned())).collect()),
        };
        let table =
            Table { columns: vec![text("level", ["skill", "skill", "intent"]), text("actual", ["a", "b", "c"])] };
        let drawn = of_one_level(&table);
        assert_eq!((drawn.len(), drawn.get(1, "actual").to_text()), (2, "b".to_owned()));
        let flat = Table { columns: vec![text("actual", ["a", "b", "c"])] };
        assert_eq!(of_one_level(&flat).len(), 3);
    }
}
