//! `trends/change_points`: the days on which a key series moved, and how sure that is.
//!
//! Input: `date, series, kind, stratum, numerator, denominator`, one row per day, series and stratum. Output: `series, date,
//! before, after, confidence, n_before, n_after, method`. Method: binary segmentation (Scott and Knott 1974; Vostrikova 1981)
//! by likelihood ratio, each split judged by permutation of its stretch's days (as in E-divisive: Matteson and James 2014). Days
//! are exchanged whole, so that failures which come in clusters do not pass for a change. Whether there is a change is judged by
//! the sums of the strata, for a change of their mix is one, too; on which day it lies, by `place`.

mod place;

pub use place::Cell;

use super::statistics::{Random, median};
use polars::prelude::{
    DataFrame, DataType, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series, SortMultipleOptions,
};

/// Observed days that a series needs.
pub const MINIMUM_HISTORY: usize = 14;
/// Observed days that must lie on each side of a change.
pub const MINIMUM_SEGMENT: usize = 5;
/// Random orders that a split is compared with.
const ROUNDS: u32 = 1999;
/// A split counts when at most this share of the orders does as well: strict, because six series are looked at, and halved
/// with each split above it, because the ends of a part were chosen to stand out.
const LEVEL: f64 = 0.01;

/// What a series' days are, and so which likelihood fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Successes of attempts: binomial.
    Ratio,
    /// A share of something measured, of which the parts hang together (tokens): normal.
    Share,
    /// A positive amount (numerator / denominator): log-normal.
    Amount,
    /// A number of events, 0 allowed: normal in ln(1 + x).
    Count,
}

/// One observed day.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// Days since 1970.
    pub date: i32,
    /// Successes, or the amount.
    pub numerator: f64,
    /// Attempts, or what the amount is divided by.
    pub denominator: f64,
}

/// A day on which a series moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// First observed day of the new level.
    pub date: i32,
    /// Level of the stretch before: pooled for ratios, else the median day.
    pub before: f64,
    /// Level of the stretch after.
    pub after: f64,
    /// 1 − p of the permutation test.
    pub confidence: f64,
    /// Attempts before, or days where there are none.
    pub n_before: i64,
    /// Attempts after, or days.
    pub n_after: i64,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "ratio" => Some(Self::Ratio),
            "share" => Some(Self::Share),
            "amount" => Some(Self::Amount),
            "count" => Some(Self::Count),
            _ => None,
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Ratio => "binary segmentation, binomial",
            Self::Share => "binary segmentation, normal",
            Self::Amount | Self::Count => "binary segmentation, log-normal",
        }
    }

    /// A day as (weight, sum) of the likelihood: attempts and successes, or one and the transformed value.
    fn observation(self, day: &Day) -> Option<(f64, f64)> {
        let value = day.numerator / day.denominator;
        let seen = match self {
            Self::Ratio => (day.denominator, day.numerator),
            Self::Share => (1.0, value),
            Self::Amount => (1.0, value.ln()),
            Self::Count => (1.0, value.ln_1p()),
        };
        (day.denominator > 0.0 && seen.1.is_finite()).then_some(seen)
    }

    /// Twice the gain in log-likelihood from splitting (weight, sum, sum of squares) in two.
    fn gain(self, left: [f64; 3], right: [f64; 3]) -> f64 {
        let all = [left[0] + right[0], left[1] + right[1], left[2] + right[2]];
        if self == Self::Ratio {
            return 2.0 * (binomial(left) + binomial(right) - binomial(all));
        }
        let residual = |sums: [f64; 3]| (sums[2] - sums[1] * sums[1] / sums[0]).max(0.0);
        let whole = residual(all);
        // A series that does not vary has rounding errors for a spread.
        if whole <= 1e-9 * (1.0 + all[2].abs()) {
            return 0.0;
        }
        all[0] * (whole / (residual(left) + residual(right)).max(whole * 1e-12)).ln()
    }
}

fn binomial([attempts, successes, _]: [f64; 3]) -> f64 {
    let term = |part: f64| if part > 0.0 { part * (part / attempts).ln() } else { 0.0 };
    term(successes) + term(attempts - successes)
}

