//! Reading the store's own files back: some columns, or whole rows in today's shape.
//!
//! Input: a file and what the manifest says of it. Output: record batches. A file is held against its checksum before its
//! rows are carried on, so that damage is noticed and never copied.

use super::batch::arrow_schema;
use super::io;
use super::manifest::FileEntry;
use super::schema::TableDef;
use crate::error::StoreError;
use crate::model::digest;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::errors::ParquetError;
use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::sync::Arc;

const KEYS: usize = 1 << 16;
const ROWS: usize = 1 << 12;

fn damaged(path: &Utf8Path, problem: impl ToString) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), problem: problem.to_string() }
}

/// Holds a file against its checksum.
///
/// # Errors
/// [`StoreError::Damaged`] when it is missing or differs.
pub fn verify(root: &Utf8Path, entry: &FileEntry) -> Result<(), StoreError> {
    super::snapshot::check_file(&root.join(&entry.path), entry)
}

/// What a manifest would say of a file that lies in the store: None when it is no Parquet file that can be read, or does not
/// hold what its name says.
#[must_use]
pub fn entry(root: &Utf8Path, path: &Utf8Path) -> Option<FileEntry> {
    let rows = u64::try_from(open(path).ok()?.metadata().file_metadata().num_rows()).ok()?;
    let bytes = std::fs::read(path).ok()?;
    let sha256 = digest::sha256(&bytes);
    let relative = path.strip_prefix(root).ok()?.as_str().to_owned();
    let is_named = path.file_stem().is_some_and(|stem| !stem.is_empty() && sha256.starts_with(stem));
    is_named.then_some(FileEntry { path: relative, rows, bytes: bytes.len() as u64, sha256 })
}

/// Names of the columns that a file holds.
///
/// # Errors
/// It cannot be read.
pub fn column_names(path: &Utf8Path) -> Result<Vec<String>, StoreError> {
    let builder = open(path)?;
    Ok(builder.schema().fields().iter().map(|field| field.name().clone()).collect())
}

fn open(path: &Utf8Path) -> Result<ParquetRecordBatchReaderBuilder<File>, StoreError> {
    let file = File::open(path).map_err(io("read", path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(path, unreadable(&error)))
}

fn unreadable(error: &dyn std::error::Error) -> String {
    format!("cannot be read ({error})")
}

/// Some columns of a file, in the order of `names`; NULL where the file lacks one. A name that is no column of the table's
/// files today is taken for text.
///
/// # Errors
/// It cannot be read.
pub fn columns(path: &Utf8Path, table: &TableDef, names: &[&str]) -> Result<Vec<RecordBatch>, StoreError> {
    let builder = open(path)?;
    let there: Vec<&str> =
        names.iter().copied().filter(|name| builder.schema().field_with_name(name).is_ok()).collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), there);
    let wanted: Vec<_> = arrow_schema(table, true).fields().iter().cloned().collect();
    let text = |name: &&str| Arc::new(Field::new(*name, DataType::Utf8, true));
    let known = |name: &&str| wanted.iter().find(|field| field.name() == name).cloned();
    let fields: Vec<_> = names.iter().map(|name| known(name).unwrap_or_else(|| text(name))).collect();
    let schema = Arc::new(Schema::new(fields));
    let reader = builder
        .with_projection(mask)
        .with_batch_size(KEYS)
        .build()
        .map_err(|error: ParquetError| damaged(path, unreadable(&error)))?;
    reader.map(|batch| conform(&batch.map_err(|error| damaged(path, unreadable(&error)))?, &schema, path)).collect()
}

/// All rows of a file with the columns that it has.
///
/// # Errors
/// It cannot be read.
pub fn whole(path: &Utf8Path) -> Result<Vec<RecordBatch>, StoreError> {
    let reader = open(path)?.build().map_err(|error: ParquetError| damaged(path, unreadable(&error)))?;
    reader.collect::<Result<_, _>>().map_err(|error| damaged(path, unreadable(&error)))
}

/// A file's rows with the columns that the table has today: by name, NULL where the file has none.
///
/// # Errors
/// It cannot be read.
pub fn rows(
    path: &Utf8PathBuf,
    table: &TableDef,
    content: bool,
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    let schema = arrow_schema(table, content);
    let reader =
        open(path)?.with_batch_size(ROWS).build().map_err(|error: ParquetError| damaged(path, unreadable(&error)))?;
    let path = path.clone();
    Ok(reader.map(move |batch| conform(&batch.map_err(|error| damaged(&path, unreadable(&error)))?, &schema, &path)))
}

fn conform(batch: &RecordBatch, schema: &Arc<Schema>, path: &Utf8Path) -> Result<RecordBatch, StoreError> {
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        arrays.push(match batch.column_by_name(field.name()) {
            Some(array) if array.data_type() == field.data_type() => Arc::clone(array),
            Some(array) => {
                arrow::compute::cast(array, field.data_type()).map_err(|error| damaged(path, unreadable(&error)))?
            }
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
        .map_err(|error| damaged(path, unreadable(&error)))
}
