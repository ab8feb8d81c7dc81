//! `trends/patterns`: sequences of tools and skills that turns run through, and how such turns ended.
//!
//! Input: `turn_id, call_index, item, outcome`, one row per tool call of a turn. Output: one row per sequence of 2 to 4
//! items with its support, lift and the outcome of the turns that hold it. Calls of the same item in a row count as one;
//! sequences are contiguous. A state machine over ordered rows: too much for SQL that other engines speak.

use super::statistics::{ratio, wilson};
use polars::prelude::{
    DataFrame, DataType, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series, SortMultipleOptions,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Longest sequence.
const LONGEST: usize = 4;
/// Turns that a sequence must be in.
pub const MINIMUM_TURNS: i64 = 5;
/// Sequences that are kept, most frequent first.
const MOST: usize = 200;

/// The calls of one turn.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Items in order, by number; runs of one item are one.
    pub items: Vec<u32>,
    /// The turn completed; `None` while it is open.
    pub is_completed: Option<bool>,
}

/// A sequence and what became of its turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Items by number.
    pub items: Vec<u32>,
    /// How often it occurs.
    pub occurrence_count: i64,
    /// Turns that hold it.
    pub turn_count: i64,
    /// Its share of the turns with calls.
    pub support_ratio: f64,
    /// How much likelier the last item is after the others than after any item but itself (which cannot be).
    pub lift: f64,
    /// Turns with it that have ended.
    pub ended_count: i64,
    /// Of these, the share that completed.
    pub completed_ratio: Option<f64>,
    /// The same share among ended turns with calls but without it.
    pub other_completed_ratio: Option<f64>,
}

#[derive(Default)]
struct Tally {
    occurrences: i64,
    followed: i64,
    turns: i64,
    ended: i64,
    completed: i64,
}

/// The frequent sequences, most turns first; ties by items.
#[must_use]
pub fn patterns(turns: &[Turn]) -> Vec<Pattern> {
    let mut tallies: HashMap<&[u32], Tally> = HashMap::new();
    let mut arrivals: HashMap<u32, i64> = HashMap::new();
    let mut arrival_count = 0_i64;
    let (mut ended, mut completed) = (0_i64, 0_i64);
    for turn in turns {
        ended += i64::from(turn.is_completed.is_some());
        completed += i64::from(turn.is_completed == Some(true));
        for item in turn.items.iter().skip(1) {
            *arrivals.entry(*item).or_default() += 1;
            arrival_count += 1;
        }
        let mut held: BTreeSet<&[u32]> = BTreeSet::new();
        for length in 1..=LONGEST {
            for (place, items) in turn.items.windows(length).enumerate() {
                let tally = tallies.entry(items).or_default();
                tally.occurrences += 1;
                tally.followed += i64::from(place + length < turn.items.len());
                if length > 1 && held.insert(items) {
                    tally.turns += 1;
                    tally.ended += i64::from(turn.is_completed.is_some());
                    tally.completed += i64::from(turn.is_completed == Some(true));
                }
            }
        }
    }
    let turn_count = i64::try_from(turns.len()).unwrap_or(i64::MAX);
    let mut found: Vec<Pattern> = tallies
        .iter()
        .filter(|(items, tally)| items.len() > 1 && tally.turns >= MINIMUM_TURNS)
        .filter_map(|(items, tally)| {
            let (last, before) = items.split_last()?;
            let after_before = ratio(tally.occurrences, tallies.get(before)?.followed)?;
            Some(Pattern {
                items: items.to_vec(),
                occurrence_count: tally.occurrences,
                turn_count: tally.turns,
                support_ratio: ratio(tally.turns, turn_count)?,
                lift: after_before
                    / ratio(*arrivals.get(last)?, arrival_count - tallies.get([*last].as_slice())?.followed)?,
                ended_count: tally.ended,
                completed_ratio: ratio(tally.completed, tally.ended),
                other_completed_ratio: ratio(completed - tally.completed, ended - tally.ended),
            })
        })
        .collect();
    found.sort_by(|left, right| (right.turn_count, &left.items).cmp(&(left.turn_count, &right.items)));
    found.truncate(MOST);
    found
}

