//! `verification/retries`: what agents do after a failure, as a state machine over the calls of a turn.
//!
//! Input: failed calls and those that retry them: `session_id, turn_index, alike_tool, target, part_index, tool_name,
//! is_failed, is_retry, started_at, ended_at, step_share_tokens, step_share_nano_usd`. Output: one row per tool. Within one
//! session, turn, tool and target, a failure that retries nothing opens an episode; every retry goes on with it.

use super::statistics::{median, median_interval, ratio, wilson};
use polars::prelude::{
    DataFrame, IntoLazy, LazyFrame, NamedFrom, PlSmallStr, PolarsResult, Series, SortMultipleOptions,
};
use std::collections::{BTreeMap, BTreeSet};

/// A failure and what was tried after it.
#[derive(Debug, Default, Clone, PartialEq)]
struct Episode {
    tool_name: String,
    session_id: String,
    errors: i64,
    retries: i64,
    successes: i64,
    tokens: Option<i64>,
    nano_usd: Option<i64>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    last_at: Option<i64>,
}

impl Episode {
    fn ms(&self) -> Option<i64> {
        Some(self.ended_at? - self.started_at?)
    }
}

/// The later of two times that may be unknown, or the earlier.
fn either(left: Option<i64>, right: Option<i64>, choose: fn(i64, i64) -> i64) -> Option<i64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(choose(left, right)),
        (known, None) | (None, known) => known,
    }
}

fn sum(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    either(left, right, i64::saturating_add)
}

/// The episodes of a frame.
fn episodes(input: LazyFrame) -> PolarsResult<Vec<Episode>> {
    let keys = ["session_id", "turn_index", "alike_tool", "target", "part_index"];
    let sorted = input.sort(keys, SortMultipleOptions::default()).collect()?;
    let text = |name: &str| sorted.column(name)?.str();
    let int = |name: &str| sorted.column(name)?.i64();
    let (sessions, tools, targets, names) =
        (text("session_id")?, text("alike_tool")?, text("target")?, text("tool_name")?);
    let (turns, starts, ends) = (int("turn_index")?, int("started_at")?, int("ended_at")?);
    let (tokens, costs) = (int("step_share_tokens")?, int("step_share_nano_usd")?);
    let (failed, retried) = (sorted.column("is_failed")?.bool()?, sorted.column("is_retry")?.bool()?);
    let mut found: Vec<Episode> = Vec::new();
    let mut current = None;
    for row in 0..sorted.height() {
        let key = (sessions.get(row), turns.get(row), tools.get(row), targets.get(row));
        let is_retry = retried.get(row) == Some(true);
        if current != Some(key) || !is_retry {
            current = Some(key);
            found.push(Episode {
                tool_name: names.get(row).unwrap_or_default().to_owned(),
                session_id: key.0.unwrap_or_default().to_owned(),
                ..Episode::default()
            });
        }
        let Some(episode) = found.last_mut() else { continue };
        let is_failed = failed.get(row) == Some(true);
        episode.errors += i64::from(is_failed);
        if is_retry {
            episode.retries += 1;
            episode.successes += i64::from(!is_failed);
            episode.tokens = sum(episode.tokens, tokens.get(row));
            episode.nano_usd = sum(episode.nano_usd, costs.get(row));
        }
        let started = starts.get(row);
        episode.started_at = either(episode.started_at, started, i64::min);
        episode.ended_at = either(episode.ended_at, ends.get(row).or(started), i64::max);
        episode.last_at = either(episode.last_at, started, i64::max);
    }
    Ok(found)
}

/// The episodes of one tool, together.
#[derive(Debug, Default)]
struct Tool {
    sessions: BTreeSet<String>,
    episodes: i64,
    errors: i64,
    retried: i64,
    retries: i64,
    most_retries: i64,
    recovered: i64,
    tokens: Option<i64>,
    nano_usd: Option<i64>,
    retried_ms: Vec<f64>,
    last_at: Option<i64>,
}

impl Tool {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one turn")]
    fn add(&mut self, episode: Episode) {
        self.episodes += 1;
        self.errors += episode.errors;
        self.retried += i64::from(episode.retries > 0);
        self.retries += episode.retries;
        self.most_retries = self.most_retries.max(episode.retries);
        self.recovered += i64::from(episode.successes > 0);
        self.tokens = sum(self.tokens, episode.tokens);
        self.nano_usd = sum(self.nano_usd, episode.nano_usd);
        if episode.retries > 0 {
            self.retried_ms.extend(episode.ms().map(|ms| ms as f64));
        }
        self.last_at = either(self.last_at, episode.last_at, i64::max);
        self.sessions.insert(episode.session_id);
    }

