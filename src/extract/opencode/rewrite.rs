//! Old files of one table, row by row: kept, replaced, or marked as history.
//!
//! Input: a table's files, fresh rows, and a judge of old rows. Output: the files that hold the table now. Files of which
//! every row stays are not written again.

use super::Job;
use crate::error::StoreError;
use crate::store::manifest::FileEntry;
use crate::store::parquet::{self, Place};
use crate::store::read;
use crate::store::schema::TableDef;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file with fewer rows is written anew together with fresh rows of its partition.
const SMALL: u64 = 2_000;
/// A file is closed when the rows for it take so much memory …
const FILE_BYTES: usize = 16 << 20;
/// … or are so many.
const FILE_ROWS: usize = 1 << 17;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays as it is.
    Keep,
    /// It goes: the source holds it, and it was read again.
    Drop,
    /// As [`Fate::Drop`], but it was newer than what was read now.
    Revert,
    /// It stays as history.
    Vanish,
}

/// How rows that vanished are marked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// Not at all.
    AsItWas,
    /// With this time.
    SeenAt(i64),
    /// With the time at which their file was written: nothing else is known.
    SeenWhenWritten,
}

/// What a judge sees of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowKeys<'a> {
    pub id: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub message_id: Option<&'a str>,
    pub generation: Option<&'a str>,
    pub table_name: Option<&'a str>,
    pub updated_at: Option<i64>,
}

const KEYS: [&str; 8] =
    ["id", "session_id", "message_id", "generation", "table_name", "source", "part_id", "time_updated"];
const UPDATED: usize = 7;

/// Rows of one partition, on their way into files.
#[derive(Default)]
struct Open {
    records: Vec<RecordBatch>,
    bytes: usize,
    rows: usize,
}

/// Writes the files of one source.
pub(super) struct Writer<'a> {
    job: Job<'a>,
    /// What could not be read.
    pub notices: Vec<String>,
    /// Rows that became history, by table.
    pub vanished: BTreeMap<&'static str, u64>,
    /// Rows that were newer than what was read of them now.
    pub reverted: u64,
}

/// What becomes of each row of a file.
struct Verdict {
    /// Per row: None = it goes, otherwise its partition and whether it becomes history.
    rows: Vec<Option<(usize, bool)>>,
    partitions: Vec<String>,
    reverted: u64,
    is_unchanged: bool,
    is_empty: bool,
}

impl<'a> Writer<'a> {
    /// For the source of this job.
    #[must_use]
    pub(super) fn new(job: Job<'a>) -> Self {
        Self { job, notices: Vec::new(), vanished: BTreeMap::new(), reverted: 0 }
    }

    /// Makes the files of one table: `touches` tells the partitions to look at, `fate` judges an old row, `week_of` tells
    /// where history of a session belongs.
    ///
    /// # Errors
    /// A file cannot be read or written.
    #[allow(clippy::too_many_arguments, reason = "one call, two callers")]
    pub(super) fn table<'k>(
        &mut self,
        table: &'static TableDef,
        old: &[FileEntry],
        mut new: BTreeMap<String, Vec<RecordBatch>>,
        target: Target,
        touches: &dyn Fn(&str) -> bool,
        fate: &dyn Fn(&RowKeys<'_>) -> Fate,
        week_of: &dyn Fn(&[u8]) -> Option<&'k str>,
    ) -> Result<Vec<FileEntry>, StoreError> {
        let is_current = self.job.old.is_some_and(|old| old.is_current);
        let mut kept = Vec::new();
        let mut open: BTreeMap<String, Open> = BTreeMap::new();
        for file in old {
            let partition = file.partition().unwrap_or("all");
            if is_current && !touches(partition) {
                kept.push(file.clone());
                continue;
            }
            let rewritten =
                self.file(table, file, new.contains_key(partition), target, fate, week_of, &mut open, &mut kept);
            match rewritten {
                Ok(true) => {}
                Ok(false) => kept.push(file.clone()),
                // Everything is read again anyway: only history can be lost, and that is said.
                Err(StoreError::Damaged { path, problem }) if !is_current => {
                    self.notices.push(format!("{path} {problem}: history in it, if there was any, is lost"));
                }
                Err(error) => return Err(error),
            }
        }
        for (partition, records) in std::mem::take(&mut new) {
            for record in records {
                self.push(table, &partition, record, &mut open, &mut kept)?;
            }
        }
        let (source, incoming) = (self.job.name, self.job.incoming);
        let closed = open.into_par_iter().map(|(partition, rows)| {
            close(table, Place { source: Some(source), partition: &partition, incoming }, rows)
        });
        kept.extend(closed.collect::<Result<Vec<_>, _>>()?.into_iter().flatten());
        Ok(kept)
    }

