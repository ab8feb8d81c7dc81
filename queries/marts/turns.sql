-- mart: turns
-- grain: one row per prompt that a person wrote (in a child session: per task given by the parent)
-- sources: stg_parts, mart_messages, mart_turn_sums
-- time: started_at
-- reach: session
--
-- A turn is a prompt and everything until the next one in the session. What stands before the first prompt belongs to
-- no turn, so turns may add up to less than sessions. `outcome` goes by the last message: completed, error, aborted, or
-- open (no answer yet, cut off, or ended by a refused tool call). `is_corrected`: the next prompt starts with no,
-- wrong, instead or actually. Tokens and cost are those of assistant messages and exclude child sessions.
-- Columns: turn_id, session_id, turn_index, project_id, project_name, directory, root_session_id, is_child, agent,
-- model (of the prompt, else of the first answer), started_at, ended_at, wall_ms, message_count, step_count,
-- tool_call_count, tool_error_count (status error), tool_failure_count (is_failed), retry_count, edit_count (edit calls
-- applied), skill_load_count (completed, skill tool), subagent_count, input_tokens, output_tokens, reasoning_tokens,
-- cache_read_tokens, cache_write_tokens, total_tokens, cost_usd, additions, deletions (by edit tools), diff_file_count,
-- diff_additions, diff_deletions (git snapshot), outcome, is_aborted, is_error, error_name, is_correction,
-- is_corrected, is_fork_copy, is_undone.
with prompts as (
    select * from mart_messages where message_id = turn_id
),

turn_sums as (
    select * from mart_turn_sums
),

corrections as (
    select distinct message_id from stg_parts where is_correction
),

final as (
    select
        prompts.turn_id,
        prompts.session_id,
        prompts.turn_index,
        prompts.project_id,
        prompts.project_name,
        prompts.directory,
        prompts.root_session_id,
        prompts.is_child,
        coalesce(prompts.agent, turn_sums.answer_agent) as agent,
        coalesce(nullif(prompts.model, 'unknown'), turn_sums.answer_model, 'unknown') as model,
        prompts.created_at as started_at,
        turn_sums.ended_at,
        turn_sums.ended_at - prompts.created_at as wall_ms,
        turn_sums.message_count,
        turn_sums.step_count,
        turn_sums.tool_call_count,
        turn_sums.tool_error_count,
        turn_sums.tool_failure_count,
        turn_sums.retry_count,
        turn_sums.edit_count,
        turn_sums.skill_load_count,
        turn_sums.subagent_count,
        turn_sums.input_tokens,
        turn_sums.output_tokens,
        turn_sums.reasoning_tokens,
        turn_sums.cache_read_tokens,
        turn_sums.cache_write_tokens,
        turn_sums.total_tokens,
        turn_sums.cost_usd,
        turn_sums.additions,
        turn_sums.deletions,
        prompts.diff_file_count,
        prompts.diff_additions,
        prompts.diff_deletions,
        turn_sums.outcome,
        turn_sums.outcome = 'aborted' as is_aborted,
        turn_sums.outcome = 'error' as is_error,
        turn_sums.error_name,
        corrections.message_id is not null as is_correction,
        coalesce(
            lead(corrections.message_id is not null) over (partition by prompts.session_id order by prompts.turn_index),
            false
        ) as is_corrected,
        prompts.is_fork_copy,
        prompts.is_undone,
    from prompts
    inner join turn_sums
        on prompts.turn_id = turn_sums.turn_id
    left join corrections
        on prompts.message_id = corrections.message_id
)

select * from final
