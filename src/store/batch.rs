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

/// Columns under construction.
pub struct Batch {
    table: &'static TableDef,
    builders: Vec<Builder>,
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
        let builders = table
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
            .collect();
        Self { table, builders, content, rows: 0 }
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
        let arrays: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .filter_map(|builder| -> Option<ArrayRef> {
                match builder {
                    Builder::Text(builder) => Some(Arc::new(builder.finish())),
                    Builder::Int(builder) => Some(Arc::new(builder.finish())),
                    Builder::Float(builder) => Some(Arc::new(builder.finish())),
                    Builder::Bool(builder) => Some(Arc::new(builder.finish())),
                    Builder::Skipped => None,
                }
            })
            .collect();
        RecordBatch::try_new(schema, arrays)
    }
}

/// One row under construction. A value of another type than its column's is a programming error that the tests of
/// extract find; here it leaves NULL rather than shifting the columns.
pub struct Row<'a> {
    batch: &'a mut Batch,
    next: usize,
}

impl Row<'_> {
    fn advance(&mut self) -> &mut Builder {
        let index = self.next;
        self.next += 1;
        &mut self.batch.builders[index]
    }

    /// The next column, text.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        let builder = self.advance();
        debug_assert!(matches!(builder, Builder::Text(_) | Builder::Skipped));
        match builder {
            Builder::Text(builder) => builder.append_option(value),
            other => other.append_null(),
        }
        self
    }

    /// The next column, integer.
    pub fn int(&mut self, value: Option<i64>) -> &mut Self {
        let builder = self.advance();
        debug_assert!(matches!(builder, Builder::Int(_)));
        match builder {
            Builder::Int(builder) => builder.append_option(value),
            other => other.append_null(),
        }
        self
    }

    /// The next column, float.
    pub fn float(&mut self, value: Option<f64>) -> &mut Self {
        let builder = self.advance();
        debug_assert!(matches!(builder, Builder::Float(_)));
        match builder {
            Builder::Float(builder) => builder.append_option(value),
            other => other.append_null(),
        }
        self
    }

    /// The next column, boolean.
    pub fn bool(&mut self, value: Option<bool>) -> &mut Self {
        let builder = self.advance();
        debug_assert!(matches!(builder, Builder::Bool(_)));
        match builder {
            Builder::Bool(builder) => builder.append_option(value),
            other => other.append_null(),
        }
        self
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        debug_assert_eq!(self.next, self.batch.builders.len(), "row of {} is incomplete", self.batch.table.name);
        while self.next < self.batch.builders.len() {
            self.advance().append_null();
        }
    }
}

impl Builder {
    fn append_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Skipped => {}
        }
    }
}
