-- mart: telemetry_verifications
-- grain: one row per verification loop that telemetry tells of
-- sources: stg_telemetry_verifications, mart_telemetry_events, mart_verification_inferences, mart_verification_calls
-- time: none
-- stored: no
--
-- What telemetry says of each loop. An event joins an inferred loop by its part (the loop's first, or any call of its
-- run), else by session, a time at most 2 s outside the loop (10 minutes after it for an event that a shell command of the
-- session emitted, which knows no ids), and the skill where both name one; the nearest loop. Events
-- that join none are one loop where they share session and loop id. Where several events tell of one loop, each value is
-- the last that was told.
-- Columns: loop_id (the loop, or 'telemetry:' and what it is known by), is_matched, event_id (the last), session_id,
-- root_session_id, is_child, project_id, project_name, directory, agent, model, occurred_at, skill_name, iterations,
-- max_iterations, is_verified, is_max_reached, is_escalated, criteria_passed, criteria_total, failed_criteria,
-- rubric_verdict, gvr_verdict, confidence, quality, duration_ms, source, label.
with told as (
    select * from stg_telemetry_verifications
),

events as (
    select
        telemetry_events.*,
        told.loop_id as told_loop_id,
        told.skill_name,
        row_number() over (order by telemetry_events.occurred_at nulls first, telemetry_events.event_id) as told_index,
    from mart_telemetry_events as telemetry_events
    inner join told
        on telemetry_events.event_id = told.event_id
),

loops as (
    select * from mart_verification_inferences
),

calls as (
    select part_id, run_id from mart_verification_calls
),

candidates as (
    select events.event_id, loops.loop_id, 1 as rank, 0 as distance_ms
    from events
    inner join loops
        on events.matched_part_id = loops.loop_id
    union all
    select events.event_id, loops.loop_id, 2 as rank, 0 as distance_ms
    from events
    inner join calls
        on events.matched_part_id = calls.part_id
    inner join loops
        on calls.run_id = loops.run_id
    union all
    select
        events.event_id,
        loops.loop_id,
        3 as rank,
        greatest(
            loops.started_at - events.occurred_at,
            events.occurred_at - coalesce(loops.ended_at, loops.started_at),
            0
        ) as distance_ms,
    from events
    inner join loops
        on events.session_id = loops.session_id
        and loops.started_at <= events.occurred_at + 2000
        and coalesce(loops.ended_at, loops.started_at)
            >= events.occurred_at - case when events.is_session_inferred then 600000 else 2000 end
        and coalesce(events.skill_name = loops.skill_name, true)
    where events.matched_part_id is null
),

matches as (
    select
        *,
        row_number() over (partition by event_id order by rank, distance_ms, loop_id) as place,
    from candidates
),

final as (
    select
        coalesce(
            matches.loop_id,
            'telemetry:' || coalesce(events.session_id || ' ' || events.told_loop_id, events.event_id)
        ) as loop_id,
        bool_or(matches.loop_id is not null) as is_matched,
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
        arg_max(events.skill_name, events.told_index) as skill_name,
        arg_max(told.iterations, events.told_index) as iterations,
        arg_max(told.max_iterations, events.told_index) as max_iterations,
        arg_max(told.is_verified, events.told_index) as is_verified,
        arg_max(told.is_max_reached, events.told_index) as is_max_reached,
        arg_max(told.is_escalated, events.told_index) as is_escalated,
        arg_max(told.criteria_passed_count, events.told_index) as criteria_passed,
        arg_max(told.criteria_total_count, events.told_index) as criteria_total,
        arg_max(told.failed_criteria, events.told_index) as failed_criteria,
        arg_max(told.rubric_verdict, events.told_index) as rubric_verdict,
        arg_max(told.gvr_verdict, events.told_index) as gvr_verdict,
        arg_max(told.confidence, events.told_index) as confidence,
        arg_max(told.quality, events.told_index) as quality,
        arg_max(told.duration_ms, events.told_index) as duration_ms,
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
