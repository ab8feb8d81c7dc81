//! Waterfall: from one sum to the next by parts that add up to the difference.

use super::scale::{FONT, bold_width, fit, width};
use super::svg::{Anchor, Canvas};
use super::{Figure, axis_title};
use crate::engine::table::Unit;
use crate::render::format;

const ROW: f64 = 27.0;
const BAR: f64 = 16.0;

struct Bar {
    name: String,
    from: f64,
    to: f64,
    text: String,
    class: &'static str,
}

/// Figure of a sum before, the parts of its change, and the sum after.
#[must_use]
pub fn figure(
    column: &str,
    unit: Unit,
    (before_name, before): (&str, f64),
    parts: &[(&str, f64)],
    (after_name, after): (&str, f64),
) -> Figure {
    let total = |name: &str, value: f64| Bar {
        name: name.to_owned(),
        from: 0.0,
        to: value,
        text: format::number(value, unit),
        class: "f7",
    };
    let mut bars = vec![total(before_name, before)];
    let mut at = before;
    for (name, part) in parts {
        let class = if *part >= 0.0 { "more" } else { "less" };
        bars.push(Bar { name: (*name).to_owned(), from: at, to: at + part, text: format::signed(*part, unit), class });
        at += part;
    }
    bars.push(total(after_name, after));
    let title = axis_title(column, unit);
    let said: Vec<String> =
        parts.iter().map(|(name, part)| format!("{name} {}", format::signed(*part, unit))).collect();
    let desc = format!(
        "Waterfall of {title} from {} to {}: {}.",
        format::number(before, unit),
        format::number(after, unit),
        said.join(", ")
    );
    Figure { desc, note: None, draw: Box::new(move |canvas| draw(canvas, &bars, &title)) }
}

fn draw(canvas: &mut Canvas, bars: &[Bar], title: &str) -> f64 {
    let names = bars.iter().map(|bar| bold_width(&bar.name)).fold(0.0, f64::max).min(canvas.width * 0.4) + 12.0;
    let values = bars.iter().map(|bar| width(&bar.text)).fold(0.0, f64::max) + 12.0;
    let low = bars.iter().map(|bar| bar.from.min(bar.to)).fold(0.0, f64::min);
    let high = bars.iter().map(|bar| bar.from.max(bar.to)).fold(0.0, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let room = canvas.width - names - values;
    let x = |value: f64| names + room * (value - low) / span;
    let top = 24.0;
    let marks: Vec<(f64, f64, f64)> =
        bars.iter().map(|bar| (x(bar.from), x(bar.to), x(bar.from.max(bar.to)))).collect();
    canvas.text((names, FONT), Anchor::Start, "m", &fit(title, canvas.width - names));
    for (index, (bar, (from, to, end))) in bars.iter().zip(&marks).enumerate() {
        let y = top + index as f64 * ROW;
        canvas.text(
            (names - 8.0, y + 12.0),
            Anchor::End,
            if bar.class == "f7" { "b" } else { "" },
            &fit(&bar.name, (names - 10.0) / 1.14),
        );
        let length = (to - from).abs().max(1.5);
        canvas.rect((from.min(*to), y), (length, BAR), bar.class, &format!("{}: {}", bar.name, bar.text));
        if index + 1 < bars.len() {
            canvas.line((*to, y + BAR), (*to, y + ROW), "grid");
        }
        canvas.text((end + 6.0, y + 12.0), Anchor::Start, "num", &bar.text);
    }
    top + bars.len() as f64 * ROW
}
