-- mart: skill_uses
-- grain: one row per time a skill was asked for
-- sources: mart_skill_asks, mart_skill_windows, mart_turns
-- time: none
-- stored: no
--
-- What the database alone tells of each ask; `skill_loads` lays telemetry over it.
-- `via`: skill_tool; slash (a command, no tool call); or weak: bash_router, bash, read (of SKILL.md). Loads of the
-- skill tool count by default, the others stand beside. `duration_ms` is the time to read a file; what a skill cost is
-- in its window (see skill_windows). The loads of a bundle share one window: tokens and cost are split into equal parts
-- that add up, times and counts are the whole window's. An ask that failed has no window (NULL). `is_success` is
-- derived: false if the last check in the window failed, or if the window reaches the end of a turn that failed, was
-- aborted or was corrected by the next prompt; else true if the last check passed or that turn completed; else NULL.
-- Columns: part_id, message_id, session_id, turn_id, turn_index, part_index, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, skill_name, skill_dir, via, status (slash: completed), error_class,
-- error_message, available_skills, loaded_at, duration_ms, output_chars, output_tokens_estimate, load_index (n-th ask
-- for this skill in the session), is_load (completed), is_retry, window_id, window_bundle_size, window_share (1 /
-- size), window_closed_by (load, prompt, session_end), window_ended_at, window_ms (from this load to the last end in
-- the window), window_input_tokens and the other four kinds, window_tokens, window_cost_usd,
-- window_with_children_tokens, window_with_children_cost_usd, window_step_count, window_tool_call_count,
-- window_tool_error_count, window_tool_failure_count, window_retry_count, window_edit_count, window_iteration_count
-- (checks), window_failed_iteration_count, window_subagent_count, is_window_verified (NULL without a check),
-- turn_outcome, is_success, is_fork_copy, is_undone, is_corrected (the turn, by the next prompt),
-- window_children_tokens, window_children_cost_usd, window_bundle_position, turn_load_count.
with asks as (
    select * from mart_skill_asks
),

windows as (
    select * from mart_skill_windows
),

turns as (
    select * from mart_turns
),

amounts as (
    select
        asks.*,
        cast(1.0 as double) / asks.window_bundle_size as window_share,
        windows.closed_by as window_closed_by,
        windows.window_ended_at,
        case when windows.window_ended_at >= asks.loaded_at then windows.window_ended_at - asks.loaded_at end as window_ms,
        cast(floor((windows.input_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_input_tokens,
        cast(floor((windows.output_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_output_tokens,
        cast(floor((windows.reasoning_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_reasoning_tokens,
        cast(floor((windows.cache_read_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_cache_read_tokens,
        cast(floor((windows.cache_write_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_cache_write_tokens,
        cast(floor((windows.children_tokens + asks.window_bundle_size - asks.window_bundle_position)
            / asks.window_bundle_size) as bigint) as window_children_tokens,
        windows.cost_usd / asks.window_bundle_size as window_cost_usd,
        windows.children_cost_usd / asks.window_bundle_size as window_children_cost_usd,
        windows.step_count as window_step_count,
        windows.tool_call_count as window_tool_call_count,
        windows.tool_error_count as window_tool_error_count,
        windows.tool_failure_count as window_tool_failure_count,
        windows.retry_count as window_retry_count,
        windows.edit_count as window_edit_count,
        windows.iteration_count as window_iteration_count,
        windows.failed_iteration_count as window_failed_iteration_count,
        windows.subagent_count as window_subagent_count,
        windows.is_verified as is_window_verified,
        case when windows.closed_by <> 'load' then turns.outcome end as turn_outcome,
        case when windows.closed_by <> 'load' then turns.is_corrected end as is_corrected,
    from asks
    left join windows
        on asks.window_id = windows.window_id
    left join turns
        on asks.turn_id = turns.turn_id
),

final as (
    select
        *,
        window_input_tokens + window_output_tokens + window_reasoning_tokens
            + window_cache_read_tokens + window_cache_write_tokens as window_tokens,
        window_input_tokens + window_output_tokens + window_reasoning_tokens
            + window_cache_read_tokens + window_cache_write_tokens + window_children_tokens as window_with_children_tokens,
        window_cost_usd + window_children_cost_usd as window_with_children_cost_usd,
        case
            when is_window_verified = false or is_corrected or turn_outcome in ('error', 'aborted') then false
            when is_window_verified or turn_outcome = 'completed' then true
        end as is_success,
    from amounts
)

select * from final
