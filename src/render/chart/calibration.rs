//! Calibration curve: how often a decision was right, against how sure it said it was. On the diagonal it is honest.

use super::scale::{FONT, fit, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, needed};
use crate::engine::table::{Table, Value};
use crate::render::model::ChartSpec;
use crate::render::{format, tabular};

struct Bin {
    sure: f64,
    right: f64,
    ends: Option<(f64, f64)>,
    count: Option<f64>,
    /// Confidences of different scales do not compare: each has a line of its own.
    scale: String,
}

/// Scales that are drawn.
const MOST_SCALES: usize = 4;
/// The column that tells scales apart.
const SCALE: &str = "confidence_scale";

/// Figure of `calibration x=<mean confidence> y=<share right> [by=<count>]`.
pub(super) fn figure(spec: &ChartSpec, table: &Table) -> Result<Option<Figure>, String> {
    let (x, y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
    let by = spec.by.as_deref().map(|by| needed(Some(by), "by", table)).transpose()?;
    let ends = table.position(&y.name).and_then(|index| tabular::interval_of(table, index));
    let bins: Vec<Bin> = (0..table.len())
        .filter_map(|row| {
            Some(Bin {
                sure: x.value(row).as_f64()?,
                right: y.value(row).as_f64()?,
                ends: ends
                    .and_then(|(low, high)| Some((table.value(row, low).as_f64()?, table.value(row, high).as_f64()?))),
                count: by.and_then(|by| by.value(row).as_f64()),
                scale: match table.get(row, SCALE) {
                    Value::Text(scale) => scale.to_owned(),
                    _ => String::new(),
                },
            })
        })
        .collect();
    if bins.is_empty() {
        return Ok(None);
    }
    let above = bins.iter().filter(|bin| bin.sure > bin.right).count();
    let desc = format!(
        "Calibration curve of {} bins; in {above} of them the confidence is higher than the share that was right.",
        bins.len()
    );
    Ok(Some(Figure { desc, note: None, draw: Box::new(move |canvas| draw(canvas, &bins)) }))
}

fn draw(canvas: &mut Canvas, bins: &[Bin]) -> f64 {
    let side = (canvas.width - 60.0).min(320.0);
    let margin = width("100 %") + 10.0;
    let top = 26.0;
    let x = |value: f64| margin + value * side;
    let y = |value: f64| top + (1.0 - value) * side;
    canvas.text((0.0, FONT), Anchor::Start, "m", "share right (%)");
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        canvas.line((x(0.0), y(tick)), (x(1.0), y(tick)), if tick == 0.0 { "base" } else { "grid" });
        canvas.text((margin - 6.0, y(tick) + 4.0), Anchor::End, "m num", &format::ratio(tick));
        let anchor = if tick == 0.0 {
            Anchor::Start
        } else if tick >= 1.0 {
            Anchor::End
        } else {
            Anchor::Middle
        };
        canvas.text((x(tick), y(0.0) + 18.0), anchor, "m num", &format::ratio(tick));
    }
    canvas.text((x(1.0), y(0.0) + 37.0), Anchor::End, "m", "stated confidence (%)");
    canvas.line((x(0.0), y(0.0)), (x(1.0), y(1.0)), "ideal");
    let scales: Vec<&[Bin]> = bins.chunk_by(|left, right| left.scale == right.scale).take(MOST_SCALES).collect();
    let mut bottom = y(0.0) + 44.0;
    for (number, line) in scales.iter().enumerate() {
        let points: Vec<_> = line.iter().map(|bin| Some((x(bin.sure), y(bin.right)))).collect();
        canvas.polyline(&points, &format!("l{number}"));
        if let ([_, _, ..], Some(bin)) = (scales.as_slice(), line.first()) {
            // Beside the curve where there is room, else below it.
            let at = if canvas.is_narrow { (margin, bottom) } else { (x(1.0) + 40.0, top + 20.0 * number as f64) };
            let name = if bin.scale.is_empty() { "unknown scale" } else { bin.scale.as_str() };
            canvas.rect(at, (10.0, 10.0), &format!("f{number}"), "");
            canvas.text((at.0 + 16.0, at.1 + 9.5), Anchor::Start, "", &fit(name, canvas.width - at.0 - 16.0));
            bottom += if canvas.is_narrow { 20.0 } else { 0.0 };
        }
    }
    let most = bins.iter().filter_map(|bin| bin.count).fold(0.0, f64::max);
    for (number, bin) in scales.iter().enumerate().flat_map(|(number, line)| line.iter().map(move |bin| (number, bin)))
    {
        let is_weak = bin.ends.is_some_and(|ends| tabular::is_weak(bin.right, ends))
            || bin.count.is_some_and(|count| count < 5.0);
        if let Some((low, high)) = bin.ends {
            canvas.line(
                (x(bin.sure), y(low)),
                (x(bin.sure), y(high)),
                &format!("whisker w{number}{}", if is_weak { " weak" } else { "" }),
            );
        }
        let radius = bin.count.filter(|_| most > 0.0).map_or(4.5, |count| 3.0 + 5.0 * (count / most).sqrt());
        let count = bin.count.map_or_else(String::new, |count| format!(", n = {}", format::count(count)));
        let scale = if bin.scale.is_empty() { String::new() } else { format!("{}: ", bin.scale) };
        let tooltip = format!("{scale}said {}, right {}{count}", format::ratio(bin.sure), format::ratio(bin.right));
        canvas.dot(
            (x(bin.sure), y(bin.right)),
            radius,
            &format!("f{number}{}", if is_weak { " weak" } else { "" }),
            &tooltip,
        );
    }
    bottom
}
