-- mart: edit_calls
-- grain: one row per edit-class call, or attempt by telemetry's word
-- sources: mart_tool_calls, mart_telemetry_edits
-- time: none
-- stored: no
--
-- The calls behind `edit_attempts`, with telemetry laid over what the database tells, value by value. An attempt that
-- only telemetry knows is a row of its own behind the calls of its session, in the order of time.
-- Columns: part_id, session_id, message_id, turn_id, turn_index, part_index, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, tool_name, edit_format, target_path, edit_outcome, error_class,
-- error_message, started_at, ended_at, duration_ms, additions, deletions, file_count, has_lsp_errors,
-- step_share_tokens, step_share_output_tokens, step_share_cost_usd, input_chars, window_id, is_fork_copy, is_undone,
-- recommended_format, told_attempt_number, edit_group_id, is_telemetry_only, evidence, source, label, event_id.
with calls as (
    select * from mart_tool_calls where edit_format is not null
),

told as (
    select * from mart_telemetry_edits
),

final as (
    select
        coalesce(calls.part_id, told.part_id) as part_id,
        coalesce(calls.session_id, told.session_id) as session_id,
        calls.message_id, calls.turn_id, calls.turn_index,
        coalesce(calls.part_index, 1000000000000 + told.told_index) as part_index,
        case when calls.part_id is null then told.project_id else calls.project_id end as project_id,
        case when calls.part_id is null then told.project_name else calls.project_name end as project_name,
        case when calls.part_id is null then told.directory else calls.directory end as directory,
        coalesce(calls.root_session_id, told.root_session_id) as root_session_id,
        coalesce(calls.is_child, told.is_child) as is_child,
        case when calls.part_id is null then told.agent else calls.agent end as agent,
        coalesce(calls.model, told.model, 'unknown') as model,
        coalesce(calls.tool_name, told.tool_name) as tool_name,
        coalesce(told.format, calls.edit_format, 'unknown') as edit_format,
        coalesce(calls.target_path, told.path) as target_path,
        coalesce(told.outcome, calls.edit_outcome) as edit_outcome,
        case
            when told.outcome is null or told.outcome = calls.edit_outcome then calls.error_class
            when told.outcome <> 'applied' then 'other'
        end as error_class,
        coalesce(told.error_message, calls.error_message) as error_message,
        coalesce(calls.started_at, told.attempted_at) as started_at,
        coalesce(calls.ended_at, told.attempted_at + told.duration_ms) as ended_at,
        coalesce(told.duration_ms, calls.duration_ms) as duration_ms,
        calls.additions, calls.deletions, calls.file_count,
        coalesce(told.has_lsp_errors, calls.has_lsp_errors) as has_lsp_errors,
        coalesce(told.tokens, calls.step_share_tokens) as step_share_tokens,
        calls.step_share_output_tokens, calls.step_share_cost_usd, calls.input_chars, calls.window_id,
        coalesce(calls.is_fork_copy, false) as is_fork_copy,
        coalesce(calls.is_undone, false) as is_undone,
        told.recommended_format,
        told.attempt_number as told_attempt_number,
        told.edit_group_id,
        calls.part_id is null as is_telemetry_only,
        case
            when told.part_id is null then 'derived'
            when calls.part_id is null then 'telemetry'
            when told.label = 'explicit' then 'observed'
            else told.label
        end as evidence,
        coalesce(told.source, 'opencode_db') as source,
        told.label, told.event_id,
    from calls
    full outer join told
        on calls.part_id = told.part_id
)

select * from final
