//! One chunk of raw rows becomes Parquet files, or record batches: decode, fill columns, compress. Runs on rayon workers.
//!
//! Input: a [`Chunk`]. Output: [`Done`]: the rows, what was quarantined, what messages need to know of their parts, and what
//! the next refresh needs to know of all of them.

use super::decode::{self, MessageFields, PartFields, PromptEvidence};
use super::rows::{Cell, Chunk, RawRow, RowKind};
use super::signals::push_signals;
use super::signature::{Hasher, RowView};
use super::state::Key;
use crate::error::StoreError;
use crate::store::batch::Batch;
use crate::store::manifest::FileEntry;
use crate::store::parquet::{self, Place};
use crate::store::schema::{self, TableDef};
use arrow::array::RecordBatch;
use camino::Utf8Path;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// What parts say about the user messages that hold them, by the hash of the message's id.
pub(super) type Evidence = HashMap<u64, PromptEvidence>;

/// What every job of one source shares.
pub(super) struct Shared<'a> {
    /// Short name of the source.
    pub source: &'a str,
    /// Keep raw JSON.
    pub content: bool,
    /// Names of the partitions.
    pub partitions: &'a [String],
    /// Folder for new files; None leaves the rows in memory, for a partition that is written anew as a whole.
    pub incoming: Option<&'a Utf8Path>,
    /// Say which rows there are: there is history to compare with.
    pub with_ids: bool,
}

/// What a job leaves.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Table and file.
    pub files: Vec<(&'static str, FileEntry)>,
    /// Rows that were not written, with their partition.
    pub records: Vec<(&'static TableDef, String, RecordBatch)>,
    /// Position of the chunk.
    pub sequence: usize,
    /// Sums of the rows' hashes, by session.
    pub signatures: HashMap<Key, u128>,
    /// Hashes of the ids of messages and of parts.
    pub ids: [Vec<u64>; 2],
    /// Rows that could not be decoded.
    pub quarantined: u64,
    /// Evidence on prompts (from parts).
    pub evidence: Evidence,
}

/// Key of a message in [`Evidence`].
#[must_use]
pub(super) fn evidence_key(message_id: &[u8]) -> u64 {
    xxh3_64(message_id)
}

/// Decodes and writes one chunk.
///
/// # Errors
/// The store cannot be written.
pub(super) fn run(chunk: Chunk, shared: &Shared<'_>, evidence: &Evidence) -> Result<Done, StoreError> {
    let mut job = Job {
        quarantine: Batch::new(&schema::QUARANTINE, shared.content, 0),
        messages: Batch::new(
            &schema::MESSAGE,
            shared.content,
            if chunk.kind == RowKind::Part { 0 } else { chunk.rows.len() },
        ),
        parts: Batch::new(
            &schema::PART,
            shared.content,
            if chunk.kind == RowKind::Part { chunk.rows.len() } else { 0 },
        ),
        signals: Batch::new(&schema::SIGNAL, shared.content, 0),
        done: Done::default(),
        shared,
    };
    let mut hasher = Hasher::default();
    for row in &chunk.rows {
        let key = session_key(&chunk, row);
        let hash = hasher.row(&RowView::of(&chunk, row));
        match job.done.signatures.get_mut(key) {
            Some(sum) => *sum = sum.wrapping_add(hash),
            None => drop(job.done.signatures.insert(key.into(), hash)),
        }
        match job.row(&chunk, row, evidence) {
            Ok(()) => {}
            Err(reason) => job.quarantine_row(&chunk, row, &reason),
        }
    }
    let partition = shared.partitions[chunk.partition as usize].clone();
    job.done.sequence = chunk.sequence;
    drop(chunk);
    let Job { quarantine, messages, parts, signals, mut done, .. } = job;
    for batch in [messages, parts, signals, quarantine].into_iter().filter(|batch| !batch.is_empty()) {
        let table = batch.table();
        match shared.incoming {
            Some(incoming) => {
                let place = Place { source: Some(shared.source), partition: &partition, incoming };
                done.files.push((table.name, parquet::write(batch, place)?));
            }
            None => done.records.push((table, partition.clone(), finish(batch)?)),
        }
    }
    Ok(done)
}

/// The rows of a batch.
///
/// # Errors
/// A row is incomplete, which is a bug.
pub(super) fn finish(batch: Batch) -> Result<RecordBatch, StoreError> {
    let table = batch.table().name.to_owned();
    batch.finish().map_err(|error| StoreError::Encode { table, source: error.into() })
}

/// The session of a row, empty when it names none.
fn session_key<'a>(chunk: &'a Chunk, row: &RawRow) -> &'a [u8] {
    chunk.text(&row.session_id).unwrap_or_default().as_bytes()
}

