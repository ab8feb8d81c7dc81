//! Events stay: what was read before is kept beside what is read now.
//!
//! Input: the old manifest's files and new batches. Output: new files, with old rows that are replaced left out. Equal
//! rows give equal bytes, however often and in whatever order they came.

use super::sink::{Known, id_key, path_key};
use crate::error::StoreError;
use crate::store::batch::{Batch, arrow_schema};
use crate::store::incoming::Incoming;
use crate::store::manifest::{FileEntry, Manifest, TableEntry};
use crate::store::parquet::{self, Place};
use crate::store::schema::{QUARANTINE, TELEMETRY, TELEMETRY_FILE, TELEMETRY_TOTAL, TableDef};
use crate::store::{Store, read};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;
use std::collections::BTreeMap;

/// The tables that are only telemetry's.
pub(super) const TABLES: [&TableDef; 3] = [&TELEMETRY, &TELEMETRY_TOTAL, &TELEMETRY_FILE];

/// Rows by partition.
pub(super) type Rows = BTreeMap<String, Vec<RecordBatch>>;

/// A table of the old state, with the columns of today.
pub(super) struct Kept<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its old state.
    pub manifest: Option<&'a Manifest>,
    /// Keep raw JSON.
    pub content: bool,
}

fn encode(table: &TableDef) -> impl FnOnce(ArrowError) -> StoreError {
    let table = table.name.to_owned();
    move |source| StoreError::Encode { table, source: source.into() }
}

fn text<'a>(rows: &'a RecordBatch, column: &str) -> Option<&'a arrow::array::StringArray> {
    rows.column_by_name(column).and_then(|column| column.as_string_opt::<i32>())
}

/// The partition in a path of the store, `table/week=2026-W47/….parquet`.
fn partition_of(path: &str) -> &str {
    path.split('/').find_map(|part| part.strip_prefix("week=")).unwrap_or_default()
}

impl Kept<'_> {
    fn listed(&self, table: &TableDef) -> &[FileEntry] {
        self.manifest.and_then(|manifest| manifest.tables.get(table.name)).map_or(&[], |table| &table.files)
    }

    fn is_there(&self, file: &FileEntry) -> bool {
        std::fs::metadata(self.store.root().join(&file.path)).is_ok_and(|found| found.len() == file.bytes)
    }

    /// The old files of a table that are still there.
    fn files(&self, table: &TableDef) -> impl Iterator<Item = &FileEntry> {
        self.listed(table).iter().filter(|file| self.is_there(file))
    }

    /// The old state's files can be taken as they are.
    pub(super) fn fits(&self, new: &Manifest) -> bool {
        self.manifest.is_none_or(|old| {
            let mut files = TABLES
                .into_iter()
                .flat_map(|table| self.listed(table))
                .chain(self.listed(&QUARANTINE).iter().filter(|file| partition_of(&file.path) == super::PARTITION));
            // In the first stores these folders had one level less than the others of their table.
            let has_levels =
                |file: &FileEntry| file.partition() != Some(super::PARTITION) || file.path.contains("/source=");
            old.schema_version == new.schema_version
                && old.has_content == new.has_content
                && files.all(|file| self.is_there(file) && has_levels(file))
        })
    }

    /// Rows of the old state for which `keeps` holds, given the batch and the row's number.
    ///
    /// # Errors
    /// A file of the store cannot be read.
    pub(super) fn rows(
        &self,
        table: &'static TableDef,
        is_wanted: impl Fn(&str) -> bool,
        keeps: impl Fn(&RecordBatch, usize) -> bool,
    ) -> Result<Rows, StoreError> {
        let mut kept = Rows::new();
        for file in self.files(table) {
            let partition = partition_of(&file.path);
            if !is_wanted(partition) {
                continue;
            }
            for rows in read::whole(&self.store.root().join(&file.path))? {
                let mask: BooleanArray = (0..rows.num_rows()).map(|row| Some(keeps(&rows, row))).collect();
                let rows = filter_record_batch(&rows, &mask).map_err(encode(table))?;
                if rows.num_rows() > 0 {
                    kept.entry(partition.to_owned()).or_default().push(self.aligned(table, &rows)?);
                }
            }
        }
        Ok(kept)
    }

    /// An older version of a table may lack columns, and a store without content lacks the raw JSON.
    fn aligned(&self, table: &'static TableDef, rows: &RecordBatch) -> Result<RecordBatch, StoreError> {
        let schema = arrow_schema(table, self.content);
        let columns = schema
            .fields()
            .iter()
            .map(|field| match rows.column_by_name(field.name()) {
                Some(column) if column.data_type() == field.data_type() => column.clone(),
                _ => new_null_array(field.data_type(), rows.num_rows()),
            })
            .collect();
        RecordBatch::try_new(schema, columns).map_err(encode(table))
    }

    /// The ids in the store.
    ///
    /// # Errors
    /// A file of the store cannot be read.
    pub(super) fn known(&self) -> Result<Known, StoreError> {
        let mut known = Known::new();
        for file in self.files(&TELEMETRY) {
            for rows in read::whole(&self.store.root().join(&file.path))? {
                if let (Some(ids), Some(paths)) = (text(&rows, "id"), text(&rows, "path")) {
                    for row in 0..rows.num_rows() {
                        known.insert(id_key(ids.value(row)), path_key(paths.value(row)));
                    }
                }
            }
        }
        Ok(known)
    }
}

/// The value of a text column, empty for NULL.
pub(super) fn value<'a>(rows: &'a RecordBatch, column: &str, row: usize) -> &'a str {
    text(rows, column).filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
}

/// Adds a new batch to the old rows of its partition.
///
/// # Errors
/// The batch cannot be closed.
pub(super) fn add(rows: &mut Rows, partition: &str, batch: Batch) -> Result<(), StoreError> {
    if !batch.is_empty() {
        let table = batch.table();
        rows.entry(partition.to_owned()).or_default().push(batch.finish().map_err(encode(table))?);
    }
    Ok(())
}

/// Writes a table, one file a partition, in the order of these columns.
///
/// # Errors
/// The rows cannot be encoded, or a file cannot be written.
pub(super) fn write(
    table: &'static TableDef,
    rows: Rows,
    order: &[&str],
    incoming: &Incoming,
) -> Result<TableEntry, StoreError> {
    let mut entry = TableEntry::default();
    let source = (table.name == QUARANTINE.name).then_some(super::PARTITION);
    for (partition, batches) in rows {
        let schema = batches[0].schema();
        let all = concat_batches(&schema, &batches).map_err(encode(table))?;
        let columns: Vec<SortColumn> = order
            .iter()
            .filter_map(|name| all.column_by_name(name))
            .map(|values| SortColumn { values: values.clone(), options: None })
            .collect();
        let sorted = lexsort_to_indices(&columns, None)
            .and_then(|indices| take_record_batch(&all, &indices))
            .map_err(encode(table))?;
        let file = parquet::write_records(table, vec![sorted], Place { source, partition: &partition, incoming })?;
        entry.rows += file.rows;
        entry.files.push(file);
    }
    entry.files.sort();
    Ok(entry)
}
