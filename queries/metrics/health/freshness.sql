-- metric:    freshness
-- title:     Freshness
-- grain:     one row per source
-- units:     session_count=count, message_count=count, part_count=count, quarantined_count=count, first_message_at=at, last_message_at=at, last_part_at=at, last_session_change_at=at, age_ms=ms, undated_message_count=count, future_message_count=count
-- sources:   stg_sessions, stg_messages, stg_parts, stg_quarantine, run
-- evidence:  observed
-- better:    neutral
-- chart:     none
--
-- How old the newest thing of each source is, whatever the period. age_ms is the time from its last sign of life
-- (message, part or change of a session) to the run's now; a report on a period that ends later than that shows less
-- than there may be. Messages without a usable time are in no period but --all; those from the future (more than a
-- day after now) come from a clock that was wrong.
with

signs as (
    select
        source, 'session' as kind, updated_at as sign_at, null as message_at, false as is_undated
    from stg_sessions
    union all
    select
        source, 'message', coalesce(completed_at, created_at), created_at, created_at is null
    from stg_messages
    where role is not null
    union all
    select source, 'part', coalesce(ended_at, started_at), null, false
    from stg_parts
    union all
    select source, 'quarantined', null, null, false
    from stg_quarantine
),

final as (
    select
        coalesce(signs.source, 'unknown') as source,
        count(*) filter (where kind = 'session') as session_count,
        count(*) filter (where kind = 'message') as message_count,
        count(*) filter (where kind = 'part') as part_count,
        count(*) filter (where kind = 'quarantined') as quarantined_count,
        min(message_at) as first_message_at,
        max(message_at) as last_message_at,
        max(sign_at) filter (where kind = 'part') as last_part_at,
        max(sign_at) filter (where kind = 'session') as last_session_change_at,
        greatest(0, min(run.now_ms) - max(sign_at)) as age_ms,
        count(*) filter (where is_undated) as undated_message_count,
        count(*) filter (where message_at > run.now_ms + 86400000) as future_message_count,
    from signs
    cross join run
    group by coalesce(signs.source, 'unknown')
)

select * from final
order by source
