-- mart: tool_calls
-- grain: one row per tool part
-- sources: stg_parts, mart_part_places, mart_messages, mart_session_places, mart_call_targets, mart_call_links, mart_call_errors
-- time: started_at
--
-- `is_error` is OpenCode's word (status error); `is_failed` also counts exit codes other than 0, aborted commands and
-- unknown tools; a call left pending or running is `is_unfinished` and has no duration. Duration holds the time that
-- the user took to permit. `retry_of` is the call before it in the same turn with the same tool (edit-class tools count
-- as one) and target, when that one failed; `repeat_of` when that one succeeded with an input of the same size.
-- `step_share_*` is the call's equal share of its step's tokens and cost (they add up to the step's).
-- Columns: part_id, call_id, message_id, session_id, turn_id, turn_index, part_index, call_index (order in the turn),
-- project_id, project_name, directory, root_session_id, is_child, agent, model, tool_name, tool_class, is_wrapper
-- (batch: its children are rows too), mcp_server (a guess), status, is_error, is_failed, is_unfinished, is_interrupted,
-- is_truncated, error_class, error_message, error_pattern, started_at (else the message's), ended_at, duration_ms,
-- title, target (path, command, skill or agent), target_path (absolute), command, program, exit_code, input_chars,
-- output_chars, output_tokens_estimate (a quarter of them), skill_name, skill_via, subagent_type, child_session_id,
-- asked_tool, edit_format, edit_outcome, additions, deletions, file_count, has_lsp_errors, retry_of, repeat_of,
-- is_recovered (failed, but the same tool and target succeeded later in the turn), later_step_count, step_share_tokens,
-- step_share_output_tokens, step_share_cost_usd, window_id, weak_window_id, is_fork_copy, is_undone.
with part_places as (
    select * from mart_part_places
),

messages as (
    select * from mart_messages
),

session_places as (
    select * from mart_session_places
),

call_targets as (
    select * from mart_call_targets
),

call_links as (
    select * from mart_call_links
),

call_errors as (
    select * from mart_call_errors
),

calls as (
    select
        part_id,
        call_id,
        message_id,
        session_id,
        tool_name,
        tool_class,
        tool_name = 'batch' as is_wrapper,
        case when tool_class = 'mcp' then split_part(tool_name, '_', 1) end as mcp_server,
        status,
        coalesce(status = 'error', false) as is_error,
        coalesce(is_interrupted, false) as is_interrupted,
        is_truncated,
        started_at as call_started_at,
        ended_at,
        case when status not in ('pending', 'running') then ended_at - started_at end as duration_ms,
        title,
        command,
        program,
        exit_code,
        input_chars,
        output_chars,
        cast(ceil(output_chars / 4.0) as bigint) as output_tokens_estimate,
        skill_name,
        skill_via,
        subagent_type,
        child_session_id,
        asked_tool,
        edit_format,
        edit_outcome,
        additions,
        deletions,
        file_count,
        has_lsp_errors,
    from stg_parts
    where part_type = 'tool'
),

owners as (
    select
        part_places.part_id,
        part_places.turn_id,
        part_places.turn_index,
        part_places.part_index,
        session_places.project_id,
        session_places.project_name,
        session_places.directory,
        coalesce(session_places.root_session_id, part_places.session_id) as root_session_id,
        coalesce(session_places.is_child, false) as is_child,
        messages.agent,
        coalesce(messages.model, 'unknown') as model,
        messages.created_at as message_created_at,
        part_places.window_id,
        part_places.weak_window_id,
        part_places.is_fork_copy,
        part_places.is_undone,
    from part_places
    left join messages
        on part_places.message_id = messages.message_id
    left join session_places
        on part_places.session_id = session_places.session_id
),

final as (
    select
        *,
        coalesce(call_started_at, message_created_at) as started_at,
    from calls
    inner join owners using (part_id)
    inner join call_targets using (part_id)
    inner join call_links using (part_id)
    left join call_errors using (part_id)
)

select * from final
order by started_at, part_id
