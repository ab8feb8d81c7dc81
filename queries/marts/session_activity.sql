-- mart: session_activity
-- grain: one row per session with messages of its own
-- sources: mart_messages, mart_message_places, mart_part_numbers
-- time: none
-- reach: session
-- stored: no
--
-- When a session was at work. Each start and end of a message and each end of a part is a sign of life; the time
-- between two signs counts as active unless it is longer than 10 minutes. A fork's copies tell of the original's time
-- and do not count.
-- Columns: session_id, first_at, last_at, active_ms.
with messages as (
    select * from mart_messages where not is_fork_copy
),

message_places as (
    select * from mart_message_places
),

numbered as (
    select
        message_places.session_number,
        messages.session_id,
        messages.created_at,
        messages.completed_at,
    from messages
    inner join message_places
        on messages.message_id = message_places.message_id
),

signs as (
    select session_number, created_at as sign_at from numbered
    union all
    select session_number, completed_at as sign_at from numbered
    union all
    select session_number, ended_at as sign_at from mart_part_numbers where not is_fork_copy
),

moments as (
    select session_number, sign_at from signs where sign_at is not null group by session_number, sign_at
),

gaps as (
    select
        session_number,
        sign_at,
        sign_at - lag(sign_at) over (partition by session_number order by sign_at) as gap_ms,
    from moments
),

sessions as (
    select session_number, session_id from message_places group by session_number, session_id
),

sums as (
    select
        session_number,
        min(sign_at) as first_at,
        max(sign_at) as last_at,
        cast(sum(case when gap_ms <= 600000 then gap_ms else 0 end) as bigint) as active_ms,
    from gaps
    group by session_number
),

final as (
    select
        sessions.session_id,
        sums.first_at,
        sums.last_at,
        sums.active_ms,
    from sums
    inner join sessions
        on sums.session_number = sessions.session_number
)

select * from final
