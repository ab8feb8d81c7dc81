//! Interval plot: a point with its 95 % interval for each row, so that a rate is never read without its uncertainty.

use super::scale::{FONT, fit, fit_name, ticks, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, axis_title, needed, tick_text};
use crate::engine::table::{Data, Table, Unit};
use crate::render::model::ChartSpec;
use crate::render::{format, tabular};

const MOST: usize = 16;
const ROW: f64 = 26.0;

struct Point {
    name: String,
    value: f64,
    ends: Option<(f64, f64)>,
}

/// Figure of `interval x=<name> y=<rate> [by=<name>]` (or the other way round); the interval's ends are the two columns after the rate.
pub(super) fn figure(spec: &ChartSpec, table: &Table) -> Result<Option<Figure>, String> {
    let (mut x, mut y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
    // The rate may be named on either axis: the drawing has it along x, as names read better one below the other.
    if matches!(y.data, Data::Text(_)) {
        (x, y) = (y, x);
    }
    let by = spec.by.as_deref().map(|by| needed(Some(by), "by", table)).transpose()?;
    let ends = table.position(&y.name).and_then(|index| tabular::interval_of(table, index));
    let mut points: Vec<Point> = (0..table.len())
        .filter_map(|row| {
            let name = by.map_or_else(
                || x.value(row).to_text(),
                |by| format!("{} · {}", x.value(row).to_text(), by.value(row).to_text()),
            );
            let ends =
                ends.and_then(|(low, high)| Some((table.value(row, low).as_f64()?, table.value(row, high).as_f64()?)));
            Some(Point { name: format::clean(&name), value: y.value(row).as_f64()?, ends })
        })
        .collect();
    let all = points.len();
    points.truncate(MOST);
    // One point stands in the table as well.
    if points.len() < 2 {
        return Ok(None);
    }
    let title = axis_title(&y.name, y.unit);
    let desc = format!("Points of {title} with their 95 % intervals for {all} rows.");
    let note = (all > MOST).then(|| format!("The first {MOST} of {all}."));
    let unit = y.unit;
    Ok(Some(Figure { desc, note, draw: Box::new(move |canvas| draw(canvas, &points, unit, &title)) }))
}

fn draw(canvas: &mut Canvas, points: &[Point], unit: Unit, title: &str) -> f64 {
    let share = if canvas.is_narrow { 0.42 } else { 0.36 };
    let names = points.iter().map(|point| width(&point.name)).fold(0.0, f64::max).min(canvas.width * share) + 12.0;
    let values = points.iter().map(|point| width(&format::number(point.value, unit))).fold(0.0, f64::max) + 12.0;
    let high = points.iter().map(|point| point.ends.map_or(point.value, |(_, high)| high)).fold(0.0, f64::max);
    let high = if unit == Unit::Ratio { 1.0 } else { high };
    let low = points.iter().map(|point| point.ends.map_or(point.value, |(low, _)| low)).fold(0.0, f64::min);
    let ticks = ticks(low, high, if canvas.is_narrow { 2 } else { 4 }, unit);
    let (low, high) = (ticks.first().copied().unwrap_or(0.0), ticks.last().copied().unwrap_or(1.0));
    let (x0, x1) = (names, canvas.width - values - 8.0);
    let x = |value: f64| x0 + (x1 - x0) * (value - low) / (high - low);
    let top = 24.0;
    let bottom = top + points.len() as f64 * ROW;
    canvas.text((names, FONT), Anchor::Start, "m", &fit(title, canvas.width - names));
    for tick in &ticks {
        canvas.line((x(*tick), top - 4.0), (x(*tick), bottom), if *tick == 0.0 { "base" } else { "grid" });
        canvas.text((x(*tick), bottom + 15.0), Anchor::Middle, "m num", &tick_text(*tick, unit));
    }
    for (index, point) in points.iter().enumerate() {
        let y = top + (index as f64 + 0.5) * ROW;
        let is_weak = point.ends.is_some_and(|ends| unit == Unit::Ratio && tabular::is_weak(point.value, ends));
        let text = format::number(point.value, unit);
        canvas.text((names - 8.0, y + 4.0), Anchor::End, "", &fit_name(&point.name, names - 10.0));
        if let Some((from, to)) = point.ends {
            canvas.line((x(from), y), (x(to), y), if is_weak { "whisker weak" } else { "whisker" });
        }
        let range = point.ends.map_or_else(String::new, |(from, to)| {
            format!(" (95 %: {}–{})", format::number(from, unit), format::number(to, unit))
        });
        canvas.dot(
            (x(point.value), y),
            4.5,
            if is_weak { "point weak" } else { "point" },
            &format!("{}: {text}{range}", point.name),
        );
        canvas.text((canvas.width, y + 4.0), Anchor::End, if is_weak { "num weak" } else { "num" }, &text);
    }
    bottom + 22.0
}
