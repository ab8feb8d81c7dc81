-- mart: call_links
-- grain: one row per tool part
-- sources: stg_parts, mart_part_places, mart_call_targets, mart_call_errors, mart_steps
-- time: none
--
-- How a tool call hangs together with the calls around it: its order in the turn, what it retries or repeats, whether a
-- later call made good for it, and its share of its step. Calls are alike when they are in one turn, of one tool (all
-- edit-class tools count as one) and of one target; a tool whose input names no target is its own target. A retry in
-- another turn is the user's wish and not the agent's, so it does not count. Shares are whole tokens: the first calls
-- of the step take the remainder, so that they add up.
-- Columns: part_id, call_index, is_failed, is_unfinished, retry_of, repeat_of, is_recovered (NULL unless failed),
-- later_step_count, step_share_tokens, step_share_output_tokens, step_share_cost_usd (NULL without a step).
with parts as (
    select * from stg_parts where part_type = 'tool'
),

part_places as (
    select * from mart_part_places
),

call_targets as (
    select * from mart_call_targets
),

call_errors as (
    select * from mart_call_errors
),

steps as (
    select * from mart_steps
),

calls as (
    select
        parts.part_id,
        parts.message_id,
        parts.session_id,
        parts.input_chars,
        part_places.turn_index,
        part_places.part_index,
        call_targets.alike_tool,
        call_targets.target,
        coalesce(call_errors.error_class, 'unfinished') <> 'unfinished' as is_failed,
        coalesce(parts.status in ('pending', 'running'), false) as is_unfinished,
    from parts
    inner join part_places
        on parts.part_id = part_places.part_id
    inner join call_targets
        on parts.part_id = call_targets.part_id
    left join call_errors
        on parts.part_id = call_errors.part_id
),

linked as (
    select
        *,
        row_number() over (partition by session_id, turn_index order by part_index) as call_index,
        row_number() over (partition by message_id order by part_index) as step_call_index,
        lag(part_id) over alike as previous_id,
        lag(is_failed) over alike as is_previous_failed,
        lag(is_unfinished) over alike as is_previous_unfinished,
        lag(input_chars) over alike as previous_input_chars,
        max(case when not is_failed and not is_unfinished then part_index end) over (
            partition by session_id, turn_index, alike_tool, target
        ) as last_success_index,
    from calls
    window alike as (
        partition by session_id, turn_index, alike_tool, target
        order by part_index
    )
),

final as (
    select
        linked.part_id,
        linked.call_index,
        linked.is_failed,
        linked.is_unfinished,
        case when linked.is_previous_failed then linked.previous_id end as retry_of,
        case
            when not linked.is_previous_failed and not linked.is_previous_unfinished
                and linked.target is not null and linked.input_chars = linked.previous_input_chars
                then linked.previous_id
        end as repeat_of,
        case when linked.is_failed then coalesce(linked.last_success_index > linked.part_index, false) end as is_recovered,
        steps.later_step_count,
        cast(floor((steps.total_tokens + steps.tool_call_count - linked.step_call_index)
            / steps.tool_call_count) as bigint)
            as step_share_tokens,
        cast(floor((steps.output_tokens + steps.tool_call_count - linked.step_call_index)
            / steps.tool_call_count) as bigint)
            as step_share_output_tokens,
        steps.cost_usd / steps.tool_call_count as step_share_cost_usd,
    from linked
    left join steps
        on linked.message_id = steps.message_id
)

select * from final
order by part_id
