-- mart: message_places
-- grain: one row per message, v2 markers (role NULL) included
-- sources: stg_messages, mart_session_places, mart_fork_copies
-- time: none
--
-- Where a message stands: its order in the session, its turn, whether it is a fork's copy and whether it was undone. A
-- turn starts at a prompt that a person wrote (in a child session: the task that the parent gave) and holds everything
-- until the next one; turn_id is that prompt's id, NULL before the first. While a revert is pending, its message and
-- all after it are undone; a revert to a part leaves the message itself standing and undoes its later parts.
-- Columns: message_id, session_id, message_index (1 …), turn_id, turn_index (1 …; 0 before the first prompt),
-- is_fork_copy, record_message_id, record_session_id, is_undone, revert_part_id (only at the message in which a revert
-- to a part stands).
with messages as (
    select * from stg_messages
),

session_places as (
    select * from mart_session_places
),

fork_copies as (
    select * from mart_fork_copies
),

ordered as (
    select
        messages.message_id,
        messages.session_id,
        row_number() over in_session as message_index,
        case when messages.is_prompt then messages.message_id end as prompt_id,
        coalesce(messages.message_id = session_places.revert_message_id, false) as is_revert_point,
        case
            when messages.message_id = session_places.revert_message_id then session_places.revert_part_id
        end as revert_part_id,
    from messages
    left join session_places
        on messages.session_id = session_places.session_id
    window in_session as (
        partition by messages.session_id
        order by messages.sequence_number, messages.created_at, messages.message_id
    )
),

placed as (
    select
        *,
        last_value(prompt_id ignore nulls) over up_to_here as turn_id,
        count(prompt_id) over up_to_here as turn_index,
        count(case when is_revert_point then 1 end) over up_to_here > 0 as is_after_revert,
    from ordered
    window up_to_here as (
        partition by session_id
        order by message_index
        rows between unbounded preceding and current row
    )
),

final as (
    select
        placed.message_id,
        placed.session_id,
        placed.message_index,
        placed.turn_id,
        placed.turn_index,
        coalesce(fork_copies.is_fork_copy, false) as is_fork_copy,
        coalesce(fork_copies.record_message_id, placed.message_id) as record_message_id,
        coalesce(fork_copies.record_session_id, placed.session_id) as record_session_id,
        placed.is_after_revert and placed.revert_part_id is null as is_undone,
        placed.revert_part_id,
    from placed
    left join fork_copies
        on placed.message_id = fork_copies.message_id
)

select * from final
order by session_id, message_index
