//! Signatures: what a refresh compares to find the sessions that changed.
//!
//! Input: rows, as SQLite holds them. Output: a 128-bit hash of each; the sum of the hashes of a session's rows,
//! whatever their order, is the session's signature. A row's data takes part when it is short enough to lie in SQLite's leaf
//! page, and only with its length when not: so a refresh reads no overflow page of what did not change. (OpenCode never
//! changes a long text without its length or the row's `time_updated`.)

use super::rows::{Field, RawRow};
use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::xxh3_128;

/// Data up to this many bytes is hashed; with its row it fits into a page of 4,096 bytes.
pub(super) const LOCAL: usize = 3_800;

/// A row's data.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload<'a> {
    /// It is at hand.
    Near(Field<'a>),
    /// Only its length is known, and whether it is a BLOB.
    Far(usize, bool),
}

impl<'a> Payload<'a> {
    /// What is hashed of data that is at hand.
    pub(super) fn of(data: Field<'a>) -> Self {
        match data {
            Field::Text(bytes) if bytes.len() > LOCAL => Self::Far(bytes.len(), false),
            Field::Blob(bytes) if bytes.len() > LOCAL => Self::Far(bytes.len(), true),
            near => Self::Near(near),
        }
    }
}

/// Hashes rows; keeps its buffer between them.
#[derive(Debug, Default)]
pub(super) struct Hasher {
    buffer: Vec<u8>,
}

impl Hasher {
    /// Begins a row that is hashed value by value.
    pub(super) fn begin(&mut self, tag: u8) {
        self.buffer.clear();
        self.buffer.push(tag);
    }

    fn field(&mut self, field: Field<'_>) {
        let (tag, bytes): (u8, &[u8]) = match field {
            Field::Text(bytes) => (1, bytes),
            Field::Blob(bytes) => (2, bytes),
            Field::Null => (3, &[]),
            Field::Number => (4, &[]),
        };
        self.buffer.push(tag);
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    /// The next value, whole.
    pub(super) fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Integer(number) => {
                self.buffer.push(5);
                self.buffer.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                self.buffer.push(6);
                self.buffer.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            other => self.field(other.into()),
        }
    }

    /// Ends a row.
    pub(super) fn end(&mut self) -> u128 {
        xxh3_128(&self.buffer)
    }

    /// The hash of a row of messages or parts, whose own `data` may not have been read: `data` stands for it.
    pub(super) fn row(&mut self, row: &RawRow<'_>, data: Payload<'_>) -> u128 {
        self.begin(row.kind as u8);
        self.field(row.id);
        self.field(row.second);
        self.field(row.session_id);
        if !matches!(row.id, Field::Text(_)) {
            // Only its rowid tells such a row in the quarantine.
            self.buffer.extend_from_slice(&row.rowid.to_le_bytes());
        }
        for number in [row.time_created, row.time_updated, row.seq] {
            self.buffer.push(u8::from(number.is_some()));
            self.buffer.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
        }
        match data {
            Payload::Near(Field::Text(bytes)) => {
                self.buffer.push(7);
                self.buffer.extend_from_slice(&xxh3_128(bytes).to_le_bytes());
            }
            Payload::Near(field) => self.field(field),
            Payload::Far(length, is_blob) => {
                self.buffer.push(8 + u8::from(is_blob));
                self.buffer.extend_from_slice(&(length as u64).to_le_bytes());
            }
        }
        self.end()
    }
}