    fn interval(&self) -> Option<(f64, f64)> {
        Some(wilson(ratio(self.recovered, self.retried)?, self.retried))
    }
}

/// The pipeline.
///
/// # Errors
/// The input lacks a column.
pub fn pipeline(input: LazyFrame) -> PolarsResult<LazyFrame> {
    let mut tools: BTreeMap<String, Tool> = BTreeMap::new();
    for episode in episodes(input)? {
        tools.entry(episode.tool_name.clone()).or_default().add(episode);
    }
    let mut rows: Vec<(String, Tool)> = tools.into_iter().collect();
    rows.sort_by_key(|(_, tool)| std::cmp::Reverse((tool.retries, tool.errors)));
    let heading = PlSmallStr::from_static;
    let int = |name: &'static str, part: fn(&Tool) -> Option<i64>| {
        Series::new(heading(name), rows.iter().map(|(_, tool)| part(tool)).collect::<Vec<Option<i64>>>()).into()
    };
    let float = |name: &'static str, part: fn(&Tool) -> Option<f64>| {
        Series::new(heading(name), rows.iter().map(|(_, tool)| part(tool)).collect::<Vec<Option<f64>>>()).into()
    };
    #[expect(clippy::cast_precision_loss, reason = "nano-dollars of a period are far below 2^52")]
    let usd = |tool: &Tool| tool.nano_usd.map(|nano| nano as f64 / 1e9);
    let columns = vec![
        Series::new(heading("tool_name"), rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()).into(),
        int("episode_count", |tool| Some(tool.episodes)),
        int("session_count", |tool| i64::try_from(tool.sessions.len()).ok()),
        int("error_count", |tool| Some(tool.errors)),
        int("retried_count", |tool| Some(tool.retried)),
        int("retry_count", |tool| Some(tool.retries)),
        int("max_retry_count", |tool| Some(tool.most_retries)),
        int("recovered_count", |tool| Some(tool.recovered)),
        float("recovered_ratio", |tool| ratio(tool.recovered, tool.retried)),
        float("ci_low", |tool| Some(tool.interval()?.0)),
        float("ci_high", |tool| Some(tool.interval()?.1)),
        int("unretried_count", |tool| Some(tool.episodes - tool.retried)),
        int("retry_tokens", |tool| tool.tokens),
        float("retry_cost_usd", usd),
        float("p50_ms", |tool| median(&tool.retried_ms)),
        float("p50_ms_ci_low", |tool| Some(median_interval(&tool.retried_ms)?.0)),
        float("p50_ms_ci_high", |tool| Some(median_interval(&tool.retried_ms)?.1)),
        int("last_at", |tool| tool.last_at),
    ];
    Ok(DataFrame::new(rows.len(), columns)?.lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_opens_an_episode_and_retries_go_on_with_it() {
        let frame = polars::df!(
            "session_id" => ["s"; 5],
            "turn_index" => [1_i64; 5],
            "alike_tool" => ["webfetch"; 5],
            "target" => [Some("a"), Some("a"), Some("a"), Some("a"), None],
            "part_index" => [1_i64, 2, 3, 9, 4],
            "tool_name" => ["webfetch"; 5],
            "is_failed" => [true, true, false, true, true],
            "is_retry" => [false, true, true, false, false],
            "started_at" => [Some(10_i64), Some(20), Some(30), Some(90), None],
            "ended_at" => [Some(12_i64), Some(22), Some(35), None, None],
            "step_share_tokens" => [Some(5_i64), Some(6), None, Some(7), None],
            "step_share_nano_usd" => [Some(1_000_000_000_i64), Some(2_000_000_000), None, None, None],
        )
        .expect("frame");
        let found = episodes(frame.clone().lazy()).expect("episodes");
        assert_eq!(found.len(), 3);
        let result = pipeline(frame.lazy()).and_then(LazyFrame::collect).expect("result");
        let int = |name: &str| result.column(name).expect(name).i64().expect(name).get(0);
        assert_eq!((int("episode_count"), int("error_count"), int("retry_count")), (Some(3), Some(4), Some(2)));
        assert_eq!((int("recovered_count"), int("unretried_count"), int("retry_tokens")), (Some(1), Some(2), Some(6)));
        let p50 = result.column("p50_ms").expect("column").f64().expect("floats").get(0);
        assert_eq!(p50, Some(25.0));
    }
}
