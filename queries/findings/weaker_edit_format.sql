-- finding:  weaker_edit_format
-- title:    Edit formats that do worse than another on the same model
-- sources:  messages, messages_history, edit_attempts_history, run
-- evidence: derived
-- grain:    one row per (model, format)
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- On one model, a format whose attempts are applied less often than those of the best other one, over the last four
-- weeks or the period where it is longer (at most 13 weeks; with everything: 13 weeks). What was offered is not
-- recorded, so only attempts in the days between the first and last use of both by the same model and agent are
-- compared. Whole files are left out: writing a new file cannot miss its place. At least five attempts each;
-- Benjamini-Hochberg over all pairs (5 %); the interval is Newcombe's for the difference. Harder files may go to one.
with

bounds as (
    select
        case when is_all or since_ms is null then max(created_at) - 2419200000 else since_ms end as still_ms,
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

attempts as (
    select
        edit_attempts_history.*,
        weeks,
        min(attempted_at) over used as first_at,
        max(attempted_at) over used as last_at,
    from edit_attempts_history inner join stretch on attempted_at between start_ms and end_ms
    where is_attempt and format is not null and format <> 'whole'
    window used as (partition by model, agent, format)
),

pairs as (
    select distinct
        weak.model,
        weak.agent,
        weak.format,
        strong.format as other_format,
        greatest(weak.first_at, strong.first_at) - 86400000 as from_ms,
        least(weak.last_at, strong.last_at) + 86400000 as to_ms,
    from attempts as weak
    inner join attempts as strong
        on weak.model = strong.model
        and weak.agent is not distinct from strong.agent
        and weak.format <> strong.format
        and weak.first_at <= strong.last_at
        and strong.first_at <= weak.last_at
),

sides as (
    select
        pairs.model,
        pairs.format,
        pairs.other_format,
        count(*) filter (where attempts.format = pairs.format) as n_weak,
        count(*) filter (where attempts.format = pairs.format and attempts.is_applied) as s_weak,
        count(*) filter (where attempts.format = pairs.other_format) as n_other,
        count(*) filter (where attempts.format = pairs.other_format and attempts.is_applied) as s_other,
        1e0 * s_weak / nullif(n_weak, 0) as weak_ratio,
        1e0 * s_other / nullif(n_other, 0) as other_ratio,
        cast(sum(step_share_tokens) filter (where attempts.format = pairs.format and not is_applied) as double) as failed_tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where attempts.format = pairs.format and not is_applied) / 1e9
        as failed_usd,
        min(weeks) as weeks,
    from pairs
    inner join attempts
        on pairs.model = attempts.model
        and pairs.agent is not distinct from attempts.agent
        and attempts.attempted_at between pairs.from_ms and pairs.to_ms
        and attempts.format in (pairs.format, pairs.other_format)
    group by pairs.model, pairs.format, pairs.other_format
),

scored as (
    select
        *,
        other_ratio - weak_ratio as difference,
        coalesce((other_ratio - weak_ratio) / nullif(sqrt(1e0 * (s_weak + s_other) / (n_weak + n_other)
            * (1 - 1e0 * (s_weak + s_other) / (n_weak + n_other)) * (1e0 / n_weak + 1e0 / n_other)), 0), 0) as z_score,
    from sides
    where n_weak >= 5 and n_other >= 5 and (weak_ratio, format) < (other_ratio, other_format)
),

ranked as (
    select
        *,
        exp(-0.717 * z_score - 0.416 * z_score * z_score) as p_value,
        exp(-0.717 * z_score - 0.416 * z_score * z_score) * count(*) over ()
        / row_number() over (order by z_score desc, model, format, other_format) as scaled_p,
    from scored
),

tested as (
    select *, least(1.0, min(scaled_p) over (order by p_value desc, model desc, format desc, other_format desc)) as q_value,
    from ranked
),

final as (
    select
        *,
        difference - sqrt(power(other_ratio - wilson_low(s_other, n_other), 2)
            + power(wilson_high(s_weak, n_weak) - weak_ratio, 2)) as ci_low,
        difference + sqrt(power(wilson_high(s_other, n_other) - other_ratio, 2)
            + power(weak_ratio - wilson_low(s_weak, n_weak), 2)) as ci_high,
        1e0 * n_weak / nullif(n_weak - s_weak, 0) / weeks as scale,
    from tested
    where q_value <= 0.05
    qualify row_number() over (partition by model, format order by difference desc, other_format) = 1
)

select
    case when ci_low >= 0.2 then 'high' else 'medium' end as severity,
    format || ' on ' || model as subject,
    'On ' || model || ', ' || cast(round(100 * weak_ratio) as bigint) || ' % of ' || format || ' edits were applied and '
    || cast(round(100 * other_ratio) as bigint) || ' % of ' || other_format || ' edits, in the same days.' as sentence,
    'Offer this model ' || other_format || ' for edits and see whether the rate follows.' as action,
    'edit_success' as metric,
    s_weak || ' of ' || n_weak || ' against ' || s_other || ' of ' || n_other || '; difference of ' || round(100 * ci_low, 1)
    || ' to ' || round(100 * ci_high, 1) || ' points (95 %)' as evidence,
    n_weak + n_other as n, ci_low, ci_high,
    difference * scale * failed_tokens as saved_tokens_per_week,
    difference * scale * failed_usd as saved_usd_per_week,
    greatest(0, ci_low) * scale * failed_usd as saved_usd_low,
    ci_high * scale * failed_usd as saved_usd_high,
    cast(round(1 - q_value, 3) as varchar) as confidence,
from final
where ci_low > 0
order by difference desc, subject
