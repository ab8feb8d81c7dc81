//! `intent/intent_confusion`: predicted against actual, for labels that nobody knows beforehand.
//!
//! Input: `level, predicted, actual, is_weak, decided_at`, one row per labelled decision and level. Output: one row per
//! cell that is not empty, with its share of the predicted label's decisions and the interval of that share; level skill
//! first, then by labels.

use super::statistics::{ratio, wilson};
use polars::prelude::{DataFrame, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series};
use std::collections::BTreeMap;

#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    count: i64,
    weak: i64,
    last_at: Option<i64>,
}

/// Level (skill before intent), predicted, actual.
type Key = (bool, String, String);

fn cells(input: &DataFrame) -> PolarsResult<BTreeMap<Key, Cell>> {
    let text = |name: &str| input.column(name)?.str();
    let (levels, predicted, actual) = (text("level")?, text("predicted")?, text("actual")?);
    let weak = input.column("is_weak")?.bool()?;
    let times = input.column("decided_at")?.i64()?;
    let mut cells: BTreeMap<Key, Cell> = BTreeMap::new();
    for row in 0..input.height() {
        let (Some(level), Some(predicted), Some(actual)) = (levels.get(row), predicted.get(row), actual.get(row))
        else {
            continue;
        };
        let cell = cells.entry((level != "skill", predicted.to_owned(), actual.to_owned())).or_default();
        cell.count += 1;
        cell.weak += i64::from(weak.get(row) == Some(true));
        cell.last_at = cell.last_at.max(times.get(row));
    }
    Ok(cells)
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let cells = cells(&input.collect()?)?;
    let mut totals: BTreeMap<(bool, &str), i64> = BTreeMap::new();
    for ((level, predicted, _), cell) in &cells {
        *totals.entry((*level, predicted)).or_default() += cell.count;
    }
    let total = |key: &Key| totals.get(&(key.0, key.1.as_str())).copied().unwrap_or_default();
    let shares: Vec<Option<f64>> = cells.iter().map(|(key, cell)| ratio(cell.count, total(key))).collect();
    let intervals: Vec<Option<(f64, f64)>> =
        cells.keys().zip(&shares).map(|(key, share)| share.map(|share| wilson(share, total(key)))).collect();
    let heading = PlSmallStr::from_static;
    let texts = |part: fn(&Key) -> &str| cells.keys().map(part).collect::<Vec<&str>>();
    let counts = |part: fn(&Cell) -> i64| cells.values().map(part).collect::<Vec<i64>>();
    let columns = vec![
        Series::new(heading("level"), texts(|key| if key.0 { "intent" } else { "skill" })).into(),
        Series::new(heading("predicted"), texts(|key| &key.1)).into(),
        Series::new(heading("actual"), texts(|key| &key.2)).into(),
        Series::new(heading("decision_count"), counts(|cell| cell.count)).into(),
        Series::new(heading("predicted_count"), cells.keys().map(total).collect::<Vec<i64>>()).into(),
        Series::new(heading("share_ratio"), shares).into(),
        Series::new(heading("ci_low"), intervals.iter().map(|ends| ends.map(|ends| ends.0)).collect::<Vec<_>>()).into(),
        Series::new(heading("ci_high"), intervals.iter().map(|ends| ends.map(|ends| ends.1)).collect::<Vec<_>>())
            .into(),
        Series::new(heading("weak_label_count"), counts(|cell| cell.weak)).into(),
        Series::new(heading("last_at"), cells.values().map(|cell| cell.last_at).collect::<Vec<_>>()).into(),
    ];
    Ok(DataFrame::new(cells.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_by_level_and_shares_by_row() {
        let frame = polars::df!(
            "level" => ["intent", "skill", "skill", "skill", "skill"],
            "predicted" => ["debug", "a", "a", "a", "b"],
            "actual" => ["a:*", "a", "a", "b", "b"],
            "is_weak" => [Some(true), Some(false), None, Some(true), Some(false)],
            "decided_at" => [Some(1_i64), Some(5), Some(9), None, Some(2)],
        )
        .expect("frame");
        let result = pipeline(frame.lazy()).and_then(LazyFrame::collect).expect("result");
        let text = |name: &str| -> Vec<String> {
            result.column(name).expect(name).str().expect(name).iter().flatten().map(str::to_owned).collect()
        };
        assert_eq!(text("level"), ["skill", "skill", "skill", "intent"]);
        assert_eq!(text("actual"), ["a", "b", "b", "a:*"]);
        let shares = result.column("share_ratio").expect("column").f64().expect("floats").clone();
        assert!(shares.get(0).is_some_and(|share| (share - 2.0 / 3.0).abs() < 1e-12));
        assert_eq!(result.column("last_at").expect("column").i64().expect("ints").get(0), Some(9));
    }
}