struct Job<'a> {
    shared: &'a Shared<'a>,
    messages: Batch,
    parts: Batch,
    quarantine: Batch,
    signals: Batch,
    done: Done,
}

/// The columns that a part takes from its row rather than from its JSON.
pub(super) struct PartRow<'a> {
    pub id: &'a str,
    pub message_id: &'a str,
    pub session_id: &'a str,
    pub time_created: Option<i64>,
    time_updated: Option<i64>,
    data: &'a str,
    pub generation: &'static str,
}

impl Job<'_> {
    fn row(&mut self, chunk: &Chunk, row: &RawRow, evidence: &Evidence) -> Result<(), String> {
        let id = chunk.text(&row.id).ok_or("id is not text")?;
        let session_id = chunk.text(&row.session_id).ok_or("session_id is not text")?;
        let data = match &row.data {
            Cell::Text(range) => &chunk.arena[range.clone()],
            // Some tools bind JSON as BLOB; SQLite's own JSON functions refuse that, and so does this.
            Cell::Blob(_) => return Err("data is a BLOB, not text".into()),
            Cell::Null => return Err("data is NULL".into()),
            Cell::Number => return Err("data is a number, not text".into()),
        };
        match chunk.kind {
            RowKind::Part => {
                let message_id = chunk.text(&row.second).ok_or("message_id is not text")?;
                let fields = decode::decode_part(data).map_err(|reason| reason.to_string())?;
                PromptEvidence::observe(&fields, || {
                    self.done.evidence.entry(evidence_key(message_id.as_bytes())).or_default()
                });
                let part = PartRow {
                    id,
                    message_id,
                    session_id,
                    time_created: row.time_created,
                    time_updated: row.time_updated,
                    data: std::str::from_utf8(data).unwrap_or_default(),
                    generation: "v1",
                };
                self.push_part(&part, &fields);
            }
            RowKind::Message => {
                let mut fields = decode::decode_message(data).map_err(|reason| reason.to_string())?;
                if fields.role.as_deref() == Some("user") {
                    let found = evidence.get(&evidence_key(id.as_bytes())).copied().unwrap_or_default();
                    fields.is_prompt = Some(found.is_prompt());
                }
                self.push_message(id, session_id, row, data, &fields, "v1");
            }
            RowKind::V2 => {
                let kind = chunk.text(&row.second).ok_or("type is not text")?;
                let decoded = decode::decode_v2_row(kind, data).map_err(|reason| reason.to_string())?;
                self.push_message(id, session_id, row, data, &decoded.message, "v2");
                for (position, part) in decoded.parts.iter().enumerate() {
                    let part_id = format!("{id}.{position:05}");
                    let part_row = PartRow {
                        id: &part_id,
                        message_id: id,
                        session_id,
                        time_created: row.time_created,
                        time_updated: row.time_updated,
                        data: std::str::from_utf8(&part.raw).unwrap_or_default(),
                        generation: "v2",
                    };
                    self.push_part(&part_row, &part.fields);
                }
            }
        }
        Ok(())
    }

    fn quarantine_row(&mut self, chunk: &Chunk, row: &RawRow, reason: &str) {
        self.done.quarantined += 1;
        let id = chunk.text(&row.id).map_or_else(|| format!("rowid {}", row.rowid), str::to_owned);
        let data = chunk.bytes(&row.data).map(String::from_utf8_lossy);
        self.quarantine
            .row()
            .text(Some(chunk.kind.table()))
            .text(Some(&id))
            .text(chunk.text(&row.session_id))
            .text(Some(reason))
            .int(row.time_created)
            .text(data.as_deref());
    }

    fn note(&mut self, which: usize, id: &str) {
        if self.shared.with_ids {
            self.done.ids[which].push(evidence_key(id.as_bytes()));
        }
    }

    fn push_part(&mut self, part: &PartRow<'_>, fields: &PartFields<'_>) {
        self.note(1, part.id);
        push_part(&mut self.parts, part, fields);
        push_signals(&mut self.signals, part, fields);
    }

    fn push_message(
        &mut self,
        id: &str,
        session_id: &str,
        row: &RawRow,
        data: &[u8],
        fields: &MessageFields<'_>,
        generation: &str,
    ) {
        self.note(0, id);
        self.messages
            .row()
            .text(Some(id))
            .text(Some(session_id))
            .int(row.time_created)
            .int(row.time_updated)
            .text(std::str::from_utf8(data).ok())
            .text(fields.kind.as_deref())
            .text(fields.role.as_deref())
            .int(row.seq.or(fields.seq))
            .text(fields.agent.as_deref())
            .text(fields.provider_id.as_deref())
            .text(fields.model_id.as_deref())
            .text(fields.variant.as_deref())
            .text(fields.parent_message_id.as_deref())
            .float(fields.cost)
            .int(fields.tokens_input)
            .int(fields.tokens_output)
            .int(fields.tokens_reasoning)
            .int(fields.tokens_cache_read)
            .int(fields.tokens_cache_write)
            .int(fields.created_at.or(row.time_created))
            .int(fields.completed_at)
            .text(fields.finish.as_deref())
            .text(fields.error_name.as_deref())
            .text(fields.error_message.as_deref())
            .int(fields.error_status)
            .bool(fields.is_summary)
            .bool(fields.is_prompt)
            .text(fields.cwd.as_deref())
            .int(fields.diff_file_count)
            .int(fields.diff_additions)
            .int(fields.diff_deletions)
            .int(i64::try_from(data.len()).ok())
            .text(Some(generation))
            .int(None);
    }
}

