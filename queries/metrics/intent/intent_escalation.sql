-- metric:    intent_escalation
-- title:     Decisions handed to a person
-- grain:     one row per intent
-- units:     decision_count=count, escalated_count=count, escalated_ratio=ratio, ci_low=ratio, ci_high=ratio, ask_user_count=count, clarification_count=count, question_count=count, text_count=count, verification_added_count=count, below_threshold_count=count, escalated_correct_count=count, last_escalated_at=at
-- sources:   intent_decisions
-- evidence:  derived
-- better:    neutral
-- chart:     interval x=intent y=escalated_ratio
--
-- How often a decision ended with a person being asked: the confidence router said ask_user, clarification was needed,
-- the question tool was called in the decision's window, or ESCALATE was written there. An action `verify` adds a
-- verification and is counted apart. Neither many nor few escalations are good by themselves: compare with the share
-- that was right. Decisions of telemetry that say nothing of it are in no rate. Intent `(none)` are confidences that were judged without naming an intent. A question that stands only
-- in an answer's text is not seen.
with

decisions as (
    select * from intent_decisions
),

final as (
    select
        coalesce(predicted_intent, '(none)') as intent,
        count(*) as decision_count,
        count(*) filter (where is_escalated) as escalated_count,
        cast(count(*) filter (where is_escalated) as double) / nullif(count(is_escalated), 0) as escalated_ratio,
        wilson_low(count(*) filter (where is_escalated), count(is_escalated)) as ci_low,
        wilson_high(count(*) filter (where is_escalated), count(is_escalated)) as ci_high,
        count(*) filter (where escalated_by = 'ask_user') as ask_user_count,
        count(*) filter (where escalated_by = 'clarification') as clarification_count,
        count(*) filter (where escalated_by = 'question') as question_count,
        count(*) filter (where escalated_by = 'text') as text_count,
        count(*) filter (where is_verification_added) as verification_added_count,
        count(*) filter (where confidence < threshold) as below_threshold_count,
        count(*) filter (where is_escalated and is_correct) as escalated_correct_count,
        max(decided_at) filter (where is_escalated) as last_escalated_at,
    from decisions
    group by coalesce(predicted_intent, '(none)')
)

select * from final
order by decision_count desc, intent
