//! `intent/intent_scores`: precision, recall and F1 of each label, where labels may be unknown or only known as a class.
//!
//! Input: `level, predicted, actual, predicted_class, is_correct, is_weak`, one row per decision and level; NULL = not
//! known. Output: one row per level and label that was predicted or actual; level intent first, then most decisions.

use super::statistics::{ratio, wilson};
use polars::prelude::{DataFrame, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one label.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Score {
    /// Decisions that predicted it.
    pub decisions: i64,
    /// Of these, with a known outcome.
    pub labelled: i64,
    /// Of these, right.
    pub correct: i64,
    /// Decisions with a known outcome that only stand in a text or were labelled by a weak rule.
    pub weak: i64,
    /// Decisions whose actual label it is.
    pub actual: i64,
    /// Decisions whose actual label is only known to be of its class.
    pub possible: i64,
    /// Classes that it belongs to.
    classes: BTreeSet<String>,
}

impl Score {
    fn precision(&self) -> Option<f64> {
        ratio(self.correct, self.labelled)
    }

    fn recall(&self) -> Option<f64> {
        ratio(self.correct, self.actual)
    }

    fn recall_at_worst(&self) -> Option<f64> {
        ratio(self.correct, self.actual + self.possible)
    }

    fn f1(&self) -> Option<f64> {
        let (precision, recall) = (self.precision()?, self.recall()?);
        Some(if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 })
    }
}

/// Level (intent before skill) and label.
type Key = (bool, String);

fn scores(input: &DataFrame) -> PolarsResult<BTreeMap<Key, Score>> {
    let text = |name: &str| input.column(name)?.str();
    let (levels, predicted, actual, classes) =
        (text("level")?, text("predicted")?, text("actual")?, text("predicted_class")?);
    let (correct, weak) = (input.column("is_correct")?.bool()?, input.column("is_weak")?.bool()?);
    let mut scores: BTreeMap<Key, Score> = BTreeMap::new();
    let mut by_class: BTreeMap<(bool, String), i64> = BTreeMap::new();
    for row in 0..input.height() {
        let (Some(level), Some(predicted)) = (levels.get(row), predicted.get(row)) else { continue };
        let is_skill = level == "skill";
        let score = scores.entry((is_skill, predicted.to_owned())).or_default();
        score.decisions += 1;
        score.classes.extend(classes.get(row).map(str::to_owned));
        let Some(is_correct) = correct.get(row) else { continue };
        score.labelled += 1;
        score.correct += i64::from(is_correct);
        score.weak += i64::from(weak.get(row) == Some(true));
        match actual.get(row) {
            Some(class) if class.ends_with(":*") => *by_class.entry((is_skill, class.to_owned())).or_default() += 1,
            Some(label) => scores.entry((is_skill, label.to_owned())).or_default().actual += 1,
            None => {}
        }
    }
    for ((is_skill, _), score) in &mut scores {
        let count = |class: &String| by_class.get(&(*is_skill, class.clone())).copied().unwrap_or_default();
        score.possible = score.classes.iter().map(count).sum();
    }
    Ok(scores)
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let mut rows: Vec<(Key, Score)> = scores(&input.collect()?)?.into_iter().collect();
    rows.sort_by(|(left_key, left), (right_key, right)| {
        (left_key.0, -left.decisions, &left_key.1).cmp(&(right_key.0, -right.decisions, &right_key.1))
    });
    let heading = PlSmallStr::from_static;
    let count = |name: &'static str, part: fn(&Score) -> i64| {
        Series::new(heading(name), rows.iter().map(|(_, score)| part(score)).collect::<Vec<i64>>()).into()
    };
    let share = |name: &'static str, part: fn(&Score) -> Option<f64>| {
        Series::new(heading(name), rows.iter().map(|(_, score)| part(score)).collect::<Vec<Option<f64>>>()).into()
    };
    let columns = vec![
        Series::new(
            heading("level"),
            rows.iter().map(|(key, _)| if key.0 { "skill" } else { "intent" }).collect::<Vec<_>>(),
        )
        .into(),
        Series::new(heading("intent"), rows.iter().map(|(key, _)| key.1.as_str()).collect::<Vec<_>>()).into(),
        count("decision_count", |score| score.decisions),
        count("labelled_count", |score| score.labelled),
        count("correct_count", |score| score.correct),
        share("precision", Score::precision),
        share("precision_ci_low", |score| Some(wilson(score.precision()?, score.labelled).0)),
        share("precision_ci_high", |score| Some(wilson(score.precision()?, score.labelled).1)),
        count("actual_count", |score| score.actual),
        count("possible_count", |score| score.possible),
        share("recall", Score::recall),
        share("recall_ci_low", |score| Some(wilson(score.recall()?, score.actual).0)),
        share("recall_ci_high", |score| Some(wilson(score.recall()?, score.actual).1)),
        share("recall_at_worst", Score::recall_at_worst),
        share("f1", Score::f1),
        count("weak_label_count", |score| score.weak),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_outcomes_and_classes_are_no_guesses() {
        let frame = polars::df!(
            "level" => ["intent"; 6],
            "predicted" => ["debug", "debug", "debug", "research", "research", "document"],
            "actual" => [Some("debug"), Some("research"), None, Some("research"), Some("dev:*"), None],
            "predicted_class" => ["dev:*", "dev:*", "dev:*", "find:*", "find:*", "learn:*"],
            "is_correct" => [Some(true), Some(false), None, Some(true), Some(false), None],
            "is_weak" => [false; 6],
        )
        .expect("frame");
        let scores = scores(&frame).expect("scores");
        let debug = &scores[&(false, "debug".to_owned())];
        assert_eq!((debug.decisions, debug.labelled, debug.correct, debug.actual, debug.possible), (3, 2, 1, 1, 1));
        assert_eq!((debug.precision(), debug.recall(), debug.recall_at_worst()), (Some(0.5), Some(1.0), Some(0.5)));
        let research = &scores[&(false, "research".to_owned())];
        assert_eq!((research.actual, research.possible, research.recall()), (2, 0, Some(0.5)));
        let document = &scores[&(false, "document".to_owned())];
        assert_eq!((document.decisions, document.precision(), document.f1()), (1, None, None));
    }
}
