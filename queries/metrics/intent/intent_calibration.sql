-- metric:    intent_calibration
-- title:     How sure against how right
-- grain:     one row per (confidence_scale, bin_low)
-- units:     bin_low=ratio, bin_high=ratio, decision_count=count, mean_confidence=ratio, accuracy=ratio, ci_low=ratio, ci_high=ratio, gap=ratio, scale_decision_count=count, scale_accuracy=ratio, scale_mean_confidence=ratio, ece=ratio, brier=score
-- sources:   intent_decisions
-- evidence:  derived
-- better:    neutral
-- chart:     calibration x=mean_confidence y=accuracy by=decision_count
-- engine:    polars
--
-- Ten bins of stated confidence, each with the share that was right: honest is the diagonal. Scales are never mixed:
-- share is a share of keyword hits, pattern counts hits of patterns (typically 0.1 to 0.3), graph is of a way through
-- the graph of skills, stated is the model's own word. ece is the mean distance from the diagonal, weighted by decisions, brier the mean squared error (0 is best), both
-- of the whole scale. With few decisions a bin says little and the ece is too high by chance: see n and the intervals.
-- Labels are inferred (see intent_confusion), and agents tend to follow the router.
with

final as (
    select
        confidence_scale,
        confidence,
        is_correct,
    from intent_decisions
    where is_correct is not null and confidence is not null and confidence_scale is not null
)

select * from final
order by confidence_scale, confidence, is_correct
