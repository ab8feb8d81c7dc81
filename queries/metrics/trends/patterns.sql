-- metric:    patterns
-- title:     What follows what
-- grain:     one row per pattern
-- units:     length=count, occurrence_count=count, turn_count=count, support_ratio=ratio, lift=score, ended_count=count, completed_ratio=ratio, ci_low=ratio, ci_high=ratio, other_completed_ratio=ratio
-- sources:   tool_calls, turns
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=pattern y=turn_count
-- engine:    polars
--
-- Sequences of two to four tools and skills that turns run through, in at least five turns (the 200 most frequent).
-- Calls of one tool in a row count once; a skill stands under its own name, a check (test, build, lint) apart from the
-- shell. Lift is how much likelier the last item comes after the others than after any other item. The outcome is that
-- of the turns that hold the sequence, against ended turns with calls but without it: long turns hold more sequences,
-- so a difference is no effect.
with

calls as (
    select
        turn_id,
        call_index,
        case
            when tool_class = 'skill' then 'skill ' || coalesce(skill_name, 'unknown')
            when tool_class = 'check' then 'check'
            else tool_name
        end as item,
    from tool_calls
    where turn_id is not null and not is_wrapper
),

outcomes as (
    select turn_id, outcome from turns
),

final as (
    select calls.turn_id, calls.call_index, calls.item, outcomes.outcome,
    from calls inner join outcomes on calls.turn_id = outcomes.turn_id
)

select * from final
order by turn_id, call_index, item
