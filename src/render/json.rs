//! `report.json`: everything the pages show, in full precision. Input: a [`Report`]. Output: JSON text.

use serde_json::{Map, Value, json};

use super::change::Change;
use super::error::RenderError;
use super::head::Headline;
use super::model::Report;

/// Writes the report as JSON, indented, with a line end.
///
/// # Errors
/// When a value cannot be written as JSON.
pub(super) fn write(report: &Report, headline: &[Headline], change: Option<&Change>) -> Result<String, RenderError> {
    let rows = |result: &Result<_, _>| result.as_ref().ok().map(crate::engine::table::Table::to_json);
    let metrics: Map<String, Value> =
        report.metrics.iter().filter_map(|metric| Some((metric.name.clone(), rows(&metric.result)?))).collect();
    let failed: Map<String, Value> = report
        .metrics
        .iter()
        .filter_map(|metric| Some((metric.name.clone(), Value::from(metric.result.as_ref().err()?.clone()))))
        .collect();
    let mut whole = json!({
        "schema_version": report.schema_version,
        "title": report.title,
        "now": report.now,
        "stamp": report.stamp,
        "period": report.period,
        "compared_with": report.compared_with,
        "filters": report.filters,
        "headline": headline.iter().map(Headline::to_json).collect::<Vec<_>>(),
        "changes": change,
        "metrics": metrics,
        "failed": failed,
        "findings": report.findings,
        "provenance": report.provenance,
    });
    if let Value::Object(keys) = &mut whole {
        keys.retain(|key, value| match key.as_str() {
            "failed" => value.as_object().is_some_and(|failed| !failed.is_empty()),
            "stamp" => !value.is_null(),
            _ => true,
        });
    }
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}
