-- mart: session_activity
-- grain: one row per session with messages of its own
-- sources: mart_messages, mart_part_places
-- time: none
--
-- When a session was at work. Each start and end of a message and each end of a part is a sign of life; the time
-- between two signs counts as active unless it is longer than 10 minutes. A fork's copies tell of the original's time
-- and do not count.
-- Columns: session_id, first_at, last_at, active_ms.
with messages as (
    select * from mart_messages where not is_fork_copy
),

part_places as (
    select * from mart_part_places where not is_fork_copy and ended_at is not null
),

signs as (
    select session_id, created_at as sign_at from messages
    union all
    select session_id, completed_at as sign_at from messages
    union all
    select session_id, ended_at as sign_at from part_places
),

gaps as (
    select
        session_id,
        sign_at,
        sign_at - lag(sign_at) over (partition by session_id order by sign_at) as gap_ms,
    from signs
    where sign_at is not null
),

final as (
    select
        session_id,
        min(sign_at) as first_at,
        max(sign_at) as last_at,
        cast(sum(case when gap_ms <= 600000 then gap_ms else 0 end) as bigint) as active_ms,
    from gaps
    group by session_id
)

select * from final
order by session_id
