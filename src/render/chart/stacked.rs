//! Stacked bars from zero: upright over time, lying for categories. At most seven series and the others as one; the legend
//! stands above; a step that is not over is hatched.

use super::line::x_labels;
use super::scale::{FONT, fit, ticks, width};
use super::series::Grid;
use super::svg::{Anchor, Canvas};
use super::{Figure, Scene, axis_title, tick_text};
use crate::engine::table::Table;
use crate::render::format;
use crate::render::model::ChartSpec;

/// Series at most; the last one holds the others.
const MOST: usize = 7;
/// Categories of lying bars at most.
const MOST_ROWS: usize = 12;
const LEGEND_ROW: f64 = 20.0;

/// Figure of `stacked x=<time or name> y=<value> by=<series>`.
pub(super) fn figure(spec: &ChartSpec, table: &Table, scene: &Scene) -> Result<Option<Figure>, String> {
    let grid = Grid::of(spec, table, scene)?.largest(MOST, true);
    if grid.axis.labels.is_empty() || grid.highest_sum() <= 0.0 {
        return Ok(None);
    }
    let title = axis_title(&grid.y, grid.unit);
    let steps = grid.axis.labels.len();
    let peak = (0..steps).max_by(|left, right| grid.sum_at(*left).total_cmp(&grid.sum_at(*right))).unwrap_or(0);
    let desc = format!(
        "Stacked bars of {title} by {}, {steps} {}s, {} series. The highest is {} with {}.",
        spec.by.as_deref().unwrap_or("series").replace('_', " "),
        grid.axis.title(&grid.x),
        grid.series.len(),
        grid.axis.labels.get(peak).map_or("", String::as_str),
        format::number(grid.sum_at(peak), grid.unit)
    );
    let spikes: Vec<(usize, String)> = scene
        .spikes
        .iter()
        .filter(|(series, ..)| *series == grid.y)
        .filter_map(|(_, step, what)| Some((grid.axis.labels.iter().position(|label| label == step)?, what.clone())))
        .collect();
    let note = if !grid.axis.is_ordered() && steps > MOST_ROWS {
        Some(format!("The {MOST_ROWS} largest of {steps}."))
    } else {
        (!spikes.is_empty()).then(|| "A ring above a bar marks a day that stood out.".to_owned())
    };
    let draw: Box<dyn Fn(&mut Canvas) -> f64> = if grid.axis.is_ordered() {
        Box::new(move |canvas| upright(canvas, &grid, &title, &spikes))
    } else {
        Box::new(move |canvas| lying(canvas, &grid, &title))
    };
    Ok(Some(Figure { desc, note, draw }))
}

/// Draws the legend and returns the height that it took.
fn legend(canvas: &mut Canvas, grid: &Grid, top: f64) -> f64 {
    let (mut x, mut y) = (0.0, top);
    for (index, series) in grid.series.iter().enumerate() {
        let text = fit(&series.name, canvas.width * 0.8);
        let room = width(&text) + 18.0;
        if x > 0.0 && x + room > canvas.width {
            x = 0.0;
            y += LEGEND_ROW;
        }
        canvas.rect((x, y), (11.0, 11.0), &fill(grid, index), "");
        canvas.text((x + 16.0, y + 10.0), Anchor::Start, "", &text);
        x += room + 16.0;
    }
    y + LEGEND_ROW - top
}

fn fill(grid: &Grid, index: usize) -> String {
    let is_rest = grid.series.get(index).is_some_and(|series| series.name.ends_with(" others"));
    if is_rest { "f7".to_owned() } else { format!("f{}", index % 7) }
}

