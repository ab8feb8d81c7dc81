-- finding:  overconfident_intent
-- title:    Intents that are routed more surely than rightly
-- sources:  messages, messages_history, intent_decisions_history, turns_history, run
-- evidence: derived
-- grain:    one row per (predicted_intent, confidence_scale), with at least five labelled decisions
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Intents whose stated confidence is surely higher than the share of their decisions that was right (the mean lies
-- above the 95 % Wilson interval), over the last four weeks or a longer period (at most 13 weeks), with one in the
-- period; Benjamini-Hochberg over all intents (5 %). Scales are never mixed; a pattern's confidence is low by nature.
-- Gone when the decisions since the last wrong one would all be right by chance in less than one case in a hundred.
-- What was right is inferred. The saving is the share that honest confidence would save of what the turns with wrong
-- decisions took.
with

bounds as (
    select
        case when is_all then 0 else coalesce(since_ms, 0) end as still_ms,
        case when is_all or since_ms is null then max(created_at) - 7862400000
            else greatest(least(since_ms, max(created_at) - 2419200000), max(created_at) - 7862400000) end as start_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
    group by is_all, since_ms
),

stretch as (
    select bounds.*, greatest(1.0, (end_ms - min(created_at)) / 604800000.0) as weeks,
    from bounds inner join messages_history on created_at between start_ms and end_ms
    group by still_ms, start_ms, end_ms
),

decisions as (
    select
        decisions.predicted_intent, decisions.confidence_scale, decisions.confidence, decisions.is_correct,
        decisions.predicted_skill, decisions.actual_skill, decisions.decided_at, weeks, still_ms,
        case when not decisions.is_correct then turns.total_tokens end as lost_tokens,
        case when not decisions.is_correct then cast(round(turns.cost_usd * 1e9) as bigint) end as lost_nano_usd,
        max(case when not decisions.is_correct then decisions.decided_at end) over (
            partition by decisions.predicted_intent, decisions.confidence_scale
        ) as last_wrong_at,
    from intent_decisions_history as decisions
    inner join stretch on decisions.decided_at between start_ms and end_ms
    left join turns_history as turns on decisions.turn_id = turns.turn_id
    where decisions.is_correct is not null and decisions.confidence is not null
        and decisions.predicted_intent is not null and decisions.confidence_scale is not null
),

sums as (
    select
        predicted_intent, confidence_scale,
        count(*) as n,
        count(*) filter (where is_correct) as right_count,
        avg(confidence) as mean_confidence,
        count(*) filter (where decided_at > last_wrong_at) as good_end_count,
        mode(actual_skill order by actual_skill) filter (where not is_correct) as usual_skill,
        cast(sum(lost_tokens) as double) / min(weeks) as lost_tokens,
        nullif(sum(lost_nano_usd), 0) / 1e9 / min(weeks) as lost_usd,
    from decisions
    group by predicted_intent, confidence_scale
    having count(*) >= 5 and max(last_wrong_at) >= min(still_ms)
),

scored as (
    select
        *,
        wilson_low(right_count, n) as right_low,
        wilson_high(right_count, n) as right_high,
        greatest(0.0, (mean_confidence - 1e0 * right_count / n)
            / sqrt(greatest(mean_confidence * (1 - mean_confidence), 0.0001) / n)) as z_score,
    from sums
),

ranked as (
    select *, exp(-0.717 * z_score - 0.416 * z_score * z_score) as p_value,
        row_number() over (order by z_score desc, predicted_intent, confidence_scale) as place,
    from scored
),

final as (
    select
        *,
        least(1.0, min(p_value * (select count(*) from scored) / place) over (order by place desc)) as q_value,
        (mean_confidence - 1e0 * right_count / n) * n / nullif(n - right_count, 0) as scale,
        (mean_confidence - right_high) * n / nullif(n - right_count, 0) as scale_low,
        least(1.0, (mean_confidence - right_low) * n / nullif(n - right_count, 0)) as scale_high,
    from ranked
)

select
    case when mean_confidence - right_high >= 0.2 then 'high' else 'medium' end as severity,
    predicted_intent as subject,
    'Decisions for ' || predicted_intent || ' are ' || cast(round(100 * mean_confidence) as bigint) || ' % sure and '
    || cast(round(100e0 * right_count / n) as bigint) || ' % right'
    || coalesce('; instead mostly ' || usual_skill || ' was used.', '.') as sentence,
    'Sharpen the keywords of ' || predicted_intent
    || ', or ask for a verification before its skill is loaded.' as action,
    'intent_calibration' as metric,
    grouped(right_count) || ' of ' || grouped(n) || ' right (' || cast(round(100 * right_low) as bigint) || ' to '
    || cast(round(100 * right_high) as bigint) || ' %, 95 %), said ' || cast(round(100 * mean_confidence) as bigint)
    || ' % (' || confidence_scale || ')' as evidence,
    n, right_low as ci_low, right_high as ci_high,
    scale * lost_tokens as saved_tokens_per_week,
    scale * lost_usd as saved_usd_per_week,
    scale_low * lost_usd as saved_usd_low,
    scale_high * lost_usd as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
where q_value <= 0.05 and mean_confidence > right_high and power(1e0 * right_count / n, good_end_count) >= 0.01
order by saved_tokens_per_week desc, subject
