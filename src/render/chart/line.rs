//! Lines over time: one panel, or a small panel for each series, so that no two lines cross and every label is direct.
//! Missing steps are gaps, the step that is not over is dashed with an open dot, points at which a series moved are marked.

use super::scale::{FONT, fit, thinned, ticks, width};
use super::series::{Grid, Series};
use super::svg::{Anchor, Canvas};
use super::{Figure, Scene, axis_title, tick_text};
use crate::engine::table::{Table, Unit};
use crate::render::format;
use crate::render::model::ChartSpec;

/// Panels of one quantity at most.
const MOST: usize = 9;
/// Panels of different quantities at most.
const MOST_OWN: usize = 18;

/// Figure of `line x=<time> y=<value> [by=<series>]`.
pub(super) fn figure(spec: &ChartSpec, table: &Table, scene: &Scene) -> Result<Option<Figure>, String> {
    let has_own_scale = spec.by.as_deref() == Some("series");
    let grid = Grid::of(spec, table, scene)?;
    let grid = if has_own_scale { grid.in_order(table, MOST_OWN) } else { grid.largest(MOST, false) };
    if grid.axis.labels.is_empty() || grid.series.is_empty() {
        return Ok(None);
    }
    // A metric of several series (cost, tokens, errors …) has a scale for each; one quantity by name has a common one.
    let title = if has_own_scale { "each with its own scale".to_owned() } else { axis_title(&grid.y, grid.unit) };
    let first = grid.axis.labels.first().cloned().unwrap_or_default();
    let last = grid.axis.labels.last().cloned().unwrap_or_default();
    let desc = match grid.series.as_slice() {
        [only] => format!("Line of {title} from {first} to {last}; {}.", ends(only, grid.unit)),
        many => format!(
            "{} small line charts of {title} from {first} to {last}, one for each {}.",
            many.len(),
            spec.by.as_deref().unwrap_or("series")
        ),
    };
    let marks = Marks { moves: on_grid(&scene.moves, &grid), spikes: on_grid(&scene.spikes, &grid) };
    let left_out = (grid.left_out > 0)
        .then(|| format!("The {} largest of {}.", grid.series.len(), grid.series.len() + grid.left_out));
    let note: Vec<String> = left_out.into_iter().chain(marks.legend()).collect();
    let note = (!note.is_empty()).then(|| note.join(" "));
    Ok(Some(Figure { desc, note, draw: Box::new(move |canvas| draw(canvas, &grid, has_own_scale, &title, &marks)) }))
}

/// What is marked: series, step, words.
struct Marks {
    moves: Vec<(usize, usize, String)>,
    spikes: Vec<(usize, usize, String)>,
}

impl Marks {
    fn legend(&self) -> Option<String> {
        match (self.moves.is_empty(), self.spikes.is_empty()) {
            (true, true) => None,
            (false, true) => Some("A dashed upright line marks where a series moved.".to_owned()),
            (true, false) => Some("A ring marks where a day stood out.".to_owned()),
            (false, false) => {
                Some("A dashed upright line marks where a series moved, a ring where a day stood out.".to_owned())
            }
        }
    }
}

/// The marks of series that are drawn, by position; a chart without series is that of its column.
fn on_grid(marks: &[(String, String, String)], grid: &Grid) -> Vec<(usize, usize, String)> {
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (name, step, what) in marks {
        let is_of = |series: &Series| series.name == *name || (series.name.is_empty() && grid.y == *name);
        let place = grid.series.iter().position(is_of).zip(grid.axis.labels.iter().position(|label| label == step));
        let Some((series, step)) = place else { continue };
        match found.iter_mut().find(|(of, at, _)| (*of, *at) == (series, step)) {
            Some((.., known)) => *known = format!("{known}; {what}"),
            None => found.push((series, step, what.clone())),
        }
    }
    found
}

fn ends(series: &Series, unit: Unit) -> String {
    let mut known = series.values.iter().flatten();
    let first = known.next().copied().unwrap_or(0.0);
    let last = known.next_back().copied().unwrap_or(first);
    format!("{} at first, {} at last", format::number(first, unit), format::number(last, unit))
}

struct Panel<'a> {
    grid: &'a Grid,
    series: &'a Series,
    index: usize,
    unit: Unit,
    ticks: Vec<f64>,
    /// Room for the labels of the y axis, the same in all panels.
    margin: f64,
    origin: (f64, f64),
    size: (f64, f64),
    is_small: bool,
    has_own_scale: bool,
}