fn upright(canvas: &mut Canvas, grid: &Grid, title: &str, spikes: &[(usize, String)]) -> f64 {
    let top = legend(canvas, grid, 4.0) + 10.0;
    canvas.text((0.0, top + FONT), Anchor::Start, "m", &fit(title, canvas.width));
    let (y1, y0) = (top + 28.0, top + 220.0);
    let ticks = ticks(0.0, grid.highest_sum(), 4, grid.unit);
    let high = ticks.last().copied().unwrap_or(1.0);
    let margin = ticks.iter().map(|tick| width(&tick_text(*tick, grid.unit))).fold(0.0, f64::max) + 10.0;
    let steps = grid.axis.labels.len();
    let step_width = (canvas.width - margin) / steps as f64;
    let bar = (step_width * 0.72).clamp(0.8, 40.0);
    let x = |step: usize| margin + (step as f64 + 0.5) * step_width;
    for tick in &ticks {
        let y = y0 - (y0 - y1) * tick / high;
        canvas.line((margin, y), (canvas.width, y), if *tick == 0.0 { "base" } else { "grid" });
        canvas.text((margin - 6.0, y + 4.0), Anchor::End, "m num", &tick_text(*tick, grid.unit));
    }
    for step in 0..steps {
        let label = grid.axis.labels.get(step).map_or("", String::as_str);
        let is_open = grid.is_unfinished.get(step).copied().unwrap_or(false);
        let state = if is_open { " (not over)" } else { "" };
        let mut at = y0;
        for (index, series) in grid.series.iter().enumerate() {
            let value = series.values.get(step).copied().flatten().unwrap_or(0.0);
            let height = (y0 - y1) * value / high;
            let tooltip = format!("{label}{state}, {}: {}", series.name, format::number(value, grid.unit));
            canvas.rect((x(step) - bar / 2.0, at - height), (bar, height), &fill(grid, index), &tooltip);
            at -= height;
        }
        if is_open {
            canvas.rect((x(step) - bar / 2.0, at), (bar, y0 - at), "hatch", "");
        }
        for (_, what) in spikes.iter().filter(|(of, _)| *of == step) {
            canvas.dot((x(step), at - 8.0), 4.0, "spike", what);
        }
    }
    x_labels(canvas, grid, &x, (0.0, canvas.width), y0 + 18.0);
    y0 + 24.0
}

fn lying(canvas: &mut Canvas, grid: &Grid, title: &str) -> f64 {
    let top = legend(canvas, grid, 4.0) + 10.0;
    let mut order: Vec<usize> = (0..grid.axis.labels.len()).collect();
    order.sort_by(|left, right| grid.sum_at(*right).total_cmp(&grid.sum_at(*left)).then(left.cmp(right)));
    order.truncate(MOST_ROWS);
    let name = |step: usize| grid.axis.labels.get(step).map_or("", String::as_str);
    let names = order.iter().map(|step| width(name(*step))).fold(0.0, f64::max).min(canvas.width * 0.36) + 10.0;
    let values =
        order.iter().map(|step| width(&format::number(grid.sum_at(*step), grid.unit))).fold(0.0, f64::max) + 10.0;
    let room = canvas.width - names - values;
    let high = grid.highest_sum();
    canvas.text((names, top + FONT), Anchor::Start, "m", &fit(title, canvas.width - names));
    for (row, step) in order.iter().enumerate() {
        let y = top + 22.0 + row as f64 * 25.0;
        let mut at = names;
        canvas.text((names - 8.0, y + 12.0), Anchor::End, "", &fit(name(*step), names - 10.0));
        for (index, series) in grid.series.iter().enumerate() {
            let value = series.values.get(*step).copied().flatten().unwrap_or(0.0);
            let tooltip = format!("{}, {}: {}", name(*step), series.name, format::number(value, grid.unit));
            canvas.rect((at, y), (room * value / high, 15.0), &fill(grid, index), &tooltip);
            at += room * value / high;
        }
        canvas.text((at + 6.0, y + 12.0), Anchor::Start, "num", &format::number(grid.sum_at(*step), grid.unit));
    }
    let bottom = top + 22.0 + order.len() as f64 * 25.0;
    canvas.line((names, top + 18.0), (names, bottom - 6.0), "base");
    bottom
}
