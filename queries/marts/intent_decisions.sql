-- mart: intent_decisions
-- grain: one row per routing decision
-- sources: mart_intent_inferences, mart_telemetry_intents
-- time: decided_at
--
-- What the database tells of each decision (see intent_inferences), with telemetry laid over it value by value: what an
-- event says counts instead of what was inferred. A decision that only telemetry knows is a row of its own (evidence
-- telemetry, origin telemetry). Where an event does not say whether the decision was right, but what it really was, that
-- follows: the actual intent against the predicted one (label rule told_intents), else the first actual skill among the
-- predicted ones or not (told_skills); else the inferred label stands. Told skills of a direct strategy are none.
-- Columns: those of intent_inferences; evidence (also observed where an event told of it, and telemetry), label_evidence
-- (also observed: told), source (opencode_db, or what told), event_id (the last event).
with inferred as (
    select * from mart_intent_inferences
),

told as (
    select
        *,
        split_part(predicted_skills, ',', 1) as predicted_skill,
        split_part(actual_skills, ',', 1) as actual_skill,
        lower(predicted_intent) = 'unclear' as is_unclear,
        strategy = 'direct' as is_direct,
    from mart_telemetry_intents
),

laid as (
    select
        coalesce(inferred.decision_id, told.decision_id) as decision_id,
        inferred.decision_id is null as is_telemetry_only,
        told.decision_id is not null as is_told,
        coalesce(inferred.session_id, told.session_id) as session_id,
        inferred.turn_id, inferred.message_id,
        case when inferred.decision_id is null then told.project_id else inferred.project_id end as project_id,
        case when inferred.decision_id is null then told.project_name else inferred.project_name end as project_name,
        case when inferred.decision_id is null then told.directory else inferred.directory end as directory,
        coalesce(inferred.root_session_id, told.root_session_id) as root_session_id,
        coalesce(inferred.is_child, told.is_child) as is_child,
        coalesce(inferred.agent, told.agent) as agent,
        coalesce(inferred.model, told.model, 'unknown') as model,
        coalesce(inferred.decided_at, told.decided_at) as decided_at,
        inferred.era, inferred.program, coalesce(inferred.origin, 'telemetry') as origin,
        coalesce(inferred.rule, 'telemetry') as rule, inferred.evidence as inferred_evidence, told.label as told_label,
        coalesce(told.query_hash, inferred.query_hash) as query_hash,
        coalesce(told.predicted_intent, inferred.predicted_intent) as predicted_intent,
        coalesce(
            told.predicted_skill, inferred.predicted_skill,
            case when told.is_unclear then 'unclear' when told.is_direct then 'direct' end
        ) as predicted_skill,
        coalesce(told.predicted_skills, inferred.predicted_skills) as predicted_skills,
        case when told.predicted_skills is not null then 'telemetry' else inferred.predicted_by end as predicted_by,
        coalesce(inferred.is_direct, told.is_direct, false) as is_direct,
        coalesce(inferred.is_unclear, told.is_unclear, false) as is_unclear,
        inferred.route, inferred.invoke_via,
        coalesce(told.strategy, inferred.strategy) as strategy,
        coalesce(told.action, inferred.action) as action,
        coalesce(told.threshold, inferred.threshold) as threshold,
        coalesce(told.confidence, inferred.confidence) as confidence,
        coalesce(
            told.confidence_scale, inferred.confidence_scale, case when told.confidence is not null then 'stated' end
        ) as confidence_scale,
        coalesce(told.complexity, inferred.complexity) as complexity,
        coalesce(try_cast(told.complexity as double), inferred.complexity_score) as complexity_score,
        coalesce(told.actual_skill, inferred.actual_skill) as actual_skill,
        coalesce(told.actual_skills, inferred.actual_skills) as actual_skills,
        case
            when told.actual_intent is not null then told.actual_intent
            when told.is_correct then coalesce(told.predicted_intent, inferred.predicted_intent)
            when not told.is_correct and inferred.is_correct then null
            else inferred.actual_intent
        end as actual_intent,
        inferred.is_correct as inferred_correct, told.is_correct as told_correct,
        told.actual_intent as told_intent, told.actual_skill as told_skill,
        inferred.label_rule as inferred_rule, inferred.label_evidence as inferred_label_evidence, told.label_rule as told_rule,
        coalesce(told.is_escalated, inferred.is_escalated) as is_escalated,
        case when told.is_escalated then 'telemetry' when told.is_escalated is null then inferred.escalated_by end as escalated_by,
        coalesce(inferred.is_verification_added, told.action = 'verify', false) as is_verification_added,
        inferred.closed_by,
        coalesce(inferred.is_fork_copy, false) as is_fork_copy,
        coalesce(inferred.is_undone, false) as is_undone,
        coalesce(told.source, 'opencode_db') as source, told.event_id,
    from inferred
    full outer join told
        on inferred.decision_id = told.decision_id
),

final as (
    select
        * exclude (
            is_telemetry_only, is_told, inferred_evidence, told_label, inferred_correct, told_correct, told_intent, told_skill,
            inferred_rule, inferred_label_evidence, told_rule
        ),
        case
            when is_telemetry_only then 'telemetry'
            when not is_told then inferred_evidence
            when told_label = 'explicit' then 'observed'
            else told_label
        end as evidence,
        coalesce(
            told_correct, lower(told_intent) = lower(predicted_intent),
            position(',' || told_skill || ',' in ',' || predicted_skills || ',') > 0, inferred_correct
        ) as is_correct,
        case
            when told_correct is not null then coalesce(told_rule, 'told')
            when told_intent is not null and predicted_intent is not null then 'told_intents'
            when told_skill is not null and predicted_skills is not null then 'told_skills'
            else inferred_rule
        end as label_rule,
        case
            when told_correct is not null or (told_intent is not null and predicted_intent is not null)
                or (told_skill is not null and predicted_skills is not null)
                then case when told_label = 'weak' then 'weak' else 'observed' end
            else inferred_label_evidence
        end as label_evidence,
    from laid
)

select * from final
