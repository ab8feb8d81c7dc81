//! Matrix: names × names with the number in each cell, shaded; the longer side runs down. Also draws transitions.

use std::collections::BTreeMap;

use super::axis::Axis;
use super::heat::{SHADES, shade};
use super::scale::{FONT, fit, fit_name, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, axis_title, needed};
use crate::engine::table::{Column, Data, Table, Unit};
use crate::render::model::ChartSpec;
use crate::render::{format, tabular};

const MOST_ROWS: usize = 16;
const MOST_COLUMNS: usize = 8;
/// Names on both sides, where they are the same.
const MOST_SHARED: usize = 12;
/// The same on a small screen, where a number needs its room.
const MOST_NARROW: usize = 7;
const CELL: f64 = 28.0;
/// A cell whose number has its n and interval below it.
const TALL: f64 = 42.0;

#[derive(Debug, Clone, Copy)]
struct Number {
    value: f64,
    interval: Option<(f64, f64)>,
    count: Option<f64>,
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
    /// Both sides have the same names: columns are numbered like the rows.
    is_shared: bool,
    /// Where both names are the same, the prediction was right.
    has_diagonal: bool,
}

impl Matrix {
    /// The first rows and columns, and a title that says so.
    fn first(&self, most: usize) -> Self {
        Self {
            columns: self.columns.iter().take(most).cloned().collect(),
            rows: self.rows.iter().take(most).cloned().collect(),
            cells: self.cells.iter().take(most).map(|row| row.iter().take(most).copied().collect()).collect(),
            title: format!("{}, first {most} of {}", self.title, self.rows.len()),
            down: self.down.clone(),
            across: self.across.clone(),
            ..*self
        }
    }
}

/// Figure of `matrix x=<column> y=<row> by=<value>`.
pub(super) fn figure(spec: &ChartSpec, table: &Table) -> Result<Option<Figure>, String> {
    let (mut x, mut y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
    let by = match spec.by.as_deref() {
        Some(by) => needed(Some(by), "by", table)?,
        None => first_value(table, &x.name, &y.name).ok_or("the chart has no by=, and no column has numbers")?,
    };
    let (mut across, mut down) = (Axis::of(x, table.len()), Axis::of(y, table.len()));
    let is_shared = share(table, by, &mut across, &mut down);
    if !is_shared && across.labels.len() > down.labels.len() {
        (x, y) = (y, x);
        (across, down) = (down, across);
    }
    let interval = table.position(&by.name).and_then(|index| tabular::interval_of(table, index));
    let count = interval.and(counted(table, &by.name));
    let (most_columns, most_rows) = if is_shared { (MOST_SHARED, MOST_SHARED) } else { (MOST_COLUMNS, MOST_ROWS) };
    let (columns, rows) = (across.labels.len().min(most_columns), down.labels.len().min(most_rows));
    let mut cells: Vec<Vec<Option<Number>>> = vec![vec![None; columns]; rows];
    for row in 0..table.len() {
        let place = across.step_of.get(row).copied().flatten().zip(down.step_of.get(row).copied().flatten());
        let (Some((column, line)), Some(value)) = (place, by.value(row).as_f64()) else { continue };
        let interval =
            interval.and_then(|(low, high)| Some((table.value(row, low).as_f64()?, table.value(row, high).as_f64()?)));
        if let Some(cell) = cells.get_mut(line).and_then(|line| line.get_mut(column)) {
            *cell = Some(match (*cell, by.unit) {
                (Some(known), unit) if unit != Unit::Ratio => {
                    Number { value: known.value + value, interval: None, count: None }
                }
                _ => Number { value, interval, count: count.and_then(|count| count.value(row).as_f64()) },
            });
        }
    }
    let largest = cells.iter().flatten().flatten().map(|cell| cell.value).fold(0.0, f64::max);
    // One number is no matrix.
    if cells.iter().flatten().flatten().count() < 2 {
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
        is_shared,
        has_diagonal: is_shared && [&x.name, &y.name].iter().any(|name| name.contains("predicted")),
    };
    let note = (left_out > 0).then(|| format!("{left_out} rows or columns are left out."));
    Ok(Some(Figure { desc, note, draw: Box::new(move |canvas| draw(canvas, &matrix)) }))
}

/// Gives both axes the same names in the same order, heaviest first, where they share most of them.
fn share(table: &Table, by: &Column, across: &mut Axis, down: &mut Axis) -> bool {
    let shared = across.labels.iter().filter(|label| down.labels.contains(label)).count();
    if shared < 2 || shared * 2 < across.labels.len().min(down.labels.len()) || across.is_ordered() || down.is_ordered()
    {
        return false;
    }
    let mut weights: BTreeMap<String, f64> = BTreeMap::new();
    for row in 0..table.len() {
        let weight = by.value(row).as_f64().unwrap_or(0.0).abs();
        for axis in [&*across, &*down] {
            if let Some(label) = axis.step_of[row].and_then(|step| axis.labels.get(step)) {
                *weights.entry(label.clone()).or_insert(0.0) += weight;
            }
        }
    }
    let mut order: Vec<(String, f64)> = weights.into_iter().collect();
    // What stands in brackets (the end of a session) is no name: it comes last.
    let place = |(name, weight): &(String, f64)| (name.starts_with('('), -weight);
    order.sort_by(|left, right| {
        let ((is_last, weight), (other_last, other)) = (place(left), place(right));
        is_last.cmp(&other_last).then(weight.total_cmp(&other)).then_with(|| left.0.cmp(&right.0))
    });
    let labels: Vec<String> = order.into_iter().map(|(label, _)| label).collect();
    for axis in [across, down] {
        let place = |step: &Option<usize>| {
            let label = axis.labels.get((*step)?)?;
            labels.iter().position(|known| known == label)
        };
        axis.step_of = axis.step_of.iter().map(place).collect();
        axis.labels.clone_from(&labels);
    }
    true
}

/// The number of observations behind a rate: the first count before it.
fn counted<'a>(table: &'a Table, rate: &str) -> Option<&'a Column> {
    let end = table.position(rate)?;
    table.columns[..end]
        .iter()
        .find(|column| column.unit == Unit::Count && (column.name.ends_with("_count") || column.name == "n"))
}

