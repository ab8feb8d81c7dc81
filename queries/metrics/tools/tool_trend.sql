-- metric:    tool_trend
-- title:     Tool use by week
-- grain:     one row per (week, tool_name)
-- units:     call_count=count, error_count=count, error_ratio=ratio, ci_low=ratio, ci_high=ratio, p50_ms=ms, p95_ms=ms, output_chars=chars
-- sources:   tool_calls_history, run
-- evidence:  observed
-- better:    neutral
-- chart:     line x=week y=call_count by=tool_name
--
-- How the use of each tool moves, over all history up to the period's end and not only in the period. Weeks are ISO
-- weeks in the user's time zone; a week in which a tool was not called is there with 0 calls and an unknown error
-- ratio. A week that is not over is marked: its counts are low because it is young.
with

dated_calls as (
    select
        tool_name,
        cast(date_trunc('week', local_date) as date) as monday,
        is_error,
        duration_ms,
        output_chars,
    from tool_calls_history
    where local_date is not null
),

bounds as (
    select
        min(monday) as first_monday,
        max(monday) as last_monday,
    from dated_calls
),

mondays as (
    select cast(unnest(generate_series(first_monday, last_monday, interval 7 day)) as date) as monday
    from bounds
),

tools as (
    select distinct tool_name from dated_calls
),

week_end as (
    select local_date(least(coalesce(until_ms, now_ms), now_ms)) as end_date from run
),

final as (
    select
        strftime(mondays.monday, '%G-W%V') as week,
        tools.tool_name,
        count(dated_calls.tool_name) as call_count,
        count(*) filter (where dated_calls.is_error) as error_count,
        cast(count(*) filter (where dated_calls.is_error) as double)
        / nullif(count(dated_calls.tool_name), 0) as error_ratio,
        wilson_low(count(*) filter (where dated_calls.is_error), count(dated_calls.tool_name)) as ci_low,
        wilson_high(count(*) filter (where dated_calls.is_error), count(dated_calls.tool_name)) as ci_high,
        quantile_cont(dated_calls.duration_ms, 0.5) as p50_ms,
        quantile_cont(dated_calls.duration_ms, 0.95) as p95_ms,
        cast(coalesce(sum(dated_calls.output_chars), 0) as bigint) as output_chars,
        mondays.monday + interval 7 day > min(week_end.end_date) as is_unfinished,
    from mondays
    cross join tools
    cross join week_end
    left join dated_calls
        on mondays.monday = dated_calls.monday
        and tools.tool_name = dated_calls.tool_name
    group by mondays.monday, tools.tool_name
)

select * from final
order by week, tool_name