fn draw(canvas: &mut Canvas, grid: &Grid, has_own_scale: bool, title: &str, marks: &Marks) -> f64 {
    let is_small = grid.series.len() > 1;
    let columns = match grid.series.len() {
        _ if canvas.is_narrow => 1,
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let gap = 28.0;
    let panel_width = (canvas.width - gap * (columns as f64 - 1.0)) / columns as f64;
    let height = if is_small { 122.0 } else { 190.0 };
    let top = if is_small { 28.0 } else { 22.0 };
    canvas.text((0.0, FONT), Anchor::Start, "m", &fit(title, canvas.width));
    let scale = |series: &Series| {
        let own = series.values.iter().flatten().copied().fold(0.0, f64::max);
        let most = if has_own_scale || !is_small { own } else { grid.highest() };
        let lowest = series.values.iter().flatten().copied().fold(0.0, f64::min);
        let unit = if has_own_scale { format::series_unit(&series.name) } else { grid.unit };
        (unit, ticks(lowest, most, if is_small { 2 } else { 4 }, unit))
    };
    let scales: Vec<(Unit, Vec<f64>)> = grid.series.iter().map(scale).collect();
    let texts = scales.iter().flat_map(|(unit, ticks)| ticks.iter().map(|tick| width(&tick_text(*tick, *unit))));
    let margin = texts.fold(0.0, f64::max) + 8.0;
    for (index, (series, (unit, ticks))) in grid.series.iter().zip(scales).enumerate() {
        let (column, row) = (index % columns, index / columns);
        let origin = (column as f64 * (panel_width + gap), top + row as f64 * (height + 34.0));
        panel(
            canvas,
            &Panel {
                grid,
                series,
                index,
                unit,
                ticks,
                margin,
                origin,
                size: (panel_width, height),
                is_small,
                has_own_scale,
            },
            marks,
        );
    }
    top + grid.series.len().div_ceil(columns) as f64 * (height + 34.0) - 12.0
}

fn panel(canvas: &mut Canvas, panel: &Panel<'_>, marks: &Marks) {
    let Panel { grid, series, unit, margin, origin: (left, top), size: (full, height), is_small, .. } = *panel;
    let ticks = &panel.ticks;
    let (low, high) = (ticks.first().copied().unwrap_or(0.0), ticks.last().copied().unwrap_or(1.0));
    let head = if is_small { 27.0 } else { 8.0 };
    let (x0, x1) = (left + margin, left + full - 6.0);
    let (y0, y1) = (top + height - 4.0, top + head);
    let steps = grid.axis.labels.len();
    let x = |step: usize| {
        if steps > 1 { x0 + 6.0 + (x1 - x0 - 6.0) * step as f64 / (steps - 1) as f64 } else { f64::midpoint(x0, x1) }
    };
    let y = |value: f64| y0 - (y0 - y1) * (value - low) / (high - low);
    if is_small {
        let name = if panel.has_own_scale { format::label(&series.name, unit) } else { series.name.clone() };
        canvas.text((left, top + FONT - 2.0), Anchor::Start, "b", &fit(&name, full / 1.14));
    }
    for tick in ticks {
        canvas.line((x0, y(*tick)), (x1, y(*tick)), if *tick == 0.0 { "base" } else { "grid" });
        canvas.text((x0 - 6.0, y(*tick) + 4.0), Anchor::End, "m num", &tick_text(*tick, unit));
    }
    x_labels(canvas, grid, &x, (left, left + full), y0 + 17.0);
    for (_, step, what) in marks.moves.iter().filter(|(of, ..)| *of == panel.index) {
        canvas.line((x(*step), y1), (x(*step), y0), "moved");
        canvas.dot((x(*step), y1), 3.5, "moved-dot", what);
    }
    trace(canvas, grid, series, unit, (&x, &y));
    for (_, step, what) in marks.spikes.iter().filter(|(of, ..)| *of == panel.index) {
        if let Some(value) = series.values.get(*step).copied().flatten() {
            canvas.dot((x(*step), y(value)), 5.5, "spike", what);
        }
    }
}

fn trace(
    canvas: &mut Canvas,
    grid: &Grid,
    series: &Series,
    unit: Unit,
    (x, y): (&dyn Fn(usize) -> f64, &dyn Fn(f64) -> f64),
) {
    let is_open = |step: usize| grid.is_unfinished.get(step).copied().unwrap_or(false);
    let points: Vec<Option<(f64, f64)>> =
        series.values.iter().enumerate().map(|(step, value)| value.map(|value| (x(step), y(value)))).collect();
    let solid: Vec<_> = points.iter().enumerate().map(|(step, point)| point.filter(|_| !is_open(step))).collect();
    canvas.polyline(&solid, "l0");
    let dashed: Vec<_> =
        points.iter().enumerate().map(|(step, point)| point.filter(|_| is_open(step) || is_open(step + 1))).collect();
    if dashed.iter().flatten().count() > 1 {
        canvas.polyline(&dashed, "l0 dashed");
    }
    let is_dense = points.len() > 60;
    let is_many = points.len() > 16;
    for (step, value) in series.values.iter().enumerate() {
        let (Some(value), Some(point)) = (value, points.get(step).copied().flatten()) else { continue };
        // On small screens there are no tooltips: a dot is needed only where there is no line.
        let is_lone = |at: Option<usize>| at.and_then(|at| points.get(at).copied().flatten()).is_none();
        let is_alone = is_lone(step.checked_sub(1)) && is_lone(Some(step + 1));
        if canvas.is_narrow && is_many && !is_alone && !is_open(step) {
            continue;
        }
        let label = grid.axis.labels.get(step).map_or("", String::as_str);
        let state = if is_open(step) { " (not over)" } else { "" };
        let class = if is_open(step) { "dot open" } else { "dot" };
        let radius = if is_dense { 1.5 } else { 2.6 };
        canvas.dot(point, radius, class, &format!("{label}{state}: {}", format::number(*value, unit)));
    }
}

/// Labels along the x axis, thinned so that they never collide, kept inside the drawing.
pub(super) fn x_labels(
    canvas: &mut Canvas,
    grid: &Grid,
    x: &dyn Fn(usize) -> f64,
    (from, to): (f64, f64),
    baseline: f64,
) {
    let labels = grid.axis.short_labels();
    let widths: Vec<f64> = labels.iter().map(|label| width(label)).collect();
    let inside = |step: usize| {
        let half = widths.get(step).copied().unwrap_or(0.0) / 2.0;
        x(step).max(from + half).min(to - half)
    };
    let positions: Vec<f64> = (0..labels.len()).map(inside).collect();
    for step in thinned(&positions, &widths, 10.0) {
        if let (Some(label), Some(at)) = (labels.get(step), positions.get(step)) {
            canvas.text((*at, baseline), Anchor::Middle, "m num", label);
        }
    }
}
