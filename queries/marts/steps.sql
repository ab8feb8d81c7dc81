-- mart: steps
-- grain: one row per request to a model: an assistant message with a step-start or step-finish part, or with tokens
-- sources: mart_messages, mart_step_sums, mart_message_places, mart_part_numbers
-- time: started_at
-- reach: session
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

part_numbers as (
    select * from mart_part_numbers
),

openings as (
    select part_number as window_number, part_id as window_id from part_numbers where is_load
),

last_parts as (
    select message_number, max(part_number) as part_number
    from part_numbers
    where window_number is not null or weak_window_number is not null
    group by message_number
),

placed as (
    select message_places.message_id, openings.window_id, weak_openings.window_id as weak_window_id
    from last_parts
    inner join part_numbers on last_parts.part_number = part_numbers.part_number
    inner join mart_message_places as message_places on last_parts.message_number = message_places.message_number
    left join openings on part_numbers.window_number = openings.window_number
    left join openings as weak_openings on part_numbers.weak_window_number = weak_openings.window_number
),

numbered as (
    select
        messages.message_id,
        places.session_number,
        places.turn_number,
        row_number() over (order by places.message_number) as step_number,
    from messages
    inner join mart_message_places as places on messages.message_id = places.message_id
    left join step_sums on messages.message_id = step_sums.message_id
    where step_sums.marker_count > 0 or messages.total_tokens > 0
),

session_steps as (
    select session_number, min(step_number) - 1 as steps_before, max(step_number) as last_step_number
    from numbered
    group by session_number
),

turn_steps as (
    select turn_number, min(step_number) - 1 as steps_before from numbered group by turn_number
),

joined as (
    select
        messages.message_id as step_id,
        messages.message_id, messages.session_id, messages.turn_id, messages.turn_index,
        messages.project_id, messages.project_name, messages.directory, messages.root_session_id, messages.is_child,
        messages.agent, messages.model, messages.message_index,
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
        messages.error_name, messages.is_error, messages.is_aborted, messages.is_summary,
        coalesce(step_sums.tool_call_count, 0) as tool_call_count,
        coalesce(step_sums.tool_error_count, 0) as tool_error_count,
        step_sums.input_chars, step_sums.output_chars, step_sums.text_chars, step_sums.reasoning_chars,
        placed.window_id, placed.weak_window_id, messages.is_fork_copy, messages.is_undone,
        numbered.step_number - session_steps.steps_before as step_index,
        numbered.step_number - turn_steps.steps_before as turn_step_index,
        session_steps.last_step_number - numbered.step_number as later_step_count,
    from messages
    inner join numbered on messages.message_id = numbered.message_id
    inner join session_steps on numbered.session_number = session_steps.session_number
    inner join turn_steps on numbered.turn_number = turn_steps.turn_number
    left join step_sums on messages.message_id = step_sums.message_id
    left join placed on messages.message_id = placed.message_id
),

final as (
    select
        *,
        coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)
            + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) as total_tokens,
        input_tokens + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) as context_tokens,
    from joined
)

select * from final
