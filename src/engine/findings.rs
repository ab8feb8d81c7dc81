//! Runs every finding and joins their rows: what to do, most saving first.
//!
//! Input: the finding files of the registry. Output: one table with [`COLUMNS`]; a finding that fails is an error beside it.

use super::asker::Asker;
use super::fanout::{Measured, Task};
use super::table::{Column, Data, Table, Unit, Value};
use crate::error::EngineError;
use crate::metric::Layer;
use crate::model::period::Period;
use crate::registry::Registry;
use std::cmp::Ordering;

/// What every finding says, after its own name.
pub const COLUMNS: &[(&str, Unit)] = &[
    ("finding", Unit::Name),
    ("severity", Unit::Name),
    ("subject", Unit::Name),
    ("sentence", Unit::Name),
    ("action", Unit::Name),
    ("metric", Unit::Name),
    ("evidence", Unit::Name),
    ("n", Unit::Count),
    ("ci_low", Unit::Score),
    ("ci_high", Unit::Score),
    ("saved_tokens_per_week", Unit::Tokens),
    ("saved_usd_per_week", Unit::Usd),
    ("saved_usd_low", Unit::Usd),
    ("saved_usd_high", Unit::Usd),
    ("confidence", Unit::Name),
];

/// Findings, and the files that failed.
#[derive(Debug, Default)]
pub struct Found {
    /// Rows, most saving first.
    pub table: Table,
    /// What could not be run.
    pub failures: Vec<EngineError>,
}

/// Runs all findings over a period.
///
/// # Errors
/// The database cannot be opened.
pub fn find(asker: &Asker<'_>, registry: &Registry, period: &Period) -> anyhow::Result<Found> {
    Ok(join(asker.measure(&tasks(registry, period))?))
}

/// What is to be run for them.
#[must_use]
pub fn tasks<'a>(registry: &'a Registry, period: &'a Period) -> Vec<Task<'a>> {
    registry.layer(Layer::Finding).map(|metric| Task { metric, period }).collect()
}

/// Joins what was found.
#[must_use]
pub fn join(found: Vec<Measured<'_>>) -> Found {
    let mut failures = Vec::new();
    let mut rows: Vec<(String, Table, usize)> = Vec::new();
    for measured in found {
        match measured.result {
            Ok(table) => rows.extend((0..table.len()).map(|row| (measured.metric.name.clone(), table.clone(), row))),
            Err(error) => failures.push(error),
        }
    }
    let number = |row: &(String, Table, usize), column: &str| row.1.get(row.2, column).as_f64().unwrap_or(0.0);
    rows.sort_by(|left, right| {
        let by = |column: &str| number(right, column).total_cmp(&number(left, column));
        by("saved_usd_per_week")
            .then_with(|| by("saved_tokens_per_week"))
            .then_with(|| rank(left).cmp(&rank(right)))
            .then_with(|| left.0.cmp(&right.0))
            .then_with(|| subject(left).cmp(&subject(right)))
            .then(Ordering::Equal)
    });
    let columns = COLUMNS
        .iter()
        .map(|(name, unit)| {
            let text = |row: &(String, Table, usize)| match row.1.get(row.2, name) {
                Value::Null => None,
                value => Some(value.to_text()),
            };
            let data = match (*name, unit) {
                ("finding", _) => Data::Text(rows.iter().map(|row| Some(row.0.clone())).collect()),
                (_, Unit::Name) => Data::Text(rows.iter().map(text).collect()),
                ("n", _) => Data::Int(rows.iter().map(|row| row.1.get(row.2, "n").as_i64()).collect()),
                _ => Data::Float(rows.iter().map(|row| row.1.get(row.2, name).as_f64()).collect()),
            };
            Column { name: (*name).to_owned(), unit: *unit, data }
        })
        .collect();
    Found { table: Table { columns }, failures }
}

fn subject(row: &(String, Table, usize)) -> String {
    row.1.get(row.2, "subject").to_text()
}

/// Of findings that save the same, the graver comes first.
fn rank(row: &(String, Table, usize)) -> u8 {
    match row.1.get(row.2, "severity").to_text().as_str() {
        "high" => 0,
        "medium" => 1,
        "low" => 2,
        _ => 3,
    }
}
