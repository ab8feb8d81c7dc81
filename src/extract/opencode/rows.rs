//! Rows of messages and parts, as SQLite hands them over: borrowed, and unchecked.
//!
//! Input: an SQLite statement's current row. Output: [`RawRow`].

use super::partition::Generation;
use super::sqlite::Source;
use rusqlite::types::ValueRef;

/// Which source table a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// First generation: `message`.
    Message,
    /// First generation: `part`.
    Part,
    /// Second generation: `session_message`.
    V2,
}

impl RowKind {
    /// The kinds that a source has, in the order in which they are read: what parts say is needed to read messages.
    pub(super) fn of(source: &Source) -> impl Iterator<Item = Self> {
        let first = source.has_v1().then_some([Self::Part, Self::Message]);
        first.into_iter().flatten().chain(source.has_v2().then_some(Self::V2))
    }

    /// The generation of schema that has it.
    #[must_use]
    pub(super) fn generation(self) -> Generation {
        match self {
            Self::Message | Self::Part => Generation::V1,
            Self::V2 => Generation::V2,
        }
    }

    /// Name of the source's table.
    #[must_use]
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Part => "part",
            Self::V2 => "session_message",
        }
    }
}

/// A cell that should hold text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    /// UTF-8 is not yet checked.
    Text(&'a [u8]),
    /// Its bytes are kept for the quarantine.
    Blob(&'a [u8]),
    /// NULL.
    Null,
    /// A number where text belongs.
    Number,
}

impl<'a> From<ValueRef<'a>> for Field<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Text(bytes) => Self::Text(bytes),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
            ValueRef::Null => Self::Null,
            ValueRef::Integer(_) | ValueRef::Real(_) => Self::Number,
        }
    }
}

impl<'a> Field<'a> {
    /// Its bytes.
    #[must_use]
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            Self::Null | Self::Number => None,
        }
    }

    /// Its text; bytes that are not UTF-8 are no text.
    #[must_use]
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => simdutf8::basic::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRow<'a> {
    /// The table.
    pub kind: RowKind,
    /// SQLite's rowid.
    pub rowid: i64,
    /// `id`.
    pub id: Field<'a>,
    /// `message_id` of a part, `type` of a v2 row.
    pub second: Field<'a>,
    /// `session_id`.
    pub session_id: Field<'a>,
    /// `time_created`, where it is an integer.
    pub time_created: Option<i64>,
    /// `time_updated`, where it is an integer.
    pub time_updated: Option<i64>,
    /// `seq` of a v2 row.
    pub seq: Option<i64>,
    /// `data`.
    pub data: Field<'a>,
}

impl<'a> RawRow<'a> {
    /// The current row of a statement that selects the rowid and what is [`wanted`].
    ///
    /// # Errors
    /// As SQLite says.
    pub(super) fn of(kind: RowKind, row: &'a rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            kind,
            rowid: integer(row.get_ref(0)?).unwrap_or_default(),
            id: row.get_ref(1)?.into(),
            second: row.get_ref(2)?.into(),
            session_id: row.get_ref(3)?.into(),
            time_created: integer(row.get_ref(4)?),
            time_updated: integer(row.get_ref(5)?),
            seq: integer(row.get_ref(6)?),
            data: row.get_ref(7)?.into(),
        })
    }
}

/// An integer cell: whole floats count, anything else is unknown.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "range and wholeness are checked first")]
pub(super) fn integer(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(number as i64),
        _ => None,
    }
}

/// Columns of the statement, in this order: rowid, id, second, session_id, time_created, time_updated, seq, data.
#[must_use]
pub(super) fn wanted(kind: RowKind) -> [&'static str; 7] {
    match kind {
        RowKind::Message => ["id", "-", "session_id", "time_created", "time_updated", "-", "data"],
        RowKind::Part => ["id", "message_id", "session_id", "time_created", "time_updated", "-", "data"],
        RowKind::V2 => ["id", "type", "session_id", "time_created", "time_updated", "seq", "data"],
    }
}
