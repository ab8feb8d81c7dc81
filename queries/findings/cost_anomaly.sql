-- finding:  cost_anomaly
-- title:    Days that cost far more than usual
-- sources:  messages, messages_history, run
-- evidence: derived
-- grain:    one row per day
-- units:    n=count, ci_low=usd, ci_high=usd, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Days of the period (with everything: of the last four weeks) that cost more than the 28 days with cost before them
-- let expect: robust z of the logarithm (median, MAD), at least 14 days of history, Benjamini-Hochberg over the days
-- looked at (5 %), and at least twice the median. n is the days compared with. A busy day is no fault: the row names
-- the session that cost most. The saving is what the day took beyond a usual one, spread over the weeks looked at: an
-- upper bound, for nobody knows whether such a day comes again.
with

bounds as (
    select
        case when is_all or since_ms is null then max(created_at) - 2419200000 else since_ms end as still_ms,
        max(created_at) as end_ms,
    from run inner join messages on created_at < now_ms
    group by is_all, since_ms
),

session_days as (
    select
        local_date,
        session_id,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        sum(total_tokens) as tokens,
    from messages_history inner join bounds on created_at <= end_ms
    where role = 'assistant' and cost_usd > 0
    group by local_date, session_id
),

days as (
    select
        local_date,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        ln(sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9) as log_cost,
        cast(sum(tokens) as double) as tokens,
        row_number() over (order by local_date) as day_number,
    from session_days
    group by local_date
),

dearest as (
    select local_date, session_id, cost_usd as session_usd,
    from session_days
    qualify row_number() over (partition by local_date order by cost_usd desc, session_id) = 1
),

pairs as (
    select
        days.local_date, days.cost_usd, days.log_cost, days.tokens, history.log_cost as other_log,
        greatest(1, (end_ms - still_ms) / 604800000.0) as weeks,
        median(history.log_cost) over (partition by days.local_date) as center,
    from days
    inner join days as history
        on history.day_number between days.day_number - 28 and days.day_number - 1
    inner join bounds on days.local_date >= local_date(still_ms)
),

scored as (
    select
        local_date,
        min(cost_usd) as cost_usd,
        min(tokens) as tokens,
        min(weeks) as weeks,
        count(*) as n,
        exp(min(center)) as usual_usd,
        exp(min(center) - 1.959964 * 1.4826 * median(abs(other_log - center))) as low_usd,
        exp(min(center) + 1.959964 * 1.4826 * median(abs(other_log - center))) as high_usd,
        (min(log_cost) - min(center)) / nullif(1.4826 * median(abs(other_log - center)), 0) as robust_z,
    from pairs
    group by local_date
    having count(*) >= 14
),

ranked as (
    select
        *,
        exp(-0.717 * abs(robust_z) - 0.416 * robust_z * robust_z) as p_value,
        exp(-0.717 * abs(robust_z) - 0.416 * robust_z * robust_z) * count(*) over ()
        / row_number() over (order by abs(robust_z) desc, local_date) as scaled_p,
    from scored
    where robust_z is not null
),

tested as (
    select *, least(1.0, min(scaled_p) over (order by p_value desc, local_date desc)) as q_value from ranked
),

final as (
    select tested.*, dearest.session_id, dearest.session_usd,
    from tested inner join dearest on tested.local_date = dearest.local_date
    where robust_z > 0 and q_value <= 0.05 and tested.cost_usd >= 2 * usual_usd
)

select
    case when cost_usd - usual_usd >= 10 then 'high' when cost_usd - usual_usd >= 1 then 'medium' else 'low' end
    as severity,
    cast(local_date as varchar) as subject,
    local_date || ' cost ' || dollars(cost_usd) || ', ' || round(cost_usd / usual_usd, 1) || ' times the usual '
    || dollars(usual_usd) || ' of a day; the dearest session took '
    || cast(round(100 * session_usd / cost_usd) as bigint) || ' % of it.' as sentence,
    'Look at session ' || session_id || '.' as action,
    'daily' as metric,
    'median of the ' || grouped(n) || ' days with cost before it: ' || dollars(usual_usd) || ', usual range '
    || dollars(low_usd) || ' to ' || dollars(high_usd) || '; robust z ' || round(robust_z, 1) as evidence,
    n, low_usd as ci_low, high_usd as ci_high,
    tokens * (1 - usual_usd / cost_usd) / weeks as saved_tokens_per_week,
    (cost_usd - usual_usd) / weeks as saved_usd_per_week,
    greatest(0, cost_usd - high_usd) / weeks as saved_usd_low,
    (cost_usd - low_usd) / weeks as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
order by cost_usd - usual_usd desc, subject
