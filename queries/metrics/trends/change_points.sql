-- metric:    change_points
-- title:     When a series moved
-- grain:     one row per (series, date)
-- units:     before=score, after=score, confidence=score, n_before=count, n_after=count
-- sources:   messages_history, turns_history, tool_calls_history, edit_attempts_history, skill_loads_history, run
-- evidence:  estimated
-- better:    neutral
-- chart:     none
-- engine:    polars
--
-- On which day a key series moved, from what to what, and how sure that is; over all history up to the period's end.
-- Binary segmentation by likelihood ratio (Scott and Knott 1974; Vostrikova 1981): binomial for ratios of calls,
-- normal for the share of the cache, log-normal for amounts. Each split must stand out among 1,999 random orders of
-- its days (Matteson and James 2014) at 1 %, halved with each split above it; confidence is 1 - p. A series needs 14
-- observed finished days, each side five. The date, the first observed day of the new level, is the one within two days
-- of which the change most probably lies (Smith 1975), by comparing edits of one model and format and calls of one tool
-- (Cochran-Mantel-Haenszel), unless their mix is what changed. Levels are pooled ratios, else median days; n is attempts,
-- else days. Days that hang together, or a drift, may pass for a change; the cause is not known.
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
        tool_name as stratum,
        cast(count(*) filter (where is_error) as double) as errors,
        cast(count(*) as double) as calls,
    from tool_calls_history
    group by local_date, tool_name
),

edit_days as (
    select
        local_date as date,
        concat_ws(' ', model, format) as stratum,
        cast(count(*) filter (where is_applied) as double) as applied,
        cast(count(*) as double) as attempts,
    from edit_attempts_history
    where is_attempt
    group by local_date, concat_ws(' ', model, format)
),

skill_days as (
    select local_date as date, cast(count(*) as double) as loads
    from skill_loads_history
    where is_load and via = 'skill_tool'
    group by local_date
),

days as (
    select
        date, 'cost_usd' as series, 'amount' as kind, '' as stratum, cost_usd as numerator, 1e0 as denominator,
    from message_days
    where cost_usd > 0
    union all
    select date, 'tokens_per_turn', 'amount', '', tokens, turns from message_days inner join turn_days using (date)
    where tokens > 0
    union all
    select date, 'cache_hit_ratio', 'share', '', cache_tokens, context_tokens from message_days
    where context_tokens > 0 and answers >= 5
    union all
    select date, 'tool_error_ratio', 'ratio', coalesce(stratum, ''), errors, calls from call_days
    union all
    select date, 'edit_success_ratio', 'ratio', stratum, applied, attempts from edit_days
    union all
    select date, 'skill_loads', 'count', '', coalesce(loads, 0), 1e0 from turn_days left join skill_days using (date)
),

final as (
    select days.* from days inner join run on days.date < local_date(now_ms)
)

select * from final
order by series, date, stratum
