//! Rows on their way into Parquet files, or record batches: decoded where they are read, out of SQLite's own memory.
//!
//! Input: the rows of a piece of a table, in order. Output: [`Done`]: the files, what messages need to know of their parts,
//! and what the next refresh needs to know of all rows. Rows of a partition gather until they are many or large; what is
//! open at once is bounded, so that memory grows neither with the database nor with its disorder.

use super::columns::{MessageRow, PartRow, push_message, push_part};
use super::decode::{self, MessageFields, PartFields, PromptEvidence};
use super::partition::{Owners, PLAUSIBLE};
use super::rows::{Field, RawRow, RowKind};
use super::signals::push_signals;
use super::signature::{Hasher, Payload};
use super::state::Key;
use crate::error::StoreError;
use crate::store::batch::Batch;
use crate::store::incoming::Incoming;
use crate::store::manifest::FileEntry;
use crate::store::parquet::{self, Place};
use crate::store::schema::{self, TableDef};
use arrow::array::RecordBatch;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// Rows of a partition are written when they take about so many bytes …
const FULL: usize = 12 << 20;
/// … and the largest partition of all when those that are open take so many.
const OPEN: usize = 24 << 20;
/// Stands for no time where there are many of them.
pub(super) const UNDATED: i64 = i64::MIN;
/// What a row's columns take, without its JSON.
const ROW: usize = 640;

/// What parts say about the user messages that hold them, by the hash of the message's id.
pub(super) type Evidence = HashMap<u64, PromptEvidence>;

/// What all pieces of one table share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    /// The table.
    pub kind: RowKind,
    /// Short name of the source.
    pub source: &'a str,
    /// Keep raw JSON.
    pub content: bool,
    /// Sessions and partitions.
    pub owners: &'a Owners,
    /// What parts said of the messages.
    pub evidence: &'a Evidence,
    /// Folder for new files; None leaves the rows in memory, for a partition that is written anew as a whole.
    pub incoming: Option<&'a Incoming>,
    /// Say which rows there are: there is history to compare with.
    pub with_ids: bool,
    /// Sum up what the rows' sessions hold.
    pub with_signatures: bool,
}

/// What a piece leaves.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Table and file.
    pub files: Vec<(&'static str, FileEntry)>,
    /// Rows that were not written, with their partition.
    pub records: Vec<(&'static TableDef, String, RecordBatch)>,
    /// Sums of the rows' hashes, by session.
    pub signatures: HashMap<Key, u128>,
    /// Hashes of the ids of messages and of parts, and the rows' `time_updated` ([`UNDATED`] for none).
    pub ids: [Vec<(u64, i64)>; 2],
    /// Evidence on prompts (from parts).
    pub evidence: Evidence,
    /// Rows read.
    pub count: u64,
    /// Bytes of JSON read.
    pub bytes: u64,
    /// The newest `time_updated`.
    pub newest: Option<i64>,
}

/// Key of a message in [`Evidence`].
#[must_use]
pub(super) fn evidence_key(message_id: &[u8]) -> u64 {
    xxh3_64(message_id)
}

/// The rows of a batch.
///
/// # Errors
/// A row is incomplete, which is a bug.
pub(super) fn finish(batch: Batch) -> Result<RecordBatch, StoreError> {
    let table = batch.table().name.to_owned();
    batch.finish().map_err(|error| StoreError::Encode { table, source: error.into() })
}

/// Rows of one partition that are not written yet.
struct Open {
    messages: Batch,
    parts: Batch,
    signals: Batch,
    quarantine: Batch,
    bytes: usize,
}

impl Open {
    fn new(content: bool) -> Self {
        let batch = |table| Batch::new(table, content, 0);
        Self {
            messages: batch(&schema::MESSAGE),
            parts: batch(&schema::PART),
            signals: batch(&schema::SIGNAL),
            quarantine: batch(&schema::QUARANTINE),
            bytes: 0,
        }
    }

    fn message(&mut self, message: &MessageRow<'_>, fields: &MessageFields<'_>) {
        push_message(&mut self.messages, message, fields);
        self.bytes += ROW + message.data.len();
    }

    fn part(&mut self, part: &PartRow<'_>, fields: &PartFields<'_>) {
        push_part(&mut self.parts, part, fields);
        push_signals(&mut self.signals, part, fields);
        self.bytes += ROW + part.data.len();
    }
}

/// The session of the rows at hand.
#[derive(Default)]
struct Current {
    key: Vec<u8>,
    /// None before the first row; Some(None) for a session that the other generation holds.
    partition: Option<Option<u32>>,
    signature: u128,
}

/// Takes the rows of a piece.
pub(super) struct Intake<'a> {
    shared: Shared<'a>,
    open: BTreeMap<u32, Open>,
    bytes: usize,
    current: Current,
    hasher: Hasher,
    done: Done,
}

