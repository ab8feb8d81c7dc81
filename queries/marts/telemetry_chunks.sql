-- mart: telemetry_chunks
-- grain: one row per chunk of a run that telemetry tells of
-- sources: stg_telemetry_rlm, mart_telemetry_events, mart_rlm_chunk_calls
-- time: none
-- stored: no
--
-- What telemetry says of each chunk. An event joins a recorded chunk by the part of its call, else by session, name of
-- the chunk and a time at most 2 s outside of it; events that join none are one chunk where they share session, run and
-- chunk. Where several events tell of one chunk, each value is the last that was told.
-- Columns: chunk_part_id (the part, or 'telemetry:' and what the chunk is known by), is_matched, event_id (the last),
-- told_run_id (of chunks that joined none), session_id, root_session_id, is_child, project_id, project_name, directory,
-- agent, model, occurred_at, chunk_id, mode, tokens, duration_ms, accuracy, error_message, source, label.
with told as (
    select * from stg_telemetry_rlm where grain = 'chunk'
),

events as (
    select
        telemetry_events.*,
        told.chunk_id,
        told.run_id,
        row_number() over (order by telemetry_events.occurred_at nulls first, telemetry_events.event_id) as told_index,
    from mart_telemetry_events as telemetry_events
    inner join told
        on telemetry_events.event_id = told.event_id
),

chunks as (
    select * from mart_rlm_chunk_calls
),

candidates as (
    select events.event_id, chunks.chunk_part_id, 1 as rank, 0 as distance_ms
    from events
    inner join chunks
        on events.matched_part_id = chunks.chunk_part_id
    union all
    select events.event_id, chunks.chunk_part_id, 2 as rank, abs(events.occurred_at - chunks.started_at) as distance_ms
    from events
    inner join chunks
        on events.session_id = chunks.session_id
        and events.chunk_id = chunks.chunk_id
        and chunks.started_at <= events.occurred_at + 2000
        and coalesce(chunks.ended_at, chunks.started_at) >= events.occurred_at - 2000
    where events.matched_part_id is null
),

matches as (
    select
        *,
        row_number() over (partition by event_id order by rank, distance_ms, chunk_part_id) as place,
    from candidates
),

final as (
    select
        coalesce(
            matches.chunk_part_id,
            'telemetry:' || coalesce(
                coalesce(events.session_id || ' ', '') || events.run_id || ' ' || events.chunk_id, events.event_id
            )
        ) as chunk_part_id,
        bool_or(matches.chunk_part_id is not null) as is_matched,
        arg_max(events.event_id, events.told_index) as event_id,
        arg_max(
            case
                when matches.chunk_part_id is null
                    then 'telemetry:' || coalesce(coalesce(events.session_id || ' ', '') || events.run_id, events.event_id)
            end,
            events.told_index
        ) as told_run_id,
        arg_max(events.session_id, events.told_index) as session_id,
        arg_max(events.root_session_id, events.told_index) as root_session_id,
        bool_or(events.is_child) as is_child,
        arg_max(events.project_id, events.told_index) as project_id,
        arg_max(events.project_name, events.told_index) as project_name,
        arg_max(events.directory, events.told_index) as directory,
        arg_max(events.agent, events.told_index) as agent,
        arg_max(events.model, events.told_index) as model,
        min(events.occurred_at) as occurred_at,
        arg_max(events.chunk_id, events.told_index) as chunk_id,
        arg_max(told.mode, events.told_index) as mode,
        arg_max(told.tokens, events.told_index) as tokens,
        arg_max(told.duration_ms, events.told_index) as duration_ms,
        arg_max(told.accuracy, events.told_index) as accuracy,
        arg_max(told.error_message, events.told_index) as error_message,
        arg_max(told.source, events.told_index) as source,
        arg_max(told.label, events.told_index) as label,
    from events
    inner join told
        on events.event_id = told.event_id
    left join matches
        on events.event_id = matches.event_id
        and matches.place = 1
    group by 1
)

select * from final
