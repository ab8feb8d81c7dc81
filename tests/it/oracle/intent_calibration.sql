-- What src/pipeline/intent_calibration.rs computes, in SQL: the oracle of a parity test.
with binned as (
    select
        confidence_scale, confidence, is_correct,
        least(9, cast(floor(confidence * 10 + 1e-9) as integer)) / 10.0 as bin_low
    from intent_decisions
    where is_correct is not null and confidence is not null
),
bins as (
    select
        confidence_scale, bin_low,
        count(*) as decision_count,
        avg(confidence) as mean_confidence,
        avg(case when is_correct then 1.0 else 0.0 end) as accuracy,
        sum(power(confidence - case when is_correct then 1.0 else 0.0 end, 2)) as squares
    from binned
    group by confidence_scale, bin_low
)
select
    confidence_scale, cast(bin_low as double) as bin_low, decision_count, mean_confidence, accuracy,
    sum(decision_count * abs(mean_confidence - accuracy)) over by_scale / sum(decision_count) over by_scale as ece,
    sum(squares) over by_scale / sum(decision_count) over by_scale as brier
from bins
window by_scale as (partition by confidence_scale)
order by confidence_scale, bin_low
