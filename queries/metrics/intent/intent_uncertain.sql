-- metric:    intent_uncertain
-- title:     Decisions to look at
-- grain:     one row per decision_id, the 100 to look at first
-- units:     decided_at=at, confidence=ratio, threshold=ratio
-- sources:   intent_decisions
-- evidence:  derived
-- better:    lower
-- chart:     none
--
-- Decisions that deserve a second look, the surest mistakes first: wrong though sure (0.8 and more), wrong, handed to a
-- person, without an answer (`unclear`), less sure than the route asks for (0.7 where the scale is a share and the route
-- says nothing), and those whose outcome is mixed: another skill was used before the predicted one. A pattern's
-- confidence is low by nature and is no reason.
with

decisions as (
    select
        *,
        case
            when not is_correct and confidence >= 0.8 then 1
            when not is_correct then 2
            when is_escalated then 3
            when is_unclear then 4
            when confidence_scale <> 'pattern' and confidence < coalesce(threshold, 0.7) then 5
            when is_correct is null and actual_skill is not null and predicted_skill is not null then 6
        end as urgency,
    from intent_decisions
),

final as (
    select
        decision_id,
        session_id,
        decided_at,
        case urgency
            when 1 then 'wrong though sure'
            when 2 then 'wrong'
            when 3 then 'escalated'
            when 4 then 'unclear'
            when 5 then 'unsure'
            when 6 then 'mixed'
        end as reason,
        predicted_intent as intent,
        predicted_skill,
        actual_skill,
        actual_intent,
        confidence,
        confidence_scale,
        threshold,
        label_rule,
        escalated_by,
        program,
        project_name,
        urgency,
    from decisions
    where urgency is not null
)

select * exclude (urgency)
from final
order by urgency, confidence desc nulls last, decided_at desc, decision_id
limit 100
