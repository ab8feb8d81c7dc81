//! The head: headline numbers, each with its change on the period before and its last twelve periods; and the
//! reconciliation with `opencode stats`.
//!
//! Input: `overview` of this period, the one before and earlier ones. Output: [`Headline`]s and [`Reconciled`] rows.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::chart::spark;
use super::model::{Better, Report};
use super::{format, tabular};
use crate::engine::table::{Table, Unit};

/// Periods in a sparkline.
const MOST_PERIODS: usize = 12;

/// One headline number.
#[derive(Debug, Clone, Serialize)]
pub struct Headline {
    /// Column of `overview`.
    pub key: &'static str,
    /// In words.
    pub label: &'static str,
    /// As people read it.
    pub text: String,
    /// Exact, where the text is rounder.
    pub exact: Option<String>,
    /// What stands beside it: `of 14 installed`.
    pub beside: Option<String>,
    /// Change on the period before, in words.
    pub change: Option<String>,
    /// up, down or same.
    pub direction: &'static str,
    /// better, worse, or nothing.
    pub verdict: &'static str,
    /// Value of the period before.
    pub previous_text: Option<String>,
    /// Small chart of the last periods.
    pub sparkline: Option<String>,
    /// The number.
    #[serde(skip)]
    pub value: Option<f64>,
    /// The number of the period before.
    #[serde(skip)]
    pub previous: Option<f64>,
    /// The last periods, oldest first: name, value.
    pub history: Vec<Past>,
    /// A rate on fewer than five observations.
    pub is_weak: bool,
    /// Unit.
    #[serde(skip)]
    pub unit: Unit,
}

/// One earlier period of a headline number.
#[derive(Debug, Clone, Serialize)]
pub struct Past {
    /// Its name.
    pub period: String,
    /// The number.
    pub value: Option<f64>,
    /// As people read it.
    pub text: String,
    /// Not over yet.
    pub is_unfinished: bool,
}

impl Headline {
    /// As in `report.json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let history = self.history.iter().map(|past| json!({"period": past.period, "value": past.value}));
        json!({"name": self.key, "value": self.value, "previous": self.previous, "unit": self.unit.word(), "history": history.collect::<Vec<_>>()})
    }
}

