-- mart: telemetry_sessions
-- grain: one row per telemetry event
-- sources: stg_telemetry, mart_tool_calls
-- time: none
-- stored: no
--
-- In which session an event was written. Most events say it. A skill that calls `logicoma emit` in the shell does not know
-- its session, but the shell command stands in the database: the session is that of the command which emits events of
-- this kind, in the folder in which the event's file lies or below it, and ran when the event was written (a second
-- either way), if all such commands are of one session. The same goes for what Tachikoma's telemetry logger noted in
-- metrics.json and the commands that call it.
-- Columns: event_id, session_id, is_inferred.
with events as (
    select * from stg_telemetry
),

speechless as (
    select * from stg_telemetry
    where session_id is null and part_id is null and directory is not null and occurred_at is not null
),

emitting as (
    select
        session_id,
        command,
        directory,
        started_at,
        coalesce(ended_at, started_at) as ended_at,
    from mart_tool_calls
    where tool_name = 'bash' and not is_fork_copy and (
            (position('logicoma' in command) > 0 and position('emit' in command) > 0)
            or command like '%telemetry_logger%'
        )
),

found as (
    select
        speechless.event_id,
        min(emitting.session_id) as session_id,
    from speechless
    inner join emitting
        on emitting.started_at <= speechless.occurred_at + 1000
        and emitting.ended_at >= speechless.occurred_at - 1000
        and case
            when speechless.source = 'metrics_json' then emitting.command like '%telemetry_logger%'
            else position('emit ' || speechless.kind in emitting.command) > 0
        end
        and (
            emitting.directory = speechless.directory
            or starts_with(emitting.directory, rtrim(speechless.directory, '/') || '/')
        )
    group by speechless.event_id
    having count(distinct emitting.session_id) = 1
),

final as (
    select
        events.event_id,
        coalesce(events.session_id, found.session_id) as session_id,
        found.session_id is not null as is_inferred,
    from events
    left join found
        on events.event_id = found.event_id
)

select * from final
order by event_id
