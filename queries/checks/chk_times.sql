-- check:   chk_times
-- title:   Nothing ends before it starts, and nothing lies in the future
-- sources: raw_session, raw_message, raw_part, run
--
-- A clock that was set back, an import or a broken row gives times that run backwards, are missing, or lie after now.
-- Such an end is taken as unknown, so durations are not bent; a row without a usable time is in no period but --all.
-- One day is allowed for clocks that are ahead.
with

intervals as (
    select 'session' as kind, id, time_created as started_at, time_updated as ended_at, true as is_dated
    from raw_session
    union all
    select 'message' as kind, id, created_at as started_at, completed_at as ended_at, role is not null as is_dated
    from raw_message
    union all
    select 'part' as kind, id, started_at, ended_at, false as is_dated
    from raw_part
),

judged as (
    select
        intervals.*,
        case
            when ended_at < started_at then 'ends before it starts'
            when started_at is null and is_dated then 'has no time'
            when started_at not between 1000000000000 and 4102444800000 then 'has a time outside 2001 to 2100'
            when started_at > run.now_ms + 86400000 then 'lies in the future'
        end as problem,
    from intervals
    cross join run
),

final as (
    select
        'times' as rule,
        id as subject,
        kind || ' ' || problem || ': start ' || coalesce(cast(started_at as varchar), 'unknown')
        || ', end ' || coalesce(cast(ended_at as varchar), 'unknown') as detail,
    from judged
    where problem is not null
)

select * from final
order by rule, subject, detail
