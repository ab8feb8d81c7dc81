-- mart: skill_asks
-- grain: one row per time a skill was asked for
-- sources: stg_parts, mart_part_numbers, mart_message_places, mart_messages, mart_session_places, mart_call_errors
-- time: none
-- reach: session
-- stored: no
--
-- The asks behind `skill_loads`: who asked for which skill, how, and what came of it. The skill tool, slash commands,
-- router scripts and readings of SKILL.md all are asks. An ask is a retry when the same skill was asked for before in
-- the session and that ask failed, or stood within two loads in the same turn.
-- Columns: part_id, message_id, session_id, turn_id, turn_index, part_index, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, skill_name, skill_dir, via, status, error_class, error_message,
-- available_skills, loaded_at, duration_ms, output_chars, output_tokens_estimate, load_index, is_retry, window_id,
-- window_bundle_size, window_bundle_position, is_fork_copy, is_undone, is_load, turn_load_count.
with parts as (
    select * from stg_parts where skill_name is not null or tool_name = 'skill'
),

part_numbers as (
    select * from mart_part_numbers
),

openings as (
    select part_number as window_number, part_id as window_id from part_numbers where is_load
),

first_parts as (
    select session_number, min(part_number) - 1 as parts_before from part_numbers group by session_number
),

joined as (
    select
        parts.part_id,
        parts.message_id,
        parts.session_id,
        message_places.turn_id,
        coalesce(message_places.turn_index, 0) as turn_index,
        part_numbers.part_number - first_parts.parts_before as part_index,
        session_places.project_id,
        session_places.project_name,
        session_places.directory,
        coalesce(session_places.root_session_id, parts.session_id) as root_session_id,
        coalesce(session_places.is_child, false) as is_child,
        messages.agent,
        coalesce(messages.model, 'unknown') as model,
        parts.skill_name,
        parts.skill_dir,
        coalesce(parts.skill_via, 'skill_tool') as via,
        coalesce(parts.status, 'completed') as status,
        call_errors.error_class,
        call_errors.error_message,
        parts.available_skills,
        coalesce(parts.started_at, messages.created_at) as loaded_at,
        parts.ended_at - parts.started_at as duration_ms,
        parts.output_chars,
        cast(ceil(parts.output_chars / 4.0) as bigint) as output_tokens_estimate,
        openings.window_id,
        part_numbers.is_load,
        part_numbers.is_fork_copy,
        part_numbers.is_undone,
    from part_numbers
    inner join parts on part_numbers.part_id = parts.part_id
    inner join first_parts on part_numbers.session_number = first_parts.session_number
    left join openings
        on openings.window_number = case
            when part_numbers.is_weak_load then part_numbers.weak_window_number
            when part_numbers.is_load then part_numbers.window_number
        end
    left join mart_message_places as message_places on parts.message_id = message_places.message_id
    left join mart_messages as messages on parts.message_id = messages.message_id
    left join mart_session_places as session_places on parts.session_id = session_places.session_id
    left join mart_call_errors as call_errors on parts.part_id = call_errors.part_id
),

counted as (
    select
        *,
        count(case when is_load then 1 end) over (
            partition by session_id, turn_index
            order by part_index
            rows between unbounded preceding and current row
        ) as turn_load_count,
        case when window_id is not null then count(*) over (partition by window_id) end as window_bundle_size,
        case
            when window_id is not null then row_number() over (partition by window_id order by part_index)
        end as window_bundle_position,
    from joined
),

final as (
    select
        *,
        row_number() over of_skill as load_index,
        coalesce(
            lag(status) over of_skill = 'error'
            or (
                lag(turn_index) over of_skill = turn_index
                and turn_load_count - lag(turn_load_count) over of_skill <= 2
            ),
            false
        ) as is_retry,
    from counted
    window of_skill as (
        partition by session_id, skill_name
        order by part_index
    )
)

select * from final