impl<'a> Intake<'a> {
    /// For a piece.
    #[must_use]
    pub(super) fn new(shared: Shared<'a>) -> Self {
        Self {
            shared,
            open: BTreeMap::new(),
            bytes: 0,
            current: Current::default(),
            hasher: Hasher::default(),
            done: Done::default(),
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(super) fn row(&mut self, row: &RawRow<'_>) -> Result<(), StoreError> {
        self.done.count += 1;
        self.done.bytes += row.data.bytes().map_or(0, <[u8]>::len) as u64;
        self.done.newest = self.done.newest.max(row.time_updated.filter(|moment| PLAUSIBLE.contains(moment)));
        let key = row.session_id.text().unwrap_or_default().as_bytes();
        if self.current.partition.is_none() || key != self.current.key.as_slice() {
            self.sum_up();
            self.current.key.clear();
            self.current.key.extend_from_slice(key);
            self.current.partition = Some(self.shared.owners.partition_in(key, self.shared.kind.generation()));
        }
        let Some(partition) = self.current.partition.flatten() else { return Ok(()) };
        if self.shared.with_signatures {
            self.current.signature = self.current.signature.wrapping_add(self.hasher.row(row, Payload::of(row.data)));
        }
        let content = self.shared.content;
        let open = self.open.entry(partition).or_insert_with(|| Open::new(content));
        let before = open.bytes;
        if let Err(reason) = fill(open, row, &self.shared, &mut self.done) {
            quarantine(open, row, &reason);
        }
        self.bytes += open.bytes - before;
        if open.bytes >= FULL {
            self.close(partition)?;
        } else if self.bytes >= OPEN {
            let largest = self.open.iter().max_by_key(|(_, open)| open.bytes).map(|(partition, _)| *partition);
            largest.map_or(Ok(()), |partition| self.close(partition))?;
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(super) fn finish(mut self) -> Result<Done, StoreError> {
        self.sum_up();
        while let Some(partition) = self.open.keys().next().copied() {
            self.close(partition)?;
        }
        Ok(self.done)
    }

    fn sum_up(&mut self) {
        if self.shared.with_signatures && self.current.partition.flatten().is_some() {
            let sum = std::mem::take(&mut self.current.signature);
            match self.done.signatures.get_mut(self.current.key.as_slice()) {
                Some(known) => *known = known.wrapping_add(sum),
                None => drop(self.done.signatures.insert(self.current.key.as_slice().into(), sum)),
            }
        }
    }

    fn close(&mut self, partition: u32) -> Result<(), StoreError> {
        let Some(Open { messages, parts, signals, quarantine, bytes }) = self.open.remove(&partition) else {
            return Ok(());
        };
        self.bytes -= bytes;
        let partition = self.shared.owners.partitions[partition as usize].as_str();
        for batch in [messages, parts, signals, quarantine].into_iter().filter(|batch| !batch.is_empty()) {
            let table = batch.table();
            match self.shared.incoming {
                Some(incoming) => {
                    let place = Place { source: Some(self.shared.source), partition, incoming };
                    self.done.files.push((table.name, parquet::write(batch, place)?));
                }
                None => self.done.records.push((table, partition.to_owned(), finish(batch)?)),
            }
        }
        Ok(())
    }
}

/// Decodes a row into its columns; what cannot be decoded leaves no row behind.
fn fill(open: &mut Open, row: &RawRow<'_>, shared: &Shared<'_>, done: &mut Done) -> Result<(), String> {
    let id = row.id.text().ok_or("id is not text")?;
    let session_id = row.session_id.text().ok_or("session_id is not text")?;
    let data = match row.data {
        Field::Text(bytes) => bytes,
        // Some tools bind JSON as BLOB; SQLite's own JSON functions refuse that, and so does this.
        Field::Blob(_) => return Err("data is a BLOB, not text".into()),
        Field::Null => return Err("data is NULL".into()),
        Field::Number => return Err("data is a number, not text".into()),
    };
    // Decoding checks the whole text; here it is looked at once more only when it is kept.
    let kept = |data| if shared.content { simdutf8::basic::from_utf8(data).unwrap_or_default() } else { "" };
    let message = |generation| MessageRow {
        id,
        session_id,
        time_created: row.time_created,
        time_updated: row.time_updated,
        seq: row.seq,
        data: kept(data),
        data_bytes: data.len(),
        generation,
    };
    let mut note = |which: usize, id: &str| {
        if shared.with_ids {
            done.ids[which].push((evidence_key(id.as_bytes()), row.time_updated.unwrap_or(UNDATED)));
        }
    };
    match row.kind {
        RowKind::Part => {
            let message_id = row.second.text().ok_or("message_id is not text")?;
            let fields = decode::decode_part(data).map_err(|reason| reason.to_string())?;
            note(1, id);
            PromptEvidence::observe(&fields, || done.evidence.entry(evidence_key(message_id.as_bytes())).or_default());
            let part = PartRow {
                id,
                message_id,
                session_id,
                time_created: row.time_created,
                time_updated: row.time_updated,
                data: kept(data),
                data_bytes: data.len(),
                generation: "v1",
            };
            open.part(&part, &fields);
        }
        RowKind::Message => {
            let mut fields = decode::decode_message(data).map_err(|reason| reason.to_string())?;
            if fields.role.as_deref() == Some("user") {
                let found = shared.evidence.get(&evidence_key(id.as_bytes())).copied().unwrap_or_default();
                fields.is_prompt = Some(found.is_prompt());
            }
            note(0, id);
            open.message(&message("v1"), &fields);
        }
        RowKind::V2 => {
            let kind = row.second.text().ok_or("type is not text")?;
            let decoded = decode::decode_v2_row(kind, data).map_err(|reason| reason.to_string())?;
            note(0, id);
            open.message(&message("v2"), &decoded.message);
            for (position, part) in decoded.parts.iter().enumerate() {
                let part_id = format!("{id}.{position:05}");
                note(1, &part_id);
                let part_row = PartRow {
                    id: &part_id,
                    message_id: id,
                    session_id,
                    time_created: row.time_created,
                    time_updated: row.time_updated,
                    data: kept(&part.raw),
                    data_bytes: part.raw.len(),
                    generation: "v2",
                };
                open.part(&part_row, &part.fields);
            }
        }
    }
    Ok(())
}

fn quarantine(open: &mut Open, row: &RawRow<'_>, reason: &str) {
    let id = row.id.text().map_or_else(|| format!("rowid {}", row.rowid), str::to_owned);
    let data = row.data.bytes().map(String::from_utf8_lossy);
    open.bytes += ROW + data.as_ref().map_or(0, |data| data.len());
    open.quarantine
        .row()
        .text(Some(row.kind.table()))
        .text(Some(&id))
        .text(row.session_id.text())
        .text(Some(reason))
        .int(row.time_created)
        .text(data.as_deref());
}
