//! Horizontal bars from zero, largest first (numbered ones in order), with names on the left and values at their ends.

use super::scale::{FONT, fit, fit_name, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, Scene, axis_title, needed};
use crate::engine::table::{Column, Data, Table, Unit, Value};
use crate::render::format;
use crate::render::model::ChartSpec;
use jiff::tz::TimeZone;

/// Bars at most.
const MOST: usize = 12;
const ROW: f64 = 25.0;
const BAR: f64 = 15.0;

struct Bar {
    name: String,
    value: f64,
}

/// Figure of `bar x=<name> y=<value> [by=<name>]`.
pub(super) fn figure(spec: &ChartSpec, table: &Table, scene: &Scene) -> Result<Option<Figure>, String> {
    let (x, y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
    let by = spec.by.as_deref().map(|by| needed(Some(by), "by", table)).transpose()?;
    let zone = scene.zone.clone().unwrap_or(TimeZone::UTC);
    let of = |column: &Column, row: usize| match column.value(row) {
        Value::At(at) => format::moment(at, &zone),
        value => named(&value.to_text()),
    };
    let name = |row: usize| match by {
        Some(by) => format!("{} · {}", of(x, row), of(by, row)),
        None => of(x, row),
    };
    // Rows with the same name (two models of one subagent type) are one bar, where their values may be added.
    let may_add = by.is_none() && x.name != "title" && is_sum(&y.name, y.unit);
    let mut merged: Vec<Bar> = Vec::new();
    for row in 0..table.len() {
        let (name, Some(value)) = (name(row), y.value(row).as_f64().filter(|value| *value > 0.0)) else { continue };
        match merged.iter_mut().find(|known| may_add && known.name == name) {
            Some(known) => known.value += value,
            None => merged.push(Bar { name, value }),
        }
    }
    let is_ordered = matches!(x.data, Data::Int(_) | Data::Float(_));
    let number = |bar: &Bar| bar.name.parse::<f64>().unwrap_or(0.0);
    merged.sort_by(|left, right| {
        if is_ordered { number(left).total_cmp(&number(right)) } else { right.value.total_cmp(&left.value) }
    });
    let all = merged.len();
    merged.truncate(MOST);
    // Two bars are read faster in the table.
    let Some(largest) = merged.iter().max_by(|left, right| left.value.total_cmp(&right.value)).filter(|_| all > 2)
    else {
        return Ok(None);
    };
    // Bars of one length say nothing that the table does not.
    if merged.iter().all(|bar| bar.value >= largest.value) {
        return Ok(None);
    }
    let title = axis_title(&y.name, y.unit);
    let desc = format!(
        "Bars of {title} for {all} rows. The largest is {} with {}.",
        largest.name,
        format::number(largest.value, y.unit)
    );
    let note = (all > MOST).then(|| format!("The {MOST} {} of {all}.", if is_ordered { "first" } else { "largest" }));
    let unit = y.unit;
    Ok(Some(Figure { desc, note, draw: Box::new(move |canvas| draw(canvas, &merged, unit, &title)) }))
}

/// Whether values of a column may be added: amounts may, rates, means and quantiles may not.
fn is_sum(column: &str, unit: Unit) -> bool {
    let is_amount =
        matches!(unit, Unit::Count | Unit::Usd | Unit::Tokens | Unit::Chars | Unit::Lines | Unit::Bytes | Unit::Ms);
    is_amount
        && !column.split('_').any(|word| {
            matches!(word, "per" | "mean" | "max" | "min") || word.starts_with('p') && word[1..].parse::<u8>().is_ok()
        })
}

fn named(name: &str) -> String {
    if name.trim().is_empty() { "(empty)".to_owned() } else { format::clean(name) }
}

fn draw(canvas: &mut Canvas, bars: &[Bar], unit: Unit, title: &str) -> f64 {
    let share = if canvas.is_narrow { 0.42 } else { 0.36 };
    let widest = bars.iter().map(|bar| width(&bar.name)).fold(0.0, f64::max);
    let names = widest.min(canvas.width * share) + 10.0;
    let values = bars.iter().map(|bar| width(&format::number(bar.value, unit))).fold(0.0, f64::max) + 10.0;
    let room = canvas.width - names - values;
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    canvas.text((names, FONT), Anchor::Start, "m", &fit(title, canvas.width - names));
    let top = 22.0;
    for (index, bar) in bars.iter().enumerate() {
        let y = top + index as f64 * ROW;
        let text = y + BAR - 3.0;
        let length = (bar.value / most * room).max(1.5);
        canvas.text((names - 8.0, text), Anchor::End, "", &fit_name(&bar.name, names - 10.0));
        canvas.rect((names, y), (length, BAR), "f0", &format!("{}: {}", bar.name, format::number(bar.value, unit)));
        canvas.text((names + length + 6.0, text), Anchor::Start, "num", &format::number(bar.value, unit));
    }
    canvas.line((names, top - 4.0), (names, top + bars.len() as f64 * ROW - 6.0), "base");
    top + bars.len() as f64 * ROW
}
