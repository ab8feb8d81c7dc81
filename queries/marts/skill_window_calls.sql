-- mart: skill_window_calls
-- grain: one row per skill window with tool calls
-- sources: mart_tool_calls, mart_subagents, mart_signals
-- time: none
-- stored: no
--
-- The tool calls and subagents behind `skill_windows`. Iterations are the checks (tests, builds, lints); verified means
-- that the last one passed, unknown where its result is. Tachikoma's verification-engine exits with 0 on a FAIL, too: its
-- printed verdict tells. Children are the sessions that task calls of the window started, with all below them.
-- Columns: window_id, tool_call_count, tool_error_count, tool_failure_count, retry_count, edit_count (applied),
-- iteration_count, failed_iteration_count, is_verified (NULL without a check), subagent_count, children_tokens,
-- children_cost_usd.
with verdicts as (
    select
        part_id,
        max(verdict) as verdict,
    from mart_signals
    where kind = 'verification' and program = 'verification-engine'
    group by part_id
),

judged_calls as (
    select
        mart_tool_calls.*,
        case
            when mart_tool_calls.tool_class <> 'check' then null
            when mart_tool_calls.command like '%verification-engine.%' then verdicts.verdict = 'PASS'
            else not mart_tool_calls.is_failed and not mart_tool_calls.is_unfinished
        end as is_pass,
    from mart_tool_calls
    left join verdicts
        on mart_tool_calls.part_id = verdicts.part_id
),

tool_calls as (
    select *, window_id as any_window_id from judged_calls where window_id is not null
    union all
    select *, weak_window_id as any_window_id from judged_calls where weak_window_id is not null
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
        count(case when not is_pass and not is_unfinished then 1 end) as failed_iteration_count,
        max(case when tool_class = 'check' then part_index end) as last_check_index,
        max(case when is_pass then part_index end) as last_pass_index,
        max(case when is_pass is not null then part_index end) as last_known_index,
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
        case
            when call_sums.last_check_index = call_sums.last_known_index
                then coalesce(call_sums.last_check_index = call_sums.last_pass_index, false)
        end as is_verified,
        child_sums.subagent_count,
        child_sums.children_tokens,
        child_sums.children_cost_usd,
    from call_sums
    left join child_sums using (any_window_id)
)

select * from final
