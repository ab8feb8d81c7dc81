//! The headline numbers of earlier periods, for the sparklines: one query for all of them, by the definitions of
//! `usage/overview`.
//!
//! Input: periods. Output: one small table a period.

use crate::engine::asker::Asker;
use crate::engine::table::Table;
use crate::model::period::Period;
use std::collections::BTreeMap;

/// A period with its metrics by name.
pub(super) type Past = (Period, BTreeMap<String, Table>);

/// The views that it reads, for [`crate::cli::context::Context::ready`].
pub(super) const VIEWS: &str =
    "messages_history sessions_history turns_history tool_calls_history edit_attempts_history skill_loads_history";

const BODY: &str = "
dated_messages as (
    select period_index, messages_history.*
    from periods
    inner join messages_history
        on messages_history.created_at >= periods.since_ms and messages_history.created_at < periods.until_ms
),
seen_sessions as (
    select period_index, session_id from dated_messages
    union
    select period_index, session_id
    from periods
    inner join sessions_history
        on sessions_history.started_at >= periods.since_ms and sessions_history.started_at < periods.until_ms
),
session_counts as (select period_index, count(*) as sessions from seen_sessions group by period_index),
message_sums as (
    select
        period_index,
        coalesce(sum(cast(round(cost_usd * 1e9) as bigint)), 0) / 1e9 as cost_usd,
        cast(coalesce(sum(total_tokens), 0) as bigint) as total_tokens,
        sum(cache_read_tokens) / nullif(cast(sum(input_tokens + cache_read_tokens + cache_write_tokens) as double), 0)
            as cache_hit_ratio,
    from dated_messages
    group by period_index
),
turn_counts as (
    select period_index, count(*) as turns
    from periods
    inner join turns_history
        on turns_history.started_at >= periods.since_ms and turns_history.started_at < periods.until_ms
    where not is_child
    group by period_index
),
call_counts as (
    select period_index, count(*) as tool_calls, count(*) filter (where is_error) / cast(count(*) as double) as tool_error_ratio
    from periods
    inner join tool_calls_history
        on tool_calls_history.started_at >= periods.since_ms and tool_calls_history.started_at < periods.until_ms
    group by period_index
),
edit_counts as (
    select
        period_index,
        count(*) filter (where is_applied) / nullif(cast(count(*) filter (where is_attempt) as double), 0) as edit_success_ratio,
    from periods
    inner join edit_attempts_history
        on edit_attempts_history.attempted_at >= periods.since_ms and edit_attempts_history.attempted_at < periods.until_ms
    group by period_index
),
skill_counts as (
    select period_index, count(distinct skill_name) as skills_used
    from periods
    inner join skill_loads_history
        on skill_loads_history.loaded_at >= periods.since_ms and skill_loads_history.loaded_at < periods.until_ms
    where is_load and via = 'skill_tool'
    group by period_index
)
select
    coalesce(cost_usd, 0) as cost_usd,
    coalesce(sessions, 0) as sessions,
    coalesce(turns, 0) as turns,
    coalesce(total_tokens, 0) as total_tokens,
    cache_hit_ratio,
    tool_error_ratio,
    edit_success_ratio,
    coalesce(skills_used, 0) as skills_used
from periods
left join message_sums using (period_index)
left join session_counts using (period_index)
left join turn_counts using (period_index)
left join call_counts using (period_index)
left join edit_counts using (period_index)
left join skill_counts using (period_index)
order by period_index";

/// The headline numbers of each period, as a table called `overview`.
///
/// # Errors
/// The query fails.
pub(super) fn measure(asker: &Asker<'_>, periods: &[Period]) -> anyhow::Result<Vec<Past>> {
    if periods.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<String> = periods
        .iter()
        .enumerate()
        .map(|(index, period)| {
            format!(
                "({index}, cast({} as bigint), cast({} as bigint))",
                period.since.unwrap_or(i64::MIN),
                period.until.unwrap_or(i64::MAX)
            )
        })
        .collect();
    let sql = format!("with periods (period_index, since_ms, until_ms) as (values {}),{BODY}", rows.join(", "));
    let table = asker.ask("history", &sql)?;
    Ok(periods
        .iter()
        .enumerate()
        .map(|(row, period)| (period.clone(), BTreeMap::from([("overview".to_owned(), table.take(&[row]))])))
        .collect())
}