/// Tells of each allowed split the index of the first day after it, and the gain.
fn each_split(kind: Kind, seen: &[(f64, f64)], mut tell: impl FnMut(usize, f64)) {
    let add = |sums: [f64; 3], day: &(f64, f64)| [sums[0] + day.0, sums[1] + day.1, sums[2] + day.1 * day.1];
    let all = seen.iter().fold([0.0; 3], add);
    let mut left = [0.0; 3];
    for (index, day) in seen.iter().enumerate() {
        if index >= MINIMUM_SEGMENT && index + MINIMUM_SEGMENT <= seen.len() {
            let right = [all[0] - left[0], all[1] - left[1], all[2] - left[2]];
            tell(index, kind.gain(left, right));
        }
        left = add(left, day);
    }
}

/// The best place to split.
fn best_split(kind: Kind, seen: &[(f64, f64)]) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    each_split(kind, seen, |index, gain| {
        if best.is_none_or(|(_, most)| gain > most) {
            best = Some((index, gain));
        }
    });
    best
}

fn p_value(as_good: u32) -> f64 {
    f64::from(as_good + 1) / f64::from(ROUNDS + 1)
}

/// Splits a stretch as long as its best split stands out among random orders of its days.
fn segment(
    kind: Kind,
    seen: &[(f64, f64)],
    (offset, level): (usize, f64),
    random: &mut Random,
    into: &mut Vec<(usize, f64)>,
) {
    let Some((index, gain)) = best_split(kind, seen).filter(|(_, gain)| *gain > 0.0) else { return };
    let mut order = seen.to_vec();
    let mut as_good = 0_u32;
    for _ in 0..ROUNDS {
        random.shuffle(&mut order);
        as_good += u32::from(best_split(kind, &order).is_some_and(|(_, other)| other >= gain * (1.0 - 1e-12)));
        if p_value(as_good) > level {
            return;
        }
    }
    segment(kind, &seen[..index], (offset, level / 2.0), random, into);
    into.push((offset + index, 1.0 - p_value(as_good)));
    segment(kind, &seen[index..], (offset + index, level / 2.0), random, into);
}

/// The changes of one series, oldest first. `days` must be in order, and so `cells`, which say what the days of a ratio are the
/// sums of; the name seeds the permutations.
#[must_use]
pub fn changes(name: &str, kind: Kind, days: &[Day], cells: &[Cell]) -> Vec<Change> {
    let (days, seen): (Vec<Day>, Vec<(f64, f64)>) =
        days.iter().filter_map(|day| kind.observation(day).map(|seen| (*day, seen))).unzip();
    if days.len() < MINIMUM_HISTORY {
        return Vec::new();
    }
    let mut found = Vec::new();
    segment(kind, &seen, (0, LEVEL), &mut Random::seeded(name), &mut found);
    // Split by split the places are those of the best gain; told is where each most probably lies between its neighbours.
    for place in 0..found.len() {
        let start = if place == 0 { 0 } else { found[place - 1].0 };
        let end = found.get(place + 1).map_or(days.len(), |next| next.0);
        let mut gains = vec![0.0; end - start];
        each_split(kind, &seen[start..end], |index, gain| gains[index] = gain);
        if let Some(index) = place::likeliest(&gains, &days[start..end], if kind == Kind::Ratio { cells } else { &[] })
        {
            found[place].0 = start + index;
        }
    }
    (0..found.len())
        .map(|place| {
            let (index, confidence) = found[place];
            let start = if place == 0 { 0 } else { found[place - 1].0 };
            let end = found.get(place + 1).map_or(days.len(), |next| next.0);
            let (before, n_before) = level(kind, &days[start..index]);
            let (after, n_after) = level(kind, &days[index..end]);
            Change { date: days[index].date, before, after, confidence, n_before, n_after }
        })
        .collect()
}

fn level(kind: Kind, days: &[Day]) -> (f64, i64) {
    if kind == Kind::Ratio {
        let attempts: f64 = days.iter().map(|day| day.denominator).sum();
        let successes: f64 = days.iter().map(|day| day.numerator).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a count")]
        return (successes / attempts, attempts as i64);
    }
    let values: Vec<f64> = days.iter().map(|day| day.numerator / day.denominator).collect();
    (median(&values).unwrap_or(f64::NAN), i64::try_from(days.len()).unwrap_or(i64::MAX))
}

