//! One event of telemetry under construction, whatever it was read from.
//!
//! Input: keys and values as recorded. Output: an [`Event`] with typed cells, and a remark for each value that made no
//! sense: such a value is unknown (NULL), never guessed, and the event stays.

use super::fields::{self, Field, Strictness};
use crate::model::digest;
use crate::store::batch::Batch;
use crate::store::schema::Kind;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The use of a skill.
    Skill,
    /// An attempt to edit a file.
    Edit,
    /// A run over a large text, or a chunk of one.
    Rlm,
    /// A routing decision.
    Intent,
    /// A verification loop or verdict.
    Verification,
    /// A tool that failed.
    ToolError,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Skill, Self::Edit, Self::Rlm, Self::Intent, Self::Verification, Self::ToolError];

    /// As written in `kind`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Edit => "edit",
            Self::Rlm => "rlm",
            Self::Intent => "intent",
            Self::Verification => "verification",
            Self::ToolError => "tool_error",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

/// An event under construction.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// What it tells of.
    pub kind: EventKind,
    cells: Vec<(&'static str, Cell)>,
    problems: Vec<String>,
}

impl Event {
    /// An event that says nothing yet; `label` is explicit, derived or weak, `line` its place in the file, from 1.
    pub(super) fn new(kind: EventKind, source: &str, label: &str, line: i64) -> Self {
        let mut event = Self { kind, cells: Vec::with_capacity(16), problems: Vec::new() };
        event.set("kind", kind.name());
        event.set("source", source);
        event.set("label", label);
        event.set("line", line);
        event
    }

    /// Sets a column; the last word stands.
    pub(super) fn set(&mut self, column: &'static str, value: impl Into<Cell>) {
        let value = value.into();
        match self.cells.iter_mut().find(|(known, _)| *known == column) {
            Some((_, cell)) => *cell = value,
            None => self.cells.push((column, value)),
        }
    }

    /// Sets a column where there is a value.
    pub(super) fn maybe(&mut self, column: &'static str, value: Option<impl Into<Cell>>) {
        if let Some(value) = value {
            self.set(column, value);
        }
    }

    /// A column's value.
    pub(super) fn get(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(known, _)| *known == column).map(|(_, cell)| cell)
    }

    /// A column's text.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match self.get(column) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Something that is not as it should be.
    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// True when something was not as it should be.
    pub(super) fn has_problem(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Takes a value by its recorded key into the column of this field; nonsense becomes a remark.
    pub(super) fn take(&mut self, field: &Field, place: &str, value: &Value, strictness: Strictness) {
        match fields::decode(field, value, strictness) {
            Ok(Some(cell)) => self.set(field.column, cell),
            Ok(None) => {}
            Err(problem) => self.problem(format!("{place}{} {problem}", field.key)),
        }
    }

    /// Takes every known key of an object; unknown ones stay in `raw`.
    pub(super) fn take_all(&mut self, place: &str, values: &Map<String, Value>, strictness: Strictness) {
        let known = fields::of(self.kind);
        for (key, value) in values {
            if let Some(field) = fields::find(known, key) {
                self.take(field, place, value, strictness);
            }
        }
    }

    /// Names the event by a hash of what identifies it.
    pub(super) fn identify(&mut self, parts: &[&str]) {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let hex = digest::hex(&hash.finalize());
        self.set("id", format!("{}:{}", self.text("source").unwrap_or_default(), &hex[..24]));
    }

    /// The time as recorded.
    pub(super) fn time(&self) -> Option<i64> {
        match self.get("ts") {
            Some(Cell::Int(time)) => Some(*time),
            _ => None,
        }
    }

    /// Writes the row.
    pub(super) fn write(&self, batch: &mut Batch) {
        let problem = Some(self.problems.join("; ")).filter(|text| !text.is_empty()).map(Cell::Text);
        write_cells(batch, |column| if column == "problem" { problem.as_ref() } else { self.get(column) });
    }
}

/// Writes one row of any table: each column by its name, NULL where there is no cell of its kind.
pub(super) fn write_cells<'a>(batch: &mut Batch, cell_of: impl Fn(&str) -> Option<&'a Cell>) {
    let table = batch.table();
    let mut row = batch.row();
    for column in table.columns {
        let cell = cell_of(column.name);
        match column.kind {
            Kind::Text => row.text(match cell {
                Some(Cell::Text(text)) => Some(text),
                _ => None,
            }),
            Kind::Int => row.int(match cell {
                Some(Cell::Int(number)) => Some(*number),
                _ => None,
            }),
            Kind::Float => row.float(match cell {
                Some(Cell::Float(number)) => Some(*number),
                #[allow(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
                Some(Cell::Int(number)) => Some(*number as f64),
                _ => None,
            }),
            Kind::Bool => row.bool(match cell {
                Some(Cell::Bool(flag)) => Some(*flag),
                _ => None,
            }),
        };
    }
}

/// Every column that an event may set is one of the table's.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::TELEMETRY;

    #[test]
    fn every_field_has_a_column_of_the_table() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.name()), Some(kind));
            for field in fields::of(kind).iter().chain(fields::ENVELOPE) {
                assert!(TELEMETRY.position(field.column).is_some(), "{}: {}", kind.name(), field.column);
            }
        }
    }

    #[test]
    fn the_same_parts_give_the_same_id_and_others_do_not() {
        let id = |parts: &[&str]| {
            let mut event = Event::new(EventKind::Skill, "traces", "explicit", 1);
            event.identify(parts);
            event.text("id").unwrap_or_default().to_owned()
        };
        assert_eq!(id(&["a", "b"]), id(&["a", "b"]));
        assert_ne!(id(&["a", "b"]), id(&["ab"]));
        assert!(id(&["a"]).starts_with("traces:"));
    }
}
