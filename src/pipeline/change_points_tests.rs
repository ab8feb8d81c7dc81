//! Planted changes are found where they are, and flat series stay flat.

use super::*;
use crate::pipeline::statistics::Random;

/// Days of simulated attempts; `rate` by day.
fn simulated(seed: &str, days: usize, attempts: usize, rate: impl Fn(usize) -> f64) -> Vec<Day> {
    let mut random = Random::seeded(seed);
    (0..days)
        .map(|day| {
            let attempts = 1 + random.below(2 * attempts - 1);
            let successes = (0..attempts).filter(|_| random.unit() < rate(day)).count();
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let (numerator, denominator) = (successes as f64, attempts as f64);
            Day { date: 20_000 + i32::try_from(day).expect("day"), numerator, denominator }
        })
        .collect()
}

#[test]
fn a_planted_fall_is_found_within_two_days_and_nothing_else() {
    for seed in 0..20 {
        let days = simulated(&format!("fall {seed}"), 60, 12, |day| if day < 37 { 0.9 } else { 0.54 });
        let found = changes("edit_success_ratio", Kind::Ratio, &days, &[]);
        assert_eq!(found.len(), 1, "seed {seed}: {found:?}");
        assert!((found[0].date - 20_037).abs() <= 2, "seed {seed}: {found:?}");
        assert!(
            found[0].before > 0.85 && found[0].after < 0.65 && found[0].confidence >= 0.99,
            "seed {seed}: {found:?}"
        );
        let attempts: f64 = days.iter().map(|day| day.denominator).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a count")]
        let attempts = attempts as i64;
        assert_eq!(found[0].n_before + found[0].n_after, attempts);
    }
}

#[test]
fn a_flat_series_has_no_change_in_19_of_20_seeds() {
    for (days, attempts) in [(14, 8), (56, 2), (56, 12), (180, 45)] {
        let false_alarms = (0..20)
            .filter(|seed| {
                let days = simulated(&format!("flat {seed} {days} {attempts}"), days, attempts, |_| 0.85);
                !changes("edit_success_ratio", Kind::Ratio, &days, &[]).is_empty()
            })
            .count();
        assert!(false_alarms <= 1, "{false_alarms} of 20 for {days} days of about {attempts} attempts");
    }
}

/// Days of amounts or counts that scatter as real ones do, weekends at a third; `level` by day.
fn scattered(seed: &str, days: usize, kind: Kind, level: impl Fn(usize) -> f64) -> Vec<Day> {
    let mut random = Random::seeded(seed);
    (0..days)
        .map(|day| {
            let week = if day % 7 > 4 { 0.33 } else { 1.0 };
            // A sum of twelve is nearly normal.
            let noise = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
            let value = match kind {
                Kind::Share => level(day) + 0.03 * noise,
                _ => level(day) * week * (0.35 * noise).exp(),
            };
            let numerator = if kind == Kind::Count { value.round() } else { value };
            Day { date: 20_000 + i32::try_from(day).expect("day"), numerator, denominator: 1.0 }
        })
        .collect()
}

#[test]
fn changes_of_shares_amounts_and_counts_are_found_and_flat_ones_stay_flat() {
    for (kind, before, after) in [(Kind::Share, 0.85, 0.7), (Kind::Amount, 3.0, 9.0), (Kind::Count, 12.0, 40.0)] {
        let (mut near, mut false_alarms) = (0, 0);
        for seed in 0..20 {
            let days = scattered(&format!("moved {seed}"), 84, kind, |day| if day < 50 { before } else { after });
            let found = changes("x", kind, &days, &[]);
            near += usize::from(found.iter().any(|change| (change.date - 20_050).abs() <= 2));
            let days = scattered(&format!("flat {seed}"), 84, kind, |_| before);
            false_alarms += usize::from(!changes("x", kind, &days, &[]).is_empty());
        }
        assert!(near >= 19, "{kind:?}: {near} of 20 found within two days");
        assert!(false_alarms <= 1, "{kind:?}: {false_alarms} of 20 false alarms");
    }
}