/// n and interval of a rate, as far as there is room.
fn below(number: &Number, room: f64) -> Option<String> {
    let ((low, high), count) = (number.interval?, number.count?);
    let count = format!("n {}", format::count(count));
    let whole = format!("{count}, {:.0}–{:.0}", low * 100.0, high * 100.0);
    [whole, count].into_iter().find(|text| width(text) <= room)
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
    if canvas.is_narrow && matrix.is_shared && matrix.columns.len() > MOST_NARROW {
        return draw(canvas, &matrix.first(MOST_NARROW));
    }
    // The number stands beside the cells, and is kept when the name is cut.
    let number = |line: usize| if matrix.is_shared { format!("  {}", line + 1) } else { String::new() };
    let row_name = |line: usize, room: f64| {
        let (name, number) = (matrix.rows.get(line).map_or("", String::as_str), number(line));
        format!("{}{number}", fit_name(name, room - width(&number)))
    };
    let widest_row = (0..matrix.rows.len()).map(|line| width(&row_name(line, f64::INFINITY))).fold(0.0, f64::max);
    let names = widest_row.min(canvas.width * if canvas.is_narrow { 0.4 } else { 0.34 }) + 10.0;
    let widest = matrix.columns.iter().map(|column| width(column)).fold(56.0, f64::max) + 12.0;
    let is_tall = matrix.cells.iter().flatten().flatten().any(|cell| cell.count.is_some());
    let widest = if matrix.is_shared { 56.0 } else { widest.max(if is_tall { 96.0 } else { 72.0 }) };
    let step = ((canvas.width - names) / matrix.columns.len().max(1) as f64).min(widest);
    let top = 44.0;
    let (cell_height, baseline) = if is_tall { (TALL, 17.0) } else { (CELL, 18.0) };
    canvas.text(
        (0.0, FONT),
        Anchor::Start,
        "m",
        &fit(&format!("{}: {} ↓, {} →", matrix.title, matrix.down, matrix.across), canvas.width),
    );
    for (column, name) in matrix.columns.iter().enumerate() {
        let name = if matrix.is_shared { (column + 1).to_string() } else { fit_name(name, step - 6.0) };
        canvas.text((names + (column as f64 + 0.5) * step, top - 8.0), Anchor::Middle, "", &name);
    }
    for (line, row) in matrix.cells.iter().enumerate() {
        let y = top + line as f64 * cell_height;
        let name = matrix.rows.get(line).map_or("", String::as_str);
        canvas.text((names - 8.0, y + cell_height / 2.0 + 3.0), Anchor::End, "", &row_name(line, names - 10.0));
        for (column, cell) in row.iter().enumerate() {
            let x = names + column as f64 * step;
            let Some(number) = cell else {
                canvas.rect((x, y), (step - 2.0, cell_height - 2.0), "none", "");
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
                (step - 2.0, cell_height - 2.0),
                &format!("h{shade}"),
                &format!("{name} · {column_name}: {text}{interval}"),
            );
            let is_weak = number.interval.is_some_and(|interval| tabular::is_weak(number.value, interval));
            if matrix.has_diagonal && line == column {
                canvas.rect((x + 1.0, y + 1.0), (step - 4.0, cell_height - 4.0), "diagonal", "");
            }
            let class = match (shade > SHADES / 2, is_weak) {
                (true, false) => "num inv",
                (true, true) => "num inv weak",
                (false, false) => "num",
                (false, true) => "num weak",
            };
            canvas.text((x + step / 2.0 - 1.0, y + baseline), Anchor::Middle, class, &fit(&text, step - 4.0));
            if let Some(text) = below(number, step - 4.0) {
                let class = if shade > SHADES / 2 { "num inv s" } else { "num s" };
                canvas.text((x + step / 2.0 - 1.0, y + 33.0), Anchor::Middle, class, &text);
            }
        }
    }
    top + matrix.rows.len() as f64 * cell_height + 4.0
}
