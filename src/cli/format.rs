//! Tables as text: for people, for programs, for other engines.
//!
//! Input: a [`Table`]. Output: bytes. Only the form for people rounds, and only on a terminal is anything cut.

use super::globals::{Format, OutputArgs};
use super::printer::{Printer, STRONG, printable};
use crate::engine::table::{Column, Data, Table, Unit, Value};
use anyhow::Context;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use comfy_table::{CellAlignment, ContentArrangement};
use std::sync::Arc;

/// Prints a table as asked for.
///
/// # Errors
/// Standard output or the file cannot be written, or Parquet is asked for without a file.
pub fn print(printer: &Printer, table: &Table, output: &OutputArgs) -> anyhow::Result<()> {
    let limited;
    let table = match output.limit {
        Some(limit) if limit < table.len() => {
            limited = table.take(&(0..limit).collect::<Vec<_>>());
            &limited
        }
        _ => table,
    };
    let mut bytes = render(table, output.format(), printer.width())?;
    if output.output.is_some() && output.format() == Format::Table {
        // A file has no colours.
        bytes = anstream::adapter::strip_bytes(&bytes).into_vec();
    }
    match &output.output {
        Some(path) => super::write::to_file(path, &bytes),
        None if output.format() == Format::Parquet => {
            anyhow::bail!(super::Usage("Parquet is not for a terminal: name a file with -o FILE".into()))
        }
        None => printer.data(&bytes),
    }
}

/// A table in a format.
///
/// # Errors
/// The table cannot be encoded.
pub fn render(table: &Table, format: Format, width: Option<u16>) -> anyhow::Result<Vec<u8>> {
    Ok(match format {
        Format::Table => aligned(table, width).into_bytes(),
        Format::Json => {
            let mut bytes = serde_json::to_vec_pretty(&table.to_json())?;
            bytes.push(b'\n');
            bytes
        }
        Format::Jsonl => {
            let mut bytes = Vec::new();
            for row in 0..table.len() {
                serde_json::to_writer(&mut bytes, &table.row_json(row))?;
                bytes.push(b'\n');
            }
            bytes
        }
        Format::Csv => csv_bytes(table)?,
        Format::Markdown => markdown(table).into_bytes(),
        Format::Parquet => parquet_bytes(table).context("cannot encode Parquet")?,
    })
}

fn is_number(column: &Column) -> bool {
    matches!(column.data, Data::Int(_) | Data::Float(_)) && !matches!(column.unit, Unit::At)
}

fn aligned(table: &Table, width: Option<u16>) -> String {
    if table.is_empty() {
        return "no rows\n".to_owned();
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(comfy_table::presets::NOTHING);
    match width {
        Some(width) => drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => drawn.set_content_arrangement(ContentArrangement::Disabled),
    };
    drawn
        .set_header(table.columns.iter().map(|column| printable(&human(Value::Text(&column.name), Unit::Name, false))));
    for row in 0..table.len() {
        drawn.add_row(
            table.columns.iter().map(|column| printable(&human(column.value(row), column.unit, width.is_some()))),
        );
    }
    for (column, drawn) in table.columns.iter().zip(drawn.column_iter_mut()) {
        drawn.set_padding((0, 2));
        if is_number(column) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    // The codes of a style would count as width in a cell: they go around the whole line.
    drawn.lines().enumerate().fold(String::new(), |mut text, (number, line)| {
        let line = line.trim_end();
        match number {
            0 => text.push_str(&format!("{STRONG}{line}{STRONG:#}")),
            _ => text.push_str(line),
        }
        text.push('\n');
        text
    })
}

/// A value as people read it: units, thousands, few digits; a long text is cut for a terminal.
#[must_use]
pub fn human(value: Value<'_>, unit: Unit, is_cut: bool) -> String {
    let number = value.as_f64();
    match (value, unit, number) {
        (Value::Null, ..) => "–".to_owned(),
        (Value::Text(text), ..) => {
            let line = text.replace(['\n', '\r', '\t'], " ");
            if is_cut && line.chars().count() > 120 { line.chars().take(119).chain(['…']).collect() } else { line }
        }
        (_, Unit::Usd, Some(number)) => usd(number),
        (_, Unit::Ratio, Some(number)) => format!("{:.1} %", number * 100.0),
        (_, Unit::Ms, Some(number)) => duration(number),
        (_, Unit::Tokens | Unit::Count | Unit::Chars | Unit::Lines | Unit::Bytes, Some(number))
            if number.fract() == 0.0 =>
        {
            thousands(number)
        }
        (Value::Float(number), ..) => {
            if number.fract() == 0.0 && number.abs() < 1e15 {
                format!("{number:.0}")
            } else {
                format!("{number:.3}")
            }
        }
        _ => value.to_text(),
    }
}

fn usd(number: f64) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    let number = number.abs();
    if number == 0.0 || number >= 0.995 { format!("{sign}${number:.2}") } else { format!("{sign}${number:.4}") }
}

fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1_000.0),
        ms if ms < 3_600_000.0 => {
            format!("{} m {:02.0} s", (ms / 60_000.0).floor(), ((ms % 60_000.0) / 1_000.0).floor())
        }
        ms => format!("{} h {:02.0} m", (ms / 3_600_000.0).floor(), ((ms % 3_600_000.0) / 60_000.0).floor()),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("-{text}") } else { text }
}

fn csv_bytes(table: &Table) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.columns.iter().map(|column| column.name.as_str()))?;
    for row in 0..table.len() {
        writer.write_record(table.columns.iter().map(|column| column.value(row).to_text()))?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!("cannot write CSV: {error}"))
}

fn markdown(table: &Table) -> String {
    let cell = |text: &str| -> String {
        let mut safe = String::with_capacity(text.len());
        for character in printable(text).chars() {
            match character {
                '\n' | '\t' => safe.push(' '),
                '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => {
                    safe.push('\\');
                    safe.push(character);
                }
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '&' => safe.push_str("&amp;"),
                other => safe.push(other),
            }
        }
        safe
    };
    let mut text = String::from("|");
    for column in &table.columns {
        text.push_str(&format!(" {} |", cell(&column.name)));
    }
    text.push_str("\n|");
    for column in &table.columns {
        text.push_str(if is_number(column) { " ---: |" } else { " --- |" });
    }
    text.push('\n');
    for row in 0..table.len() {
        text.push('|');
        for column in &table.columns {
            text.push_str(&format!(" {} |", cell(&column.value(row).to_text())));
        }
        text.push('\n');
    }
    text
}

fn parquet_bytes(table: &Table) -> anyhow::Result<Vec<u8>> {
    let arrays: Vec<(String, ArrayRef)> = table
        .columns
        .iter()
        .map(|column| {
            let array: ArrayRef = match &column.data {
                Data::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
                Data::Int(values) if column.unit == Unit::At => {
                    Arc::new(TimestampMillisecondArray::from(values.clone()).with_timezone("UTC"))
                }
                Data::Int(values) => Arc::new(Int64Array::from(values.clone())),
                Data::Float(values) => Arc::new(Float64Array::from(values.clone())),
                Data::Text(values) => Arc::new(StringArray::from(values.clone())),
                Data::Date(values) => Arc::new(Date32Array::from(values.clone())),
            };
            (column.name.clone(), array)
        })
        .collect();
    let batch = RecordBatch::try_from_iter_with_nullable(arrays.into_iter().map(|(name, array)| (name, array, true)))?;
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}
