//! `intent/intent_calibration`: does a confidence of 0.8 mean right in eight of ten? Reliability bins, ECE, Brier score.
//!
//! Input: `confidence_scale, confidence, is_correct`, one row per labelled decision. Output: one row per scale and bin
//! that holds decisions. Ten equal bins [0, 0.1) … [0.9, 1]. Expected calibration error: Naeini, Cooper and Hauskrecht
//! 2015; Brier score: Brier 1950.

use super::statistics::wilson;
use polars::prelude::{DataFrame, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series};
use std::collections::BTreeMap;

/// Bins of a scale.
const BINS: u8 = 10;
/// A tenth as a double may lie just below its bin.
const SLACK: f64 = 1e-9;

/// Decisions of one bin.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Bin {
    count: f64,
    confidence: f64,
    correct: f64,
    squares: f64,
}

impl Bin {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.confidence += other.confidence;
        self.correct += other.correct;
        self.squares += other.squares;
    }

    fn accuracy(&self) -> f64 {
        self.correct / self.count
    }

    fn mean_confidence(&self) -> f64 {
        self.confidence / self.count
    }

    fn gap(&self) -> f64 {
        self.mean_confidence() - self.accuracy()
    }
}

/// The bin of a confidence.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a confidence is between 0 and 1")]
pub fn bin_of(confidence: f64) -> u8 {
    ((confidence * f64::from(BINS) + SLACK) as u8).min(BINS - 1)
}

/// A scale's bins by number.
type Scale = BTreeMap<u8, Bin>;

fn scales(input: &DataFrame) -> PolarsResult<BTreeMap<String, Scale>> {
    let names = input.column("confidence_scale")?.str()?;
    let confidences = input.column("confidence")?.f64()?;
    let correct = input.column("is_correct")?.bool()?;
    let mut scales: BTreeMap<String, Scale> = BTreeMap::new();
    for row in 0..input.height() {
        let (Some(name), Some(confidence), Some(is_correct)) = (names.get(row), confidences.get(row), correct.get(row))
        else {
            continue;
        };
        let right = f64::from(u8::from(is_correct));
        let one = Bin { count: 1.0, confidence, correct: right, squares: (confidence - right).powi(2) };
        scales.entry(name.to_owned()).or_default().entry(bin_of(confidence)).or_default().add(one);
    }
    Ok(scales)
}

/// All bins of a scale as one, and the expected calibration error.
fn whole(scale: &Scale) -> (Bin, f64) {
    let mut all = Bin::default();
    for bin in scale.values() {
        all.add(*bin);
    }
    (all, scale.values().map(|bin| bin.count / all.count * bin.gap().abs()).sum())
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let scales = scales(&input.collect()?)?;
    let mut names: Vec<&str> = Vec::new();
    let mut rows: Vec<[f64; 12]> = Vec::new();
    for (name, scale) in &scales {
        let (all, error) = whole(scale);
        for (number, bin) in scale {
            #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
            let (low, high) = wilson(bin.accuracy(), bin.count as i64);
            names.push(name);
            rows.push([
                f64::from(*number) / f64::from(BINS),
                f64::from(number + 1) / f64::from(BINS),
                bin.count,
                bin.mean_confidence(),
                bin.accuracy(),
                low,
                high,
                bin.gap(),
                all.count,
                all.accuracy(),
                all.mean_confidence(),
                error,
            ]);
        }
    }
    let briers: Vec<f64> = scales
        .values()
        .flat_map(|scale| {
            let (all, _) = whole(scale);
            scale.values().map(move |_| all.squares / all.count)
        })
        .collect();
    let heading = PlSmallStr::from_static;
    let floats = |name: &'static str, at: usize| {
        Series::new(heading(name), rows.iter().map(|row| row[at]).collect::<Vec<f64>>()).into()
    };
    #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
    let counts = |name: &'static str, at: usize| {
        Series::new(heading(name), rows.iter().map(|row| row[at] as i64).collect::<Vec<i64>>()).into()
    };
    let columns = vec![
        Series::new(heading("confidence_scale"), names).into(),
        floats("bin_low", 0),
        floats("bin_high", 1),
        counts("decision_count", 2),
        floats("mean_confidence", 3),
        floats("accuracy", 4),
        floats("ci_low", 5),
        floats("ci_high", 6),
        floats("gap", 7),
        counts("scale_decision_count", 8),
        floats("scale_accuracy", 9),
        floats("scale_mean_confidence", 10),
        floats("ece", 11),
        Series::new(heading("brier"), briers).into(),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_fall_into_their_own_bins() {
        for (confidence, bin) in [(0.0, 0), (0.1, 1), (0.3, 3), (0.7, 7), (0.29, 2), (0.999, 9), (1.0, 9)] {
            assert_eq!(bin_of(confidence), bin, "{confidence}");
        }
    }

    #[test]
    fn scales_stay_apart_and_errors_are_those_of_the_definitions() {
        let frame = polars::df!(
            "confidence_scale" => ["share", "share", "share", "share", "pattern"],
            "confidence" => [0.95, 0.95, 0.95, 0.35, 0.2],
            "is_correct" => [true, true, false, false, true],
        )
        .expect("frame");
        let result = pipeline(frame.lazy()).and_then(LazyFrame::collect).expect("result");
        let float =
            |name: &str, row: usize| result.column(name).expect(name).f64().expect(name).get(row).expect("value");
        assert_eq!(result.height(), 3);
        assert!((float("ece", 0) - 0.8).abs() < 1e-12);
        let ece = 0.75 * (0.95 - 2.0 / 3.0) + 0.25 * 0.35;
        assert!((float("ece", 1) - ece).abs() < 1e-12 && (float("ece", 2) - ece).abs() < 1e-12);
        let brier = (2.0 * 0.05_f64.powi(2) + 0.95_f64.powi(2) + 0.35_f64.powi(2)) / 4.0;
        assert!((float("brier", 2) - brier).abs() < 1e-12);
    }
}
