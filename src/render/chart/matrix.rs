//! Matrix: names × names with the number in each cell, shaded; the longer side runs down. Also draws transitions.

use super::axis::Axis;
use super::heat::{SHADES, shade};
use super::scale::{FONT, fit, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, axis_title, needed};
use crate::engine::table::{Column, Data, Table, Unit};
use crate::render::model::ChartSpec;
use crate::render::{format, tabular};

const MOST_ROWS: usize = 16;
const MOST_COLUMNS: usize = 8;
const CELL: f64 = 28.0;

#[derive(Debug, Clone, Copy)]
struct Number {
    value: f64,
    interval: Option<(f64, f64)>,
}

struct Matrix {
    columns: Vec<String>,
    rows: Vec<String>,
    cells: Vec<Vec<Option<Number>>>,
    most: f64,
    unit: Unit,
    title: String,
    down: String,
    across: String,
}

/// Figure of `matrix x=<column> y=<row> by=<value>`.
pub(super) fn figure(spec: &ChartSpec, table: &Table) -> Result<Option<Figure>, String> {
    let (mut x, mut y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
    let by = match spec.by.as_deref() {
        Some(by) => needed(Some(by), "by", table)?,
        None => first_value(table, &x.name, &y.name).ok_or("the chart has no by=, and no column has numbers")?,
    };
    let (mut across, mut down) = (Axis::of(x, table.len()), Axis::of(y, table.len()));
    if across.labels.len() > down.labels.len() {
        (x, y) = (y, x);
        (across, down) = (down, across);
    }
    let interval = table.position(&by.name).and_then(|index| tabular::interval_of(table, index));
    let (columns, rows) = (across.labels.len().min(MOST_COLUMNS), down.labels.len().min(MOST_ROWS));
    let mut cells: Vec<Vec<Option<Number>>> = vec![vec![None; columns]; rows];
    for row in 0..table.len() {
        let place = across.step_of.get(row).copied().flatten().zip(down.step_of.get(row).copied().flatten());
        let (Some((column, line)), Some(value)) = (place, by.value(row).as_f64()) else { continue };
        let interval =
            interval.and_then(|(low, high)| Some((table.value(row, low).as_f64()?, table.value(row, high).as_f64()?)));
        if let Some(cell) = cells.get_mut(line).and_then(|line| line.get_mut(column)) {
            *cell = Some(match (*cell, by.unit) {
                (Some(known), unit) if unit != Unit::Ratio => Number { value: known.value + value, interval: None },
                _ => Number { value, interval },
            });
        }
    }
    let largest = cells.iter().flatten().flatten().map(|cell| cell.value).fold(0.0, f64::max);
    if cells.iter().flatten().flatten().next().is_none() {
        return Ok(None);
    }
    let title = axis_title(&by.name, by.unit);
    let left_out = (across.labels.len() - columns) + (down.labels.len() - rows);
    let desc = format!(
        "Matrix of {title}: {rows} rows ({}) by {columns} columns ({}). The largest is {}.",
        format::label(&y.name, y.unit),
        format::label(&x.name, x.unit),
        format::number(largest, by.unit)
    );
    let matrix = Matrix {
        columns: across.labels.into_iter().take(columns).collect(),
        rows: down.labels.into_iter().take(rows).collect(),
        cells,
        // A matrix of ones is not a matrix of maxima.
        most: if by.unit == Unit::Ratio { largest.max(1.0) } else { largest.max(4.0) },
        unit: by.unit,
        title,
        down: format::label(&y.name, y.unit),
        across: format::label(&x.name, x.unit),
    };
    let note = (left_out > 0).then(|| format!("{left_out} rows or columns are left out."));
    Ok(Some(Figure { desc, note, draw: Box::new(move |canvas| draw(canvas, &matrix)) }))
}

/// Where the header names no values: the first rate, else the first number.
fn first_value<'a>(table: &'a Table, x: &str, y: &str) -> Option<&'a Column> {
    let is_value = |column: &&Column| {
        matches!(column.data, Data::Int(_) | Data::Float(_))
            && column.unit != Unit::At
            && column.name != x
            && column.name != y
    };
    let rate = table.columns.iter().filter(is_value).find(|column| column.unit == Unit::Ratio);
    rate.or_else(|| table.columns.iter().find(is_value))
}

fn draw(canvas: &mut Canvas, matrix: &Matrix) -> f64 {
    let names = matrix.rows.iter().map(|row| width(row)).fold(0.0, f64::max).min(canvas.width * 0.34) + 10.0;
    let widest = matrix.columns.iter().map(|column| width(column)).fold(56.0, f64::max) + 12.0;
    let step = ((canvas.width - names) / matrix.columns.len().max(1) as f64).min(widest.max(72.0));
    let top = 44.0;
    canvas.text(
        (0.0, FONT),
        Anchor::Start,
        "m",
        &fit(&format!("{}: {} ↓, {} →", matrix.title, matrix.down, matrix.across), canvas.width),
    );
    for (column, name) in matrix.columns.iter().enumerate() {
        canvas.text((names + (column as f64 + 0.5) * step, top - 8.0), Anchor::Middle, "", &fit(name, step - 6.0));
    }
    for (line, row) in matrix.cells.iter().enumerate() {
        let y = top + line as f64 * CELL;
        let name = matrix.rows.get(line).map_or("", String::as_str);
        canvas.text((names - 8.0, y + 18.0), Anchor::End, "", &fit(name, names - 10.0));
        for (column, cell) in row.iter().enumerate() {
            let x = names + column as f64 * step;
            let Some(number) = cell else {
                canvas.rect((x, y), (step - 2.0, CELL - 2.0), "none", "");
                continue;
            };
            let shade = shade(number.value, matrix.most);
            let interval = number.interval.map_or_else(String::new, |(low, high)| {
                format!(" (95 %: {}–{})", format::ratio(low), format::ratio(high))
            });
            let column_name = matrix.columns.get(column).map_or("", String::as_str);
            let text = format::number(number.value, matrix.unit);
            canvas.rect(
                (x, y),
                (step - 2.0, CELL - 2.0),
                &format!("h{shade}"),
                &format!("{name} · {column_name}: {text}{interval}"),
            );
            let is_weak = number.interval.is_some_and(|interval| tabular::is_weak(number.value, interval));
            let class = match (shade > SHADES / 2, is_weak) {
                (true, false) => "num inv",
                (true, true) => "num inv weak",
                (false, false) => "num",
                (false, true) => "num weak",
            };
            canvas.text((x + step / 2.0 - 1.0, y + 18.0), Anchor::Middle, class, &fit(&text, step - 4.0));
        }
    }
    top + matrix.rows.len() as f64 * CELL + 4.0
}
