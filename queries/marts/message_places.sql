-- mart: message_places
-- grain: one row per message, v2 markers (role NULL) included
-- sources: stg_messages, mart_session_places, mart_fork_copies
-- time: none
-- reach: session
-- stored: no
--
-- Where a message stands: its order in the session, its turn, whether it is a fork's copy and whether it was undone. A
-- turn starts at a prompt that a person wrote (in a child session: the task that the parent gave) and holds everything
-- until the next one; turn_id is that prompt's id, NULL before the first. While a revert is pending, its message and
-- all after it are undone; a revert to a part leaves the message itself standing and undoes its later parts. Undone is
-- also a message that is gone from a session which is still there. Numbers
-- count through all sessions, ordered by session, and stand for the ids in marts that sort and join many rows.
-- Columns: message_id, session_id, message_index (1 …), turn_id, turn_index (1 …; 0 before the first prompt),
-- is_fork_copy, record_message_id, record_session_id, is_undone, last_seen_at, revert_part_id (only at the message in
-- which a revert to a part stands), session_number, message_number, turn_number.
with messages as (
    select * from stg_messages
),

session_places as (
    select * from mart_session_places
),

fork_copies as (
    select * from mart_fork_copies
),

session_numbers as (
    select
        session_id,
        row_number() over (order by session_id) as session_number,
    from messages
    group by session_id
),

ordered as (
    select
        messages.message_id,
        messages.session_id,
        session_numbers.session_number,
        row_number() over (
            order by
                session_numbers.session_number, messages.sequence_number, messages.created_at, messages.message_id
        ) as message_number,
        messages.is_prompt,
        session_places.revert_message_id,
        session_places.revert_part_id,
        messages.last_seen_at,
        messages.last_seen_at is not null and session_places.session_id is not null
            and session_places.last_seen_at is null as is_removed,
    from messages
    left join session_places
        on messages.session_id = session_places.session_id
    inner join session_numbers
        on messages.session_id is not distinct from session_numbers.session_id
),

placed as (
    select
        message_id,
        session_id,
        session_number,
        message_number,
        revert_message_id,
        revert_part_id,
        last_seen_at,
        is_removed,
        row_number() over up_to_here as message_index,
        max(case when is_prompt then message_number end) over up_to_here as prompt_number,
        count(case when is_prompt then 1 end) over up_to_here as turn_index,
        count(case when message_id = revert_message_id then 1 end) over up_to_here > 0 as is_after_revert,
    from ordered
    window up_to_here as (
        partition by session_number
        order by message_number
        rows between unbounded preceding and current row
    )
),

prompts as (
    select
        message_number as prompt_number,
        message_id as turn_id,
    from ordered
    where is_prompt
),

final as (
    select
        placed.message_id,
        placed.session_id,
        placed.message_index,
        prompts.turn_id,
        placed.turn_index,
        coalesce(fork_copies.is_fork_copy, false) as is_fork_copy,
        coalesce(fork_copies.record_message_id, placed.message_id) as record_message_id,
        coalesce(fork_copies.record_session_id, placed.session_id) as record_session_id,
        (placed.is_after_revert and (placed.message_id <> placed.revert_message_id or placed.revert_part_id is null))
            or placed.is_removed as is_undone,
        placed.last_seen_at,
        case when placed.message_id = placed.revert_message_id then placed.revert_part_id end as revert_part_id,
        placed.session_number,
        placed.message_number,
        placed.session_number * 1000000 + placed.turn_index as turn_number,
    from placed
    left join prompts
        on placed.prompt_number = prompts.prompt_number
    left join fork_copies
        on placed.message_id = fork_copies.message_id
)

select * from final
