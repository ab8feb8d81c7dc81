-- mart: part_places
-- grain: one row per part
-- sources: stg_parts, mart_message_places, mart_part_numbers
-- time: none
-- reach: session
-- stored: no
--
-- Where a part stands: its order in the session, its turn, its message's marks, and the skill window it falls into, by
-- ids (`part_numbers` says how they come about, and serves marts that join many rows). The id of a window is the part id
-- of the first load of its bundle; a part may lie in one window of full loads and in one of weak loads.
-- Columns: part_id, message_id, session_id, part_index (order in the session), turn_id, turn_index, message_index,
-- is_fork_copy, is_undone, is_load (completed), is_weak_load, window_id, weak_window_id, ended_at (last known time).
with parts as (
    select part_id, message_id, session_id from stg_parts
),

part_numbers as (
    select * from mart_part_numbers
),

message_places as (
    select * from mart_message_places
),

openings as (
    select
        part_number as window_number,
        part_id as window_id,
    from part_numbers
    where is_load
),

first_parts as (
    select
        session_number,
        min(part_number) as first_part_number,
    from part_numbers
    group by session_number
),

final as (
    select
        parts.part_id,
        parts.message_id,
        parts.session_id,
        part_numbers.part_number - first_parts.first_part_number + 1 as part_index,
        message_places.turn_id,
        coalesce(message_places.turn_index, 0) as turn_index,
        message_places.message_index,
        part_numbers.is_fork_copy,
        part_numbers.is_undone,
        part_numbers.is_load,
        part_numbers.is_weak_load,
        openings.window_id,
        weak_openings.window_id as weak_window_id,
        part_numbers.ended_at,
    from parts
    inner join part_numbers
        on parts.part_id = part_numbers.part_id
    inner join first_parts
        on part_numbers.session_number = first_parts.session_number
    left join message_places
        on part_numbers.message_number = message_places.message_number
    left join openings
        on part_numbers.window_number = openings.window_number
    left join openings as weak_openings
        on part_numbers.weak_window_number = weak_openings.window_number
)

select * from final
