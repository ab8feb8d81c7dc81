-- mart: verification_calls
-- grain: one row per applied edit and per check that ran, in its run
-- sources: mart_tool_calls, mart_verifying_windows, mart_signals
-- time: none
-- reach: session
-- stored: no
--
-- The calls behind `verification_loops`. A check is a shell command that tests, builds or lints and has an exit code; 0
-- is a pass. Tachikoma's verification-engine exits with 0 on a FAIL too: only the verdict that it printed tells, and
-- without one the result is unknown. A run is the window of a skill that verifies (dev, verification,
-- verifier-code-agent; a full window before a weak one; loaded again in the turn it goes on), or what of a turn is outside
-- such windows. An escalation is a
-- call of the question tool, an ask_user of the confidence router, a decision that needs clarification, or the word
-- ESCALATE in an answer. An edit that failed changed nothing and is left out.
-- Columns: part_id, run_id, kind (edit, check, escalation), skill_name (of the window; NULL outside), is_pass (checks;
-- NULL = unknown), run_position (order in the run), edit_count_before (edits of the run before the call),
-- is_after_repair (a check after an edit after a failed check).
with calls as (
    select
        part_id, session_id, turn_index, part_index, command, exit_code, window_id, weak_window_id,
        case
            when tool_name = 'question' then 'escalation'
            when edit_outcome = 'applied' then 'edit'
            else 'check'
        end as kind,
    from mart_tool_calls
    where edit_outcome = 'applied' or (tool_class = 'check' and exit_code is not null) or tool_name = 'question'

    union all

    select distinct
        part_id, session_id, turn_index, part_index, null, cast(null as bigint), window_id, weak_window_id,
        'escalation',
    from mart_signals
    where is_escalated or verdict = 'ESCALATE'
),

verdicts as (
    select
        part_id,
        max(verdict) as verdict,
    from mart_signals
    where kind = 'verification' and program = 'verification-engine'
    group by part_id
),

verifying_windows as (
    select * from mart_verifying_windows
),

placed as (
    select
        calls.part_id,
        calls.session_id,
        calls.turn_index,
        calls.part_index,
        calls.command,
        calls.exit_code,
        calls.kind,
        verdicts.verdict,
        coalesce(full_windows.chain_id, weak_windows.chain_id) as window_id,
        coalesce(full_windows.skill_name, weak_windows.skill_name) as skill_name,
    from calls
    left join verdicts
        on calls.part_id = verdicts.part_id
    left join verifying_windows as full_windows
        on calls.window_id = full_windows.window_id
    left join verifying_windows as weak_windows
        on calls.weak_window_id = weak_windows.window_id
),

judged as (
    select
        *,
        coalesce(window_id, session_id || ' ' || cast(turn_index as varchar)) as run_id,
        case
            when kind <> 'check' then null
            when command like '%verification_engine.%' or command like '%verification-engine.%' then verdict = 'PASS'
            else exit_code = 0
        end as is_pass,
    from placed
),

counted as (
    select
        *,
        row_number() over (partition by run_id order by part_index) as run_position,
        count(case when kind = 'edit' then 1 end) over so_far as edit_count_before,
        min(case when kind = 'check' and not is_pass then part_index end) over so_far as first_failure_index,
        max(case when kind = 'edit' then part_index end) over so_far as last_edit_index,
    from judged
    window so_far as (
        partition by run_id
        order by part_index
        rows between unbounded preceding and 1 preceding
    )
),

final as (
    select
        part_id,
        run_id,
        kind,
        skill_name,
        is_pass,
        run_position,
        edit_count_before,
        kind = 'check' and coalesce(last_edit_index > first_failure_index, false) as is_after_repair,
    from counted
)

select * from final
