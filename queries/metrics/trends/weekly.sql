-- metric:    weekly
-- title:     Key series by week
-- grain:     one row per (week, series)
-- units:     value=score, previous=score, change_ratio=ratio, robust_z=score
-- sources:   messages_history, sessions_history, turns_history, tool_calls_history, edit_attempts_history, skill_loads_history, run
-- evidence:  derived
-- better:    neutral
-- chart:     line x=week y=value by=series
-- engine:    polars
--
-- The key series, week by week over all history up to the period's end, each with the week before, the change, and
-- how far it lies from the median of the others (robust_z). ISO weeks in the user's time zone, none left out: one
-- without work is 0 for counts and unknown for ratios. A week that is not over is marked. Units go by the series'
-- name.
with

message_weeks as (
    select
        cast(date_trunc('week', local_date) as date) as monday,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(total_tokens) as double) as tokens,
        cast(sum(output_tokens) as double) as output_tokens,
        count(distinct session_id) as sessions,
        cast(sum(cache_read_tokens) filter (where context_tokens is not null) as double)
        / nullif(sum(context_tokens), 0) as cache_hit_ratio,
        cast(count(*) filter (where is_error) as double)
        / nullif(count(*) filter (where role = 'assistant'), 0) as failed_answer_ratio,
    from messages_history
    where local_date is not null
    group by cast(date_trunc('week', local_date) as date)
),

session_weeks as (
    select
        cast(date_trunc('week', local_date) as date) as monday,
        sum(active_ms) / 3600000.0 as active_hours,
    from sessions_history
    where local_date is not null and not is_child
    group by cast(date_trunc('week', local_date) as date)
),

turn_weeks as (
    select cast(date_trunc('week', local_date) as date) as monday, count(*) as turns
    from turns_history
    where local_date is not null and not is_child
    group by cast(date_trunc('week', local_date) as date)
),

call_weeks as (
    select
        cast(date_trunc('week', local_date) as date) as monday,
        count(*) as tool_calls,
        cast(count(*) filter (where is_error) as double) / count(*) as tool_error_ratio,
    from tool_calls_history
    where local_date is not null
    group by cast(date_trunc('week', local_date) as date)
),

edit_weeks as (
    select
        cast(date_trunc('week', local_date) as date) as monday,
        count(*) as edit_attempts,
        cast(count(*) filter (where is_applied) as double) / count(*) as edit_success_ratio,
    from edit_attempts_history
    where local_date is not null and is_attempt
    group by cast(date_trunc('week', local_date) as date)
),

skill_weeks as (
    select
        cast(date_trunc('week', local_date) as date) as monday,
        count(*) filter (where via = 'skill_tool') as skill_loads,
        count(distinct skill_name) as skills_used,
    from skill_loads_history
    where local_date is not null and is_load
    group by cast(date_trunc('week', local_date) as date)
),

mondays as (
    select cast(unnest(generate_series(min(monday), max(monday), interval 7 day)) as date) as monday from message_weeks
),

weeks as (
    select
        monday, strftime(monday, '%G-W%V') as week,
        monday + interval 7 day > local_date(least(coalesce(until_ms, now_ms), now_ms)) as is_unfinished,
    from mondays cross join run
),

wide as (
    select * from weeks
    left join message_weeks using (monday)
    left join session_weeks using (monday)
    left join turn_weeks using (monday)
    left join call_weeks using (monday)
    left join edit_weeks using (monday)
    left join skill_weeks using (monday)
),

final as (
    select week, 'cost_usd' as series, cast(coalesce(cost_usd, 0) as double) as value, is_unfinished from wide
    union all select week, 'tokens', coalesce(tokens, 0), is_unfinished from wide
    union all select week, 'output_tokens', coalesce(output_tokens, 0), is_unfinished from wide
    union all select week, 'sessions', coalesce(sessions, 0), is_unfinished from wide
    union all select week, 'turns', coalesce(turns, 0), is_unfinished from wide
    union all select week, 'active_hours', coalesce(active_hours, 0), is_unfinished from wide
    union all select week, 'tool_calls', coalesce(tool_calls, 0), is_unfinished from wide
    union all select week, 'edit_attempts', coalesce(edit_attempts, 0), is_unfinished from wide
    union all select week, 'skill_loads', coalesce(skill_loads, 0), is_unfinished from wide
    union all select week, 'skills_used', coalesce(skills_used, 0), is_unfinished from wide
    union all select week, 'cost_per_turn_usd', cost_usd / turns, is_unfinished from wide
    union all select week, 'cache_hit_ratio', cache_hit_ratio, is_unfinished from wide
    union all select week, 'tool_error_ratio', tool_error_ratio, is_unfinished from wide
    union all select week, 'failed_answer_ratio', failed_answer_ratio, is_unfinished from wide
    union all select week, 'edit_success_ratio', edit_success_ratio, is_unfinished from wide
)

select * from final
order by series, week
