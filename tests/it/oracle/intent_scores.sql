-- What src/pipeline/intent_scores.rs computes, in SQL: the oracle of a parity test.
with decisions as (
    select predicted_intent as predicted, actual_intent as actual, is_correct from intent_decisions
    where predicted_intent is not null
),
labels as (
    select predicted as intent from decisions
    union
    select actual from decisions where is_correct is not null and actual is not null and actual not like '%:*'
),
counted as (
    select
        intent,
        count(case when predicted = intent then 1 end) as decision_count,
        count(case when predicted = intent and is_correct is not null then 1 end) as labelled_count,
        count(case when predicted = intent and is_correct then 1 end) as correct_count,
        count(case when actual = intent and is_correct is not null then 1 end) as actual_count
    from labels cross join decisions
    group by intent
)
select
    *,
    correct_count / cast(nullif(labelled_count, 0) as double) as precision,
    correct_count / cast(nullif(actual_count, 0) as double) as recall,
    case
        when labelled_count > 0 and actual_count > 0
            then 2.0 * correct_count / (labelled_count + actual_count)
    end as f1
from counted
order by decision_count desc, intent
