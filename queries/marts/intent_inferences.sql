-- mart: intent_inferences
-- grain: one row per routing decision
-- sources: mart_decision_windows, mart_decision_predictions, mart_decision_labels, mart_signals
-- time: none
-- stored: no
--
-- What the database alone tells of each decision; `intent_decisions` lays telemetry over it.
-- One routing choice: what was predicted, how surely, and what came of it. `evidence` says how the decision is known
-- (observed data, derived from printed lines, weak where a model only wrote it), `label_rule` and `label_evidence` how
-- its outcome is (see decision_labels). Escalated: the confidence router said ask_user, the decision asked for
-- clarification, the question tool was called, or ESCALATE was written in the window; `verify` adds a verification and is
-- none. Confidences of different scales are not comparable: share (of keyword hits), pattern (hits of patterns), graph (of
-- the way), stated (by the model). `predicted_skill` is the name in confusion matrices: the used one where it was predicted, else the
-- first predicted, `direct` or `unclear`; `actual_skill` is the first that was used.
-- Columns: decision_id (part id), session_id, turn_id, message_id, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, decided_at, era, program, origin (bash, tool, text), rule, evidence,
-- query_hash, predicted_intent (NULL: only a confidence was judged), predicted_skill, predicted_skills, predicted_by
-- (printed, chain, table), is_direct, is_unclear, route, invoke_via, strategy, action, threshold, confidence,
-- confidence_scale, complexity, complexity_score, actual_skill, actual_skills, actual_intent, is_correct (NULL = no
-- label), label_rule, label_evidence, is_escalated, escalated_by (ask_user, clarification, question, text),
-- is_verification_added, closed_by, is_fork_copy, is_undone.
with windows as (
    select * from mart_decision_windows
),

predictions as (
    select * from mart_decision_predictions
),

labels as (
    select * from mart_decision_labels
),

signals as (
    select * from mart_signals
),

final as (
    select
        windows.decision_id,
        signals.session_id,
        signals.turn_id,
        signals.message_id,
        signals.project_id,
        signals.project_name,
        signals.directory,
        signals.root_session_id,
        signals.is_child,
        signals.agent,
        signals.model,
        signals.said_at as decided_at,
        signals.era,
        signals.program,
        signals.origin,
        signals.rule,
        signals.evidence,
        signals.query_hash,
        signals.predicted_intent,
        case
            when labels.label_rule = 'first_skill' then labels.actual_skill
            when predictions.is_unclear then 'unclear'
            when predictions.is_direct then 'direct'
            else split_part(predictions.predicted_skills, ',', 1)
        end as predicted_skill,
        predictions.predicted_skills,
        predictions.predicted_by,
        predictions.is_direct,
        predictions.is_unclear,
        signals.route,
        signals.invoke_via,
        coalesce(signals.strategy, predictions.route_strategy) as strategy,
        coalesce(judges.action, signals.action) as action,
        coalesce(judges.threshold, signals.threshold, predictions.route_threshold) as threshold,
        signals.confidence,
        signals.confidence_scale,
        coalesce(signals.complexity, judges.complexity) as complexity,
        signals.complexity_score,
        coalesce(labels.actual_skill, case when labels.label_rule = 'direct' then 'direct' end) as actual_skill,
        labels.actual_skills,
        labels.actual_intent,
        labels.is_correct,
        labels.label_rule,
        labels.label_evidence,
        coalesce(signals.is_escalated, false) or coalesce(judges.is_escalated, false) or labels.asked_by is not null
            as is_escalated,
        case
            when judges.is_escalated or (signals.is_escalated and signals.action = 'ask_user') then 'ask_user'
            when signals.is_escalated then 'clarification'
            when labels.asked_by = 'question' then 'question'
            when labels.asked_by = 'escalation' then 'text'
        end as escalated_by,
        coalesce(coalesce(judges.action, signals.action) = 'verify', false) as is_verification_added,
        windows.closed_by,
        signals.is_fork_copy,
        signals.is_undone,
    from windows
    inner join signals
        on windows.decision_id = signals.part_id and windows.signal_position = signals.signal_position
    inner join predictions
        on windows.decision_id = predictions.decision_id and windows.signal_position = predictions.signal_position
    inner join labels
        on windows.decision_id = labels.decision_id
    left join signals as judges
        on windows.judge_part_id = judges.part_id and windows.judge_position = judges.signal_position
)

select * from final
