-- mart: telemetry_edits
-- grain: one row per attempt to edit that telemetry tells of
-- sources: stg_telemetry_edits, mart_telemetry_events
-- time: none
-- stored: no
--
-- What telemetry says of each attempt: one row for a part of the database that events joined, else one for each event.
-- Where several events tell of one part, each value is the last that was told.
-- Columns: part_id (the part, or 'telemetry:' and the event id), is_matched, event_id (the last), session_id,
-- root_session_id, is_child, project_id, project_name, directory, agent, model, attempted_at, path, tool_name, format,
-- recommended_format, attempt_number, edit_group_id, outcome, duration_ms, tokens, has_lsp_errors, error_message,
-- source, label, told_index (order of the telling).
with told as (
    select * from stg_telemetry_edits
),

events as (
    select
        *,
        coalesce(matched_part_id, 'telemetry:' || event_id) as attempt_id,
        row_number() over (order by occurred_at nulls first, event_id) as told_index,
    from mart_telemetry_events
    where kind = 'edit'
),

final as (
    select
        events.attempt_id as part_id,
        bool_or(events.matched_part_id is not null) as is_matched,
        arg_max(events.event_id, events.told_index) as event_id,
        arg_max(events.session_id, events.told_index) as session_id,
        arg_max(events.root_session_id, events.told_index) as root_session_id,
        bool_or(events.is_child) as is_child,
        arg_max(events.project_id, events.told_index) as project_id,
        arg_max(events.project_name, events.told_index) as project_name,
        arg_max(events.directory, events.told_index) as directory,
        arg_max(events.agent, events.told_index) as agent,
        arg_max(events.model, events.told_index) as model,
        min(events.occurred_at) as attempted_at,
        arg_max(told.path, events.told_index) as path,
        arg_max(told.tool_name, events.told_index) as tool_name,
        arg_max(told.format, events.told_index) as format,
        arg_max(told.recommended_format, events.told_index) as recommended_format,
        arg_max(told.attempt_number, events.told_index) as attempt_number,
        arg_max(told.edit_group_id, events.told_index) as edit_group_id,
        arg_max(told.outcome, events.told_index) as outcome,
        arg_max(told.duration_ms, events.told_index) as duration_ms,
        arg_max(told.tokens, events.told_index) as tokens,
        bool_or(told.has_lsp_errors) as has_lsp_errors,
        arg_max(told.error_message, events.told_index) as error_message,
        arg_max(told.source, events.told_index) as source,
        arg_max(told.label, events.told_index) as label,
        max(events.told_index) as told_index,
    from events
    inner join told
        on events.event_id = told.event_id
    group by events.attempt_id
)

select * from final
