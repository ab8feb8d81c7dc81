-- mart: part_places
-- grain: one row per part
-- sources: stg_parts, mart_message_places
-- time: none
--
-- Where a part stands: its order in the session, its turn, its message's marks, and the skill window it falls into.
-- Only a completed load opens a window; the next completed load or the next prompt closes it, so a window lies inside
-- one turn. Loads in one message, or less than 5 s apart with no other tool call between, form a bundle that shares one
-- window. Windows of the skill tool and of slash commands (full loads) go by `window_id`; router scripts and readings
-- of SKILL.md (weak loads) do not close those: they have windows of their own, `weak_window_id`, closed by any load. So
-- a part may lie in one window of each sort. The id of a window is the part id of the first load of its bundle. (v2's
-- part ids end in a number without leading zeros: the shorter id comes first.)
-- Columns: part_id, message_id, session_id, part_index (order in the session), turn_id, turn_index, message_index,
-- is_fork_copy, is_undone, is_load (completed), is_weak_load, window_id, weak_window_id, ended_at (last known time).
with parts as (
    select * from stg_parts
),

message_places as (
    select * from mart_message_places
),

ordered as (
    select
        parts.part_id,
        parts.message_id,
        parts.session_id,
        row_number() over in_session as part_index,
        count(case when parts.part_type = 'tool' and parts.skill_name is null then 1 end) over in_session as other_call_count,
        message_places.turn_id,
        coalesce(message_places.turn_index, 0) as turn_index,
        message_places.message_index,
        coalesce(message_places.is_fork_copy, false) as is_fork_copy,
        coalesce(message_places.is_undone or parts.part_id >= message_places.revert_part_id, false) as is_undone,
        parts.started_at,
        coalesce(parts.ended_at, parts.started_at) as ended_at,
        parts.skill_name is not null and coalesce(parts.status, 'completed') = 'completed' as is_load,
        coalesce(parts.skill_via, 'skill_tool') not in ('skill_tool', 'slash') as is_weak,
    from parts
    left join message_places
        on parts.message_id = message_places.message_id
    window in_session as (
        partition by parts.session_id
        order by
            message_places.message_index,
            case when parts.generation = 'v2' then length(parts.part_id) end,
            parts.part_id
        rows between unbounded preceding and current row
    )
),

loads as (
    select
        *,
        coalesce(
            message_id = lag(message_id) over in_lane
            or (
                started_at - lag(started_at) over in_lane < 5000
                and other_call_count = lag(other_call_count) over in_lane
            ),
            false
        ) as is_bundled,
    from ordered
    where is_load
    window in_lane as (
        partition by session_id, turn_index, is_weak
        order by part_index
    )
),

openings as (
    select
        part_id,
        last_value(case when not is_bundled then part_id end ignore nulls) over (
            partition by session_id, turn_index, is_weak
            order by part_index
            rows between unbounded preceding and current row
        ) as window_id,
    from loads
),

carried as (
    select
        ordered.*,
        last_value(case when not ordered.is_weak then openings.window_id end ignore nulls) over so_far as window_id,
        last_value(openings.window_id ignore nulls) over so_far as any_window_id,
        last_value(case when openings.window_id is not null then ordered.is_weak end ignore nulls) over so_far as is_in_weak,
    from ordered
    left join openings
        on ordered.part_id = openings.part_id
    window so_far as (
        partition by ordered.session_id, ordered.turn_index
        order by ordered.part_index
        rows between unbounded preceding and current row
    )
),

final as (
    select
        part_id,
        message_id,
        session_id,
        part_index,
        turn_id,
        turn_index,
        message_index,
        is_fork_copy,
        is_undone,
        is_load,
        is_load and is_weak as is_weak_load,
        window_id,
        case when is_in_weak then any_window_id end as weak_window_id,
        ended_at,
    from carried
)

select * from final
order by session_id, part_index
