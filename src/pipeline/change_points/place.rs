//! On which day a change that was found lies: the likelihood of each day, and the day that is told.
//!
//! Attempts of several strata (models, formats, tools) are compared within each, after Cochran (1954) and Mantel and Haenszel
//! (1959), so that a day on which much was done with the weaker model does not draw the change to itself. The day that is told
//! is the Bayes estimate (Smith 1975) under the loss that matters here: none within two days, all beyond.

use super::Day;

/// A day is right when the change lies within so many days of it.
const TOLERANCE: i32 = 2;
/// Days without observations before a day that count as days on which the change may have been: a weekend. A holiday tells no
/// more than that.
const QUIET_DAYS: i32 = 3;
/// Among days that are right with nearly the same probability the likelier one itself is told.
const NEARLY: f64 = 0.02;
/// Where the strata show less than this share of what their sum shows, it is the mix of them that changed.
const OWN_SHARE: f64 = 1.0 / 3.0;

/// Attempts and successes of a day in one stratum.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Days since 1970.
    pub date: i32,
    /// Number of the stratum within its series.
    pub stratum: usize,
    /// Successes.
    pub numerator: f64,
    /// Attempts.
    pub denominator: f64,
}

/// Attempts and successes of each stratum.
fn sums<'a>(cells: impl Iterator<Item = &'a Cell>, into: &mut [[f64; 2]]) {
    for cell in cells {
        into[cell.stratum][0] += cell.denominator;
        into[cell.stratum][1] += cell.numerator;
    }
}

/// For each day the Cochran-Mantel-Haenszel statistic of the days from it on against those before it: what a change there
/// explains within strata. `cells` must be in order of days; `None` where there is but one stratum.
fn within_strata(cells: &[Cell], days: &[Day]) -> Option<Vec<f64>> {
    let (first, last) = (days.first()?.date, days.last()?.date);
    let cells =
        &cells[cells.partition_point(|cell| cell.date < first)..cells.partition_point(|cell| cell.date <= last)];
    let count = cells.iter().map(|cell| cell.stratum).max()? + 1;
    if count < 2 {
        return None;
    }
    let (mut all, mut before, mut done) = (vec![[0.0; 2]; count], vec![[0.0; 2]; count], 0);
    sums(cells.iter(), &mut all);
    let statistic = |before: &[[f64; 2]]| {
        let (mut difference, mut variance) = (0.0, 0.0);
        for ([n, good], [n_before, good_before]) in all.iter().zip(before) {
            if *n > 1.0 {
                difference += good_before - n_before * good / n;
                variance += n_before * (n - n_before) * good * (n - good) / (n * n * (n - 1.0));
            }
        }
        if variance > 1e-9 { difference * difference / variance } else { 0.0 }
    };
    let told = days.iter().map(|day| {
        let until = done + cells[done..].partition_point(|cell| cell.date < day.date);
        sums(cells[done..until].iter(), &mut before);
        done = until;
        statistic(&before)
    });
    Some(told.collect())
}

/// The index of the day that is told as the first of the new level. `gains` is twice the gain in log-likelihood from a change
/// before each day, 0 where none is allowed.
pub(super) fn likeliest(gains: &[f64], days: &[Day], cells: &[Cell]) -> Option<usize> {
    let most = |gains: &[f64]| gains.iter().copied().fold(0.0, f64::max);
    let own: Option<Vec<f64>> = within_strata(cells, days)
        .map(|own| own.iter().zip(gains).map(|(own, gain)| if *gain > 0.0 { *own } else { 0.0 }).collect());
    let gains = own.as_deref().filter(|own| most(own) >= OWN_SHARE * most(gains)).unwrap_or(gains);
    let best = most(gains);
    // A change may come on any day, also on one without observations.
    let quiet = |place: usize| match place.checked_sub(1) {
        Some(before) => (days[place].date - days[before].date).clamp(1, QUIET_DAYS),
        None => 1,
    };
    // Probability of the change on each of the days that lead up to an observed one.
    let daily: Vec<f64> =
        gains.iter().map(|gain| if *gain > 0.0 { ((gain - best) / 2.0).exp() } else { 0.0 }).collect();
    let own = |place: usize| daily[place] * f64::from(quiet(place));
    let total: f64 = (0..days.len()).map(own).sum();
    let near = |place: usize| {
        let told = days[place].date;
        (0..days.len())
            .map(|other| {
                let date = days[other].date;
                let (from, to) = ((date - quiet(other) + 1).max(told - TOLERANCE), date.min(told + TOLERANCE));
                daily[other] * f64::from((to - from + 1).max(0))
            })
            .sum::<f64>()
    };
    let candidates: Vec<(usize, f64)> =
        (0..days.len()).filter(|place| gains[*place] > 0.0).map(|place| (place, near(place))).collect();
    let surest = candidates.iter().map(|(_, near)| *near).fold(0.0, f64::max);
    let mut told: Option<usize> = None;
    for (place, near) in candidates {
        if near >= surest - NEARLY * total && told.is_none_or(|best| own(place) > own(best)) {
            told = Some(place);
        }
    }
    told
}
