-- mart: decision_windows
-- grain: one row per routing decision
-- sources: mart_signals, mart_turns
-- time: none
-- reach: session
-- stored: no
--
-- Which signals are decisions, and how long each holds: to the next decision, the next prompt or the session's end. A
-- router's output always decides. An intent that a model only wrote counts when it names another intent than the one
-- before it in the turn, and than the router that it runs next: else it repeats. The confidence router judges the
-- decision before it in the turn; alone it is a decision without an intent, or with the one that it was told. A way through
-- the graph of skills is a decision without an intent.
-- Columns: decision_id (part id), signal_position, session_id, turn_index, part_index, next_part_index (NULL: none in
-- the turn), next_intent, closed_by (decision, prompt, session_end), judge_part_id, judge_position (the first verdict of the
-- confidence router on it).
with signals as (
    select * from mart_signals where kind in ('intent', 'confidence', 'graph_route')
),

turns as (
    select session_id, turn_index from mart_turns
),

counted as (
    select
        *,
        count(case when kind <> 'confidence' then 1 end) over (
            partition by session_id, turn_index
            order by part_index, signal_position
            rows between unbounded preceding and 1 preceding
        ) as decision_count_before,
        lag(predicted_intent) over of_kind as previous_intent,
        lead(case when origin <> 'text' then predicted_intent end) over of_kind as next_printed_intent,
    from signals
    window of_kind as (
        partition by session_id, turn_index, kind
        order by part_index, signal_position
    )
),

judged as (
    select
        *,
        case
            when kind = 'confidence' then decision_count_before = 0
            when origin <> 'text' then true
            else predicted_intent is distinct from previous_intent
                and predicted_intent is distinct from next_printed_intent
        end as is_decision,
    from counted
),

last_turns as (
    select
        session_id,
        max(turn_index) as last_turn_index,
    from turns
    group by session_id
),

decisions as (
    select
        *,
        lead(part_index) over in_turn as next_part_index,
        lead(predicted_intent) over in_turn as next_intent,
    from judged
    where is_decision
    window in_turn as (partition by session_id, turn_index order by part_index, signal_position)
),

judges as (
    select
        decisions.part_id as decision_id,
        judged.part_id as judge_part_id,
        judged.signal_position as judge_position,
        row_number() over (
            partition by decisions.part_id
            order by judged.part_index, judged.signal_position
        ) as place,
    from judged
    inner join decisions
        on judged.session_id = decisions.session_id
            and judged.turn_index = decisions.turn_index
            and judged.part_index >= decisions.part_index
            and (decisions.next_part_index is null or judged.part_index < decisions.next_part_index)
    where judged.kind = 'confidence' and not judged.is_decision
),

final as (
    select
        decisions.part_id as decision_id,
        decisions.signal_position,
        decisions.session_id,
        decisions.turn_index,
        decisions.part_index,
        decisions.next_part_index,
        decisions.next_intent,
        case
            when decisions.next_part_index is not null then 'decision'
            when decisions.turn_index < last_turns.last_turn_index then 'prompt'
            else 'session_end'
        end as closed_by,
        judges.judge_part_id,
        judges.judge_position,
    from decisions
    left join last_turns
        on decisions.session_id = last_turns.session_id
    left join judges
        on decisions.part_id = judges.decision_id and judges.place = 1
)

select * from final
