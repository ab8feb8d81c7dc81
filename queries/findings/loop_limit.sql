-- finding:  loop_limit
-- title:    Verification loops that hit their maximum
-- sources:  messages, messages_history, verification_loops_history, run
-- evidence: derived
-- grain:    one row per skill_name (or for all loops outside a skill), with at least five loops
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Loops of editing and checking in which three or more checks failed and none passed, over the last four weeks or a
-- longer period (at most 13 weeks), and at least one in the period. Reported where surely more than one loop in twenty
-- ended so, unless the loops since the last such one would all end well by chance in less than one case in a hundred.
-- Loops are inferred from calls; the saving is what these loops' calls took, an upper bound.
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

loops as (
    select
        coalesce(skill_name, 'no skill') as skill_name,
        verification_loops_history.* exclude (skill_name),
        still_ms,
        weeks,
        max(case when is_max_reached then started_at end) over (partition by coalesce(skill_name, 'no skill'))
        as last_limit_at,
    from verification_loops_history inner join stretch on started_at between start_ms and end_ms
),

final as (
    select
        skill_name,
        count(*) as n,
        count(*) filter (where is_max_reached) as limit_count,
        count(*) filter (where is_max_reached and is_escalated) as escalated_count,
        count(*) filter (where started_at > last_limit_at) as good_end_count,
        quantile_cont(iterations, 0.5) filter (where is_max_reached) as p50_iterations,
        mode(last_command order by last_command) filter (where is_max_reached) as usual_command,
        cast(sum(tokens) filter (where is_max_reached) as double) as tokens,
        nullif(sum(cast(round(cost_usd * 1e9) as bigint)) filter (where is_max_reached), 0) / 1e9 as cost_usd,
        min(weeks) as weeks,
    from loops
    group by skill_name
    having count(*) >= 5 and count(*) filter (where is_max_reached) >= 2 and max(last_limit_at) >= min(still_ms)
)

select
    case when wilson_low(limit_count, n) > 0.25 then 'high' else 'medium' end as severity,
    skill_name as subject,
    grouped(limit_count) || ' of ' || grouped(n) || ' verification loops '
    || case when skill_name = 'no skill' then 'outside skills' else 'of the skill ' || skill_name end
    || ' reached their limit (median ' || round(p50_iterations, 1) || ' checks) and none passed; '
    || grouped(escalated_count) || ' ended by asking a person.' as sentence,
    'Let it ask after the second failure' || coalesce('; the usual last check was: ' || left(usual_command, 80), '')
    as action,
    'loops' as metric,
    grouped(limit_count) || ' of ' || grouped(n) || ' loops in ' || cast(round(7 * weeks) as bigint) || ' days; '
    || percent(wilson_low(limit_count, n)) || ' to ' || percent(wilson_high(limit_count, n))
    || ' % (95 %)' as evidence,
    n, wilson_low(limit_count, n) as ci_low, wilson_high(limit_count, n) as ci_high,
    tokens / weeks as saved_tokens_per_week,
    cost_usd / weeks as saved_usd_per_week,
    cost_usd / weeks * wilson_low(limit_count, n) * n / limit_count as saved_usd_low,
    cost_usd / weeks * wilson_high(limit_count, n) * n / limit_count as saved_usd_high,
    'derived' as confidence,
from final
where wilson_low(limit_count, n) > 0.05 and power(1 - 1e0 * limit_count / n, good_end_count) >= 0.01
order by saved_tokens_per_week desc, subject
