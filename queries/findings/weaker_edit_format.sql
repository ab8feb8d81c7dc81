-- finding:  weaker_edit_format
-- title:    Edit formats that do worse than another on the same model
-- sources:  messages, messages_history, edit_attempts_history, run
-- evidence: derived
-- grain:    one row per (model, format)
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- On one model, a format applied less often than the best other one, over the last four weeks or a longer period (at
-- most 13 weeks), with a failure in the period. What was offered is not recorded, so only attempts of one model and
-- agent in the days when both formats were in use are compared; a whole file counts only on a path that was edited
-- before. Five attempts each; Benjamini-Hochberg over all pairs (5 %); Newcombe's interval for the difference. Gone
-- when the attempts since the last failure would all be applied by chance in less than one case in a hundred. One may
-- get the harder edits.
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

attempts as (
    select
        model, format, is_applied, attempted_at, still_ms, weeks,
        max(case when is_attempt and not is_applied then attempted_at end) over (partition by model, format) as failed_at,
        coalesce(agent, '') as agent,
        case when not is_applied then step_share_tokens end as lost_tokens,
        case when not is_applied then cast(round(step_share_cost_usd * 1e9) as bigint) end as lost_nano_usd,
    from edit_attempts_history inner join stretch on attempted_at < end_ms
    where format is not null
    qualify attempted_at >= start_ms and is_attempt
        and (format <> 'whole' or row_number() over (partition by project_id, path order by attempted_at, part_id) > 1)
),

uses as (
    select model, agent, format, min(attempted_at) - 86400000 as first_at, max(attempted_at) + 86400000 as last_at,
    from attempts
    group by model, agent, format
),

pairs as (
    select
        weak.model, weak.agent, weak.format, other.format as other_format,
        greatest(weak.first_at, other.first_at) as first_at, least(weak.last_at, other.last_at) as last_at,
    from uses as weak
    inner join uses as other
        on weak.model = other.model and weak.agent = other.agent and weak.format <> other.format
),

sides as (
    select
        pairs.model, pairs.format, pairs.other_format,
        count(*) filter (where attempts.format = pairs.format) as n_weak,
        count(*) filter (where attempts.format = pairs.format and is_applied) as s_weak,
        count(*) filter (where attempts.format = pairs.format and attempted_at > failed_at) as good_end_count,
        count(*) filter (where attempts.format = other_format) as n_other,
        count(*) filter (where attempts.format = other_format and is_applied) as s_other,
        cast(sum(lost_tokens) filter (where attempts.format = pairs.format) as double) as lost_tokens,
        nullif(sum(lost_nano_usd) filter (where attempts.format = pairs.format), 0) / 1e9 as lost_usd,
        min(weeks) as weeks,
    from pairs
    inner join attempts on pairs.model = attempts.model and pairs.agent = attempts.agent
        and attempted_at between first_at and last_at
    group by pairs.model, pairs.format, pairs.other_format
    having max(failed_at) filter (where attempts.format = pairs.format) >= min(still_ms)
),

scored as (
    select *, 1e0 * s_weak / n_weak as weak_ratio, 1e0 * s_other / n_other as other_ratio,
        coalesce((1e0 * s_other / n_other - 1e0 * s_weak / n_weak) / nullif(sqrt(1e0 * (s_weak + s_other)
            * (n_weak + n_other - s_weak - s_other) / (n_weak + n_other) / (1e0 * n_weak * n_other)), 0), 0) as z_score,
        exp(-0.717 * z_score - 0.416 * z_score * z_score) as p_value,
        row_number() over (order by z_score desc, model, format, other_format) as place,
    from sides
    where n_weak >= 5 and n_other >= 5 and (s_weak * n_other, format) < (s_other * n_weak, other_format)
),

tested as (
    select *, least(1.0, min(p_value * (select count(*) from scored) / place) over (order by place desc)) as q_value,
        other_ratio - weak_ratio as difference,
        other_ratio - weak_ratio - sqrt(power(other_ratio - wilson_low(s_other, n_other), 2)
            + power(wilson_high(s_weak, n_weak) - weak_ratio, 2)) as ci_low,
        other_ratio - weak_ratio + sqrt(power(wilson_high(s_other, n_other) - other_ratio, 2)
            + power(weak_ratio - wilson_low(s_weak, n_weak), 2)) as ci_high,
        1e0 * n_weak / nullif(n_weak - s_weak, 0) / weeks as scale,
    from scored
),

final as (
    select * from tested
    where q_value <= 0.05 and ci_low > 0 and power(weak_ratio, good_end_count) >= 0.01
    qualify row_number() over (partition by model, format order by difference desc, other_format) = 1
)

select
    case when ci_low >= 0.2 then 'high' else 'medium' end as severity,
    format || ' on ' || model as subject,
    'On ' || model || ', ' || cast(round(100 * weak_ratio) as bigint) || ' % of ' || format || ' edits were applied, '
    || cast(round(100 * other_ratio) as bigint) || ' % of ' || other_format || ' edits, in the same days.' as sentence,
    case when other_format = 'whole' then 'Have it write small files whole; for large ones the output costs more.'
        else 'Offer this model ' || other_format || ' for edits, and see whether the rate follows.' end as action,
    'edit_success' as metric,
    grouped(s_weak) || ' of ' || grouped(n_weak) || ' against ' || grouped(s_other) || ' of ' || grouped(n_other)
    || '; difference of ' || percent(ci_low) || ' to ' || percent(ci_high) || ' points (95 %)' as evidence,
    n_weak + n_other as n, ci_low, ci_high,
    difference * scale * lost_tokens as saved_tokens_per_week, difference * scale * lost_usd as saved_usd_per_week,
    ci_low * scale * lost_usd as saved_usd_low, ci_high * scale * lost_usd as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
order by difference desc, subject
