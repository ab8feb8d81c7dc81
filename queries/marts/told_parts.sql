-- mart: told_parts
-- grain: one row per part that an event of telemetry names
-- sources: stg_telemetry, mart_part_numbers, mart_message_places
-- time: none
-- reach: session
-- stored: no
--
-- The parts that telemetry names by their ids, with what their messages say about them.
-- Columns: part_id, session_id, is_fork_copy, is_undone.
with told as (
    select part_id from stg_telemetry where part_id is not null group by part_id
),

part_numbers as (
    select * from mart_part_numbers
),

message_places as (
    select * from mart_message_places
),

final as (
    select
        part_numbers.part_id,
        message_places.session_id,
        part_numbers.is_fork_copy,
        part_numbers.is_undone,
    from part_numbers
    inner join told
        on part_numbers.part_id = told.part_id
    left join message_places
        on part_numbers.message_number = message_places.message_number
)

select * from final