/// Weeks of five working days, on each of which one model or both were used, the weaker one three times in ten; `rate` by day
/// and model (0 strong, 1 weak).
fn mixed(seed: &str, weeks: usize, attempts: usize, rate: impl Fn(usize, usize) -> f64) -> (Vec<Day>, Vec<Cell>) {
    let mut random = Random::seeded(seed);
    let (mut days, mut cells) = (Vec::new(), Vec::new());
    for day in (0..7 * weeks).filter(|day| day % 7 < 5) {
        let date = 20_000 + i32::try_from(day).expect("day");
        let mut sum = Day { date, numerator: 0.0, denominator: 0.0 };
        for _ in 0..2 {
            let model = usize::from(random.below(10) < 3);
            let attempts = 1 + random.below(attempts - 1);
            let successes = (0..attempts).filter(|_| random.unit() < rate(day, model)).count();
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let (numerator, denominator) = (successes as f64, attempts as f64);
            cells.push(Cell { date, stratum: model, numerator, denominator });
            sum = Day { date, numerator: sum.numerator + numerator, denominator: sum.denominator + denominator };
        }
        days.push(sum);
    }
    (days, cells)
}

/// Of 20 histories those in which one change is found, within two days of `date`.
fn near(date: i32, history: impl Fn(u32) -> (Vec<Day>, Vec<Cell>)) -> usize {
    (0..20)
        .filter(|seed| {
            let (days, cells) = history(*seed);
            let found = changes("edit_success_ratio", Kind::Ratio, &days, &cells);
            found.len() == 1 && (found[0].date - date).abs() <= 2
        })
        .count()
}

#[test]
fn a_fall_is_placed_within_two_days_by_eight_attempts_a_day() {
    let fall = |seed| simulated(&format!("few {seed}"), 60, 8, |day| if day < 37 { 0.9 } else { 0.54 });
    let near = near(20_037, |seed| (fall(seed), Vec::new()));
    assert!(near >= 19, "{near} of 20");
}

#[test]
fn a_fall_is_placed_in_spite_of_days_with_another_model() {
    for day in [41, 44] {
        let date = 20_000 + i32::try_from(day).expect("a day");
        let fall = |seed| {
            let rate = |at, model: usize| [0.95, 0.65][model] * if at < day { 1.0 } else { 0.6 };
            mixed(&format!("mixed {seed}"), 9, 16, rate)
        };
        let (strata, sum) = (near(date, fall), near(date, |seed| (fall(seed).0, Vec::new())));
        assert!(strata >= 19 && strata >= sum, "day {day}: {strata} of 20, by the sum {sum}");
    }
}

#[test]
fn a_change_of_models_is_one_of_the_series() {
    // Each model goes on as before: the strata do not change, their sum does.
    let switch = |seed| {
        let (mut days, mut cells) = (Vec::new(), Vec::new());
        for day in simulated(&format!("switch {seed}"), 60, 12, |day| if day < 37 { 0.9 } else { 0.54 }) {
            let stratum = usize::from(day.date >= 20_037);
            cells.push(Cell { date: day.date, stratum, numerator: day.numerator, denominator: day.denominator });
            days.push(day);
        }
        (days, cells)
    };
    let near = near(20_037, switch);
    assert!(near >= 19, "{near} of 20");
}

#[test]
fn the_day_told_is_the_one_that_is_most_probably_near() {
    let told = |dates: &[i32], gains: &[f64]| {
        let days: Vec<Day> = dates.iter().map(|date| Day { date: *date, numerator: 1.0, denominator: 1.0 }).collect();
        place::likeliest(gains, &days, &[]).map(|place| dates[place])
    };
    assert_eq!(told(&[1, 2, 3, 4, 5], &[0.0; 5]), None);
    assert_eq!(told(&[1, 2, 3, 4, 5], &[0.0, 5.0, 40.0, 6.0, 0.0]), Some(3), "what is sure is told");
    assert_eq!(
        told(&[1, 2, 3, 4, 5], &[0.0, 40.0, 35.0, 30.0, 40.0]),
        Some(3),
        "between two days that are as probable"
    );
    // Monday, Tuesday and Friday are as probable: with Monday come the two days before it.
    assert_eq!(told(&[1, 4, 5, 8, 9], &[0.0, 40.0, 40.0, 40.0, 1.0]), Some(4));
    // A long pause is no more than a weekend.
    assert_eq!(told(&[1, 40, 44, 50], &[0.0, 40.0, 44.0, 0.0]), Some(44));
}

