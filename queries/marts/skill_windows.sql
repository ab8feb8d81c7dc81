-- mart: skill_windows
-- grain: one row per skill window (of full loads and of weak ones, see part_places)
-- sources: mart_part_places, mart_steps, mart_skill_window_calls
-- time: none
--
-- What happened while a skill was in force, in its own session. A step belongs to the window in which its step-finish
-- part stands, so the step that loaded the skill counts. A window ends at the next completed load, at the next prompt
-- or with the session. Windows of full loads do not overlap one another, those of weak loads overlap the full ones:
-- never add the two sorts up. Iterations are the checks (tests, builds, lints) inside; verified means that the last one
-- passed.
-- Columns: window_id, session_id, turn_id, window_ended_at, closed_by (load, prompt, session_end), step_count,
-- input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd,
-- tool_call_count, tool_error_count, tool_failure_count, retry_count, edit_count (applied), iteration_count,
-- failed_iteration_count, is_verified (NULL without a check), subagent_count, children_tokens, children_cost_usd (0
-- without subagents).
with part_places as (
    select *, window_id as any_window_id from mart_part_places where window_id is not null
    union all
    select *, weak_window_id as any_window_id from mart_part_places where weak_window_id is not null
),

steps as (
    select *, window_id as any_window_id from mart_steps where window_id is not null
    union all
    select *, weak_window_id as any_window_id from mart_steps where weak_window_id is not null
),

call_sums as (
    select * from mart_skill_window_calls
),

turn_ends as (
    select
        session_id,
        turn_index,
        max(part_index) as last_part_index,
        lead(turn_index) over (partition by session_id order by turn_index) as next_turn_index,
    from mart_part_places
    group by session_id, turn_index
),

spans as (
    select
        any_window_id,
        min(session_id) as session_id,
        min(turn_id) as turn_id,
        min(turn_index) as turn_index,
        max(part_index) as last_part_index,
        max(ended_at) as window_ended_at,
    from part_places
    group by any_window_id
),

step_sums as (
    select
        any_window_id,
        count(*) as step_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(total_tokens) as bigint) as total_tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from steps
    group by any_window_id
),

final as (
    select
        spans.any_window_id as window_id,
        spans.session_id,
        spans.turn_id,
        spans.window_ended_at,
        case
            when spans.last_part_index < turn_ends.last_part_index then 'load'
            when turn_ends.next_turn_index is not null then 'prompt'
            else 'session_end'
        end as closed_by,
        coalesce(step_sums.step_count, 0) as step_count,
        coalesce(step_sums.input_tokens, 0) as input_tokens,
        coalesce(step_sums.output_tokens, 0) as output_tokens,
        coalesce(step_sums.reasoning_tokens, 0) as reasoning_tokens,
        coalesce(step_sums.cache_read_tokens, 0) as cache_read_tokens,
        coalesce(step_sums.cache_write_tokens, 0) as cache_write_tokens,
        coalesce(step_sums.total_tokens, 0) as total_tokens,
        coalesce(step_sums.cost_usd, 0) as cost_usd,
        coalesce(call_sums.tool_call_count, 0) as tool_call_count,
        coalesce(call_sums.tool_error_count, 0) as tool_error_count,
        coalesce(call_sums.tool_failure_count, 0) as tool_failure_count,
        coalesce(call_sums.retry_count, 0) as retry_count,
        coalesce(call_sums.edit_count, 0) as edit_count,
        coalesce(call_sums.iteration_count, 0) as iteration_count,
        coalesce(call_sums.failed_iteration_count, 0) as failed_iteration_count,
        call_sums.is_verified,
        coalesce(call_sums.subagent_count, 0) as subagent_count,
        coalesce(call_sums.children_tokens, 0) as children_tokens,
        coalesce(call_sums.children_cost_usd, 0) as children_cost_usd,
    from spans
    inner join turn_ends using (session_id, turn_index)
    left join step_sums using (any_window_id)
    left join call_sums
        on spans.any_window_id = call_sums.window_id
)

select * from final
order by window_id
