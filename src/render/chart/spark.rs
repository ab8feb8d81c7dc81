//! Sparklines: the last periods of one number, without axes. Input: the periods. Output: a small SVG, or nothing where
//! there are fewer than two values, or nothing but zeros.

use super::super::format;
use super::super::head::Past;
use super::svg::Canvas;

const WIDTH: f64 = 132.0;
const HEIGHT: f64 = 30.0;
const EDGE: f64 = 4.0;

/// Draws one for a table's cell.
#[must_use]
pub fn small(history: &[Past]) -> Option<String> {
    drawn(history, (84.0, 22.0), true)
}

/// Draws one; decoration beside the numbers, so hidden from screen readers (the numbers are in a table).
#[must_use]
pub fn draw(history: &[Past]) -> Option<String> {
    drawn(history, (WIDTH, HEIGHT), false)
}

fn drawn(history: &[Past], (width, height): (f64, f64), from_zero: bool) -> Option<String> {
    let known: Vec<f64> = history.iter().filter_map(|past| past.value).collect();
    // Nothing, period after period, is no line.
    if known.len() < 2 || known.iter().all(|value| *value == 0.0) {
        return None;
    }
    let low = known.iter().copied().fold(if from_zero { 0.0 } else { f64::INFINITY }, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let step = (width - 2.0 * EDGE) / (history.len().max(2) - 1) as f64;
    let place = |index: usize, value: f64| {
        let share = if high > low { (value - low) / span } else { 0.5 };
        (EDGE + index as f64 * step, height - EDGE - share * (height - 2.0 * EDGE))
    };
    let mut canvas = Canvas::new(width, false);
    let points: Vec<_> =
        history.iter().enumerate().map(|(index, past)| past.value.map(|value| place(index, value))).collect();
    let is_unfinished = history.last().is_some_and(|past| past.is_unfinished);
    let solid = if is_unfinished { points.len() - 1 } else { points.len() };
    canvas.polyline(points.get(..solid).unwrap_or(&points), "spark");
    if is_unfinished {
        canvas.polyline(points.get(solid.saturating_sub(1)..).unwrap_or(&points), "spark dashed");
    }
    for (index, past) in history.iter().enumerate() {
        if let Some(value) = past.value {
            let is_last = index + 1 == history.len();
            let class = if is_last && is_unfinished {
                "spark-last open"
            } else if is_last {
                "spark-last"
            } else {
                "spark-dot"
            };
            canvas.dot(
                place(index, value),
                if is_last { 3.0 } else { 1.2 },
                class,
                &format!("{}: {}", past.period, past.text),
            );
        }
    }
    Some(canvas.finish_hidden(height, "sparkline"))
}

/// `▁▃█`: the values as blocks, nothing as the lowest; a dash where there is nothing but nothing.
#[must_use]
pub fn blocks(past: &[Past]) -> String {
    const BLOCKS: &[char] = &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = past.iter().filter_map(|past| past.value).fold(0.0, f64::max);
    if most <= 0.0 {
        return format::UNKNOWN.to_owned();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
    let block = |value: f64| BLOCKS[((value / most * 7.0).round() as usize).min(7)];
    past.iter().map(|past| block(past.value.unwrap_or(0.0).max(0.0))).collect()
}
