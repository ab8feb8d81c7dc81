//! `trends/anomalies`: days of the period on which a key series stands out from the four weeks before.
//!
//! Input: `date, series, kind, numerator, denominator, is_in_period`, one row per day and series. Output: `date, series,
//! value, usual, usual_low, usual_high, robust_z, q_value, n, history_days`. Robust z (Iglewicz and Hoaglin 1993) over the
//! last [`WINDOW`] observed days, its p-value by Student's t, Benjamini–Hochberg over the judged days of a series.

use super::change_points::{Day, Kind, stretches};
use super::statistics::{Surprise, benjamini_hochberg, surprise};
use polars::prelude::{DataFrame, DataType, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series, col};

/// Observed days that a day is compared with.
pub const WINDOW: usize = 28;
/// Observed days needed before a day is judged.
pub const MINIMUM_HISTORY: usize = 14;
/// Attempts needed on a day before its ratio is judged, and on a day that it is compared with.
const MINIMUM_ATTEMPTS: f64 = 5.0;
/// False discovery rate within a series.
const LEVEL: f64 = 0.05;
/// 97.5 % of a normal distribution: the ends of the usual range.
const RANGE: f64 = 1.959_964;

/// A day that stands out.
#[derive(Debug, Clone, Copy)]
pub struct Anomaly {
    /// Days since 1970.
    pub date: i32,
    /// What the day was.
    pub value: f64,
    /// How it compares, on the scale of `scaled`.
    pub surprise: Surprise,
    /// Adjusted p-value.
    pub q_value: f64,
    /// Attempts of the day, where it is a ratio of calls.
    pub count: Option<f64>,
    /// Days that it was compared with.
    pub history_days: usize,
}

/// A day's value on a scale where spreads are alike: arcsine of ratios (Anscombe 1948), logarithm of amounts.
fn scaled(kind: Kind, day: &Day) -> Option<f64> {
    let value = day.numerator / day.denominator;
    let scaled = match kind {
        Kind::Ratio if day.denominator < MINIMUM_ATTEMPTS => return None,
        Kind::Ratio => ((day.numerator + 0.375) / (day.denominator + 0.75)).sqrt().asin(),
        Kind::Share => value.clamp(0.0, 1.0).sqrt().asin(),
        Kind::Amount => value.ln(),
        Kind::Count => value.ln_1p(),
    };
    scaled.is_finite().then_some(scaled)
}

/// From the scale of [`scaled`] back to that of the values.
fn unscaled(kind: Kind, value: f64) -> f64 {
    match kind {
        Kind::Ratio | Kind::Share => value.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
        Kind::Amount => value.exp(),
        Kind::Count => value.exp_m1().max(0.0),
    }
}

