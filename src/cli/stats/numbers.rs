//! The numbers of `opencode stats` 1.18, computed as that program computes them.
//!
//! Input: one [`SessionRow`] a session with the sums of its messages and tool calls, and a [`Filter`].
//! Output: [`StatsNumbers`], and its JSON form for `stats --json`. No I/O, no clock.
//!
//! # Order of the input
//! Ties in the tables of models and tools go to the one that was seen first, and sums of money depend on
//! the order of addition, so the caller feeds:
//! - sessions in the order of the table `session` (`order by rowid`: the order of insertion);
//! - within a session, messages by `(time_created, id)`;
//! - within a message, parts by `id`.
//!
//! Where the rowid is not known, `(time_created asc, id desc)` is the nearest order (session ids descend in
//! time); it differs for imported sessions only. Sessions that are children, forks or archived are fed as well.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Milliseconds of a day as the program counts it, also across a change of the clocks.
const DAY_MS: f64 = 86_400_000.0;

/// Tokens by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Sent, not from a cache.
    pub input: i64,
    /// Received, without reasoning.
    pub output: i64,
    /// Reasoning.
    pub reasoning: i64,
    /// Read from the provider's cache.
    pub cache_read: i64,
    /// Written to the provider's cache.
    pub cache_write: i64,
}

impl Tokens {
    /// All kinds together.
    #[must_use]
    pub(super) fn total(&self) -> i64 {
        [self.output, self.reasoning, self.cache_read, self.cache_write]
            .into_iter()
            .fold(self.input, i64::saturating_add)
    }

    /// Adds another count to this one.
    pub(super) fn add(&mut self, other: &Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
    }
}

/// Sums over the assistant messages of one model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModelUsage {
    /// Provider; `None` when the message does not say.
    pub provider_id: Option<String>,
    /// Model without provider; `None` when the message does not say.
    pub model_id: Option<String>,
    /// Assistant messages, failed and aborted ones included.
    pub message_count: u64,
    /// Tokens by kind.
    pub tokens: Tokens,
    /// USD.
    pub cost: f64,
}

impl ModelUsage {
    /// The output column of the program's table: reasoning is part of it.
    #[must_use]
    pub(super) fn shown_output(&self) -> i64 {
        self.tokens.output.saturating_add(self.tokens.reasoning)
    }
}

/// Calls of one tool, whatever their status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToolUsage {
    /// Name as recorded.
    pub tool: String,
    /// Parts of type `tool`.
    pub call_count: u64,
}

/// One session with the sums of what is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SessionRow {
    /// `session.project_id`.
    pub project_id: String,
    /// `session.cost`; `None` where the database has no such column, then the messages' cost stands for it.
    pub cost: Option<f64>,
    /// `session.tokens_*`; `None` likewise.
    pub tokens: Option<Tokens>,
    /// Epoch ms UTC.
    pub time_created: i64,
    /// Epoch ms UTC.
    pub time_updated: i64,
    /// All messages, whatever their role.
    pub message_count: u64,
    /// Assistant messages by model, first seen first.
    pub models: Vec<ModelUsage>,
    /// Tool calls by tool, first seen first.
    pub tools: Vec<ToolUsage>,
}

impl SessionRow {
    /// Counts one assistant message of a model. `message_count` is not touched: it counts prompts too.
    pub(super) fn count_model(
        &mut self,
        provider_id: Option<&str>,
        model_id: Option<&str>,
        tokens: &Tokens,
        cost: f64,
    ) {
        let known = self
            .models
            .iter_mut()
            .find(|model| model.provider_id.as_deref() == provider_id && model.model_id.as_deref() == model_id);
        if let Some(model) = known {
            model.message_count += 1;
            model.tokens.add(tokens);
            model.cost += cost;
            return;
        }
        self.models.push(ModelUsage {
            provider_id: provider_id.map(str::to_owned),
            model_id: model_id.map(str::to_owned),
            message_count: 1,
            tokens: *tokens,
            cost,
        });
    }

    /// Counts calls of a tool. Calls without a name are not counted, as in the program.
    pub(super) fn count_tools(&mut self, tool: &str, call_count: u64) {
        if tool.is_empty() {
            return;
        }
        match self.tools.iter_mut().find(|usage| usage.tool == tool) {
            Some(usage) => usage.call_count += call_count,
            None => self.tools.push(ToolUsage { tool: tool.to_owned(), call_count }),
        }
    }

