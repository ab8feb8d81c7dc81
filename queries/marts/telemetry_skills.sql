-- mart: telemetry_skills
-- grain: one row per use of a skill that telemetry tells of
-- sources: stg_telemetry_skills, mart_telemetry_events
-- time: none
-- stored: no
--
-- What telemetry says of each use of a skill: one row for a part of the database that events joined, else one for each
-- event. Where several events tell of one part, each value is the last that was told; values are never added up.
-- Columns: part_id (the part, or 'telemetry:' and the event id), is_matched, event_id (the last), session_id,
-- root_session_id, is_child, project_id, project_name, directory, agent, model, used_at, skill_name, via, status,
-- load_ms, window_ms, input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens,
-- total_tokens, cost_usd, tool_call_count, tool_error_count, iteration_count, retry_count, is_success, quality,
-- error_message, source, label, is_synthetic.
with told as (
    select * from stg_telemetry_skills
),

events as (
    select
        *,
        coalesce(matched_part_id, 'telemetry:' || event_id) as use_id,
        row_number() over (order by occurred_at nulls first, event_id) as told_index,
    from mart_telemetry_events
    where kind = 'skill'
),

final as (
    select
        events.use_id as part_id,
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
        min(events.occurred_at) as used_at,
        arg_max(told.skill_name, events.told_index) as skill_name,
        arg_max(told.via, events.told_index) as via,
        arg_max(told.status, events.told_index) as status,
        arg_max(told.load_ms, events.told_index) as load_ms,
        arg_max(told.duration_ms, events.told_index) as window_ms,
        arg_max(told.input_tokens, events.told_index) as input_tokens,
        arg_max(told.output_tokens, events.told_index) as output_tokens,
        arg_max(told.reasoning_tokens, events.told_index) as reasoning_tokens,
        arg_max(told.cache_read_tokens, events.told_index) as cache_read_tokens,
        arg_max(told.cache_write_tokens, events.told_index) as cache_write_tokens,
        arg_max(told.total_tokens, events.told_index) as total_tokens,
        arg_max(told.cost_usd, events.told_index) as cost_usd,
        arg_max(told.tool_call_count, events.told_index) as tool_call_count,
        arg_max(told.tool_error_count, events.told_index) as tool_error_count,
        arg_max(told.iteration_count, events.told_index) as iteration_count,
        arg_max(told.retry_count, events.told_index) as retry_count,
        arg_max(told.is_success, events.told_index) as is_success,
        arg_max(told.quality, events.told_index) as quality,
        arg_max(told.error_message, events.told_index) as error_message,
        arg_max(told.source, events.told_index) as source,
        arg_max(told.label, events.told_index) as label,
        bool_or(told.is_synthetic) as is_synthetic,
    from events
    inner join told
        on events.event_id = told.event_id
    group by events.use_id
)

select * from final