/// The rows of one series of a sorted frame.
#[derive(Debug)]
pub struct Stretch {
    /// Name of the series.
    pub name: String,
    /// What its days are.
    pub kind: Kind,
    /// Its days, in order.
    pub days: Vec<Day>,
    /// What the days are the sums of, in order of days.
    pub cells: Vec<Cell>,
}

/// Reads a frame into series, by name and date. Rows of one day are summed; what they are rows of is their `stratum`, where
/// the frame has one.
///
/// # Errors
/// The frame lacks a column or a column has another type.
pub fn stretches(input: LazyFrame) -> PolarsResult<Vec<Stretch>> {
    let frame = input.collect()?;
    let mut keys = vec!["series", "date"];
    keys.extend(frame.get_column_index("stratum").map(|_| "stratum"));
    let sorted = frame.sort(keys, SortMultipleOptions::default())?;
    let dates = sorted.column("date")?.cast(&DataType::Int32)?;
    let numerators = sorted.column("numerator")?.cast(&DataType::Float64)?;
    let denominators = sorted.column("denominator")?.cast(&DataType::Float64)?;
    let (dates, numerators, denominators) = (dates.i32()?, numerators.f64()?, denominators.f64()?);
    let (names, kinds) = (sorted.column("series")?.str()?, sorted.column("kind")?.str()?);
    let strata = sorted.column("stratum").ok().map(|column| column.str()).transpose()?;
    let mut found: Vec<Stretch> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for row in 0..sorted.height() {
        let (Some(name), Some(kind), Some(date), Some(numerator), Some(denominator)) = (
            names.get(row),
            kinds.get(row).and_then(Kind::parse),
            dates.get(row),
            numerators.get(row),
            denominators.get(row),
        ) else {
            continue;
        };
        if found.last().is_none_or(|last| last.name != name) {
            found.push(Stretch { name: name.to_owned(), kind, days: Vec::new(), cells: Vec::new() });
            known.clear();
        }
        let Some(last) = found.last_mut() else { continue };
        match last.days.last_mut() {
            Some(day) if day.date == date => {
                day.numerator += numerator;
                day.denominator += denominator;
            }
            _ => last.days.push(Day { date, numerator, denominator }),
        }
        if let Some(own) = strata.and_then(|strata| strata.get(row)) {
            let stratum = known.iter().position(|other| *other == own).unwrap_or_else(|| {
                known.push(own);
                known.len() - 1
            });
            last.cells.push(Cell { date, stratum, numerator, denominator });
        }
    }
    Ok(found)
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let mut rows: Vec<(String, &'static str, Change)> = Vec::new();
    for stretch in stretches(input)? {
        let found = changes(&stretch.name, stretch.kind, &stretch.days, &stretch.cells);
        rows.extend(found.into_iter().map(|change| (stretch.name.clone(), stretch.kind.method(), change)));
    }
    let pick = |part: fn(&Change) -> f64| rows.iter().map(|(_, _, change)| part(change)).collect::<Vec<f64>>();
    let count = |part: fn(&Change) -> i64| rows.iter().map(|(_, _, change)| part(change)).collect::<Vec<i64>>();
    let heading = PlSmallStr::from_static;
    let dates: Vec<i32> = rows.iter().map(|(_, _, change)| change.date).collect();
    let columns = vec![
        Series::new(heading("series"), rows.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>()).into(),
        Series::new(heading("date"), dates).cast(&DataType::Date)?.into(),
        Series::new(heading("before"), pick(|change| change.before)).into(),
        Series::new(heading("after"), pick(|change| change.after)).into(),
        Series::new(heading("confidence"), pick(|change| change.confidence)).into(),
        Series::new(heading("n_before"), count(|change| change.n_before)).into(),
        Series::new(heading("n_after"), count(|change| change.n_after)).into(),
        Series::new(heading("method"), rows.iter().map(|(_, method, _)| *method).collect::<Vec<_>>()).into(),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
#[path = "change_points_tests.rs"]
mod tests;
