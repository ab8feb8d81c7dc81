//! One batch becomes one immutable Parquet file, named by its checksum.
//!
//! Input: a [`Batch`] and its partition. Output: the file in the folder for incoming files, and its [`FileEntry`].
//! The bytes depend on the rows alone (no clock, no thread order), so equal rows share one file between states.

use super::batch::Batch;
use super::manifest::FileEntry;
use super::schema::{Kind, Origin, TableDef};
use super::{io, private_file, private_folder};
use crate::error::StoreError;
use crate::model::digest;
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow::array::RecordBatch;
use camino::Utf8Path;
use std::io::Write;

/// Columns whose values are mostly different and share prefixes: ids, which hold their time in front.
const ID_COLUMNS: &[&str] = &["id", "message_id", "call_id", "parent_message_id"];

fn properties(table: &TableDef) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("logicoma ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(1 << 20));
    for column in table.columns {
        let path = ColumnPath::from(column.name);
        if column.origin == Origin::Content {
            // The raw JSON is most of the bytes, and no value stands twice.
            builder = builder.set_column_dictionary_enabled(path.clone(), false);
        } else if ID_COLUMNS.contains(&column.name) {
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_BYTE_ARRAY);
        }
        if column.kind == Kind::Int {
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Ok(builder.build())
}

fn encode_error(table: &TableDef, source: ParquetError) -> StoreError {
    StoreError::Encode { table: table.name.to_owned(), source }
}

/// Rows as the bytes of a Parquet file.
///
/// # Errors
/// The rows cannot be encoded.
pub(super) fn encode(table: &TableDef, record: &RecordBatch) -> Result<Vec<u8>, StoreError> {
    let fail = |source| encode_error(table, source);
    let properties = properties(table).map_err(fail)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), record.schema(), Some(properties)).map_err(fail)?;
    writer.write(record).map_err(fail)?;
    writer.into_inner().map_err(fail)
}

/// A file's name: the start of its checksum.
pub(super) fn file_name(sha256: &str) -> String {
    format!("{}.parquet", &sha256[..16])
}

/// Writes a batch below `incoming` and syncs it.
///
/// # Errors
/// The rows cannot be encoded, or the file cannot be written.
pub fn write(batch: Batch, partition: &str, incoming: &Utf8Path) -> Result<FileEntry, StoreError> {
    let table = batch.table();
    let record = batch.finish().map_err(|error| encode_error(table, error.into()))?;
    write_record(table, &record, partition, incoming)
}

/// Writes rows of a table below `incoming` and syncs the file.
///
/// # Errors
/// The rows cannot be encoded, or the file cannot be written.
pub fn write_record(
    table: &TableDef,
    record: &RecordBatch,
    partition: &str,
    incoming: &Utf8Path,
) -> Result<FileEntry, StoreError> {
    let rows = record.num_rows() as u64;
    let bytes = encode(table, record)?;
    let sha256 = digest::sha256(&bytes);
    let path = format!("{}/week={partition}/{}", table.name, file_name(&sha256));
    let target = incoming.join(&path);
    if let Some(folder) = target.parent() {
        private_folder(folder).map_err(io("create", folder))?;
    }
    let mut file = private_file(&target).map_err(io("write", &target))?;
    file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(io("write", &target))?;
    Ok(FileEntry { path, rows, bytes: bytes.len() as u64, sha256 })
}

/// Reads a file of the store.
///
/// # Errors
/// It cannot be read, or is no Parquet.
pub fn read(path: &Utf8Path) -> Result<Vec<RecordBatch>, StoreError> {
    let file = std::fs::File::open(path).map_err(io("read", path))?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| damaged(format!("is no Parquet: {error}")))?;
    reader.collect::<Result<_, _>>().map_err(|error| damaged(format!("cannot be decoded: {error}")))
}
