-- metric:    intent_confusion
-- title:     Predicted against actual
-- grain:     one row per (level, predicted, actual)
-- units:     decision_count=count, predicted_count=count, share_ratio=ratio, ci_low=ratio, ci_high=ratio, weak_label_count=count, last_at=at
-- sources:   intent_decisions
-- evidence:  derived
-- better:    neutral
-- chart:     matrix x=actual y=predicted by=decision_count
-- engine:    polars
--
-- What routers predicted, and what was used, at two levels of the same decisions: look at one, never sum over both. Level
-- skill is exact: the predicted skill against the first one used in the decision's window. Level intent has the predicted
-- intent against the actual one where it can be told: many intents share a skill, so another used skill gives a class
-- (`dev:*`), never a guess inside of it. Decisions without a label are not in it. What was used is often what was predicted
-- because the agent obeyed: agreement is no proof. weak_label_count are decisions that only stand in a text, or whose label
-- is weak (corrected by the user, decided anew before any edit).
with

decisions as (
    select * from intent_decisions where is_correct is not null
),

skill_level as (
    select
        'skill' as level,
        predicted_skill as predicted,
        actual_skill as actual,
        evidence = 'weak' or label_evidence = 'weak' as is_weak,
        decided_at,
    from decisions
    where predicted_skill is not null
        and actual_skill is not null
        -- Told to be wrong although the predicted skill was used: which would have been right is not known.
        and (is_correct
            or position(',' || actual_skill || ',' in ',' || coalesce(predicted_skills, '') || ',') = 0)
),

intent_level as (
    select
        'intent' as level,
        predicted_intent as predicted,
        actual_intent as actual,
        evidence = 'weak' or label_evidence = 'weak' as is_weak,
        decided_at,
    from decisions
    where predicted_intent is not null and actual_intent is not null
),

final as (
    select * from skill_level
    union all
    select * from intent_level
)

select * from final
order by level, predicted, actual, decided_at, is_weak