struct Spec {
    key: &'static str,
    label: &'static str,
    unit: Unit,
    better: Better,
    /// Column that stands beside, with the words around it.
    beside: Option<(&'static str, &'static str, &'static str)>,
}

const HEADLINES: &[Spec] = &[
    Spec {
        key: "cost_usd",
        label: "Cost",
        unit: Unit::Usd,
        better: Better::Neutral,
        beside: Some(("cost_per_day_usd", "", " a day")),
    },
    Spec {
        key: "sessions",
        label: "Sessions",
        unit: Unit::Count,
        better: Better::Neutral,
        beside: Some(("active_days", "on ", " days")),
    },
    Spec {
        key: "turns",
        label: "Turns",
        unit: Unit::Count,
        better: Better::Neutral,
        beside: Some(("cost_per_turn_usd", "", " each")),
    },
    Spec {
        key: "total_tokens",
        label: "Tokens",
        unit: Unit::Tokens,
        better: Better::Neutral,
        beside: Some(("output_tokens", "", " written")),
    },
    Spec {
        key: "cache_hit_ratio",
        label: "Cache hits",
        unit: Unit::Ratio,
        better: Better::Higher,
        beside: Some(("cache_read_tokens", "", " tokens read")),
    },
    Spec {
        key: "tool_error_ratio",
        label: "Tool errors",
        unit: Unit::Ratio,
        better: Better::Lower,
        beside: Some(("tool_calls", "of ", " calls")),
    },
    Spec {
        key: "edit_success_ratio",
        label: "Edit success",
        unit: Unit::Ratio,
        better: Better::Higher,
        beside: Some(("edit_attempts", "of ", " attempts")),
    },
    Spec {
        key: "skills_used",
        label: "Skills used",
        unit: Unit::Count,
        better: Better::Higher,
        beside: Some(("skills_installed", "of ", " installed")),
    },
];

/// The headline numbers that `overview` has.
#[must_use]
pub fn headlines(report: &Report) -> Vec<Headline> {
    let Some(now) = overview(report) else { return Vec::new() };
    let before = report.previous.get("overview");
    HEADLINES
        .iter()
        .filter(|spec| now.column(spec.key).is_some())
        .map(|spec| headline(spec, now, before, report))
        .collect()
}

fn overview(report: &Report) -> Option<&Table> {
    let table = report.metrics.iter().find(|metric| metric.name == "overview")?.result.as_ref().ok()?;
    (!table.is_empty()).then_some(table)
}

fn headline(spec: &Spec, now: &Table, before: Option<&Table>, report: &Report) -> Headline {
    let value = now.get(0, spec.key).as_f64();
    let previous = before.and_then(|table| table.get(0, spec.key).as_f64());
    let beside = spec.beside.and_then(|(column, prefix, suffix)| {
        let number = now.get(0, column).as_f64()?;
        // Of nothing, nothing is said.
        if number == 0.0 && value.unwrap_or(0.0) == 0.0 {
            return None;
        }
        // Used skills of none installed: their folders are elsewhere.
        if column == "skills_installed" && number < value.unwrap_or(0.0) {
            return None;
        }
        let unit = now.column(column)?.unit;
        let suffix = if (number - 1.0).abs() < f64::EPSILON && unit == Unit::Count {
            suffix.strip_suffix('s').unwrap_or(suffix)
        } else {
            suffix
        };
        Some(format!("{prefix}{}{suffix}", format::number(number, unit)))
    });
    let (change, direction) =
        value.zip(previous).map_or((None, "same"), |(now, before)| changed(now, before, spec.unit));
    let is_weak = [Some(now), before].into_iter().flatten().any(|table| is_weak(table, spec.key));
    let verdict = match (spec.better, direction) {
        _ if is_weak => "",
        (Better::Higher, "up") | (Better::Lower, "down") => "better",
        (Better::Higher, "down") | (Better::Lower, "up") => "worse",
        _ => "",
    };
    let is_weak_now = self::is_weak(now, spec.key);
    let history = history(spec, value, report);
    Headline {
        key: spec.key,
        label: spec.label,
        text: value.map_or_else(|| format::UNKNOWN.to_owned(), |value| format::number(value, spec.unit)),
        exact: format::exact(now.get(0, spec.key), spec.unit),
        beside,
        change,
        direction,
        verdict,
        previous_text: previous.map(|value| format::number(value, spec.unit)),
        sparkline: spark::draw(&history),
        is_weak: is_weak_now,
        value,
        previous,
        history,
        unit: spec.unit,
    }
}

fn is_weak(table: &Table, key: &str) -> bool {
    let index = table.position(key);
    let ends = index.and_then(|index| tabular::interval_of(table, index));
    let ends = ends.and_then(|(low, high)| Some((table.value(0, low).as_f64()?, table.value(0, high).as_f64()?)));
    let rate = table.get(0, key).as_f64();
    rate.zip(ends).is_some_and(|(rate, ends)| tabular::is_weak(rate, ends))
}

/// Rates change by points, amounts by per cent.
fn changed(now: f64, before: f64, unit: Unit) -> (Option<String>, &'static str) {
    let difference = now - before;
    let (text, size) = match unit {
        Unit::Ratio => (
            format!("{}{:.1}\u{a0}points", if difference > 0.0 { "+" } else { "−" }, difference.abs() * 100.0),
            difference.abs() * 100.0,
        ),
        _ if before == 0.0 && now != 0.0 => ("new".to_owned(), 1.0),
        _ if before == 0.0 => (String::new(), 0.0),
        _ => (format::signed_ratio(difference / before), (difference / before).abs() * 1000.0),
    };
    if size < 0.05 || difference == 0.0 {
        return (Some("no change".to_owned()), "same");
    }
    (Some(text), if difference > 0.0 { "up" } else { "down" })
}

fn history(spec: &Spec, value: Option<f64>, report: &Report) -> Vec<Past> {
    let past = |period: &str, value: Option<f64>, is_unfinished| Past {
        period: period.to_owned(),
        value,
        text: value.map_or_else(|| format::UNKNOWN.to_owned(), |value| format::number(value, spec.unit)),
        is_unfinished,
    };
    let earlier = report.history.iter().filter(|period| period.name != report.period.name);
    let mut all: Vec<Past> = earlier
        .map(|period| {
            past(
                &period.name,
                period.metrics.get("overview").and_then(|table| table.get(0, spec.key).as_f64()),
                period.is_unfinished,
            )
        })
        .collect();
    if all.is_empty() {
        return all;
    }
    all.push(past(&report.period.name, value, report.period.is_unfinished));
    let surplus = all.len().saturating_sub(MOST_PERIODS);
    all.drain(..surplus);
    all
}

/// The report in a few lines, for a terminal.
#[must_use]
pub fn summary(report: &Report, headline: &[Headline]) -> Vec<String> {
    let told = headline.iter().filter(|number| number.value.is_some()).take(6).map(|number| {
        let change = number.change.as_ref().filter(|_| number.direction != "same");
        let change = change.map_or_else(String::new, |change| format!(" ({change})"));
        format!("{} {}{change}", number.label.to_lowercase(), number.text)
    });
    let numbers = told.collect::<Vec<_>>().join(" · ");
    let mut lines = vec![if numbers.is_empty() {
        format!("{}: nothing was measured", report.title)
    } else {
        format!("{}: {numbers}", report.title)
    }];
    if let Some(first) = report.findings.first() {
        let count = report.findings.len();
        let many = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings, first") };
        lines.push(format!("{many}: {}", format::short(&format::clean(&first.sentence), 160)));
    }
    lines
}

/// One line of the reconciliation with `opencode stats`.
#[derive(Debug, Clone, Serialize)]
pub struct Reconciled {
    /// What is counted.
    pub label: &'static str,
    /// With fork copies, as `opencode stats` counts.
    pub raw: String,
    /// What fork copies add.
    pub copies: String,
    /// Each work once.
    pub distinct: String,
    /// Of it undone.
    pub undone: String,
    /// Of it gone from OpenCode's database and only kept here.
    pub vanished: Option<String>,
}

/// The reconciliation, where `overview` has both totals.
#[must_use]
pub fn reconciliation(report: &Report) -> Vec<Reconciled> {
    const ROWS: &[(&str, &str, &str, Unit)] = &[
        ("Sessions", "sessions", "", Unit::Count),
        ("Messages", "messages", "undone_messages", Unit::Count),
        ("Cost", "cost_usd", "undone_cost_usd", Unit::Usd),
        ("Input tokens", "input_tokens", "", Unit::Tokens),
        ("Output tokens", "output_tokens", "", Unit::Tokens),
        ("Reasoning tokens", "reasoning_tokens", "", Unit::Tokens),
        ("Cache read", "cache_read_tokens", "", Unit::Tokens),
        ("Cache written", "cache_write_tokens", "", Unit::Tokens),
        ("Tool calls", "tool_calls", "", Unit::Count),
        ("Tool errors", "tool_errors", "", Unit::Count),
    ];
    let Some(table) = overview(report) else { return Vec::new() };
    let number = |name: &str| table.get(0, name).as_f64();
    let text = |value: Option<f64>, unit| {
        value.map_or_else(|| format::UNKNOWN.to_owned(), |value| format::number(value, unit))
    };
    let has_vanished = table.columns.iter().any(|column| column.name.starts_with("vanished_"));
    let rows = ROWS.iter().filter(|(_, column, ..)| table.column(&format!("raw_{column}")).is_some());
    rows.map(|(label, column, undone, unit)| {
        let (raw, distinct) = (number(&format!("raw_{column}")), number(column));
        let copies = raw.zip(distinct).map(|(raw, distinct)| raw - distinct);
        Reconciled {
            label,
            raw: text(raw, *unit),
            copies: text(copies, *unit),
            distinct: text(distinct, *unit),
            undone: text(number(undone), *unit),
            vanished: has_vanished.then(|| text(number(&format!("vanished_{column}")), *unit)),
        }
    })
    .collect()
}
