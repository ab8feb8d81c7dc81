-- finding:  cache_hits_fell
-- title:    Cache hits that fell
-- sources:  messages, steps_history, run
-- evidence: derived
-- grain:    one row per model
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- The share of the context that a model read from the provider's cache, in the last four weeks against the twelve
-- before, by model, so that a change of models is not taken for one of the cache. Requests of a session hang together:
-- the variance is taken over sessions (ratio estimator), p-values are adjusted over the models by Benjamini-Hochberg
-- (5 %). Both stretches need five sessions and 30 requests, and the fall must be two points. Tokens are not saved,
-- they become cheaper: USD assumes the usual ratios of list prices (cached 0.1, output 5 times input).
with

stretch as (
    select
        max(created_at) - 9676800000 as start_ms,
        max(created_at) - 2419200000 as recent_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
),

requests as (
    select
        steps_history.*,
        started_at >= recent_ms as is_recent,
        input_tokens + 0.1 * cache_read_tokens + 1.25 * cache_write_tokens + 5 * (output_tokens + reasoning_tokens)
        as weighted_tokens,
    from steps_history inner join stretch on started_at between start_ms and end_ms
    where context_tokens > 0 and not is_error
),

per_session as (
    select
        model,
        is_recent,
        session_id,
        count(*) as request_count,
        cast(sum(cache_read_tokens) as double) as cached,
        cast(sum(context_tokens) as double) as context,
        sum(cost_usd order by step_id) as cost_usd,
        sum(weighted_tokens order by step_id) as weighted_tokens,
    from requests
    group by model, is_recent, session_id
),

ratios as (
    select *, sum(cached) over side / sum(context) over side as ratio,
    from per_session
    window side as (partition by model, is_recent)
),

sides as (
    select
        model,
        is_recent,
        count(*) as session_count,
        cast(sum(request_count) as bigint) as request_count,
        min(ratio) as ratio,
        sum(context) as context,
        1e0 * count(*) / (count(*) - 1)
        * sum(power(cached - ratio * context, 2) order by session_id) / power(sum(context), 2) as variance,
        sum(cost_usd order by session_id) / nullif(sum(weighted_tokens order by session_id), 0) as input_usd,
    from ratios
    group by model, is_recent
    having count(*) >= 5 and sum(request_count) >= 30
),

compared as (
    select
        recent.*,
        earlier.ratio as ratio_before,
        earlier.session_count as session_count_before,
        earlier.ratio - recent.ratio as fall,
        sqrt(recent.variance + earlier.variance) as standard_error,
    from sides as recent
    inner join sides as earlier
        on recent.model = earlier.model and recent.is_recent and not earlier.is_recent
    where recent.variance + earlier.variance > 0
),

scored as (
    select *, exp(-0.717 * abs(fall) / standard_error - 0.416 * power(fall / standard_error, 2)) as p_value,
    from compared
),

ranked as (
    select *, p_value * count(*) over () / row_number() over (order by p_value, model) as scaled_p from scored
),

tested as (
    select *, least(1.0, min(scaled_p) over (order by p_value desc, model desc)) as q_value from ranked
),

final as (
    select *, fall - 1.959964 * standard_error as ci_low, fall + 1.959964 * standard_error as ci_high,
        0.9 * context / 4 * nullif(input_usd, 0) as full_saving_usd,
    from tested
    where fall >= 0.02 and q_value <= 0.05
)

select
    case when fall >= 0.2 then 'high' else 'medium' end as severity,
    model as subject,
    'In the last four weeks ' || model || ' read ' || percent(ratio)
    || ' % of its context from the cache, against ' || percent(ratio_before)
    || ' % in the twelve before.' as sentence,
    'See what changed at the start of requests: instructions, tools, skills; or whether pauses grew.' as action,
    'by_model' as metric,
    grouped(request_count) || ' requests in ' || grouped(session_count) || ' sessions against '
    || grouped(session_count_before) || ' sessions; fall of ' || percent(ci_low) || ' to ' || percent(ci_high)
    || ' points (95 %, by session)' as evidence,
    session_count + session_count_before as n, ci_low, ci_high,
    0e0 as saved_tokens_per_week,
    fall * full_saving_usd as saved_usd_per_week,
    greatest(0, ci_low) * full_saving_usd as saved_usd_low,
    ci_high * full_saving_usd as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
order by saved_usd_per_week desc nulls last, subject