fn push_part(batch: &mut Batch, part: &PartRow<'_>, fields: &PartFields<'_>) {
    batch
        .row()
        .text(Some(part.id))
        .text(Some(part.message_id))
        .text(Some(part.session_id))
        .int(part.time_created)
        .int(part.time_updated)
        .text(Some(part.data))
        .text(fields.r#type.as_deref())
        .text(fields.tool.as_deref())
        .text(fields.call_id.as_deref())
        .text(fields.status.as_deref())
        .int(fields.started_at)
        .int(fields.ended_at)
        .int(fields.compacted_at)
        .text(fields.title.as_deref())
        .text(fields.error.as_deref())
        .int(fields.input_chars)
        .int(fields.output_chars)
        .bool(fields.is_truncated)
        .bool(fields.is_interrupted)
        .text(fields.skill_name.as_deref())
        .text(fields.skill_via.as_deref())
        .text(fields.skill_dir.as_deref())
        .text(fields.available_skills.as_deref())
        .text(fields.target_path.as_deref())
        .text(fields.command.as_deref())
        .text(fields.program.as_deref())
        .int(fields.exit_code)
        .text(fields.edit_format.as_deref())
        .text(fields.edit_outcome.as_deref())
        .text(fields.edit_error_class.as_deref())
        .int(fields.additions)
        .int(fields.deletions)
        .int(fields.file_count)
        .bool(fields.has_lsp_errors)
        .text(fields.subagent_type.as_deref())
        .text(fields.child_session_id.as_deref())
        .text(fields.subagent_model.as_deref())
        .text(fields.asked_tool.as_deref())
        .int(fields.text_chars)
        .bool(fields.is_synthetic)
        .bool(fields.is_correction)
        .float(fields.cost)
        .int(fields.tokens_input)
        .int(fields.tokens_output)
        .int(fields.tokens_reasoning)
        .int(fields.tokens_cache_read)
        .int(fields.tokens_cache_write)
        .text(fields.finish.as_deref())
        .int(i64::try_from(part.data.len()).ok())
        .text(Some(part.generation))
        .int(None);
}