    /// Carries the rows of one file on; false when it can stay as it is.
    #[allow(clippy::too_many_arguments, reason = "one call, one caller")]
    fn file<'k>(
        &mut self,
        table: &'static TableDef,
        file: &FileEntry,
        has_new: bool,
        target: Target,
        fate: &dyn Fn(&RowKeys<'_>) -> Fate,
        week_of: &dyn Fn(&[u8]) -> Option<&'k str>,
        open: &mut BTreeMap<String, Open>,
        kept: &mut Vec<FileEntry>,
    ) -> Result<bool, StoreError> {
        let is_current = self.job.old.is_some_and(|old| old.is_current);
        read::verify(self.job.root, file)?;
        let verdict = self.judge(table, file, fate, week_of)?;
        self.reverted += verdict.reverted;
        if verdict.is_unchanged && is_current && !(has_new && file.rows < SMALL) {
            return Ok(false);
        }
        if verdict.is_empty {
            return Ok(true);
        }
        let path = self.job.root.join(&file.path);
        let marked_at = match target {
            Target::AsItWas => None,
            Target::SeenAt(moment) => Some(moment),
            Target::SeenWhenWritten => modified_ms(&path),
        };
        let mut at = 0;
        for record in read::rows(&path, table, self.job.content)? {
            let record = record?;
            let Some(fates) = verdict.rows.get(at..at + record.num_rows()) else {
                return Err(StoreError::Damaged { path, problem: "does not hold as many rows as it says".into() });
            };
            at += record.num_rows();
            let record = self.mark(table, record, fates, marked_at);
            for (index, partition) in verdict.partitions.iter().enumerate() {
                let mask: BooleanArray =
                    fates.iter().map(|fate| Some(fate.is_some_and(|(to, _)| to == index))).collect();
                if mask.true_count() > 0 {
                    let own =
                        arrow::compute::filter_record_batch(&record, &mask).map_err(|error| encode(table, error))?;
                    self.push(table, partition, own, open, kept)?;
                }
            }
        }
        Ok(true)
    }

