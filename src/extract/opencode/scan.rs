//! Finding what changed, without reading what did not.
//!
//! Input: an open source and its sessions' generations. Output: for every session a signature of its messages and parts,
//! and where they lie. Only the tables' own pages are read: of a long text no more than its length.

use super::partition::{Owners, PLAUSIBLE, text_key};
use super::rescue::Range;
use super::rows::{Field, RawRow, RowKind, integer, wanted};
use super::signature::{Hasher, LOCAL, Payload};
use super::sqlite::Source;
use super::state::Key;
use crate::error::ExtractError;
use rusqlite::types::ValueRef;
use std::collections::{BTreeMap, HashMap};

/// A session's rows in the source.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Sum of their hashes.
    pub signature: u128,
    /// Bytes of their data.
    pub bytes: u64,
    /// Their rowids, by [`RowKind`].
    pub rowids: [Vec<i64>; 3],
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// By session.
    pub sessions: HashMap<Key, Rows>,
    /// Rows by table of the source.
    pub rows_read: BTreeMap<String, u64>,
    /// The newest `time_updated`.
    pub newest: Option<i64>,
    /// Bytes of all data.
    pub bytes: u64,
}

/// Looks at every row of messages and parts.
///
/// # Errors
/// The source cannot be read.
pub(super) fn scan(source: &Source, owners: &Owners) -> Result<Scan, ExtractError> {
    let Some(twin) = source.twin() else { return half(source, owners, |_| Range::FULL) };
    // Copying pages and hashing rows takes one core each.
    let middles: Vec<(RowKind, i64)> =
        RowKind::of(source).map(|kind| (kind, (source.last_rowid(kind.table()) / 2).cast_signed())).collect();
    let middle = |kind: RowKind| middles.iter().find(|(of, _)| *of == kind).map_or(0, |(_, middle)| *middle);
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(&{ twin }, owners, |kind| Range { after: middle(kind), until: i64::MAX }));
        let first = half(source, owners, |kind| Range { after: i64::MIN, until: middle(kind) });
        (first, other.join())
    });
    let mut scan = first?;
    // A panic of the other thread is this one's.
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    scan.add(second);
    Ok(scan)
}

impl Scan {
    fn add(&mut self, other: Self) {
        for (key, rows) in other.sessions {
            self.sessions.entry(key).or_default().add(rows);
        }
        for (table, count) in other.rows_read {
            *self.rows_read.entry(table).or_default() += count;
        }
        self.newest = self.newest.max(other.newest);
        self.bytes += other.bytes;
    }
}

impl Rows {
    fn add(&mut self, mut other: Self) {
        self.signature = self.signature.wrapping_add(other.signature);
        self.bytes += other.bytes;
        for (own, other) in self.rowids.iter_mut().zip(&mut other.rowids) {
            own.append(other);
        }
    }
}

fn half(source: &Source, owners: &Owners, range: impl Fn(RowKind) -> Range) -> Result<Scan, ExtractError> {
    let mut scan = Scan::default();
    for kind in RowKind::of(source) {
        table(source, owners, kind, range(kind), &mut scan)?;
    }
    Ok(scan)
}

fn table(source: &Source, owners: &Owners, kind: RowKind, range: Range, scan: &mut Scan) -> Result<(), ExtractError> {
    let (name, generation) = (kind.table(), kind.generation());
    let columns = wanted(kind);
    let sql = format!(
        "select rowid, {}, octet_length(data), case when octet_length(data) > {LOCAL} then typeof(data) = 'blob' else data end \
         from \"{name}\"",
        source.select_list(name, &columns[..6])
    );
    let mut hasher = Hasher::default();
    let mut last = Vec::new();
    let mut current: Option<Rows> = None;
    let mut newest = scan.newest;
    let sessions = &mut scan.sessions;
    let mut flush = |key: &[u8], rows: Option<Rows>| {
        if let Some(rows) = rows {
            sessions.entry(key.into()).or_default().add(rows);
        }
    };
    let mut bytes = 0;
    let count = source.each_in(name, &sql, range, |row| {
        let session = row.get_ref(3)?;
        let key = text_key(session).unwrap_or_default();
        if key != last.as_slice() || current.is_none() {
            flush(&last, current.take());
            last.clear();
            last.extend_from_slice(key);
            // Rows of a session that the other generation holds are none of ours.
            if owners.partition_in(key, generation).is_none() {
                return Ok(());
            }
            current = Some(Rows::default());
        }
        let Some(rows) = &mut current else { return Ok(()) };
        // Where a whole row has its data, this one has its length; the data, if it was read, stands behind.
        let raw = RawRow::of(kind, row)?;
        newest = newest.max(raw.time_updated.filter(|moment| PLAUSIBLE.contains(moment)));
        let length = usize::try_from(integer(row.get_ref(7)?).unwrap_or_default()).unwrap_or_default();
        let data = match row.get_ref(8)? {
            ValueRef::Integer(is_blob) if length > LOCAL => Payload::Far(length, is_blob != 0),
            near => Payload::Near(Field::from(near)),
        };
        rows.signature = rows.signature.wrapping_add(hasher.row(&raw, data));
        rows.bytes += length as u64;
        bytes += length as u64;
        rows.rowids[kind as usize].push(raw.rowid);
        Ok(())
    })?;
    flush(&last, current.take());
    scan.bytes += bytes;
    scan.newest = newest;
    scan.rows_read.insert(name.to_owned(), count);
    Ok(())
}
