-- check:   chk_mart_grain
-- title:   Every mart has one row per thing
-- sources: sessions_raw, messages_raw, turns_raw, steps_raw, tool_calls_raw, skill_loads_raw, edit_attempts_raw, verification_loops_raw, intent_decisions_raw, rlm_runs_raw, rlm_chunks_raw
--
-- A join that matches twice doubles rows, and with them sums, without any error. Each mart's key must stand once. A key
-- that is empty is an offence too.
with

keys as (
    select 'sessions' as mart, session_id as id from sessions_raw
    union all
    select 'messages' as mart, message_id as id from messages_raw
    union all
    select 'turns' as mart, turn_id as id from turns_raw
    union all
    select 'steps' as mart, step_id as id from steps_raw
    union all
    select 'tool_calls' as mart, part_id as id from tool_calls_raw
    union all
    select 'skill_loads' as mart, part_id as id from skill_loads_raw
    union all
    select 'edit_attempts' as mart, part_id as id from edit_attempts_raw
    union all
    select 'verification_loops' as mart, loop_id as id from verification_loops_raw
    union all
    select 'intent_decisions' as mart, decision_id as id from intent_decisions_raw
    union all
    select 'rlm_runs' as mart, run_id as id from rlm_runs_raw
    union all
    select 'rlm_chunks' as mart, chunk_part_id as id from rlm_chunks_raw
),

final as (
    select
        'mart_grain' as rule,
        mart || ':' || coalesce(id, 'no id') as subject,
        mart || ' has ' || count(*) || ' rows of this id' as detail,
    from keys
    group by mart, id
    having count(*) > 1 or id is null
)

select * from final
order by rule, subject