/// Reads a frame into turns and the names of their items, in the order of their names.
fn turns(input: LazyFrame) -> PolarsResult<(Vec<Turn>, Vec<String>)> {
    let sorted = input.sort(["turn_id", "call_index"], SortMultipleOptions::default()).collect()?;
    let ids = sorted.column("turn_id")?.str()?;
    let items = sorted.column("item")?.str()?;
    let outcomes = sorted.column("outcome")?.cast(&DataType::String)?;
    let outcomes = outcomes.str()?;
    let names: BTreeSet<&str> = items.iter().flatten().collect();
    let numbers: BTreeMap<&str, u32> = names.iter().copied().zip(0..).collect();
    let mut found: Vec<Turn> = Vec::new();
    let mut current = None;
    for row in 0..sorted.height() {
        let Some(number) = items.get(row).and_then(|item| numbers.get(item)) else { continue };
        if found.is_empty() || ids.get(row) != current {
            current = ids.get(row);
            let is_completed =
                outcomes.get(row).filter(|outcome| *outcome != "open").map(|outcome| outcome == "completed");
            found.push(Turn { items: Vec::new(), is_completed });
        }
        if let Some(turn) = found.last_mut().filter(|turn| turn.items.last() != Some(number)) {
            turn.items.push(*number);
        }
    }
    Ok((found, names.into_iter().map(str::to_owned).collect()))
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let (turns, names) = turns(input)?;
    let rows = patterns(&turns);
    let label = |row: &Pattern| {
        let words: Vec<&str> =
            row.items.iter().filter_map(|item| names.get(*item as usize)).map(String::as_str).collect();
        words.join(" → ")
    };
    let interval = |row: &Pattern| row.completed_ratio.map(|ratio| wilson(ratio, row.ended_count));
    let count = |part: fn(&Pattern) -> i64| rows.iter().map(part).collect::<Vec<i64>>();
    let ratio = |part: fn(&Pattern) -> Option<f64>| rows.iter().map(part).collect::<Vec<Option<f64>>>();
    let heading = PlSmallStr::from_static;
    let columns = vec![
        Series::new(heading("pattern"), rows.iter().map(label).collect::<Vec<_>>()).into(),
        Series::new(heading("length"), count(|row| i64::try_from(row.items.len()).unwrap_or(0))).into(),
        Series::new(heading("occurrence_count"), count(|row| row.occurrence_count)).into(),
        Series::new(heading("turn_count"), count(|row| row.turn_count)).into(),
        Series::new(heading("support_ratio"), ratio(|row| Some(row.support_ratio))).into(),
        Series::new(heading("lift"), ratio(|row| Some(row.lift))).into(),
        Series::new(heading("ended_count"), count(|row| row.ended_count)).into(),
        Series::new(heading("completed_ratio"), ratio(|row| row.completed_ratio)).into(),
        Series::new(heading("ci_low"), rows.iter().map(|row| interval(row).map(|ends| ends.0)).collect::<Vec<_>>())
            .into(),
        Series::new(heading("ci_high"), rows.iter().map(|row| interval(row).map(|ends| ends.1)).collect::<Vec<_>>())
            .into(),
        Series::new(heading("other_completed_ratio"), ratio(|row| row.other_completed_ratio)).into(),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(items: &[u32], is_completed: bool) -> Turn {
        Turn { items: items.to_vec(), is_completed: Some(is_completed) }
    }

    #[test]
    fn support_lift_and_outcome_are_counted_by_turn() {
        let mut all = vec![turn(&[0, 1, 0, 1], true); 6];
        all.extend(vec![turn(&[2, 0], false); 4]);
        let found = patterns(&all);
        let first = found.iter().find(|row| row.items == [0, 1]).expect("pattern");
        assert_eq!((first.occurrence_count, first.turn_count, first.ended_count), (12, 6, 6));
        assert_eq!(
            (first.support_ratio, first.completed_ratio, first.other_completed_ratio),
            (0.6, Some(1.0), Some(0.0))
        );
        // 0 is followed 12 times, always by 1; 1 arrives 12 times after the 16 items that are not 1.
        assert!((first.lift - 16.0 / 12.0).abs() < 1e-12, "{}", first.lift);
        assert!(found.iter().any(|row| row.items == [0, 1, 0, 1]));
        assert!(!found.iter().any(|row| row.items == [2, 0]), "four turns are too few");
    }

    #[test]
    fn runs_of_one_item_are_one_and_turns_do_not_mix() {
        let frame = polars::df!(
            "turn_id" => (0..6).flat_map(|turn| vec![format!("t{turn}"); 4]).collect::<Vec<_>>(),
            "call_index" => (0..6).flat_map(|_| [4_i64, 1, 2, 3]).collect::<Vec<_>>(),
            "item" => (0..6).flat_map(|_| ["bash", "read", "read", "edit"]).collect::<Vec<_>>(),
            "outcome" => vec!["completed"; 24],
        )
        .expect("frame");
        let result = pipeline(frame.lazy()).and_then(LazyFrame::collect).expect("result");
        let patterns: Vec<&str> =
            result.column("pattern").expect("column").str().expect("text").iter().flatten().collect();
        assert_eq!(patterns, ["edit → bash", "read → edit", "read → edit → bash"]);
        assert_eq!(result.column("turn_count").expect("column").i64().expect("i64").get(0), Some(6));
    }

    #[test]
    fn no_calls_give_no_rows() {
        assert!(patterns(&[]).is_empty());
        assert!(patterns(&vec![turn(&[1], true); 9]).is_empty());
    }
}
