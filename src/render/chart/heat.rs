//! Heat map: rows × columns, shaded from empty to the largest value, with a legend of the shades.

use super::axis::Axis;
use super::scale::{FONT, fit, thinned, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, axis_title, needed};
use crate::engine::table::{Table, Unit};
use crate::render::model::ChartSpec;
use crate::render::{format, tabular};

/// Shades beyond empty.
pub(super) const SHADES: usize = 8;

struct Heat {
    columns: Vec<String>,
    rows: Vec<String>,
    cells: Vec<Vec<Option<f64>>>,
    most: f64,
    unit: Unit,
    title: String,
    x_title: String,
}

/// Figure of `heat x=<column> y=<row> by=<value>`.
pub(super) fn figure(spec: &ChartSpec, table: &Table) -> Result<Option<Figure>, String> {
    let (x, y, by) = (
        needed(spec.x.as_deref(), "x", table)?,
        needed(spec.y.as_deref(), "y", table)?,
        needed(spec.by.as_deref(), "by", table)?,
    );
    let (across, down) = (Axis::of(x, table.len()), Axis::of(y, table.len()));
    let mut cells = vec![vec![None; across.labels.len()]; down.labels.len()];
    for row in 0..table.len() {
        let place = across.step_of.get(row).copied().flatten().zip(down.step_of.get(row).copied().flatten());
        if let (Some((column, line)), Some(value)) = (place, by.value(row).as_f64())
            && let Some(cell) = cells.get_mut(line).and_then(|line: &mut Vec<Option<f64>>| line.get_mut(column))
        {
            *cell = Some(cell.unwrap_or(0.0) + value);
        }
    }
    let most = cells.iter().flatten().flatten().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return Ok(None);
    }
    let rows: Vec<String> = match y.name.as_str() {
        "weekday" => down
            .labels
            .iter()
            .map(|label| label.parse().map_or_else(|_| label.clone(), |day| tabular::weekday(day).to_owned()))
            .collect(),
        _ => down.labels.clone(),
    };
    let title = axis_title(&by.name, by.unit);
    let peak =
        cells.iter().enumerate().find_map(|(line, row)| Some((line, row.iter().position(|cell| *cell == Some(most))?)));
    let place = peak
        .and_then(|(line, column)| Some(format!("{} {}", rows.get(line)?, across.labels.get(column)?)))
        .unwrap_or_default();
    let desc = format!(
        "Heat map of {title} by {} and {}. The largest is {} at {place}.",
        y.name,
        x.name,
        format::number(most, by.unit)
    );
    let heat = Heat {
        columns: across.short_labels(),
        rows,
        cells,
        most,
        unit: by.unit,
        title,
        x_title: format::label(&x.name, x.unit),
    };
    Ok(Some(Figure { desc, note: None, draw: Box::new(move |canvas| draw(canvas, &heat)) }))
}

/// The shade of a value: 0 for nothing, else 1 to [`SHADES`].
#[must_use]
pub(super) fn shade(value: f64, most: f64) -> usize {
    if value <= 0.0 || most <= 0.0 {
        return 0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and SHADES")]
    let shade = (value / most * SHADES as f64).ceil() as usize;
    shade.clamp(1, SHADES)
}

fn draw(canvas: &mut Canvas, heat: &Heat) -> f64 {
    let names = heat.rows.iter().map(|row| width(row)).fold(0.0, f64::max).min(canvas.width * 0.3) + 10.0;
    let step = (canvas.width - names) / heat.columns.len().max(1) as f64;
    let height = if canvas.is_narrow { 20.0 } else { 24.0 };
    let gap = if canvas.is_narrow { 1.0 } else { 2.0 };
    let top = 26.0;
    canvas.text((names, FONT), Anchor::Start, "m", &fit(&heat.title, canvas.width - names - 190.0));
    shades(canvas, heat);
    for (line, row) in heat.cells.iter().enumerate() {
        let y = top + line as f64 * height;
        let name = heat.rows.get(line).map_or("", String::as_str);
        canvas.text((names - 8.0, y + height / 2.0 + 4.0), Anchor::End, "", &fit(name, names - 8.0));
        for (column, cell) in row.iter().enumerate() {
            let class = cell.map_or_else(|| "h0".to_owned(), |value| format!("h{}", shade(value, heat.most)));
            let column_name = heat.columns.get(column).map_or("", String::as_str);
            let tooltip = cell.filter(|value| *value != 0.0).map_or_else(String::new, |value| {
                format!("{name} {column_name}: {}", format::number(value, heat.unit))
            });
            canvas.rect((names + column as f64 * step, y), (step - gap, height - gap), &class, &tooltip);
        }
    }
    let bottom = top + heat.rows.len() as f64 * height;
    let positions: Vec<f64> =
        (0..heat.columns.len()).map(|column| names + (column as f64 + 0.5) * step - gap / 2.0).collect();
    let widths: Vec<f64> = heat.columns.iter().map(|column| width(column)).collect();
    for column in every_other(&positions, &widths) {
        if let (Some(label), Some(at)) = (heat.columns.get(column), positions.get(column)) {
            canvas.text((*at, bottom + 14.0), Anchor::Middle, "m num", label);
        }
    }
    canvas.text((canvas.width, bottom + 32.0), Anchor::End, "m", &heat.x_title);
    bottom + 38.0
}

/// Labels counted from the first one, so that hours read 0, 3, 6 …
fn every_other(positions: &[f64], widths: &[f64]) -> Vec<usize> {
    let kept = thinned(positions, widths, 8.0);
    let every = match kept.as_slice() {
        [first, second, ..] => second - first,
        _ => 1,
    };
    let every = [1, 2, 3, 4, 6, 12].into_iter().find(|step| *step >= every).unwrap_or(every);
    (0..positions.len()).step_by(every.max(1)).collect()
}

fn shades(canvas: &mut Canvas, heat: &Heat) {
    let text = format::number(heat.most, heat.unit);
    let right = canvas.width - width(&text) - 8.0;
    let left = right - 9.0 * 11.0;
    canvas.text((left - 6.0, FONT), Anchor::End, "m num", "0");
    for shade in 0..=SHADES {
        canvas.rect((left + shade as f64 * 11.0, 2.0), (10.0, 11.0), &format!("h{shade}"), "");
    }
    canvas.text((canvas.width, FONT), Anchor::End, "m num", &text);
}
