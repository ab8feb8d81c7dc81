-- finding:  unknown_skill
-- title:    Skills asked for again and again that are not there
-- sources:  messages, messages_history, skill_loads_history, tool_calls_history, skills, run
-- evidence: observed
-- grain:    one row per skill_name asked for at least five times, and one for all others together
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Names that agents asked for and did not get in the last four weeks or a longer period (at most 13 weeks), and at
-- least once in the period. Names asked for less than five times, but more than once, stand together in one row. A
-- name that is installed by now where it was asked for is left out. What the asks cost is their shares of their
-- requests; the interval is that of their share of all asks for skills.
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

asks as (
    select
        skill_loads_history.*,
        status = 'error' and (
            lower(error_message) like '%not found%'
            or lower(error_message) like 'unable to load skill%'
            or lower(error_message) like '%is an agent, not a skill%'
        ) as is_unknown,
        stretch.still_ms,
        stretch.weeks,
    from skill_loads_history
    inner join stretch
        on skill_loads_history.loaded_at between stretch.start_ms and stretch.end_ms
    where skill_loads_history.via = 'skill_tool' and skill_loads_history.skill_name is not null
),

totals as (
    select count(*) as all_ask_count from asks
),

missing_asks as (
    select
        asks.*,
        tool_calls_history.step_share_tokens,
        tool_calls_history.step_share_cost_usd,
    from asks
    left join tool_calls_history
        on asks.part_id = tool_calls_history.part_id
    where asks.is_unknown
        and not exists (
            select 1 from skills
            where skills.is_usable
                and skills.skill_name = asks.skill_name
                and (skills.project_id is null or skills.project_id = asks.project_id)
        )
),

per_name as (
    select
        skill_name,
        count(*) as ask_count,
        count(distinct session_id) as session_count,
        cast(coalesce(sum(step_share_tokens), 0) as bigint) as tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        min(weeks) as weeks,
    from missing_asks
    group by skill_name
    having count(*) >= 2 and max(loaded_at) >= min(still_ms)
),

grouped as (
    select
        case when ask_count >= 5 then skill_name end as single_name,
        count(*) as name_count,
        string_agg(skill_name || ' (' || grouped(ask_count) || ')', ', ' order by ask_count desc, skill_name) as names,
        cast(sum(ask_count) as bigint) as ask_count,
        cast(max(session_count) as bigint) as session_count,
        cast(sum(tokens) as bigint) as tokens,
        nullif(sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9, 0) as cost_usd,
        min(weeks) as weeks,
    from per_name
    group by case when ask_count >= 5 then skill_name end
    having sum(ask_count) >= 5
)

select
    case when ask_count / weeks >= 5 then 'medium' else 'low' end as severity,
    coalesce(single_name, name_count || ' unknown skills') as subject,
    case
        when single_name is not null then
            'The skill ' || single_name || ' was asked for ' || grouped(ask_count) || ' times in '
            || grouped(session_count) || ' sessions, but there is none of that name.'
        else 'Skills that are not there were asked for ' || grouped(ask_count) || ' times: ' || names || '.'
    end as sentence,
    'Write the skill, or give an installed one that name or a description that leads to it.' as action,
    'skill_unknown' as metric,
    grouped(ask_count) || ' of ' || grouped(all_ask_count) || ' asks for skills in ' || cast(round(7 * weeks) as bigint)
    || ' days; ' || percent(wilson_low(ask_count, all_ask_count)) || ' to '
    || percent(wilson_high(ask_count, all_ask_count)) || ' % of them (95 %)' as evidence,
    ask_count as n,
    wilson_low(ask_count, all_ask_count) as ci_low,
    wilson_high(ask_count, all_ask_count) as ci_high,
    tokens / weeks as saved_tokens_per_week,
    cost_usd / weeks as saved_usd_per_week,
    cost_usd / weeks * wilson_low(ask_count, all_ask_count) * all_ask_count / ask_count as saved_usd_low,
    cost_usd / weeks * wilson_high(ask_count, all_ask_count) * all_ask_count / ask_count as saved_usd_high,
    'observed' as confidence,
from grouped
cross join totals
order by saved_tokens_per_week desc, subject