/// The days of one series from `since` (days since 1970) on that stand out. `days` must be in order.
#[must_use]
pub fn anomalies(kind: Kind, days: &[Day], since: i32) -> Vec<Anomaly> {
    let seen: Vec<(&Day, f64)> = days.iter().filter_map(|day| scaled(kind, day).map(|value| (day, value))).collect();
    let mut judged = Vec::new();
    for (place, (day, value)) in seen.iter().enumerate() {
        let history: Vec<f64> = seen[place.saturating_sub(WINDOW)..place].iter().map(|(_, value)| *value).collect();
        if day.date < since || history.len() < MINIMUM_HISTORY {
            continue;
        }
        // A ratio of few attempts varies by chance, however steady the days before were.
        let floor = if kind == Kind::Ratio { 1.0 / (4.0 * day.denominator + 2.0).sqrt() } else { 0.0 };
        if let Some(surprise) = surprise(*value, &history, floor) {
            judged.push(Anomaly {
                date: day.date,
                value: day.numerator / day.denominator,
                surprise,
                q_value: 1.0,
                count: (kind == Kind::Ratio).then_some(day.denominator),
                history_days: history.len(),
            });
        }
    }
    let p_values: Vec<f64> = judged.iter().map(|anomaly| anomaly.surprise.p_value).collect();
    for (anomaly, q_value) in judged.iter_mut().zip(benjamini_hochberg(&p_values)) {
        anomaly.q_value = q_value;
    }
    judged.retain(|anomaly| anomaly.q_value <= LEVEL);
    judged
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let first = input.clone().filter(col("is_in_period")).select([col("date").min()]).collect()?;
    let since = first.column("date")?.cast(&DataType::Int32)?.i32()?.get(0).unwrap_or(i32::MAX);
    let mut rows: Vec<(String, Kind, Anomaly)> = Vec::new();
    for stretch in stretches(input)? {
        let found = anomalies(stretch.kind, &stretch.days, since);
        rows.extend(found.into_iter().map(|anomaly| (stretch.name.clone(), stretch.kind, anomaly)));
    }
    rows.sort_by(|left, right| (left.2.date, &left.0).cmp(&(right.2.date, &right.0)));
    let pick =
        |part: fn(Kind, &Anomaly) -> f64| rows.iter().map(|(_, kind, row)| part(*kind, row)).collect::<Vec<f64>>();
    let heading = PlSmallStr::from_static;
    let dates: Vec<i32> = rows.iter().map(|(_, _, row)| row.date).collect();
    #[expect(clippy::cast_possible_truncation, reason = "counts")]
    let counts: Vec<Option<i64>> = rows.iter().map(|(_, _, row)| row.count.map(|count| count as i64)).collect();
    let history: Vec<i64> =
        rows.iter().map(|(_, _, row)| i64::try_from(row.history_days).unwrap_or(i64::MAX)).collect();
    let columns = vec![
        Series::new(heading("date"), dates).cast(&DataType::Date)?.into(),
        Series::new(heading("series"), rows.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>()).into(),
        Series::new(heading("value"), pick(|_, row| row.value)).into(),
        Series::new(heading("usual"), pick(|kind, row| unscaled(kind, row.surprise.center))).into(),
        Series::new(
            heading("usual_low"),
            pick(|kind, row| unscaled(kind, row.surprise.center - RANGE * row.surprise.spread)),
        )
        .into(),
        Series::new(
            heading("usual_high"),
            pick(|kind, row| unscaled(kind, row.surprise.center + RANGE * row.surprise.spread)),
        )
        .into(),
        Series::new(heading("robust_z"), pick(|_, row| row.surprise.robust_z)).into(),
        Series::new(heading("q_value"), pick(|_, row| row.q_value)).into(),
        Series::new(heading("n"), counts).into(),
        Series::new(heading("history_days"), history).into(),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::statistics::Random;

    fn costs(seed: &str) -> Vec<Day> {
        let mut random = Random::seeded(seed);
        (0..60)
            .map(|date| Day { date, numerator: 2.0 * (random.unit() + random.unit()).exp(), denominator: 1.0 })
            .collect()
    }

    #[test]
    fn a_day_of_ten_times_the_cost_stands_out_with_what_was_usual() {
        let mut days = costs("outlier");
        days[50].numerator = 60.0;
        let found = anomalies(Kind::Amount, &days, 32);
        assert_eq!(found.iter().map(|row| row.date).collect::<Vec<_>>(), [50], "{found:?}");
        assert!(found[0].surprise.robust_z > 4.0 && found[0].q_value < 0.05 && found[0].history_days == WINDOW);
        let usual = unscaled(Kind::Amount, found[0].surprise.center);
        assert!(usual > 3.0 && usual < 9.0, "{usual}");
        assert!(anomalies(Kind::Amount, &days, 51).is_empty(), "the day is before the period");
    }

    #[test]
    fn usual_days_do_not_stand_out() {
        let noisy =
            (0..20).filter(|seed| !anomalies(Kind::Amount, &costs(&format!("usual {seed}")), 32).is_empty()).count();
        assert!(noisy <= 1, "{noisy} of 20");
    }

    #[test]
    fn a_ratio_needs_attempts_and_history() {
        let day = |date, numerator, denominator| Day { date, numerator, denominator };
        let mut days: Vec<Day> = (0..30).map(|date| day(date, 9.0, 10.0)).collect();
        days.push(day(30, 0.0, 2.0));
        assert!(anomalies(Kind::Ratio, &days, 0).is_empty(), "two attempts say little");
        days.push(day(31, 2.0, 20.0));
        assert_eq!(anomalies(Kind::Ratio, &days, 0).len(), 1);
        assert!(anomalies(Kind::Ratio, &days[20..], 0).is_empty(), "history is too short");
        assert!(anomalies(Kind::Count, &[], 0).is_empty());
    }
}
