//! Reading a store's Parquet back: files without their content columns, and the period that sessions cover.
//!
//! Input: a file of the store. Output: the bytes of the same rows without content, the same for the same rows.

use crate::error::StoreError;
use crate::model::digest;
use crate::store::manifest::{FileEntry, Manifest};
use crate::store::schema::{self, Origin};
use crate::store::{io, open_plain, parquet as files};
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use arrow::array::{Array, AsArray, RecordBatch, RecordBatchReader};
use arrow::datatypes::{Int64Type, SchemaRef};
use camino::Utf8Path;

/// Times outside 2000 to 2100 are not taken for dates.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

fn decode(path: &Utf8Path, source: ParquetError) -> StoreError {
    StoreError::Decode { path: path.to_owned(), source }
}

/// The columns that `wanted` names, in batches of so many rows.
fn open(
    path: &Utf8Path,
    wanted: impl Fn(&str) -> bool,
    rows: usize,
) -> Result<(SchemaRef, ParquetRecordBatchReader), StoreError> {
    let file = open_plain(path).map_err(io("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| decode(path, error))?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let kept = names.iter().map(String::as_str).filter(|name| wanted(name));
    let mask = ProjectionMask::columns(builder.parquet_schema(), kept);
    let reader = builder.with_projection(mask).with_batch_size(rows).build().map_err(|error| decode(path, error))?;
    Ok((reader.schema(), reader))
}

/// Reads the columns that `wanted` names, as one batch.
fn read(path: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Result<RecordBatch, StoreError> {
    let (schema, reader) = open(path, wanted, 1 << 20)?;
    let arrow = |error: arrow::error::ArrowError| decode(path, error.into());
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(arrow)?;
    arrow::compute::concat_batches(&schema, &batches).map_err(arrow)
}

/// Some row has a value in one of these columns.
fn has_values(path: &Utf8Path, columns: &[&str]) -> Result<bool, StoreError> {
    for batch in open(path, |name| columns.contains(&name), 1 << 10)?.1 {
        let batch = batch.map_err(|error| decode(path, error.into()))?;
        if batch.columns().iter().any(|column| column.null_count() < column.len()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The file without its content columns; None when it has nothing in them.
///
/// # Errors
/// The file is damaged or cannot be read.
pub(super) fn rewrite(
    table: &str,
    file: &FileEntry,
    from: &Utf8Path,
) -> Result<Option<(FileEntry, Vec<u8>)>, StoreError> {
    let Some(definition) = schema::table(table) else { return Ok(None) };
    let content: Vec<&str> =
        definition.columns.iter().filter(|column| column.origin == Origin::Content).map(|column| column.name).collect();
    if content.is_empty() {
        return Ok(None);
    }
    super::copy::check(from, file)?;
    if !has_values(from, &content)? {
        return Ok(None);
    }
    let batch = read(from, |name| !content.contains(&name))?;
    let bytes = files::encode(definition, vec![batch])?;
    let sha256 = digest::sha256(&bytes);
    let path = Utf8Path::new(&file.path).with_file_name(files::file_name(&sha256)).into_string();
    let entry = FileEntry { path, bytes: bytes.len() as u64, sha256, ..file.clone() };
    Ok(Some((entry, bytes)))
}

/// From the earliest start of a session to the latest change of one.
///
/// # Errors
/// A file of sessions cannot be read.
pub(super) fn period(manifest: &Manifest, root: &Utf8Path) -> Result<(Option<i64>, Option<i64>), StoreError> {
    let (mut first, mut last) = (None::<i64>, None::<i64>);
    let files = manifest.tables.get(schema::SESSION.name).map_or(&[][..], |table| &table.files);
    for file in files {
        let batch = read(&root.join(&file.path), |name| ["time_created", "time_updated"].contains(&name))?;
        for column in batch.columns() {
            let Some(times) = column.as_primitive_opt::<Int64Type>() else { continue };
            for time in times.iter().flatten().filter(|time| PLAUSIBLE.contains(time)) {
                first = Some(first.map_or(time, |known| known.min(time)));
                last = Some(last.map_or(time, |known| known.max(time)));
            }
        }
    }
    Ok((first, last))
}