    fn judge<'k>(
        &self,
        table: &'static TableDef,
        file: &FileEntry,
        fate: &dyn Fn(&RowKeys<'_>) -> Fate,
        week_of: &dyn Fn(&[u8]) -> Option<&'k str>,
    ) -> Result<Verdict, StoreError> {
        let own = file.partition().unwrap_or("all").to_owned();
        let mut verdict =
            Verdict { rows: Vec::new(), partitions: vec![own], reverted: 0, is_unchanged: true, is_empty: true };
        for batch in read::columns(&self.job.root.join(&file.path), table, &KEYS)? {
            let texts: Vec<&StringArray> = (0..UPDATED).map(|at| batch.column(at).as_string()).collect();
            // Tables that have no such column give a text of NULLs.
            let updated = batch.column(UPDATED).as_primitive_opt::<Int64Type>();
            for row in 0..batch.num_rows() {
                let text = |at: usize| texts[at].is_valid(row).then(|| texts[at].value(row));
                let mut keys = RowKeys {
                    id: text(0),
                    session_id: text(1),
                    message_id: text(2),
                    generation: text(3),
                    table_name: text(4),
                    updated_at: updated.and_then(|times| times.is_valid(row).then(|| times.value(row))),
                };
                match table.name {
                    "session" => keys.session_id = keys.id,
                    "signal" => keys.id = text(6),
                    _ => {}
                }
                // Stores of the first version hold rows of several sources in one file.
                let is_own = file.source().is_some() || text(5) == Some(self.job.name);
                let fate = if is_own { fate(&keys) } else { Fate::Drop };
                let goes = matches!(fate, Fate::Drop | Fate::Revert);
                verdict.reverted += u64::from(fate == Fate::Revert);
                verdict.is_unchanged &= fate == Fate::Keep;
                verdict.is_empty &= goes;
                let partition = match (fate, keys.session_id.and_then(|id| week_of(id.as_bytes()))) {
                    (Fate::Vanish, Some(week)) if table.name != "project" => {
                        let known = verdict.partitions.iter().position(|known| known == week);
                        known.unwrap_or_else(|| {
                            verdict.partitions.push(week.to_owned());
                            verdict.partitions.len() - 1
                        })
                    }
                    _ => 0,
                };
                verdict.rows.push((!goes).then_some((partition, fate == Fate::Vanish)));
            }
        }
        Ok(verdict)
    }

    /// Writes down when the rows that vanished were last seen, where that is not known already.
    fn mark(
        &mut self,
        table: &'static TableDef,
        record: RecordBatch,
        fates: &[Option<(usize, bool)>],
        marked_at: Option<i64>,
    ) -> RecordBatch {
        let Some((at, marked_at)) = record.schema().index_of("last_seen_at").ok().zip(marked_at) else { return record };
        let known = record.column(at).as_primitive::<Int64Type>();
        let mut new = 0;
        let seen: Int64Array = fates
            .iter()
            .enumerate()
            .map(|(row, fate)| {
                let known = known.is_valid(row).then(|| known.value(row));
                if known.is_none() && fate.is_some_and(|(_, is_history)| is_history) {
                    new += 1;
                    return Some(marked_at);
                }
                known
            })
            .collect();
        *self.vanished.entry(table.name).or_default() += new;
        let mut columns: Vec<ArrayRef> = record.columns().to_vec();
        columns[at] = Arc::new(seen);
        RecordBatch::try_new(record.schema(), columns).unwrap_or(record)
    }

    fn push(
        &self,
        table: &'static TableDef,
        partition: &str,
        record: RecordBatch,
        open: &mut BTreeMap<String, Open>,
        kept: &mut Vec<FileEntry>,
    ) -> Result<(), StoreError> {
        let rows = open.entry(partition.to_owned()).or_default();
        rows.bytes += record.get_array_memory_size();
        rows.rows += record.num_rows();
        rows.records.push(record);
        if rows.bytes >= FILE_BYTES || rows.rows >= FILE_ROWS {
            let full = std::mem::take(rows);
            let place = Place { source: Some(self.job.name), partition, incoming: self.job.incoming };
            kept.extend(close(table, place, full)?);
        }
        Ok(())
    }
}

/// Writes rows of a partition; no file for none.
fn close(table: &TableDef, place: Place<'_>, rows: Open) -> Result<Option<FileEntry>, StoreError> {
    if rows.rows == 0 {
        return Ok(None);
    }
    parquet::write_records(table, rows.records, place).map(Some)
}

fn encode(table: &TableDef, error: arrow::error::ArrowError) -> StoreError {
    StoreError::Encode { table: table.name.to_owned(), source: error.into() }
}

fn modified_ms(path: &camino::Utf8Path) -> Option<i64> {
    let modified = std::fs::metadata(path).and_then(|found| found.modified()).ok()?;
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis()).ok()
}
