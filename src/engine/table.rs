//! The neutral result: what every engine gives and every renderer takes.
//!
//! Columns of plain vectors; NULL is `None`. Names decide how a value is shown: `…_at` holds epoch milliseconds UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Number, Value as Json};

pub use crate::model::unit::Unit;

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Flags.
    Bool(Vec<Option<bool>>),
    /// Whole numbers, and moments.
    Int(Vec<Option<i64>>),
    /// Fractions.
    Float(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<Option<String>>),
    /// Days since 1970-01-01.
    Date(Vec<Option<i32>>),
}

impl Data {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Date(values) => values.len(),
        }
    }

    /// True without values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name, unique in the table.
    pub name: String,
    /// Unit.
    pub unit: Unit,
    /// Values.
    pub data: Data,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Unknown.
    Null,
    /// A flag.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A fraction.
    Float(f64),
    /// A text.
    Text(&'a str),
    /// A day, since 1970-01-01.
    Date(i32),
    /// A moment, epoch milliseconds UTC.
    At(i64),
}

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.data.len())
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Position of a column by name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The value at row and column; NULL outside the table.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        self.columns.get(column).map_or(Value::Null, |column| column.value(row))
    }

    /// The value at a row, by the column's name; NULL outside the table.
    #[must_use]
    pub fn get(&self, row: usize, name: &str) -> Value<'_> {
        self.column(name).map_or(Value::Null, |column| column.value(row))
    }

    /// An array of row objects with keys in the order of the columns.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Array((0..self.len()).map(|row| Json::Object(self.row_json(row))).collect())
    }

    /// One row as an object.
    #[must_use]
    pub fn row_json(&self, row: usize) -> Map<String, Json> {
        self.columns.iter().map(|column| (column.name.clone(), column.value(row).to_json())).collect()
    }

    /// Keeps the rows at these positions, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        fn pick<T: Clone>(values: &[Option<T>], rows: &[usize]) -> Vec<Option<T>> {
            rows.iter().map(|row| values.get(*row).cloned().flatten()).collect()
        }
        let columns = self
            .columns
            .iter()
            .map(|column| Column {
                name: column.name.clone(),
                unit: column.unit,
                data: match &column.data {
                    Data::Bool(values) => Data::Bool(pick(values, rows)),
                    Data::Int(values) => Data::Int(pick(values, rows)),
                    Data::Float(values) => Data::Float(pick(values, rows)),
                    Data::Text(values) => Data::Text(pick(values, rows)),
                    Data::Date(values) => Data::Date(pick(values, rows)),
                },
            })
            .collect();
        Self { columns }
    }
}

impl Column {
    /// The value at a row; NULL outside.
    #[must_use]
    pub fn value(&self, row: usize) -> Value<'_> {
        fn at<T: Copy>(values: &[Option<T>], row: usize) -> Option<T> {
            values.get(row).copied().flatten()
        }
        match &self.data {
            Data::Bool(values) => at(values, row).map_or(Value::Null, Value::Bool),
            Data::Int(values) if self.unit == Unit::At => at(values, row).map_or(Value::Null, Value::At),
            Data::Int(values) => at(values, row).map_or(Value::Null, Value::Int),
            Data::Float(values) => at(values, row).map_or(Value::Null, Value::Float),
            Data::Text(values) => values.get(row).and_then(Option::as_deref).map_or(Value::Null, Value::Text),
            Data::Date(values) => at(values, row).map_or(Value::Null, Value::Date),
        }
    }
}

impl Value<'_> {
    /// JSON, with moments and days as texts.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(number) => Json::Number((*number).into()),
            Self::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::String((*text).to_owned()),
            Self::Date(_) | Self::At(_) => Json::String(self.to_text()),
        }
    }

    /// Plain text in full precision; NULL is empty.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(flag) => flag.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => (*text).to_owned(),
            Self::Date(days) => day(*days),
            Self::At(moment) => rfc3339(*moment),
        }
    }

    /// The number, where it is one.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "for display and comparison")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) | Self::At(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Self::Null | Self::Text(_) | Self::Date(_) => None,
        }
    }

    /// The whole number, where it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) | Self::At(number) => Some(*number),
            _ => None,
        }
    }
}

/// Days since 1970-01-01 as `YYYY-MM-DD`.
#[must_use]
pub fn day(days: i32) -> String {
    Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().days(days))
        .map_or_else(|_| format!("day {days}"), |date| date.to_string())
}

/// Epoch milliseconds as RFC 3339 UTC with milliseconds.
#[must_use]
pub fn rfc3339(moment: i64) -> String {
    Timestamp::from_millisecond(moment)
        .map_or_else(|_| format!("{moment} ms"), |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}
