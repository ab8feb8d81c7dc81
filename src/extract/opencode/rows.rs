//! Raw rows, copied out of SQLite once, in chunks that belong to one partition of the store.
//!
//! Input: an SQLite statement. Output: [`Chunk`]s, each bounded in bytes, whose sequence depends only on the rows.

use super::partition::Generation;
use super::sqlite::Source;
use rusqlite::types::ValueRef;
use std::ops::Range;

/// A chunk is handed to a worker when it reaches this many bytes …
const CHUNK_BYTES: usize = 12 << 20;
/// … or this many rows.
const CHUNK_ROWS: usize = 1 << 17;
/// All chunks under construction together; the largest goes first.
const PENDING_BYTES: usize = 40 << 20;

/// Which source table a chunk holds.
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
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Bytes in the chunk's arena; UTF-8 is not yet checked.
    Text(Range<usize>),
    /// A BLOB: its bytes are kept for the quarantine.
    Blob(Range<usize>),
    /// NULL.
    Null,
    /// A number where text belongs.
    Number,
}

/// One row; ranges point into the chunk's arena.
#[derive(Debug, Clone)]
pub(super) struct RawRow {
    /// SQLite's rowid.
    pub rowid: i64,
    /// `id`.
    pub id: Cell,
    /// `message_id` of a part, `type` of a v2 row.
    pub second: Cell,
    /// `session_id`.
    pub session_id: Cell,
    /// `time_created`, where it is an integer.
    pub time_created: Option<i64>,
    /// `time_updated`, where it is an integer.
    pub time_updated: Option<i64>,
    /// `seq` of a v2 row.
    pub seq: Option<i64>,
    /// `data`.
    pub data: Cell,
}

/// Rows of one partition.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The source's table.
    pub kind: RowKind,
    /// The partition's number.
    pub partition: u32,
    /// Position among the chunks of its table.
    pub sequence: usize,
    /// The bytes.
    pub arena: Vec<u8>,
    /// The rows.
    pub rows: Vec<RawRow>,
}

impl Chunk {
    /// The bytes of a cell.
    #[must_use]
    pub(super) fn bytes(&self, cell: &Cell) -> Option<&[u8]> {
        match cell {
            Cell::Text(range) | Cell::Blob(range) => self.arena.get(range.clone()),
            Cell::Null | Cell::Number => None,
        }
    }

    /// The text of a cell; bytes that are not UTF-8 are no text.
    #[must_use]
    pub(super) fn text(&self, cell: &Cell) -> Option<&str> {
        match cell {
            Cell::Text(range) => self.arena.get(range.clone()).and_then(|bytes| simdutf8::basic::from_utf8(bytes).ok()),
            _ => None,
        }
    }

    fn push(&mut self, value: ValueRef<'_>) -> Cell {
        let start = self.arena.len();
        match value {
            ValueRef::Text(bytes) => {
                self.arena.extend_from_slice(bytes);
                Cell::Text(start..self.arena.len())
            }
            ValueRef::Blob(bytes) => {
                self.arena.extend_from_slice(bytes);
                Cell::Blob(start..self.arena.len())
            }
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(_) | ValueRef::Real(_) => Cell::Number,
        }
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

/// Collects rows into chunks.
pub(super) struct Chunker {
    kind: RowKind,
    pending: Vec<Option<Chunk>>,
    bytes: usize,
    given: usize,
}

impl Chunker {
    /// For `partitions` partitions.
    #[must_use]
    pub(super) fn new(kind: RowKind, partitions: usize) -> Self {
        Self { kind, pending: std::iter::repeat_with(|| None).take(partitions).collect(), bytes: 0, given: 0 }
    }

    /// Adds the statement's current row; gives a chunk when one is full.
    ///
    /// # Errors
    /// As SQLite says.
    pub(super) fn push(&mut self, row: &rusqlite::Row<'_>, partition: u32) -> Result<Option<Chunk>, rusqlite::Error> {
        let slot = partition as usize;
        if slot >= self.pending.len() {
            self.pending.resize_with(slot + 1, || None);
        }
        let kind = self.kind;
        let chunk = self.pending[slot].get_or_insert_with(|| Chunk {
            kind,
            partition,
            sequence: 0,
            arena: Vec::new(),
            rows: Vec::new(),
        });
        let before = chunk.arena.len();
        let raw = RawRow {
            rowid: integer(row.get_ref(0)?).unwrap_or_default(),
            id: chunk.push(row.get_ref(1)?),
            second: chunk.push(row.get_ref(2)?),
            session_id: chunk.push(row.get_ref(3)?),
            time_created: integer(row.get_ref(4)?),
            time_updated: integer(row.get_ref(5)?),
            seq: integer(row.get_ref(6)?),
            data: chunk.push(row.get_ref(7)?),
        };
        chunk.rows.push(raw);
        self.bytes += chunk.arena.len() - before;
        if chunk.arena.len() >= CHUNK_BYTES || chunk.rows.len() >= CHUNK_ROWS {
            return Ok(self.take(slot));
        }
        if self.bytes >= PENDING_BYTES {
            let largest = (0..self.pending.len())
                .max_by_key(|index| self.pending[*index].as_ref().map_or(0, |chunk| chunk.arena.len()));
            return Ok(largest.and_then(|index| self.take(index)));
        }
        Ok(None)
    }

    fn take(&mut self, slot: usize) -> Option<Chunk> {
        let mut chunk = self.pending[slot].take();
        if let Some(chunk) = &mut chunk {
            self.bytes -= chunk.arena.len();
            chunk.sequence = self.given;
            self.given += 1;
        }
        chunk
    }

    /// What is left, in order of partitions.
    pub(super) fn finish(self) -> impl Iterator<Item = Chunk> {
        let given = self.given;
        self.pending
            .into_iter()
            .flatten()
            .enumerate()
            .map(move |(index, chunk)| Chunk { sequence: given + index, ..chunk })
    }
}
