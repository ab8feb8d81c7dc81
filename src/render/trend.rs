//! The column of small charts at the end of a table: each row's last weeks.
//!
//! Input: a table as it stands on the page, and the metric that has its rows by week. Output: one more column; HTML gets a
//! drawing, Markdown a row of blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::spark;
use super::format;
use super::head::Past;
use super::layout::Trend;
use super::model::Report;
use super::tabular::{Cell, Heading, Shown};
use crate::engine::table::Table;

/// Weeks in a drawing.
const WEEKS: usize = 12;

/// Adds the column, where the metric has anything to draw.
pub(super) fn add(shown: &mut Shown, table: &Table, spec: &Trend, report: &Report) {
    let source = report.metrics.iter().find(|metric| metric.name == spec.metric);
    let Some(source) = source.and_then(|metric| metric.result.as_ref().ok()) else { return };
    let (Some(unit), Some(key)) = (source.column(&spec.y).map(|column| column.unit), table.position(&spec.key)) else {
        return;
    };
    let mut weeks: BTreeSet<String> = BTreeSet::new();
    let mut values: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for row in 0..source.len() {
        let (name, week) = (source.get(row, &spec.key).to_text(), source.get(row, &spec.x).to_text());
        let value = source.get(row, &spec.y).as_f64().unwrap_or(0.0);
        weeks.insert(week.clone());
        *values.entry(name).or_default().entry(week).or_insert(0.0) += value;
    }
    let weeks: Vec<String> = weeks.into_iter().rev().take(WEEKS).rev().collect();
    if weeks.len() < 3 {
        return;
    }
    let cell = |row: usize| {
        let known =
            values.get(&table.value(row, key).to_text()).filter(|known| known.values().any(|value| *value > 0.0));
        let past: Vec<Past> = weeks
            .iter()
            .map(|week| {
                let value = known.map(|known| known.get(week).copied().unwrap_or(0.0));
                Past {
                    period: week.clone(),
                    value,
                    text: value.map_or_else(|| format::UNKNOWN.to_owned(), |value| format::number(value, unit)),
                    is_unfinished: false,
                }
            })
            .collect();
        let svg = known.and_then(|_| spark::small(&past));
        let words = past.iter().map(|past| past.text.as_str()).collect::<Vec<_>>().join(", ");
        Cell { text: spark::blocks(&past), title: svg.is_some().then_some(words), svg, ..Cell::default() }
    };
    let count = shown.top.len();
    for (row, cells) in shown.top.iter_mut().enumerate() {
        cells.push(cell(row));
    }
    for (row, cells) in shown.rest.iter_mut().enumerate() {
        cells.push(cell(count + row));
    }
    shown.columns.push(Heading {
        name: format!("{} by week, from {}", spec.y, spec.metric),
        label: format!("{} weeks", weeks.len()),
        ..Heading::default()
    });
}
