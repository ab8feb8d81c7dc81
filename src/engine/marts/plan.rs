//! In which order marts are built, and which of them are written.
//!
//! Input: all marts, and those that must be stored. Output: [`Plan`]: three stages. `before` knows all sessions but few
//! columns; `by_session` is built for a part of the sessions at a time, in parallel and in bounded memory; `after` joins
//! sessions again.

use crate::error::EngineError;
use crate::metric::QueryFile;
use std::collections::{BTreeMap, BTreeSet};

/// Stages of building, each in an order in which every mart comes after those that it reads.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Marts over all sessions that read no mart of `by_session`.
    pub before: Vec<&'a QueryFile>,
    /// Marts that reach only rows of the same session.
    pub by_session: Vec<&'a QueryFile>,
    /// Marts over all sessions that read those.
    pub after: Vec<&'a QueryFile>,
    written: BTreeSet<&'a str>,
}

/// The marts that a mart reads, by name.
pub(super) fn sources(mart: &QueryFile) -> impl Iterator<Item = &str> {
    mart.sources.iter().filter_map(|source| source.strip_prefix("mart_"))
}

impl<'a> Plan<'a> {
    /// Orders what `targets` need.
    ///
    /// # Errors
    /// Marts wait for each other, or for one that does not exist.
    pub(super) fn new(marts: &[&'a QueryFile], targets: &[&'a QueryFile]) -> Result<Self, EngineError> {
        let by_name: BTreeMap<&str, &'a QueryFile> = marts.iter().map(|mart| (mart.name.as_str(), *mart)).collect();
        let mut needed: BTreeMap<&str, &'a QueryFile> = BTreeMap::new();
        let mut open: Vec<&'a QueryFile> = targets.to_vec();
        while let Some(mart) = open.pop() {
            if needed.insert(&mart.name, mart).is_none() {
                open.extend(sources(mart).filter_map(|source| by_name.get(source).copied()));
            }
        }
        let ordered = in_order(needed.into_values().collect())?;
        let mut plan = Self { before: Vec::new(), by_session: Vec::new(), after: Vec::new(), written: BTreeSet::new() };
        let mut split: BTreeSet<&str> = BTreeSet::new();
        let mut late: BTreeSet<&str> = BTreeSet::new();
        for mart in ordered {
            let is_late = sources(mart).any(|source| late.contains(source));
            if mart.is_by_session && !is_late {
                split.insert(&mart.name);
                plan.by_session.push(mart);
            } else if is_late || sources(mart).any(|source| split.contains(source)) {
                late.insert(&mart.name);
                // What one stage makes for the next goes by way of a file.
                let handed_on: Vec<&'a str> =
                    split.iter().copied().filter(|name| sources(mart).any(|source| source == *name)).collect();
                plan.written.extend(handed_on);
                plan.after.push(mart);
            } else {
                plan.before.push(mart);
            }
        }
        plan.written.extend(targets.iter().map(|mart| mart.name.as_str()));
        Ok(plan)
    }

    /// The mart becomes Parquet; others are tables in memory for as long as somebody reads them.
    pub(super) fn is_written(&self, mart: &QueryFile) -> bool {
        self.written.contains(mart.name.as_str())
    }

    /// Marts of `stage` that nothing after `position` in it reads any more.
    pub(super) fn finished(stage: &[&'a QueryFile], position: usize) -> Vec<&'a QueryFile> {
        let current = stage[position];
        let is_read_later =
            |mart: &QueryFile| stage[position + 1..].iter().any(|later| sources(later).any(|name| name == mart.name));
        stage[..=position]
            .iter()
            .filter(|mart| mart.name == current.name || sources(current).any(|name| name == mart.name))
            .filter(|mart| !is_read_later(mart))
            .copied()
            .collect()
    }
}

/// Marts in an order in which each comes after those that it reads.
fn in_order(marts: Vec<&QueryFile>) -> Result<Vec<&QueryFile>, EngineError> {
    let mut waiting = marts;
    let mut ordered: Vec<&QueryFile> = Vec::new();
    while !waiting.is_empty() {
        let ready = |mart: &QueryFile| sources(mart).all(|needed| ordered.iter().any(|done| done.name == needed));
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|mart| ready(mart));
        if now.is_empty() {
            let names: Vec<&str> = later.iter().map(|mart| mart.name.as_str()).collect();
            return Err(EngineError::Sql {
                file: later[0].path.clone(),
                message: format!(
                    "these marts wait for each other or for a mart that does not exist: {}",
                    names.join(", ")
                ),
            });
        }
        ordered.extend(now);
        waiting = later;
    }
    Ok(ordered)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metric::Layer;

    pub(in super::super) fn mart(name: &str, sources: &str, reach: &str) -> QueryFile {
        let text = format!(
            "-- mart: {name}\n-- grain: g\n-- sources: {sources}\n-- time: none\n-- reach: {reach}\n--\n-- x\nselect 1"
        );
        QueryFile::parse(&format!("{name}.sql"), Layer::Mart, &text).expect("a mart")
    }

    pub(in super::super) fn names(stage: &[&QueryFile]) -> Vec<String> {
        stage.iter().map(|mart| mart.name.clone()).collect()
    }

    #[test]
    fn stages_follow_reach_and_sources() {
        let all = [
            mart("sums", "mart_calls, mart_places", "all"),
            mart("calls", "mart_numbers, mart_places", "session"),
            mart("numbers", "stg_parts", "session"),
            mart("places", "stg_sessions", "all"),
            mart("late", "mart_sums", "session"),
            mart("idle", "mart_numbers", "session"),
        ];
        let all: Vec<&QueryFile> = all.iter().collect();
        let plan = Plan::new(&all, &[all[0], all[4]]).expect("a plan");
        assert_eq!(names(&plan.before), ["places"]);
        assert_eq!(names(&plan.by_session), ["numbers", "calls"]);
        assert_eq!(names(&plan.after), ["sums", "late"]);
        assert!(plan.is_written(all[1]) && !plan.is_written(all[2]));
        assert_eq!(names(&Plan::finished(&plan.by_session, 1)), ["numbers", "calls"]);
        assert!(Plan::finished(&plan.by_session, 0).is_empty());
    }

    #[test]
    fn circles_and_unknown_marts_are_named() {
        let all = [mart("a", "mart_b", "all"), mart("b", "mart_a", "all"), mart("c", "mart_none", "all")];
        let all: Vec<&QueryFile> = all.iter().collect();
        for targets in [[all[0]], [all[2]]] {
            assert!(Plan::new(&all, &targets).is_err_and(|error| error.to_string().contains("wait for each other")));
        }
    }
}
