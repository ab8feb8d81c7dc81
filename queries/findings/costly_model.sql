-- finding:  costly_model
-- title:    Models whose price buys nothing measurable
-- sources:  messages, messages_history, turns_history, run
-- evidence: derived
-- grain:    one row per model: against the cheaper one that would save most
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Two models on turns of the same project and agent (strata, weighted by the dearer model's turns), over the last four
-- weeks or a longer period (at most 13 weeks), with a turn of the dearer one in the period. Reported where a turn surely
-- costs at least half as much again, while the share of turns that completed without being corrected by the next prompt
-- is not better: the interval of the difference holds 0 or less and ends below 10 points. At least 20 turns each; models
-- without a recorded price are left out. Somebody chose the model for the task, so turns of the dearer one may be
-- harder; what a turn is worth beyond completing is not known.
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

ended as (
    select
        coalesce(project_id, '') || ' ' || coalesce(agent, '') as stratum,
        model,
        cost_usd,
        total_tokens,
        case when outcome = 'completed' and not is_corrected then 1 else 0 end as is_good,
        case when started_at >= still_ms then 1 else 0 end as is_still,
        weeks,
    from turns_history inner join stretch on started_at between start_ms and end_ms
    where outcome <> 'open' and model <> 'unknown' and cost_usd is not null
),

cells as (
    select
        stratum,
        model,
        cast(count(*) as double) as turns,
        cast(sum(is_good) as double) as good,
        sum(is_still) as still_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 / count(*) as mean_usd,
        coalesce(var_samp(cost_usd), 0) as variance_usd,
        cast(sum(total_tokens) as double) / count(*) as mean_tokens,
        min(weeks) as weeks,
    from ended
    group by stratum, model
    having count(*) >= 2 and sum(cost_usd) > 0
),

pairs as (
    select
        dear.model,
        cheap.model as other_model,
        cast(sum(dear.turns) as bigint) as n_dear,
        cast(sum(cheap.turns) as bigint) as n_cheap,
        min(dear.weeks) as weeks,
        sum(dear.turns * dear.mean_usd order by dear.stratum) / sum(dear.turns) as dear_usd,
        sum(dear.turns * cheap.mean_usd order by dear.stratum) / sum(dear.turns) as cheap_usd,
        sqrt(sum(
            power(dear.turns, 2) * (dear.variance_usd / dear.turns + cheap.variance_usd / cheap.turns)
            order by dear.stratum
        )) / sum(dear.turns) as usd_error,
        sum(dear.turns * (dear.mean_tokens - cheap.mean_tokens) order by dear.stratum) / sum(dear.turns) as more_tokens,
        sum(dear.good) / sum(dear.turns) as dear_ratio,
        sum(dear.turns * cheap.good / cheap.turns order by dear.stratum) / sum(dear.turns) as cheap_ratio,
        sqrt(sum(power(dear.turns, 2) * (
            (dear.good + 1) / (dear.turns + 2) * (1 - (dear.good + 1) / (dear.turns + 2)) / (dear.turns + 2)
            + (cheap.good + 1) / (cheap.turns + 2) * (1 - (cheap.good + 1) / (cheap.turns + 2)) / (cheap.turns + 2)
        ) order by dear.stratum)) / sum(dear.turns) as ratio_error,
    from cells as dear
    inner join cells as cheap
        on dear.stratum = cheap.stratum
        and dear.model <> cheap.model
    group by dear.model, cheap.model
    having sum(dear.turns) >= 20 and sum(cheap.turns) >= 20 and sum(dear.still_count) > 0
),

final as (
    select
        *,
        dear_ratio - cheap_ratio - 1.959964 * ratio_error as ci_low,
        dear_ratio - cheap_ratio + 1.959964 * ratio_error as ci_high,
        n_dear / weeks as dear_per_week,
    from pairs
    where dear_usd - 1.959964 * usd_error > 1.5 * cheap_usd
        and dear_ratio - cheap_ratio - 1.959964 * ratio_error <= 0
        and dear_ratio - cheap_ratio + 1.959964 * ratio_error < 0.1
    qualify row_number() over (partition by model order by dear_usd - cheap_usd desc, other_model) = 1
)

select
    case when (dear_usd - cheap_usd) * dear_per_week >= 5 then 'high' else 'medium' end as severity,
    model as subject,
    'A turn of ' || model || ' cost ' || round(dear_usd / cheap_usd, 1) || ' times one of ' || other_model
    || ' for the same projects and agents; ' || cast(round(100 * dear_ratio) as bigint) || ' % against '
    || cast(round(100 * cheap_ratio) as bigint) || ' % completed without being corrected.' as sentence,
    'Try ' || other_model || ' for some of this work and compare.' as action,
    'by_model' as metric,
    grouped(n_dear) || ' turns against ' || grouped(n_cheap) || '; difference in good turns ' || percent(ci_low)
    || ' to ' || percent(ci_high) || ' points (95 %, weighted by project and agent)' as evidence,
    n_dear + n_cheap as n, ci_low, ci_high,
    case when more_tokens > 0 then more_tokens * dear_per_week end as saved_tokens_per_week,
    (dear_usd - cheap_usd) * dear_per_week as saved_usd_per_week,
    (dear_usd - cheap_usd - 1.959964 * usd_error) * dear_per_week as saved_usd_low,
    (dear_usd - cheap_usd + 1.959964 * usd_error) * dear_per_week as saved_usd_high,
    'observational' as confidence,
from final
order by saved_usd_per_week desc, subject
