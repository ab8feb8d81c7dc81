-- mart: skill_window_spans
-- grain: one row per skill window (of full loads and of weak ones, see part_numbers)
-- sources: mart_part_numbers, mart_message_places, mart_steps
-- time: none
-- reach: session
-- stored: no
--
-- The span and the steps behind `skill_windows`. A step belongs to the window in which its step-finish part stands, so
-- the step that loaded the skill counts. A window ends at the next completed load, at the next prompt or with the
-- session.
-- Columns: window_id, session_id, turn_id, window_ended_at, closed_by (load, prompt, session_end), step_count,
-- input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd.
with part_numbers as (
    select * from mart_part_numbers
),

windowed as (
    select window_number, turn_number, part_number, ended_at from part_numbers where window_number is not null
    union all
    select weak_window_number, turn_number, part_number, ended_at from part_numbers where weak_window_number is not null
),

steps as (
    select *, window_id as any_window_id from mart_steps where window_id is not null
    union all
    select *, weak_window_id as any_window_id from mart_steps where weak_window_id is not null
),

turn_ends as (
    select
        turn_number,
        max(part_number) as last_part_number,
        lead(turn_number) over (partition by min(session_number) order by turn_number) is not null as has_next_turn,
    from part_numbers
    group by turn_number
),

numbered_spans as (
    select
        window_number,
        min(turn_number) as turn_number,
        max(part_number) as last_part_number,
        max(ended_at) as window_ended_at,
    from windowed
    group by window_number
),

spans as (
    select
        openings.part_id as any_window_id,
        message_places.session_id,
        message_places.turn_id,
        numbered_spans.turn_number,
        numbered_spans.last_part_number,
        numbered_spans.window_ended_at,
    from part_numbers as openings
    inner join numbered_spans
        on openings.part_number = numbered_spans.window_number
    left join mart_message_places as message_places
        on openings.message_number = message_places.message_number
),

step_sums as (
    select
        any_window_id,
        count(*) as step_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(total_tokens) as bigint) as total_tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from steps
    group by any_window_id
),

final as (
    select
        spans.any_window_id as window_id,
        spans.session_id,
        spans.turn_id,
        spans.window_ended_at,
        case
            when spans.last_part_number < turn_ends.last_part_number then 'load'
            when turn_ends.has_next_turn then 'prompt'
            else 'session_end'
        end as closed_by,
        coalesce(step_sums.step_count, 0) as step_count,
        coalesce(step_sums.input_tokens, 0) as input_tokens,
        coalesce(step_sums.output_tokens, 0) as output_tokens,
        coalesce(step_sums.reasoning_tokens, 0) as reasoning_tokens,
        coalesce(step_sums.cache_read_tokens, 0) as cache_read_tokens,
        coalesce(step_sums.cache_write_tokens, 0) as cache_write_tokens,
        coalesce(step_sums.total_tokens, 0) as total_tokens,
        coalesce(step_sums.cost_usd, 0) as cost_usd,
    from spans
    inner join turn_ends
        on spans.turn_number = turn_ends.turn_number
    left join step_sums
        on spans.any_window_id = step_sums.any_window_id
)

select * from final
