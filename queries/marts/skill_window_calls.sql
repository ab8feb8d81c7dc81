-- mart: skill_window_calls
-- grain: one row per skill window with tool calls
-- sources: mart_tool_calls, mart_subagents
-- time: none
-- stored: no
--
-- The tool calls and subagents behind `skill_windows`. Iterations are the checks (tests, builds, lints); verified means
-- that the last one passed. Children are the sessions that task calls of the window started, with all below them.
-- Columns: window_id, tool_call_count, tool_error_count, tool_failure_count, retry_count, edit_count (applied),
-- iteration_count, failed_iteration_count, is_verified (NULL without a check), subagent_count, children_tokens,
-- children_cost_usd.
with tool_calls as (
    select *, window_id as any_window_id from mart_tool_calls where window_id is not null
    union all
    select *, weak_window_id as any_window_id from mart_tool_calls where weak_window_id is not null
),

subagents as (
    select *, window_id as any_window_id from mart_subagents where window_id is not null
    union all
    select *, weak_window_id as any_window_id from mart_subagents where weak_window_id is not null
),

call_sums as (
    select
        any_window_id,
        count(*) as tool_call_count,
        count(case when is_error then 1 end) as tool_error_count,
        count(case when is_failed then 1 end) as tool_failure_count,
        count(retry_of) as retry_count,
        count(case when edit_outcome = 'applied' then 1 end) as edit_count,
        count(case when tool_class = 'check' then 1 end) as iteration_count,
        count(case when tool_class = 'check' and is_failed then 1 end) as failed_iteration_count,
        max(case when tool_class = 'check' and not is_failed and not is_unfinished then part_index end)
            = max(case when tool_class = 'check' then part_index end) as has_last_check_passed,
    from tool_calls
    group by any_window_id
),

child_sums as (
    select
        any_window_id,
        count(*) as subagent_count,
        cast(sum(with_children_total_tokens) as bigint) as children_tokens,
        sum(cast(round(with_children_cost_usd * 1e9) as bigint)) / 1e9 as children_cost_usd,
    from subagents
    group by any_window_id
),

final as (
    select
        any_window_id as window_id,
        call_sums.tool_call_count,
        call_sums.tool_error_count,
        call_sums.tool_failure_count,
        call_sums.retry_count,
        call_sums.edit_count,
        call_sums.iteration_count,
        call_sums.failed_iteration_count,
        case when call_sums.iteration_count > 0 then coalesce(call_sums.has_last_check_passed, false) end as is_verified,
        child_sums.subagent_count,
        child_sums.children_tokens,
        child_sums.children_cost_usd,
    from call_sums
    left join child_sums using (any_window_id)
)

select * from final