#[test]
fn failures_in_clusters_are_no_change() {
    let false_alarms = (0..20)
        .filter(|seed| {
            let mut random = Random::seeded(&format!("clusters {seed}"));
            let bad: Vec<bool> = (0..60).map(|_| random.below(6) == 0).collect();
            let days = simulated(&format!("clusters {seed}"), 60, 12, |day| if bad[day] { 0.2 } else { 0.9 });
            !changes("edit_success_ratio", Kind::Ratio, &days, &[]).is_empty()
        })
        .count();
    assert!(false_alarms <= 1, "{false_alarms} of 20");
}

#[test]
fn an_amount_that_doubles_and_falls_back_has_two_changes() {
    let mut random = Random::seeded("amounts");
    let days: Vec<Day> = (0..90)
        .map(|day| {
            let level = if (30..60).contains(&day) { 4.0 } else { 2.0 };
            Day { date: day, numerator: level * (0.7 + 0.6 * random.unit()), denominator: 1.0 }
        })
        .collect();
    let found = changes("cost_usd", Kind::Amount, &days, &[]);
    assert_eq!(found.iter().map(|change| change.date).collect::<Vec<_>>(), [30, 60], "{found:?}");
    assert_eq!((found[0].n_before, found[0].n_after, found[1].n_after), (30, 30, 30));
}

#[test]
fn short_steady_and_unknown_series_say_nothing() {
    assert!(
        changes("x", Kind::Ratio, &simulated("short", 13, 10, |day| if day < 7 { 1.0 } else { 0.0 }), &[]).is_empty()
    );
    let steady: Vec<Day> = (0..40).map(|date| Day { date, numerator: 0.1, denominator: 1.0 }).collect();
    for kind in [Kind::Ratio, Kind::Share, Kind::Amount, Kind::Count] {
        assert!(changes("x", kind, &steady, &[]).is_empty(), "{kind:?}");
    }
    let nothing: Vec<Day> = (0..40).map(|date| Day { date, numerator: 0.0, denominator: 0.0 }).collect();
    assert!(changes("x", Kind::Amount, &nothing, &[]).is_empty());
    assert!(changes("x", Kind::Count, &[], &[]).is_empty());
}

#[test]
fn the_pipeline_gives_its_columns_for_no_rows_and_the_same_rows_again() {
    let empty = frame(&[]);
    let result = pipeline(empty).and_then(LazyFrame::collect).expect("result");
    assert_eq!(result.height(), 0);
    assert_eq!(
        result.get_column_names().iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["series", "date", "before", "after", "confidence", "n_before", "n_after", "method"],
    );
    let days = simulated("pipeline", 60, 12, |day| if day < 37 { 0.9 } else { 0.54 });
    let mut backwards = days.clone();
    backwards.reverse();
    let first = pipeline(frame(&days)).and_then(LazyFrame::collect).expect("result");
    let second = pipeline(frame(&backwards)).and_then(LazyFrame::collect).expect("result");
    assert_eq!(first.height(), 1);
    assert!(first.equals(&second));
}

fn frame(days: &[Day]) -> LazyFrame {
    let dates: Vec<i32> = days.iter().map(|day| day.date).collect();
    let dates = Series::new(PlSmallStr::from_static("date"), dates).cast(&DataType::Date).expect("dates");
    let mut frame = polars::df!(
        "series" => vec!["edit_success_ratio"; days.len()],
        "kind" => vec!["ratio"; days.len()],
        "numerator" => days.iter().map(|day| day.numerator).collect::<Vec<_>>(),
        "denominator" => days.iter().map(|day| day.denominator).collect::<Vec<_>>(),
    )
    .expect("frame");
    frame.with_column(dates.into()).expect("column");
    frame.lazy()
}