    fn total_cost(&self) -> f64 {
        self.cost.unwrap_or_else(|| self.models.iter().fold(0.0, |sum, model| sum + model.cost))
    }

    fn total_tokens(&self) -> Tokens {
        self.tokens.unwrap_or_else(|| {
            self.models.iter().fold(Tokens::default(), |mut sum, model| {
                sum.add(&model.tokens);
                sum
            })
        })
    }
}

/// Which sessions count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Filter {
    /// `--days N`: sessions updated in the last N × 24 hours; 0 = since local midnight. `None` = all.
    pub days: Option<f64>,
    /// `--project ID`, `''` already replaced by the id of the current project. `None` = all.
    pub project: Option<String>,
    /// The clock, epoch ms UTC.
    pub now_ms: i64,
    /// The last local midnight, epoch ms UTC.
    pub midnight_ms: i64,
}

impl Filter {
    /// Start of the window, epoch ms; 0 or less (also NaN) = no window.
    #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
    fn cutoff_ms(&self) -> f64 {
        match self.days {
            None => 0.0,
            Some(0.0) => self.midnight_ms as f64,
            Some(days) => self.now_ms as f64 - days * DAY_MS,
        }
    }
}

/// Everything that `opencode stats` prints.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StatsNumbers {
    /// Sessions, children and forks included.
    pub session_count: u64,
    /// Messages of any role.
    pub message_count: u64,
    /// Days of the window, or calendar span of the sessions; a float because `--days 0.5` is allowed.
    pub days: f64,
    /// USD.
    pub cost: f64,
    /// USD per day; NaN when days is.
    pub cost_per_day: f64,
    /// Tokens by kind.
    pub tokens: Tokens,
    /// Mean of tokens per session.
    pub tokens_per_session: f64,
    /// Median of tokens per session.
    pub median_tokens_per_session: f64,
    /// Most messages first, ties in the order first seen.
    pub models: Vec<ModelUsage>,
    /// Most calls first, ties in the order first seen.
    pub tools: Vec<ToolUsage>,
}

/// Computes the numbers over the sessions that pass the filter. See the module for the order of `sessions`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "the program computes in doubles")]
pub(super) fn compute(sessions: &[SessionRow], filter: &Filter) -> StatsNumbers {
    let cutoff = filter.cutoff_ms();
    let has_window = cutoff > 0.0;
    let kept: Vec<&SessionRow> = sessions
        .iter()
        .filter(|row| !has_window || row.time_updated as f64 >= cutoff)
        .filter(|row| filter.project.as_ref().is_none_or(|project| *project == row.project_id))
        .collect();
    let asked_days = filter.days.map(|days| if days == 0.0 { 1.0 } else { days });
    if kept.is_empty() {
        return StatsNumbers { days: asked_days.unwrap_or(0.0), ..StatsNumbers::default() };
    }

    let mut numbers = StatsNumbers { session_count: kept.len() as u64, ..StatsNumbers::default() };
    let mut tables = Tables::default();
    let mut totals = Vec::with_capacity(kept.len());
    let (mut earliest, mut latest) = (filter.now_ms, 0);
    for row in &kept {
        earliest = earliest.min(if has_window { row.time_updated } else { row.time_created });
        latest = latest.max(row.time_updated);
        let tokens = row.total_tokens();
        totals.push(tokens.total());
        numbers.message_count += row.message_count;
        numbers.cost += row.total_cost();
        numbers.tokens.add(&tokens);
        tables.add(row);
    }
    let span = ((latest - earliest) as f64 / DAY_MS).ceil().max(1.0);
    numbers.days = asked_days.unwrap_or(span);
    numbers.cost_per_day = numbers.cost / numbers.days;
    numbers.tokens_per_session = numbers.tokens.total() as f64 / kept.len() as f64;
    numbers.median_tokens_per_session = median(&mut totals);
    (numbers.models, numbers.tools) = tables.finish();
    numbers
}

