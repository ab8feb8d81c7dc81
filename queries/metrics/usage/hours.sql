-- metric:    hours
-- title:     Use by weekday and hour
-- grain:     one row per (weekday, hour)
-- units:     weekday=name, hour=name, message_count=count, prompt_count=count, session_count=count, cost_usd=usd, total_tokens=tokens, active_day_count=count
-- sources:   messages
-- evidence:  observed
-- better:    neutral
-- chart:     heat x=hour y=weekday by=message_count
--
-- When the agents work, in the user's time zone; weekday 1 is Monday. All 168 cells are present as soon as there is
-- one message, so that an empty cell says 0 and not nothing. Prompts show when people worked, messages when agents
-- did: a long run at night has few prompts. An hour that a change of clocks repeats counts once with what both held.
with

timed_messages as (
    select
        local_weekday as weekday,
        local_hour as hour,
        local_date,
        session_id,
        is_prompt,
        cost_usd,
        total_tokens,
    from messages
    where local_date is not null
),

weekdays as (
    select unnest(range(1, 8)) as weekday
),

hours as (
    select unnest(range(0, 24)) as hour
),

cells as (
    select
        cast(weekday as integer) as weekday,
        cast(hour as integer) as hour,
    from weekdays
    cross join hours
    where exists (select 1 from timed_messages)
),

final as (
    select
        cells.weekday,
        cells.hour,
        count(timed_messages.session_id) as message_count,
        count(*) filter (where is_prompt) as prompt_count,
        count(distinct session_id) as session_count,
        coalesce(sum(cast(round(cost_usd * 1e9) as bigint)), 0) / 1e9 as cost_usd,
        cast(coalesce(sum(total_tokens), 0) as bigint) as total_tokens,
        count(distinct local_date) as active_day_count,
    from cells
    left join timed_messages
        on cells.weekday = timed_messages.weekday
        and cells.hour = timed_messages.hour
    group by cells.weekday, cells.hour
)

select * from final
order by weekday, hour
