//! Scales: round axis steps, widths of texts, labels that do not collide. Pure arithmetic.

use crate::engine::table::Unit;

/// Size of chart texts, in user units.
pub const FONT: f64 = 12.0;

/// Round values from zero (or below) to at least the largest value, about `count` steps.
#[must_use]
pub fn ticks(low: f64, high: f64, count: usize, unit: Unit) -> Vec<f64> {
    let low = low.min(0.0);
    let high = if high > low { high } else { low + 1.0 };
    let step = step((high - low) / count.max(1) as f64, unit);
    let (first, last) = ((low / step - 1e-9).ceil().min((low / step).floor()), (high / step - 1e-9).ceil());
    let mut ticks = Vec::new();
    let mut at = first;
    while at <= last && ticks.len() < 50 {
        // Plus zero: no step is ever a negative zero.
        ticks.push(at * step + 0.0);
        at += 1.0;
    }
    ticks
}

fn step(rough: f64, unit: Unit) -> f64 {
    const TIMES: &[f64] = &[
        1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10_800e3, 21_600e3,
        43_200e3, 86_400e3,
    ];
    if unit == Unit::Ms
        && rough > 500.0
        && let Some(step) = TIMES.iter().find(|step| **step >= rough)
    {
        return *step;
    }
    let power = 10_f64.powf(rough.log10().floor());
    let steps: &[f64] = if unit == Unit::Count && rough < 1.0 { return 1.0 } else { &[1.0, 2.0, 2.5, 5.0, 10.0] };
    let rounded = steps.iter().map(|step| step * power).find(|step| *step >= rough * 0.999_999).unwrap_or(power * 10.0);
    if matches!(unit, Unit::Count | Unit::Tokens | Unit::Chars) && rounded < 10.0 { rounded.ceil() } else { rounded }
}

/// Width of a text in user units, on the safe side.
#[must_use]
pub fn width(text: &str) -> f64 {
    let em: f64 = text
        .chars()
        .map(|letter| match letter {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' | '\u{a0}' | 't' | 'f' | '('
            | ')' => 0.36,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 0.95,
            'A'..='Z' => 0.70,
            _ if u32::from(letter) >= 0x1100 => 1.15,
            _ => 0.60,
        })
        .sum();
    em * FONT
}

/// Width of a bold text.
#[must_use]
pub fn bold_width(text: &str) -> f64 {
    width(text) * 1.14
}

/// The text, cut with an ellipsis to fit a width.
#[must_use]
pub fn fit(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        let mut longer = kept.clone();
        longer.push(letter);
        longer.push('…');
        if width(&longer) > room {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

/// A name, cut to fit a width: paths keep their end, which tells them apart.
#[must_use]
pub(super) fn fit_name(name: &str, room: f64) -> String {
    // Of a pair, the first half is cut: the second tells it from others.
    if let Some((first, second)) = name.split_once(" · ")
        && width(name) > room
        && width(second) + 4.0 * FONT < room
    {
        return format!("{} · {second}", fit_name(first, room - width(second) - width(" · ")));
    }
    if !name.contains('/') || name.contains(' ') || width(name) <= room {
        return fit(name, room);
    }
    let mut start = name.len();
    let mut taken = FONT;
    for (at, letter) in name.char_indices().rev() {
        taken += width(letter.encode_utf8(&mut [0; 4]));
        if taken > room {
            break;
        }
        start = at;
    }
    let kept = &name[start..];
    let end = kept.find('/').filter(|at| *at > 0 && *at * 3 < kept.len()).map_or(kept, |at| &kept[at..]);
    format!("…{end}")
}

/// Which of the labels at these positions to draw, so that no two come nearer than a gap: every k-th, the smallest k
/// that fits, counted from the last one.
#[must_use]
pub fn thinned(positions: &[f64], widths: &[f64], gap: f64) -> Vec<usize> {
    let count = positions.len().min(widths.len());
    for every in 1..=count.max(1) {
        let kept: Vec<usize> = (0..count).filter(|index| (count - 1 - index).is_multiple_of(every)).collect();
        let fits = kept.windows(2).all(|pair| {
            let (left, right) = (pair[0], pair[1]);
            positions[right] - positions[left] >= f64::midpoint(widths[left], widths[right]) + gap
        });
        if fits {
            return kept;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::{Unit, fit, thinned, ticks, width};

    #[test]
    fn steps_are_round_and_cover() {
        assert_eq!(ticks(0.0, 0.83, 4, Unit::Usd), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(0.0, 3.0, 4, Unit::Count), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(ticks(0.0, 100_000.0, 4, Unit::Ms), [0.0, 30e3, 60e3, 90e3, 120e3]);
        assert_eq!(ticks(-3.0, 5.0, 4, Unit::Score), [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn labels_never_collide() {
        let positions: Vec<f64> = (0..90).map(|day| f64::from(day) * 7.0).collect();
        let widths = vec![40.0; 90];
        let kept = thinned(&positions, &widths, 8.0);
        assert!(kept.len() > 5 && kept.last() == Some(&89));
        assert!(kept.windows(2).all(|pair| positions[pair[1]] - positions[pair[0]] >= 48.0));
    }

    #[test]
    fn long_labels_are_cut() {
        let cut = fit("a very long label indeed, longer than its room", 100.0);
        assert!(cut.ends_with('…') && width(&cut) <= 100.0);
    }
}
