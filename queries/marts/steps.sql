-- mart: steps
-- grain: one row per request to a model: an assistant message with a step-start or step-finish part, or with tokens
-- sources: mart_messages, mart_step_sums, mart_part_places
-- time: started_at
--
-- Tokens and cost come from the step-finish part, else from the message. Shell commands that the user ran (`!cmd`) are
-- no steps. `first_output_ms` is the time from the request to its first text, reasoning or tool call, where the parts
-- have times. For sums by session or model use `messages`, as `opencode stats` does.
-- Columns: step_id (= message_id), message_id, session_id, turn_id, turn_index, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, step_index (in the session), turn_step_index, later_step_count (steps of the
-- session after it), started_at, ended_at, duration_ms, first_output_ms, input_tokens, output_tokens, reasoning_tokens,
-- cache_read_tokens, cache_write_tokens, total_tokens, context_tokens (input + cache), cost_usd, finish_reason,
-- error_name, is_error, is_aborted, is_summary (compaction), tool_call_count, tool_error_count, input_chars,
-- output_chars (of its tool calls), text_chars, reasoning_chars, window_id, weak_window_id, is_fork_copy, is_undone,
-- message_index.
with messages as (
    select * from mart_messages where role = 'assistant'
),

step_sums as (
    select * from mart_step_sums
),

part_places as (
    select * from mart_part_places
),

placed as (
    select
        message_id,
        window_id,
        weak_window_id,
        row_number() over (partition by message_id order by part_index desc) as place_from_end,
    from part_places
    where window_id is not null or weak_window_id is not null
),

joined as (
    select
        messages.message_id as step_id,
        messages.message_id,
        messages.session_id,
        messages.turn_id,
        messages.turn_index,
        messages.project_id,
        messages.project_name,
        messages.directory,
        messages.root_session_id,
        messages.is_child,
        messages.agent,
        messages.model,
        messages.message_index,
        messages.created_at as started_at,
        coalesce(messages.completed_at, step_sums.last_output_at) as ended_at,
        messages.duration_ms,
        step_sums.first_output_at - messages.created_at as first_output_ms,
        coalesce(step_sums.input_tokens, messages.input_tokens) as input_tokens,
        coalesce(step_sums.output_tokens, messages.output_tokens) as output_tokens,
        coalesce(step_sums.reasoning_tokens, messages.reasoning_tokens) as reasoning_tokens,
        coalesce(step_sums.cache_read_tokens, messages.cache_read_tokens) as cache_read_tokens,
        coalesce(step_sums.cache_write_tokens, messages.cache_write_tokens) as cache_write_tokens,
        coalesce(step_sums.cost_usd, messages.cost_usd) as cost_usd,
        coalesce(step_sums.finish_reason, messages.finish_reason) as finish_reason,
        messages.error_name,
        messages.is_error,
        messages.is_aborted,
        messages.is_summary,
        coalesce(step_sums.tool_call_count, 0) as tool_call_count,
        coalesce(step_sums.tool_error_count, 0) as tool_error_count,
        step_sums.input_chars,
        step_sums.output_chars,
        step_sums.text_chars,
        step_sums.reasoning_chars,
        placed.window_id,
        placed.weak_window_id,
        messages.is_fork_copy,
        messages.is_undone,
    from messages
    left join step_sums
        on messages.message_id = step_sums.message_id
    left join placed
        on messages.message_id = placed.message_id
        and placed.place_from_end = 1
    where step_sums.marker_count > 0 or messages.total_tokens > 0
),

final as (
    select
        *,
        coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)
            + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) as total_tokens,
        input_tokens + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) as context_tokens,
        row_number() over (partition by session_id order by message_index) as step_index,
        row_number() over (partition by session_id, turn_index order by message_index) as turn_step_index,
        row_number() over (partition by session_id order by message_index desc) - 1 as later_step_count,
    from joined
)

select * from final
order by started_at, step_id
