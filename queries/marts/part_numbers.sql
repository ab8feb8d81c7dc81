-- mart: part_numbers
-- grain: one row per part
-- sources: stg_parts, mart_message_places
-- time: none
-- reach: session
-- stored: no
--
-- Where a part stands, in numbers alone, for the marts that sort and join all parts (`part_places` has the ids). Parts
-- are numbered through all sessions: by session, turn, message, then id. (v2's part ids end in a number without leading
-- zeros: the shorter id comes first.) What part of which message is not known stands before the first prompt.
-- Only a completed load opens a skill window; the next completed load or the next prompt closes it. Loads in one
-- message, or less than 5 s apart with no other tool call between, form a bundle that shares one window. Full loads
-- (skill tool, slash commands) go by `window_number`; weak ones (router scripts, readings of SKILL.md) do not close those
-- but have windows of their own, `weak_window_number`, closed by any load. A window's number is the part number of the
-- first load of its bundle.
-- Columns: part_id, part_type, session_number, message_number, turn_number, part_number, is_fork_copy, is_undone,
-- is_load (completed), is_weak_load, window_number, weak_window_number, ended_at (last known time).
with parts as (
    select * from stg_parts
),

message_places as (
    select * from mart_message_places
),

lost_sessions as (
    select
        parts.session_id,
        coalesce(min(known.session_number), 1000000000 + row_number() over (order by parts.session_id)) as session_number,
    from parts
    left join message_places on parts.message_id = message_places.message_id
    left join message_places as known on parts.session_id = known.session_id
    where message_places.message_id is null
    group by parts.session_id
),

placed as (
    select
        parts.part_id, parts.part_type,
        coalesce(message_places.session_number, lost_sessions.session_number) as session_number,
        message_places.message_number,
        coalesce(message_places.turn_number, lost_sessions.session_number * 1000000) as turn_number,
        case when parts.generation = 'v2' then length(parts.part_id) end as id_length,
        coalesce(message_places.is_fork_copy, false) as is_fork_copy,
        coalesce(message_places.is_undone or parts.part_id >= message_places.revert_part_id, false)
            or (parts.last_seen_at is not null and message_places.message_id is not null
                and message_places.last_seen_at is null) as is_undone,
        parts.started_at, coalesce(parts.ended_at, parts.started_at) as ended_at,
        parts.part_type = 'tool' and parts.skill_name is null as is_other_call,
        parts.skill_name is not null and coalesce(parts.status, 'completed') = 'completed' as is_load,
        coalesce(parts.skill_via, 'skill_tool') not in ('skill_tool', 'slash') as is_weak,
    from parts
    left join message_places on parts.message_id = message_places.message_id
    left join lost_sessions
        on message_places.message_id is null and parts.session_id is not distinct from lost_sessions.session_id
),

numbered as (
    select
        * exclude (id_length, is_other_call),
        row_number() over so_far as part_number,
        count(case when is_other_call then 1 end) over so_far as other_call_count,
        count(case when is_load then 1 end) over so_far as load_count,
        count(case when is_load and not is_weak then 1 end) over so_far as full_load_count,
    from placed
    window so_far as (
        order by turn_number, message_number nulls first, id_length, part_id
        rows between unbounded preceding and current row
    )
),

loads as (
    select
        part_number, turn_number, load_count,
        case when not is_weak then full_load_count end as full_load_count,
        is_weak,
        coalesce(
            message_number = lag(message_number) over in_lane
            or (
                started_at - lag(started_at) over in_lane < 5000
                and other_call_count = lag(other_call_count) over in_lane
            ),
            false
        ) as is_bundled,
    from numbered
    where is_load
    window in_lane as (
        partition by turn_number, is_weak
        order by part_number
    )
),

openings as (
    select
        turn_number, load_count, full_load_count, is_weak,
        max(case when not is_bundled then part_number end) over (
            partition by turn_number, is_weak
            order by part_number
            rows between unbounded preceding and current row
        ) as window_number,
    from loads
),

final as (
    select
        numbered.part_id, numbered.part_type, numbered.session_number, numbered.message_number, numbered.turn_number,
        numbered.part_number, numbered.ended_at, numbered.is_fork_copy, numbered.is_undone, numbered.is_load,
        numbered.is_load and numbered.is_weak as is_weak_load,
        full_openings.window_number,
        case when openings.is_weak then openings.window_number end as weak_window_number,
    from numbered
    left join openings
        on numbered.load_count = openings.load_count
        and numbered.turn_number = openings.turn_number
    left join openings as full_openings
        on numbered.full_load_count = full_openings.full_load_count
        and numbered.turn_number = full_openings.turn_number
)

select * from final
