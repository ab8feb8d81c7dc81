//! `stats` as tables for people: both ways of counting side by side, and lists of models and tools.
//!
//! Input: [`StatsNumbers`]. Output: tables.

use super::numbers::{ModelUsage, StatsNumbers, ToolUsage, model_name};
use crate::engine::table::{Column, Data, Table, Unit};

/// Both ways of counting, side by side.
#[allow(clippy::cast_precision_loss, reason = "for display beside money")]
pub(super) fn beside(raw: &StatsNumbers, distinct: &StatsNumbers) -> Table {
    let rows: Vec<(&str, f64, f64)> = vec![
        ("sessions", raw.session_count as f64, distinct.session_count as f64),
        ("messages", raw.message_count as f64, distinct.message_count as f64),
        ("days", raw.days, distinct.days),
        ("cost_usd", raw.cost, distinct.cost),
        ("cost_per_day_usd", raw.cost_per_day, distinct.cost_per_day),
        ("input_tokens", raw.tokens.input as f64, distinct.tokens.input as f64),
        ("output_tokens", raw.tokens.output as f64, distinct.tokens.output as f64),
        ("reasoning_tokens", raw.tokens.reasoning as f64, distinct.tokens.reasoning as f64),
        ("cache_read_tokens", raw.tokens.cache_read as f64, distinct.tokens.cache_read as f64),
        ("cache_write_tokens", raw.tokens.cache_write as f64, distinct.tokens.cache_write as f64),
        ("tokens_per_session", raw.tokens_per_session, distinct.tokens_per_session),
        ("median_tokens_per_session", raw.median_tokens_per_session, distinct.median_tokens_per_session),
    ];
    let figures = |pick: fn(&(&str, f64, f64)) -> f64| Data::Float(rows.iter().map(|row| Some(pick(row))).collect());
    let names = Data::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect());
    Table {
        columns: vec![
            column("figure", Unit::Name, names),
            column("as_opencode_counts", Unit::Score, figures(|row| row.1)),
            column("without_fork_copies", Unit::Score, figures(|row| row.2)),
        ],
    }
}

/// At most so many; without a number, or with one that is not above 0, all.
fn first(limit: Option<i64>) -> usize {
    limit.filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

fn column(name: &str, unit: Unit, data: Data) -> Column {
    Column { name: name.to_owned(), unit, data }
}

fn whole(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

/// Models as the program counts them: reasoning is part of the output.
#[must_use]
pub(super) fn models_table(numbers: &StatsNumbers, limit: Option<i64>) -> Table {
    let models: Vec<&ModelUsage> = numbers.models.iter().take(first(limit)).collect();
    let tokens = |name: &str, pick: &dyn Fn(&ModelUsage) -> i64| {
        column(name, Unit::Tokens, Data::Int(models.iter().map(|model| Some(pick(model))).collect()))
    };
    Table {
        columns: vec![
            column("model", Unit::Name, Data::Text(models.iter().map(|model| Some(model_name(model))).collect())),
            column("messages", Unit::Count, Data::Int(models.iter().map(|model| whole(model.message_count)).collect())),
            tokens("input", &|model| model.tokens.input),
            tokens("output", &ModelUsage::shown_output),
            tokens("cache_read", &|model| model.tokens.cache_read),
            tokens("cache_write", &|model| model.tokens.cache_write),
            column("cost", Unit::Usd, Data::Float(models.iter().map(|model| Some(model.cost)).collect())),
        ],
    }
}

/// Tools with their share of all calls, also of those that are not listed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share of a count")]
pub(super) fn tools_table(numbers: &StatsNumbers, limit: i64) -> Table {
    let all: u64 = numbers.tools.iter().map(|tool| tool.call_count).sum();
    let tools: Vec<&ToolUsage> = numbers.tools.iter().take(first(Some(limit))).collect();
    let share = |tool: &&ToolUsage| Some(tool.call_count as f64 / all as f64);
    Table {
        columns: vec![
            column("tool", Unit::Name, Data::Text(tools.iter().map(|tool| Some(tool.tool.clone())).collect())),
            column("count", Unit::Count, Data::Int(tools.iter().map(|tool| whole(tool.call_count)).collect())),
            column("share", Unit::Ratio, Data::Float(tools.iter().map(share).collect())),
        ],
    }
}
