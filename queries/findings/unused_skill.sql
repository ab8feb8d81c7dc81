-- finding:  unused_skill
-- title:    Unused skills that cost context
-- sources:  messages, messages_history, steps_history, skill_loads_history, skills, run
-- evidence: estimated
-- grain:    one row per installed skill (path)
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Every request carries the name and description of every listed skill. Here are those that were not used in any way
-- in the last four weeks or a longer period (at most 13 weeks), though at least five sessions listed them. n is those
-- sessions, the interval the share of sessions that may use it all the same. Tokens are characters / 4; USD assumes
-- the usual ratios of list prices (cached 0.1, cache write 1.25, output 5 times input), low if always read from the
-- cache. A skill for rare cases may be worth its price.
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

installed as (
    select * from skills where is_listed and skill_name <> 'customize-opencode'
),

steps as (
    select
        project_id, directory, session_id, step_id, context_tokens,
        input_tokens + 0.1 * cache_read_tokens + 1.25 * cache_write_tokens as weighted_context,
        cost_usd / nullif(input_tokens + 0.1 * cache_read_tokens + 1.25 * cache_write_tokens
            + 5 * (output_tokens + reasoning_tokens), 0) as token_usd,
    from steps_history inner join stretch on started_at between start_ms and end_ms
),

places as (
    select
        project_id, directory, session_id,
        count(*) as request_count,
        sum(token_usd order by step_id) as input_usd,
        sum(token_usd * weighted_context / nullif(context_tokens, 0) order by step_id) as context_usd,
    from steps
    group by project_id, directory, session_id
),

listings as (
    select
        installed.path, installed.project_id,
        count(*) as session_count,
        cast(sum(places.request_count) as bigint) as request_count,
        nullif(sum(places.input_usd order by session_id), 0) as input_usd,
        nullif(sum(places.context_usd order by session_id), 0) as context_usd,
    from installed
    inner join places
        on (installed.project_id is null or installed.project_id = places.project_id)
        and (
            installed.project_id is distinct from 'global'
            or installed.directory is null
            or places.directory = installed.directory
            or starts_with(places.directory, installed.directory || '/')
        )
    group by installed.path, installed.project_id
),

used as (
    select distinct skill_loads_history.skill_name, skill_loads_history.project_id
    from skill_loads_history inner join stretch on loaded_at between start_ms and end_ms
    where skill_loads_history.is_load
),

final as (
    select
        installed.skill_name,
        installed.listing_tokens,
        installed.listing_tokens * listings.request_count as listed_tokens,
        listings.*,
        stretch.weeks,
    from installed
    inner join listings
        on installed.path = listings.path
        and installed.project_id is not distinct from listings.project_id
    cross join stretch
    where listings.session_count >= 5
        and not exists (
            select 1 from used
            where used.skill_name = installed.skill_name
                and (installed.project_id is null or installed.project_id = used.project_id)
        )
)

select
    case when listed_tokens / weeks >= 1e6 then 'medium' when listed_tokens / weeks >= 1000 then 'low' else 'info' end
    as severity,
    skill_name as subject,
    'The skill ' || skill_name || ' was listed in ' || grouped(session_count) || ' sessions over '
    || cast(round(7 * weeks) as bigint) || ' days and never used; listing it took about '
    || grouped(listed_tokens / weeks) || ' tokens a week.' as sentence,
    'Remove or hide it, or write a description that says when to use it: ' || path as action,
    'skill_unused' as metric,
    '0 uses in ' || grouped(session_count) || ' sessions with ' || grouped(request_count) || ' requests of about '
    || grouped(listing_tokens) || ' tokens each; share of sessions that use it: 0 to '
    || percent(wilson_high(0, session_count)) || ' % (95 %)' as evidence,
    cast(session_count as bigint) as n,
    0e0 as ci_low,
    wilson_high(0, session_count) as ci_high,
    listed_tokens / weeks as saved_tokens_per_week,
    listing_tokens * context_usd / weeks as saved_usd_per_week,
    listing_tokens * input_usd * 0.1 / weeks as saved_usd_low,
    listing_tokens * input_usd / weeks as saved_usd_high,
    'estimated' as confidence,
from final
order by saved_tokens_per_week desc, subject, path
