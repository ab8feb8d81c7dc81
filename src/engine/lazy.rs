//! polars: the neutral table in, a pipeline, the neutral table out.
//!
//! The two engines meet only here, at [`Table`], never through each other's types.

use super::table::{Column, Data, Table, Unit};
use crate::error::EngineError;
use crate::registry::Registry;
use polars::prelude::{AnyValue, DataFrame, DataType, IntoLazy, NamedFrom, PlSmallStr, PolarsResult, Series};

/// Runs the pipeline of a metric.
///
/// # Errors
/// There is no such pipeline, or polars fails.
pub fn run(metric: &str, input: Table) -> Result<Table, EngineError> {
    let fail = |message: String| EngineError::Pipeline { metric: metric.to_owned(), message };
    let pipeline = Registry::pipeline(metric).ok_or_else(|| fail("there is no pipeline of this name".into()))?;
    let output = to_frame(input)
        .and_then(|frame| pipeline(frame.lazy()))
        .and_then(polars::prelude::LazyFrame::collect)
        .map_err(|error| fail(error.to_string()))?;
    from_frame(&output).map_err(|error| fail(error.to_string()))
}

/// A table as a polars frame; days become dates.
///
/// # Errors
/// Columns differ in length or share a name.
pub fn to_frame(table: Table) -> PolarsResult<DataFrame> {
    let height = table.len();
    let columns = table
        .columns
        .into_iter()
        .map(|column| {
            let name = PlSmallStr::from_string(column.name);
            let series = match column.data {
                Data::Bool(values) => Series::new(name, values),
                Data::Int(values) => Series::new(name, values),
                Data::Float(values) => Series::new(name, values),
                Data::Text(values) => Series::new(name, values),
                Data::Date(values) => Series::new(name, values).cast(&DataType::Date)?,
            };
            Ok(series.into())
        })
        .collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(height, columns)
}

/// A polars frame as a table.
///
/// # Errors
/// A column has a type that the neutral table does not know.
pub fn from_frame(frame: &DataFrame) -> PolarsResult<Table> {
    let mut columns = Vec::new();
    for column in frame.columns() {
        let name = column.name().to_string();
        let series = column.as_materialized_series();
        let (unit, data) = match series.dtype() {
            DataType::Boolean => (Unit::Name, Data::Bool(series.bool()?.iter().collect())),
            DataType::Date => {
                let days = series.cast(&DataType::Int32)?;
                (Unit::Date, Data::Date(days.i32()?.iter().collect()))
            }
            DataType::Float32 | DataType::Float64 => {
                let wide = series.cast(&DataType::Float64)?;
                (Unit::Name, Data::Float(wide.f64()?.iter().collect()))
            }
            kind if kind.is_integer() => {
                let wide = series.cast(&DataType::Int64)?;
                let unit = if name.ends_with("_at") { Unit::At } else { Unit::Name };
                (unit, Data::Int(wide.i64()?.iter().collect()))
            }
            DataType::String => {
                (Unit::Name, Data::Text(series.str()?.iter().map(|text| text.map(str::to_owned)).collect()))
            }
            _ => {
                let texts = (0..series.len()).map(|row| match series.get(row) {
                    Ok(AnyValue::Null) | Err(_) => None,
                    Ok(value) => Some(value.to_string()),
                });
                (Unit::Name, Data::Text(texts.collect()))
            }
        };
        columns.push(Column { name, unit, data });
    }
    Ok(Table { columns })
}
