-- mart: skill_windows
-- grain: one row per skill window (of full loads and of weak ones, see part_places)
-- sources: mart_skill_window_spans, mart_skill_window_calls
-- time: none
-- stored: no
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
with spans as (
    select * from mart_skill_window_spans
),

call_sums as (
    select * from mart_skill_window_calls
),

final as (
    select
        spans.*,
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
    left join call_sums
        on spans.window_id = call_sums.window_id
)

select * from final