/// The tables under construction, with an index because a large database has thousands of sessions.
#[derive(Default)]
struct Tables {
    models: Vec<ModelUsage>,
    model_index: HashMap<(Option<String>, Option<String>), usize>,
    tools: Vec<ToolUsage>,
    tool_index: HashMap<String, usize>,
}

impl Tables {
    /// Adds the sums of one session: the program also adds up per session first, which matters for cents.
    fn add(&mut self, row: &SessionRow) {
        for model in &row.models {
            let key = (model.provider_id.clone(), model.model_id.clone());
            let at = *self.model_index.entry(key).or_insert_with(|| {
                self.models.push(ModelUsage {
                    message_count: 0,
                    tokens: Tokens::default(),
                    cost: 0.0,
                    ..model.clone()
                });
                self.models.len() - 1
            });
            let sum = &mut self.models[at];
            sum.message_count += model.message_count;
            sum.tokens.add(&model.tokens);
            sum.cost += model.cost;
        }
        for tool in &row.tools {
            let at = *self.tool_index.entry(tool.tool.clone()).or_insert_with(|| {
                self.tools.push(ToolUsage { tool: tool.tool.clone(), call_count: 0 });
                self.tools.len() - 1
            });
            self.tools[at].call_count += tool.call_count;
        }
    }

    fn finish(mut self) -> (Vec<ModelUsage>, Vec<ToolUsage>) {
        self.models.sort_by_key(|model| std::cmp::Reverse(model.message_count));
        self.tools.sort_by_key(|tool| std::cmp::Reverse(tool.call_count));
        (self.models, self.tools)
    }
}

/// Median, the mean of the middle two for an even count; 0 for none.
#[expect(clippy::cast_precision_loss, reason = "the program computes in doubles")]
fn median(totals: &mut [i64]) -> f64 {
    totals.sort_unstable();
    let middle = totals.len() / 2;
    match totals {
        [] => 0.0,
        _ if totals.len().is_multiple_of(2) => f64::midpoint(totals[middle - 1] as f64, totals[middle] as f64),
        _ => totals[middle] as f64,
    }
}

/// `stats --json`: `raw` as the program counts, `distinct` with fork copies out; models and tools are those of `raw`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share of a count")]
pub(super) fn to_json(raw: &StatsNumbers, distinct: &StatsNumbers) -> Value {
    let call_count: u64 = raw.tools.iter().map(|tool| tool.call_count).sum();
    let models: Vec<Value> = raw
        .models
        .iter()
        .map(|model| {
            json!({
                "model": model_name(model),
                "messages": model.message_count,
                "input": model.tokens.input,
                "output": model.shown_output(),
                "cache_read": model.tokens.cache_read,
                "cache_write": model.tokens.cache_write,
                "cost": model.cost,
            })
        })
        .collect();
    let tools: Vec<Value> = raw
        .tools
        .iter()
        .map(|tool| {
            let share = tool.call_count as f64 / call_count as f64;
            json!({ "tool": tool.tool, "count": tool.call_count, "share": share })
        })
        .collect();
    json!({
        "schema_version": 1,
        "raw": totals_json(raw),
        "distinct": totals_json(distinct),
        "models": models,
        "tools": tools,
    })
}

/// `provider/model`, or `unknown` as everywhere in this program.
pub(super) fn model_name(model: &ModelUsage) -> String {
    match (&model.provider_id, &model.model_id) {
        (Some(provider), Some(id)) => format!("{provider}/{id}"),
        _ => "unknown".to_owned(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "guarded: only whole numbers that fit are cast")]
fn totals_json(numbers: &StatsNumbers) -> Value {
    let days = if numbers.days.fract() == 0.0 && numbers.days.abs() < 1e15 {
        json!(numbers.days as i64)
    } else {
        json!(numbers.days)
    };
    json!({
        "sessions": numbers.session_count,
        "messages": numbers.message_count,
        "days": days,
        "cost": numbers.cost,
        "cost_per_day": numbers.cost_per_day,
        "tokens": {
            "input": numbers.tokens.input,
            "output": numbers.tokens.output,
            "reasoning": numbers.tokens.reasoning,
            "cache_read": numbers.tokens.cache_read,
            "cache_write": numbers.tokens.cache_write,
        },
        "tokens_per_session": numbers.tokens_per_session,
        "median_tokens_per_session": numbers.median_tokens_per_session,
    })
}
