//! The five tables of telemetry inside OpenCode's database, if somebody added them.
//!
//! Input: an open database. Output: events into the sink. Tables and columns are found by name, whatever their order, case,
//! spaces and underscores; a column that is not known stays in `raw`. A table that cannot be read to its end, because it is
//! damaged, gives what it can and a note in the quarantine: nobody but its owner knows it.

use super::clock;
use super::event::{Event, EventKind};
use super::fields::{self, ENVELOPE, Strictness};
use super::sink::Sink;
use crate::error::ExtractError;
use crate::extract::opencode::sqlite::{Source, explain};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Table and the kind of its rows.
const TABLES: [(&str, EventKind); 5] = [
    ("skill_metrics", EventKind::Skill),
    ("edit_metrics", EventKind::Edit),
    ("rlm_metrics", EventKind::Rlm),
    ("intent_metrics", EventKind::Intent),
    ("verification_metrics", EventKind::Verification),
];

/// Keys under which a row's time may stand.
const TIMES: [&str; 6] = ["tsms", "ts", "timestamp", "timecreated", "createdat", "time"];

/// True when the database has any of the tables.
pub(super) fn has_any(source: &Source) -> bool {
    TABLES.iter().any(|(table, _)| source.columns.contains_key(*table))
}

/// Reads those that are there.
///
/// # Errors
/// Another program holds the database.
pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<(), ExtractError> {
    for (table, kind) in TABLES {
        let Some(columns) = source.columns.get(table) else { continue };
        let Err(error) = read_table(source, (table, kind), columns, sink) else { continue };
        match explain(&source.path, Some(table), error) {
            error @ ExtractError::Locked { .. } => return Err(error),
            error => sink.bad(None, &format!("table {table} cannot be read to its end: {error}"), b""),
        }
    }
    Ok(())
}

fn read_table(
    source: &Source,
    (table, kind): (&'static str, EventKind),
    columns: &BTreeSet<String>,
    sink: &mut Sink<'_>,
) -> Result<(), rusqlite::Error> {
    let names: Vec<String> = columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let sql = format!("select {} from \"{table}\"", names.join(", "));
    let mut statement = source.connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let mut values = Map::new();
        for (index, name) in columns.iter().enumerate() {
            values.insert(name.clone(), json(row.get_ref(index)?));
        }
        let raw = Value::Object(values.clone()).to_string();
        sink.event(event(table, kind, number, &values, &raw), &raw);
    }
    Ok(())
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn event(table: &str, kind: EventKind, number: i64, values: &Map<String, Value>, raw: &str) -> Event {
    let label = values
        .iter()
        .find(|(key, _)| matches!(fields::plain(key).as_str(), "confidenceoflabel" | "label"))
        .and_then(|(_, value)| value.as_str())
        .filter(|label| matches!(*label, "explicit" | "derived" | "weak"))
        .unwrap_or("explicit");
    let mut event = Event::new(kind, "tables", label, number);
    for (key, value) in values {
        if let Some(field) = fields::find(ENVELOPE, key) {
            event.take(field, "", value, Strictness::Sqlite);
        }
    }
    event.take_all("", values, Strictness::Sqlite);
    let recorded = TIMES.iter().find_map(|name| {
        values.iter().find(|(key, value)| fields::plain(key) == *name && !value.is_null()).map(|(_, value)| value)
    });
    let numeric = recorded.and_then(Value::as_str).and_then(|text| text.trim().parse::<i64>().ok());
    // SQLite's own clock writes UTC without saying so.
    match numeric.or_else(|| recorded.and_then(|value| clock::moment(value, Some(&TimeZone::UTC)))) {
        Some(time) => {
            event.set("ts", time);
            if !clock::is_plausible(time) {
                event.problem(format!("the time is {time}, which is absurd"));
            }
        }
        None => event.problem("the time is missing"),
    }
    match values.iter().find(|(key, value)| fields::plain(key) == "id" && !value.is_null()) {
        Some((_, Value::String(id))) if !id.is_empty() => event.set("id", id.as_str()),
        // Numbers are counted up in each table of each database.
        Some((_, id)) => {
            let (id, time) = (id.to_string(), event.time().map(|time| time.to_string()));
            event.identify(&[table, &id, time.as_deref().unwrap_or_default()]);
        }
        None => event.identify(&[table, raw]),
    }
    event
}
