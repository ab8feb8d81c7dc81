//! Rows into Arrow columns, by the table's list of columns.
//!
//! Input: values in the order of [`TableDef::columns`]. Output: one [`RecordBatch`]. The source's content columns are
//! left out when the store keeps no content; columns that the path tells are no values of a row.

use super::schema::{Kind, Origin, TableDef};
use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use std::sync::Arc;

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Skipped,
}

/// A column. Most values of most columns are NULL: they are counted, and appended together before the next value.
struct Column {
    builder: Builder,
    nulls: usize,
}

/// Columns under construction.
pub struct Batch {
    table: &'static TableDef,
    columns: Vec<Column>,
    content: bool,
    rows: usize,
}

/// The Arrow schema of a table's files, with or without its content columns.
#[must_use]
pub fn arrow_schema(table: &TableDef, content: bool) -> Arc<Schema> {
    let fields: Vec<Field> = table
        .columns
        .iter()
        .filter(|column| column.origin != Origin::Path && (content || column.origin != Origin::Content))
        .map(|column| {
            let kind = match column.kind {
                Kind::Text => DataType::Utf8,
                Kind::Int => DataType::Int64,
                Kind::Float => DataType::Float64,
                Kind::Bool => DataType::Boolean,
            };
            Field::new(column.name, kind, true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

impl Batch {
    /// Empty columns for `capacity` rows.
    #[must_use]
    pub fn new(table: &'static TableDef, content: bool, capacity: usize) -> Self {
        let columns = table
            .columns
            .iter()
            .filter(|column| column.origin != Origin::Path)
            .map(|column| {
                if column.origin == Origin::Content && !content {
                    return Builder::Skipped;
                }
                match column.kind {
                    Kind::Text => Builder::Text(StringBuilder::with_capacity(capacity, 0)),
                    Kind::Int => Builder::Int(Int64Builder::with_capacity(capacity)),
                    Kind::Float => Builder::Float(Float64Builder::with_capacity(capacity)),
                    Kind::Bool => Builder::Bool(BooleanBuilder::with_capacity(capacity)),
                }
            })
            .map(|builder| Column { builder, nulls: 0 })
            .collect();
        Self { table, columns, content, rows: 0 }
    }

    /// Starts a row; every column must be given, in order.
    pub fn row(&mut self) -> Row<'_> {
        self.rows += 1;
        Row { batch: self, next: 0 }
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &'static TableDef {
        self.table
    }

    /// Closes the columns.
    ///
    /// # Errors
    /// A row was left unfinished: the columns differ in length.
    pub fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let schema = arrow_schema(self.table, self.content);
        let arrays = self.columns.iter_mut().filter_map(Column::finish).collect();
        RecordBatch::try_new(schema, arrays)
    }
}

/// One row under construction. A value of another type than its column's is a programming error that the tests of
/// extract find; here it leaves NULL rather than shifting the columns.
pub struct Row<'a> {
    batch: &'a mut Batch,
    next: usize,
}

macro_rules! append {
    ($column:expr, $value:expr, $kind:ident) => {{
        let Column { builder, nulls } = $column;
        debug_assert!(matches!(builder, Builder::$kind(_) | Builder::Skipped));
        match ($value, builder) {
            (Some(value), Builder::$kind(builder)) => {
                if *nulls > 0 {
                    builder.append_nulls(std::mem::take(nulls));
                }
                builder.append_value(value);
            }
            _ => *nulls += 1,
        }
    }};
}

impl Row<'_> {
    fn advance(&mut self) -> &mut Column {
        let index = self.next;
        self.next += 1;
        &mut self.batch.columns[index]
    }

    /// The next column, text.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        append!(self.advance(), value, Text);
        self
    }

    /// The next column, integer.
    pub fn int(&mut self, value: Option<i64>) -> &mut Self {
        append!(self.advance(), value, Int);
        self
    }

    /// The next column, float.
    pub fn float(&mut self, value: Option<f64>) -> &mut Self {
        append!(self.advance(), value, Float);
        self
    }

    /// The next column, boolean.
    pub fn bool(&mut self, value: Option<bool>) -> &mut Self {
        append!(self.advance(), value, Bool);
        self
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        debug_assert_eq!(self.next, self.batch.columns.len(), "row of {} is incomplete", self.batch.table.name);
        while self.next < self.batch.columns.len() {
            self.advance().nulls += 1;
        }
    }
}

impl Column {
    fn finish(&mut self) -> Option<ArrayRef> {
        macro_rules! finish {
            ($builder:expr) => {{
                $builder.append_nulls(self.nulls);
                Some(Arc::new($builder.finish()))
            }};
        }
        match &mut self.builder {
            Builder::Text(builder) => finish!(builder),
            Builder::Int(builder) => finish!(builder),
            Builder::Float(builder) => finish!(builder),
            Builder::Bool(builder) => finish!(builder),
            Builder::Skipped => None,
        }
    }
}
