-- finding:  skill_success_fell
-- title:    Skills whose success fell
-- sources:  messages, skill_loads_history, run
-- evidence: derived
-- grain:    one row per skill_name
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Each day of the last 16 weeks with at least five judged loads before it and after it is tried as the day of a change
-- (two proportions, normal approximation); the best one counts after Bonferroni for the days tried and
-- Benjamini-Hochberg for the skills (5 %). The interval is Newcombe's for the fall. A skill is left out when its loads
-- since its last failure would all succeed by chance in less than one case in a hundred: then it is mended. Success is
-- derived (see skill_loads); what else changed on that day is not known.
with

stretch as (
    select max(created_at) - 9676800000 as start_ms, max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
),

loads as (
    select skill_loads_history.*, stretch.end_ms,
        max(case when not is_success then loaded_at end) over (partition by skill_name) as last_failed_at,
    from skill_loads_history inner join stretch on loaded_at between start_ms and end_ms
    where is_load and via in ('skill_tool', 'slash') and is_success is not null and skill_name is not null
),

skill_days as (
    select skill_name, local_date, count(*) as day_count, count(*) filter (where is_success) as success_count,
        count(*) filter (where loaded_at > last_failed_at) as good_end_count,
    from loads
    group by skill_name, local_date
),

splits as (
    select
        skill_name, local_date,
        cast(sum(day_count) over skill as bigint) - cast(sum(day_count) over onward as bigint) as n_before,
        cast(sum(success_count) over skill as bigint) - cast(sum(success_count) over onward as bigint) as s_before,
        cast(sum(day_count) over onward as bigint) as n_after,
        cast(sum(success_count) over onward as bigint) as s_after,
        cast(sum(good_end_count) over skill as bigint) as good_end_count,
    from skill_days
    window skill as (partition by skill_name),
        onward as (partition by skill_name order by local_date rows between current row and unbounded following)
),

rates as (
    select
        *,
        1e0 * s_before / n_before as before_ratio,
        1e0 * s_after / n_after as after_ratio,
        count(*) over (partition by skill_name) as split_count,
        (1e0 * s_before / n_before - 1e0 * s_after / n_after) / nullif(sqrt(
            1e0 * (s_before + s_after) * (n_before + n_after - s_before - s_after) / (n_before + n_after)
            / (1e0 * n_before * n_after)
        ), 0) as z_score,
    from splits
    where n_before >= 5 and n_after >= 5
),

best as (
    select *, least(1.0, split_count * exp(-0.717 * abs(z_score) - 0.416 * z_score * z_score)) as p_value,
    from rates
    where z_score is not null
    qualify row_number() over (partition by skill_name order by abs(z_score) desc, local_date) = 1
),

ranked as (
    select *, row_number() over (order by p_value, skill_name) as place from best
),

tested as (
    select *, least(1.0, min(p_value * (select count(*) from best) / place) over (order by place desc)) as q_value,
    from ranked
),

costs as (
    select
        tested.skill_name,
        greatest(1.0, (max(loads.end_ms) - min(loads.loaded_at)) / 604800000.0) as weeks,
        cast(sum(loads.window_tokens) filter (where not loads.is_success) as double) as failed_tokens,
        nullif(sum(cast(round(loads.window_cost_usd * 1e9) as bigint)) filter (where not loads.is_success), 0) / 1e9
        as failed_usd,
    from tested inner join loads using (skill_name)
    where loads.local_date >= tested.local_date
    group by tested.skill_name
),

final as (
    select *, before_ratio - after_ratio as fall,
        before_ratio - after_ratio - sqrt(power(before_ratio - wilson_low(s_before, n_before), 2)
            + power(wilson_high(s_after, n_after) - after_ratio, 2)) as ci_low,
        before_ratio - after_ratio + sqrt(power(wilson_high(s_before, n_before) - before_ratio, 2)
            + power(after_ratio - wilson_low(s_after, n_after), 2)) as ci_high,
        n_after / weeks / nullif(n_after - s_after, 0) as failures_scale,
    from tested inner join costs using (skill_name)
    where z_score > 0 and q_value <= 0.05 and power(after_ratio, good_end_count) >= 0.01
)

select
    case when ci_low >= 0.2 then 'high' else 'medium' end as severity,
    skill_name as subject,
    'The skill ' || skill_name || ' succeeded in ' || cast(round(100 * before_ratio) as bigint)
    || ' % of its loads before ' || local_date || ' and in ' || cast(round(100 * after_ratio) as bigint)
    || ' % since.' as sentence,
    'Compare the skill file, the models and the tasks before and after ' || local_date || '.' as action,
    'skill_usage' as metric,
    grouped(s_before) || ' of ' || grouped(n_before) || ' before, ' || grouped(s_after) || ' of ' || grouped(n_after)
    || ' since; fall of ' || percent(ci_low) || ' to ' || percent(ci_high) || ' points (95 %)' as evidence,
    n_before + n_after as n, ci_low, ci_high,
    fall * failures_scale * failed_tokens as saved_tokens_per_week,
    fall * failures_scale * failed_usd as saved_usd_per_week,
    greatest(0, ci_low) * failures_scale * failed_usd as saved_usd_low,
    ci_high * failures_scale * failed_usd as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
where ci_low > 0
order by fall desc, subject
