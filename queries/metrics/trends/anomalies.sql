-- metric:    anomalies
-- title:     Days that stand out
-- grain:     one row per (date, series)
-- units:     value=score, usual=score, usual_low=score, usual_high=score, robust_z=score, q_value=score, n=count, history_days=count
-- sources:   messages_history, turns_history, tool_calls_history, edit_attempts_history, skill_loads_history, run
-- evidence:  estimated
-- better:    neutral
-- chart:     none
-- engine:    polars
--
-- Finished days of the period on which a key series lay far from the 28 observed days before (at least 14): robust z
-- by median and MAD (Iglewicz and Hoaglin 1993), of the logarithm of amounts and the arcsine of ratios, with a p-value
-- by Student's t and Benjamini-Hochberg over the days of a series (5 %). A ratio needs five attempts on the day (n)
-- and is given the spread that chance alone would give it. usual_low to usual_high is where 95 % of days would lie.
-- Weekdays are not told apart: where a week has a rhythm, a working Sunday may stand out.
with

message_days as (
    select
        local_date as date,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(total_tokens) as double) as tokens,
        cast(sum(cache_read_tokens) filter (where context_tokens is not null) as double) as cache_tokens,
        cast(sum(context_tokens) as double) as context_tokens,
        count(*) as answers,
    from messages_history
    where role = 'assistant'
    group by local_date
),

turn_days as (
    select local_date as date, cast(count(*) as double) as turns
    from turns_history
    group by local_date
),

call_days as (
    select
        local_date as date,
        cast(count(*) filter (where is_error) as double) as errors,
        cast(count(*) as double) as calls,
    from tool_calls_history
    group by local_date
),

edit_days as (
    select
        local_date as date,
        cast(count(*) filter (where is_applied) as double) as applied,
        cast(count(*) as double) as attempts,
    from edit_attempts_history
    where is_attempt
    group by local_date
),

skill_days as (
    select local_date as date, cast(count(*) as double) as loads
    from skill_loads_history
    where is_load and via = 'skill_tool'
    group by local_date
),

days as (
    select date, 'cost_usd' as series, 'amount' as kind, cost_usd as numerator, 1e0 as denominator from message_days
    where cost_usd > 0
    union all
    select date, 'tokens_per_turn', 'amount', tokens, turns from message_days inner join turn_days using (date)
    where tokens > 0
    union all
    select date, 'cache_hit_ratio', 'share', cache_tokens, context_tokens from message_days
    where context_tokens > 0 and answers >= 5
    union all
    select date, 'tool_error_ratio', 'ratio', errors, calls from call_days
    union all
    select date, 'edit_success_ratio', 'ratio', applied, attempts from edit_days
    union all
    select date, 'skill_loads', 'count', coalesce(loads, 0), 1e0 from turn_days left join skill_days using (date)
),

final as (
    select days.*, is_all or local_date(coalesce(since_ms, 0)) <= date as is_in_period,
    from days cross join run
    where date < local_date(now_ms)
)

select * from final
order by series, date
