-- mart: telemetry_events
-- grain: one row per telemetry event
-- sources: stg_telemetry, mart_telemetry_sessions, mart_tool_calls, mart_told_parts, mart_session_places
-- time: occurred_at
--
-- Which part of the database an event tells of. By its part id; else by session and call id; else, also where nothing has
-- the ids that it names (the second generation numbers parts anew), for skills, edits and failed tools, by session, kind
-- and name (skill, file, tool) and a call that began or ended at most 2 s away, the nearest one. A skill's event that a
-- shell command of the session emitted, which knows no ids, tells of the skill's last load before it. Routing decisions,
-- runs and verdicts join their own marts by time. An event that joins nothing is a row of its own in the mart of its
-- kind. A contradiction is a value that is there on both sides and differs (outcome, format, status): then the event's
-- word counts.
-- Columns: event_id, kind, occurred_at, has_absurd_time, session_id, root_session_id, is_child, project_id,
-- project_name, directory, agent, model, source, label, is_synthetic, matched_part_id, matched_by (part_id, call_id,
-- time, emitted), distance_ms, is_contradiction, path, line, problem, is_session_inferred, is_fork_copy, is_undone.
with events as (
    select
        stg_telemetry.* exclude (session_id),
        telemetry_sessions.session_id, telemetry_sessions.is_inferred as is_session_inferred,
    from stg_telemetry
    inner join mart_telemetry_sessions as telemetry_sessions on stg_telemetry.event_id = telemetry_sessions.event_id
),

calls as (select * from mart_tool_calls where session_id in (select session_id from events)),

told_parts as (select * from mart_told_parts),
session_places as (select * from mart_session_places),

candidates as (
    select events.event_id, told_parts.part_id, 'part_id' as matched_by, 1 as rank, cast(null as bigint) as distance_ms
    from events
    inner join told_parts on events.part_id = told_parts.part_id
    union all
    select events.event_id, calls.part_id, 'call_id' as matched_by, 2 as rank, cast(null as bigint) as distance_ms
    from events
    inner join calls
        on events.session_id = calls.session_id
        and events.call_id = calls.call_id
    union all
    select
        events.event_id,
        calls.part_id,
        'time' as matched_by,
        3 as rank,
        least(
            abs(events.occurred_at - calls.started_at),
            coalesce(abs(events.occurred_at - calls.ended_at), abs(events.occurred_at - calls.started_at))
        ) as distance_ms,
    from events
    inner join calls
        on events.session_id = calls.session_id
        and calls.started_at <= events.occurred_at + 2000
        and coalesce(calls.ended_at, calls.started_at) >= events.occurred_at - 2000
    where case events.kind
        when 'skill' then calls.skill_name = events.skill_name
        when 'edit' then calls.edit_format is not null and (
            calls.target_path = events.edited_path
            or ends_with(calls.target_path, '/' || events.edited_path)
            or (events.edited_path is null and calls.tool_name = events.tool_name)
        )
        when 'tool_error' then calls.is_failed and calls.tool_name = events.tool_name
    end
    union all
    select
        events.event_id, calls.part_id, 'emitted' as matched_by, 4 as rank, events.occurred_at - calls.started_at as distance_ms
    from events
    inner join calls
        on events.session_id = calls.session_id and events.skill_name = calls.skill_name and calls.started_at <= events.occurred_at
    where events.is_session_inferred and events.kind = 'skill'
),

matches as (
    select
        *,
        row_number() over (partition by event_id order by rank, distance_ms, part_id) as place,
    from candidates
    where rank <> 3 or distance_ms <= 2000
),

matched_calls as (select * from mart_tool_calls where part_id in (select part_id from matches where place = 1)),

final as (
    select
        events.event_id, events.kind, events.occurred_at, events.has_absurd_time,
        coalesce(events.session_id, told_parts.session_id, calls.session_id) as session_id,
        coalesce(session_places.root_session_id, events.session_id) as root_session_id,
        coalesce(session_places.is_child, false) as is_child,
        coalesce(session_places.project_id, events.project_id) as project_id,
        coalesce(
            session_places.project_name,
            nullif(regexp_replace(rtrim(replace(events.directory, '\', '/'), '/'), '^.*/', ''), '')
        ) as project_name,
        coalesce(session_places.directory, events.directory) as directory,
        events.agent, coalesce(events.model, calls.model) as model, events.source, events.label, events.is_synthetic,
        matches.part_id as matched_part_id, matches.matched_by, matches.distance_ms,
        coalesce(
            (events.kind = 'edit' and (
                events.edit_outcome <> calls.edit_outcome
                or replace(events.edit_format, 'str_replace_fuzzy', 'str_replace') <> calls.edit_format
            ))
            or (events.kind = 'skill' and events.status <> calls.status)
            or (events.kind = 'tool_error' and not calls.is_failed),
            false
        ) as is_contradiction,
        events.path, events.line, events.problem, events.is_session_inferred,
        coalesce(told_parts.is_fork_copy, calls.is_fork_copy, false) as is_fork_copy,
        coalesce(told_parts.is_undone, calls.is_undone, false) as is_undone,
    from events
    left join matches on events.event_id = matches.event_id and matches.place = 1
    left join told_parts
        on matches.part_id = told_parts.part_id
    left join matched_calls as calls
        on matches.part_id = calls.part_id
    left join session_places
        on coalesce(events.session_id, told_parts.session_id, calls.session_id) = session_places.session_id
)

select * from final
