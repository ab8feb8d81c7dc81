-- What src/pipeline/intent_confusion.rs computes, in SQL: the oracle of a parity test.
with cells as (
    select 'skill' as level, predicted_skill as predicted, actual_skill as actual
    from intent_decisions
    where is_correct is not null and predicted_skill is not null and actual_skill is not null and label_rule <> 'corrected'
    union all
    select 'intent', predicted_intent, actual_intent
    from intent_decisions
    where is_correct is not null and predicted_intent is not null and actual_intent is not null
)
select
    level, predicted, actual,
    count(*) as decision_count,
    sum(count(*)) over (partition by level, predicted) as predicted_count,
    count(*) / cast(sum(count(*)) over (partition by level, predicted) as double) as share_ratio
from cells
group by level, predicted, actual
order by level desc, predicted, actual
