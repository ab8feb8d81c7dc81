-- staging: stg_todos
-- sources: raw_todo
--
-- One row per todo of a session's latest list. Earlier lists are not kept by OpenCode.
with todos as (
    select * from raw_todo
),

renamed as (
    select
        session_id,
        position as todo_position,
        content as todo_text,
        status,
        priority,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as created_at,
        case when time_updated between 1000000000000 and 4102444800000 then time_updated end as updated_at,
        last_seen_at,
        source,
    from todos
)

select * from renamed
