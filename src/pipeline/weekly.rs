//! `trends/weekly`: each key series by week, its change on the week before, and how unusual the week is.
//!
//! Input: `week, series, value, is_unfinished`. Output: `week, series, value, previous, change_ratio, robust_z,
//! is_unfinished`. `robust_z` = (value − median) / (1.4826 × MAD) over the finished weeks before it (at most 26, at least
//! [`MINIMUM_HISTORY`]); unknown where history is short, where it does not vary, and for the unfinished week.

use super::statistics::{mad, median};
use polars::prelude::{
    DataFrame, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series, SortMultipleOptions, col, lit, when,
};

/// Finished weeks needed before a week is judged.
pub const MINIMUM_HISTORY: usize = 6;
const WINDOW: usize = 26;

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let sorted = input
        .sort(["series", "week"], SortMultipleOptions::default())
        .with_columns([col("value").shift(lit(1)).over([col("series")])?.alias("previous")])
        .with_columns([when(col("previous").neq(lit(0.0)).and(col("is_unfinished").not()))
            .then((col("value") - col("previous")) / col("previous").abs())
            .otherwise(lit(polars::prelude::NULL))
            .alias("change_ratio")])
        .collect()?;
    let scores = scores(&sorted)?;
    let scored = sorted.hstack(&[Series::new(PlSmallStr::from_static("robust_z"), scores).into()])?;
    Ok(scored.lazy().select([
        col("week"),
        col("series"),
        col("value"),
        col("previous"),
        col("change_ratio"),
        col("robust_z"),
        col("is_unfinished"),
    ]))
}

fn scores(sorted: &DataFrame) -> PolarsResult<Vec<Option<f64>>> {
    let series = sorted.column("series")?.str()?;
    let values = sorted.column("value")?.f64()?;
    let unfinished = sorted.column("is_unfinished")?.bool()?;
    let mut history: Vec<f64> = Vec::new();
    let mut current = None;
    let mut scores = Vec::with_capacity(sorted.height());
    for row in 0..sorted.height() {
        if series.get(row) != current {
            current = series.get(row);
            history.clear();
        }
        let is_finished = unfinished.get(row) == Some(false);
        let value = values.get(row);
        scores.push(value.filter(|_| is_finished).and_then(|value| robust_z(value, &history)));
        if let Some(value) = value.filter(|_| is_finished) {
            history.push(value);
        }
    }
    Ok(scores)
}

/// How many robust deviations a value lies from the median of the last weeks.
fn robust_z(value: f64, history: &[f64]) -> Option<f64> {
    if history.len() < MINIMUM_HISTORY {
        return None;
    }
    let recent = &history[history.len().saturating_sub(WINDOW)..];
    let center = median(recent)?;
    let spread = mad(recent)?;
    (spread > 0.0).then(|| (value - center) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(values: &[Option<f64>]) -> LazyFrame {
        let weeks: Vec<String> = (1..=values.len()).map(|week| format!("2026-W{week:02}")).collect();
        let unfinished: Vec<bool> = (1..=values.len()).map(|week| week == values.len()).collect();
        polars::df!(
            "week" => weeks,
            "series" => vec!["cost_usd"; values.len()],
            "value" => values.to_vec(),
            "is_unfinished" => unfinished,
        )
        .expect("frame")
        .lazy()
    }

    #[test]
    fn an_outlier_after_a_steady_history_stands_out_and_the_unfinished_week_is_not_judged() {
        let values = [1.0, 1.2, 0.9, 1.1, 1.0, 0.8, 5.0, 0.1].map(Some);
        let result = pipeline(frame(&values)).and_then(LazyFrame::collect).expect("result");
        let scores = result.column("robust_z").expect("column").f64().expect("f64").clone();
        assert_eq!(scores.get(5), None, "five finished weeks before it are too few");
        assert!(scores.get(6).is_some_and(|score| score > 20.0), "{scores:?}");
        assert_eq!(scores.get(7), None);
        let change = result.column("change_ratio").expect("column").f64().expect("f64").clone();
        assert!(change.get(1).is_some_and(|change| (change - 0.2).abs() < 1e-12));
        assert_eq!(change.get(7), None);
    }

    #[test]
    fn nothing_is_said_of_a_series_that_does_not_vary_or_is_unknown() {
        let values = [Some(2.0), Some(2.0), Some(2.0), Some(2.0), Some(2.0), Some(2.0), Some(3.0), None];
        let result = pipeline(frame(&values)).and_then(LazyFrame::collect).expect("result");
        assert_eq!(result.column("robust_z").expect("column").null_count(), 8);
    }
}
