-- mart: telemetry_runs
-- grain: one row per run over a large text that telemetry tells of
-- sources: stg_telemetry_rlm, mart_telemetry_events, mart_rlm_calls, mart_rlm_run_sums
-- time: none
-- stored: no
--
-- What telemetry says of each run as a whole. An event joins a recorded run by any of its calls, else by session and a
-- time at most 2 s outside of it (10 minutes after it for an event that a shell command of the session emitted, which
-- knows no ids); events that join none are one run where they share session and run, with the chunks
-- that telemetry tells of it. Where several events tell of one run, each value is the last that was told.
-- Columns: run_id (the run, or 'telemetry:' and what it is known by), is_matched, event_id (the last), session_id,
-- root_session_id, is_child, project_id, project_name, directory, agent, model, occurred_at, mode, chunk_count,
-- wave_count, chunk_size, chunk_unit, tokens, duration_ms, ok_chunks, is_early_termination, accuracy, source, label.
with told as (
    select * from stg_telemetry_rlm where grain = 'run'
),

events as (
    select
        telemetry_events.*,
        told.run_id as told_run_id,
        row_number() over (order by telemetry_events.occurred_at nulls first, telemetry_events.event_id) as told_index,
    from mart_telemetry_events as telemetry_events
    inner join told
        on telemetry_events.event_id = told.event_id
),

calls as (
    select distinct part_id, run_id from mart_rlm_calls
),

runs as (
    select * from mart_rlm_run_sums
),

candidates as (
    select events.event_id, calls.run_id, 1 as rank, 0 as distance_ms
    from events
    inner join calls
        on events.matched_part_id = calls.part_id
    union all
    select events.event_id, runs.run_id, 2 as rank, abs(events.occurred_at - runs.started_at) as distance_ms
    from events
    inner join runs
        on events.session_id = runs.session_id
        and runs.started_at <= events.occurred_at + 2000
        and coalesce(runs.ended_at, runs.started_at)
            >= events.occurred_at - case when events.is_session_inferred then 600000 else 2000 end
    where events.matched_part_id is null
),

matches as (
    select
        *,
        row_number() over (partition by event_id order by rank, distance_ms, run_id) as place,
    from candidates
),

final as (
    select
        coalesce(
            matches.run_id,
            'telemetry:' || coalesce(coalesce(events.session_id || ' ', '') || events.told_run_id, events.event_id)
        ) as run_id,
        bool_or(matches.run_id is not null) as is_matched,
        arg_max(events.event_id, events.told_index) as event_id,
        arg_max(events.session_id, events.told_index) as session_id,
        arg_max(events.root_session_id, events.told_index) as root_session_id,
        bool_or(events.is_child) as is_child,
        arg_max(events.project_id, events.told_index) as project_id,
        arg_max(events.project_name, events.told_index) as project_name,
        arg_max(events.directory, events.told_index) as directory,
        arg_max(events.agent, events.told_index) as agent,
        arg_max(events.model, events.told_index) as model,
        min(events.occurred_at) as occurred_at,
        arg_max(nullif(told.mode, 'unknown'), events.told_index) as mode,
        arg_max(told.chunk_count, events.told_index) as chunk_count,
        arg_max(told.wave_count, events.told_index) as wave_count,
        arg_max(told.chunk_size, events.told_index) as chunk_size,
        arg_max(told.chunk_unit, events.told_index) as chunk_unit,
        arg_max(told.tokens, events.told_index) as tokens,
        arg_max(told.duration_ms, events.told_index) as duration_ms,
        arg_max(told.ok_chunks, events.told_index) as ok_chunks,
        arg_max(told.is_early_termination, events.told_index) as is_early_termination,
        arg_max(told.accuracy, events.told_index) as accuracy,
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
