-- mart: call_links
-- grain: one row per tool part
-- sources: mart_part_numbers, mart_call_targets, mart_call_errors, mart_steps
-- time: none
-- reach: session
-- stored: no
--
-- How a tool call hangs together with the calls around it: its order in the turn, what it retries or repeats, whether a
-- later call made good for it, and its share of its step. Calls are alike when they are in one turn, of one tool (all
-- edit-class tools count as one) and of one target; a tool whose input names no target is its own target. A retry in
-- another turn is the user's wish and not the agent's, so it does not count. Shares are whole tokens: the first calls
-- of the step take the remainder, so that they add up.
-- Columns: part_id, message_number, part_index (in the session), window_id, weak_window_id, is_fork_copy, is_undone,
-- call_index, is_failed, is_unfinished, retry_of, repeat_of, is_recovered (NULL unless failed), later_step_count,
-- step_share_tokens, step_share_output_tokens, step_share_cost_usd (NULL without a step).
with call_targets as (select * from mart_call_targets),

part_numbers as (select * from mart_part_numbers where part_type = 'tool'),

openings as (
    select part_number as window_number, part_id as window_id from mart_part_numbers where is_load
),

first_parts as (
    select session_number, min(part_number) - 1 as parts_before from mart_part_numbers group by session_number
),

call_errors as (select * from mart_call_errors),

steps as (select * from mart_steps),

calls as (
    select
        call_targets.part_id,
        call_targets.message_id,
        call_targets.alike_tool,
        call_targets.target,
        call_targets.input_chars,
        call_targets.is_unfinished,
        coalesce(call_errors.error_class, 'unfinished') <> 'unfinished' as is_failed,
        part_numbers.* exclude (part_id, part_type, is_load, is_weak_load, ended_at),
    from call_targets
    inner join part_numbers on call_targets.part_id = part_numbers.part_id
    left join call_errors on call_targets.part_id = call_errors.part_id
),

numbered as (
    select
        *,
        row_number() over (order by part_number) as call_number,
    from calls
),

turn_starts as (select turn_number, min(call_number) - 1 as calls_before from numbered group by turn_number),

message_starts as (select message_id, min(call_number) - 1 as calls_before from numbered group by message_id),

linked as (
    select
        *,
        lag(part_id) over alike as previous_id,
        lag(is_failed) over alike as is_previous_failed,
        lag(is_unfinished) over alike as is_previous_unfinished,
        lag(input_chars) over alike as previous_input_chars,
        max(case when not is_failed and not is_unfinished then part_number end) over (
            partition by turn_number, alike_tool, target
        ) as last_success_number,
    from numbered
    window alike as (
        partition by turn_number, alike_tool, target
        order by part_number
    )
),

final as (
    select
        linked.part_id, linked.message_number,
        linked.part_number - first_parts.parts_before as part_index,
        openings.window_id, weak_openings.window_id as weak_window_id,
        linked.is_fork_copy, linked.is_undone,
        linked.call_number - turn_starts.calls_before as call_index,
        linked.is_failed,
        linked.is_unfinished,
        case when linked.is_previous_failed then linked.previous_id end as retry_of,
        case
            when not linked.is_previous_failed and not linked.is_previous_unfinished
                and linked.target is not null and linked.input_chars = linked.previous_input_chars
                then linked.previous_id
        end as repeat_of,
        case
            when linked.is_failed then coalesce(linked.last_success_number > linked.part_number, false)
        end as is_recovered,
        steps.later_step_count,
        cast(floor((steps.total_tokens + steps.tool_call_count - linked.call_number + message_starts.calls_before)
            / steps.tool_call_count) as bigint)
            as step_share_tokens,
        cast(floor((steps.output_tokens + steps.tool_call_count - linked.call_number + message_starts.calls_before)
            / steps.tool_call_count) as bigint)
            as step_share_output_tokens,
        steps.cost_usd / steps.tool_call_count as step_share_cost_usd,
    from linked
    inner join turn_starts on linked.turn_number = turn_starts.turn_number
    inner join first_parts on linked.session_number = first_parts.session_number
    left join openings on linked.window_number = openings.window_number
    left join openings as weak_openings on linked.weak_window_number = weak_openings.window_number
    left join message_starts on linked.message_id = message_starts.message_id
    left join steps on linked.message_id = steps.message_id
)

select * from final
