//! One batch becomes one immutable Parquet file, named by its checksum.
//!
//! Input: a [`Batch`] and its partition. Output: the file in the folder for incoming files, and its [`FileEntry`].
//! The bytes depend on the rows alone (no clock, no thread order), so equal rows share one file between states.

use super::batch::{Batch, arrow_schema};
use super::incoming::Incoming;
use super::manifest::FileEntry;
use super::schema::{ColumnDef, Kind, Origin, TableDef};
use super::{io, private_file, private_folder};
use crate::error::StoreError;
use crate::model::digest;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use std::io::Write;
use std::sync::Arc;

/// Columns whose values are mostly different and share prefixes: ids, which hold their time in front.
const ID_COLUMNS: &[&str] = &["id", "message_id", "call_id", "parent_message_id"];

/// zstd's level for the raw JSON: a twentieth smaller than level 1, for as much more time.
const CONTENT_LEVEL: i32 = 2;

fn properties(table: &TableDef, records: &[RecordBatch]) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("logicoma ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(1 << 20));
    for column in table.columns {
        let path = ColumnPath::from(column.name);
        if column.origin == Origin::Content {
            // The raw JSON is most of the bytes, and no value stands twice.
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_compression(path.clone(), Compression::ZSTD(ZstdLevel::try_new(CONTENT_LEVEL)?));
        } else if ID_COLUMNS.contains(&column.name) {
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_BYTE_ARRAY);
        }
        if column.kind == Kind::Int && (column.name.ends_with("_at") || column.name.starts_with("time_")) {
            // Times are all different, and near each other.
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        if records.iter().all(|record| record.column_by_name(column.name).is_none_or(is_all_null)) {
            // Nothing to compress: making the column's compressor would cost more than the column.
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_compression(path.clone(), Compression::UNCOMPRESSED);
        }
        if column.kind == Kind::Int {
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Ok(builder.build())
}

fn is_all_null(values: &ArrayRef) -> bool {
    values.null_count() == values.len()
}

/// A file's name: the start of its checksum.
pub(super) fn file_name(sha256: &str) -> String {
    format!("{}.parquet", &sha256[..16])
}

/// Where a file belongs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The source; None for tables that belong to none.
    pub source: Option<&'a str>,
    /// The week, or `all`.
    pub partition: &'a str,
    /// Folder for new files.
    pub incoming: &'a Incoming,
}

/// Writes a batch below the folder for incoming files; it is on the disk once that has settled.
///
/// # Errors
/// The rows cannot be encoded, or the file cannot be written.
pub fn write(batch: Batch, place: Place<'_>) -> Result<FileEntry, StoreError> {
    let table = batch.table();
    let record =
        batch.finish().map_err(|error| StoreError::Encode { table: table.name.to_owned(), source: error.into() })?;
    write_records(table, vec![record], place)
}

/// Writes rows that are columns already; see [`write()`].
///
/// # Errors
/// As [`write()`].
pub fn write_records(table: &TableDef, records: Vec<RecordBatch>, place: Place<'_>) -> Result<FileEntry, StoreError> {
    let rows = records.iter().map(|record| record.num_rows() as u64).sum();
    let bytes = encode(table, records)?;
    let sha256 = digest::sha256(&bytes);
    let source = place.source.map(|source| format!("source={source}/")).unwrap_or_default();
    let path = format!("{}/{source}week={}/{}", table.name, place.partition, file_name(&sha256));
    let target = place.incoming.join(&path);
    if let Some(folder) = target.parent() {
        private_folder(folder).map_err(io("create", folder))?;
    }
    let mut file = private_file(&target).map_err(io("write", &target))?;
    file.write_all(&bytes).map_err(io("write", &target))?;
    place.incoming.sync(target, file);
    Ok(FileEntry { path, rows, bytes: bytes.len() as u64, sha256 })
}

/// Rows with the content columns that they were made without, all NULL: files of one table have the same columns whether or not
/// they keep content, so that every engine reads a folder of both.
fn with_content(table: &TableDef, records: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, ArrowError> {
    let complete = |record: RecordBatch| {
        let schema = arrow_schema(table, true);
        let is_absent = |field: &&Arc<Field>| {
            let is_content = |column: &&ColumnDef| column.name == field.name() && column.origin == Origin::Content;
            record.column_by_name(field.name()).is_none() && table.columns.iter().any(|column| is_content(&column))
        };
        if !schema.fields().iter().any(|field| is_absent(&field)) {
            return Ok(record);
        }
        let (fields, columns): (Vec<_>, Vec<_>) = schema
            .fields()
            .iter()
            .filter_map(|field| match record.column_by_name(field.name()) {
                Some(column) => Some((field.clone(), column.clone())),
                None => {
                    is_absent(&field).then(|| (field.clone(), new_null_array(field.data_type(), record.num_rows())))
                }
            })
            .unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    };
    records.into_iter().map(complete).collect()
}

/// Rows as the bytes of a Parquet file.
///
/// # Errors
/// The rows cannot be encoded.
pub(super) fn encode(table: &TableDef, records: Vec<RecordBatch>) -> Result<Vec<u8>, StoreError> {
    let fail = |source: ParquetError| StoreError::Encode { table: table.name.to_owned(), source };
    let records = with_content(table, records).map_err(|error| fail(error.into()))?;
    let properties = properties(table, &records).map_err(fail)?;
    let schema = records.first().map_or_else(|| arrow_schema(table, true), RecordBatch::schema);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(fail)?;
    for record in records {
        writer.write(&record).map_err(fail)?;
    }
    writer.into_inner().map_err(fail)
}
