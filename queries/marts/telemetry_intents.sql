-- mart: telemetry_intents
-- grain: one row per routing decision that telemetry tells of
-- sources: stg_telemetry_intents, mart_telemetry_events, mart_intent_inferences
-- time: none
-- stored: no
--
-- What telemetry says of each decision. An event joins an inferred decision by its part, else by session and hash of the
-- query, else by session, intent and a time at most 2 s away; one that a shell command of the session emitted, which
-- knows no ids, corrects the intent's last decision before it. Events that join none are one decision where they share
-- session and hash, so that a later event can correct an earlier one. Where several events tell of one decision, each
-- value is the last that was told.
-- Columns: decision_id (the decision, or 'telemetry:' and what it is known by), is_matched, event_id (the last),
-- session_id, root_session_id, is_child, project_id, project_name, directory, agent, model, decided_at, query_hash,
-- predicted_intent, confidence, confidence_scale, complexity, strategy, predicted_skills, action, threshold,
-- is_escalated, actual_skills, actual_intent, is_correct, label_rule, source, label.
with told as (
    select * from stg_telemetry_intents
),

events as (
    select
        telemetry_events.*,
        told.query_hash,
        told.predicted_intent,
        row_number() over (order by telemetry_events.occurred_at nulls first, telemetry_events.event_id) as told_index,
    from mart_telemetry_events as telemetry_events
    inner join told
        on telemetry_events.event_id = told.event_id
),

decisions as (select * from mart_intent_inferences),

candidates as (
    select events.event_id, decisions.decision_id, 1 as rank, 0 as distance_ms
    from events
    inner join decisions
        on events.matched_part_id = decisions.decision_id
    union all
    select
        events.event_id,
        decisions.decision_id,
        case
            when events.query_hash = decisions.query_hash then 2
            when decisions.decided_at between events.occurred_at - 2000 and events.occurred_at + 2000 then 3
            else 4
        end as rank,
        abs(events.occurred_at - decisions.decided_at) as distance_ms,
    from events
    inner join decisions
        on events.session_id = decisions.session_id
        and (
            events.query_hash = decisions.query_hash
            or (
                lower(events.predicted_intent) = lower(decisions.predicted_intent)
                and (
                    decisions.decided_at between events.occurred_at - 2000 and events.occurred_at + 2000
                    or (events.is_session_inferred and decisions.decided_at <= events.occurred_at)
                )
            )
        )
    where events.matched_part_id is null
),

matches as (
    select
        *,
        row_number() over (partition by event_id order by rank, distance_ms, decision_id) as place,
    from candidates
),

placed as (
    select
        events.*,
        matches.decision_id is not null as is_joined,
        coalesce(
            matches.decision_id,
            'telemetry:' || coalesce(events.session_id || ' ' || events.query_hash, events.event_id)
        ) as decision_id,
    from events
    left join matches
        on events.event_id = matches.event_id
        and matches.place = 1
),

merged as (
    select
        placed.decision_id,
        bool_or(placed.is_joined) as is_matched,
        arg_max(placed.event_id, placed.told_index) as event_id,
        arg_max(placed.session_id, placed.told_index) as session_id,
        arg_max(placed.root_session_id, placed.told_index) as root_session_id,
        bool_or(placed.is_child) as is_child,
        arg_max(placed.project_id, placed.told_index) as project_id,
        arg_max(placed.project_name, placed.told_index) as project_name,
        arg_max(placed.directory, placed.told_index) as directory,
        arg_max(placed.agent, placed.told_index) as agent, arg_max(placed.model, placed.told_index) as model,
        min(placed.occurred_at) as decided_at,
        arg_max(told.query_hash, placed.told_index) as query_hash,
        arg_max(told.predicted_intent, placed.told_index) as predicted_intent,
        arg_max(told.confidence, placed.told_index) as confidence,
        arg_max(told.confidence_scale, placed.told_index) as confidence_scale,
        arg_max(told.complexity, placed.told_index) as complexity,
        arg_max(told.strategy, placed.told_index) as strategy,
        arg_max(told.predicted_skills, placed.told_index) as predicted_skills,
        arg_max(told.action, placed.told_index) as action,
        arg_max(told.threshold, placed.told_index) as threshold,
        arg_max(told.is_escalated, placed.told_index) as is_escalated,
        arg_max(told.actual_skills, placed.told_index) as actual_skills,
        arg_max(told.actual_intent, placed.told_index) as actual_intent,
        arg_max(told.is_correct, placed.told_index) as is_correct,
        arg_max(told.label_rule, placed.told_index) as label_rule,
        arg_max(told.source, placed.told_index) as source, arg_max(told.label, placed.told_index) as label,
    from placed
    inner join told
        on placed.event_id = told.event_id
    group by placed.decision_id
)

select * from merged
