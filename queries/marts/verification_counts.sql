-- mart: verification_counts
-- grain: one row per loop of editing and checking, counted from calls
-- sources: mart_verification_calls, mart_tool_calls
-- time: none
-- reach: session
-- stored: no
--
-- The loops of `verification_loops` as calls tell. Edit, check, edit, check, until it holds or is given up. In the window
-- of a skill that verifies, all checks of the window are one loop as soon as one of them follows an edit. Elsewhere
-- checks are often mere habit: a turn holds a loop only if a failed check was followed by an edit and another check.
-- `iterations` are the checks; verified means that the last one passed (NULL when its result is not known), max reached
-- that three or more failed and none did pass. Escalated means that a person was asked in the run after its first check.
-- Edits by subagents, or by shell commands, are not seen.
-- Columns: loop_id (part id of its first call), run_id, session_id, turn_id, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, skill_name (NULL outside such windows), window_id, rule (skill_window,
-- repair), started_at, ended_at, duration_ms, iterations, passed_count, failed_count,
-- unknown_count, edit_count, is_verified, is_first_pass (verified with the first check), is_max_reached, is_escalated,
-- last_command, tokens, cost_usd (its calls' shares of their steps), is_fork_copy, is_undone.
with verification_calls as (
    select * from mart_verification_calls
),

tool_calls as (
    select * from mart_tool_calls
),

runs as (
    select
        run_id,
        max(skill_name) as skill_name,
        max(case when kind = 'escalation' then run_position end) as last_escalation_position,
    from verification_calls
    group by run_id
    having count(
        case when is_after_repair or (kind = 'check' and edit_count_before > 0 and skill_name is not null) then 1 end
    ) > 0
),

members as (
    select
        verification_calls.run_id,
        verification_calls.kind,
        verification_calls.is_pass,
        verification_calls.run_position,
        row_number() over in_run as place,
        verification_calls.kind = 'check' and row_number() over (
            partition by verification_calls.run_id, verification_calls.kind
            order by verification_calls.run_position desc
        ) = 1 as is_last_check,
        tool_calls.*,
    from verification_calls
    inner join runs
        on verification_calls.run_id = runs.run_id
    inner join tool_calls
        on verification_calls.part_id = tool_calls.part_id
    where verification_calls.kind <> 'escalation'
    window in_run as (partition by verification_calls.run_id order by verification_calls.run_position)
),

sums as (
    select
        run_id,
        max(case when place = 1 then part_id end) as loop_id,
        min(started_at) as started_at,
        max(coalesce(ended_at, started_at)) as ended_at,
        count(case when kind = 'check' then 1 end) as iterations,
        count(case when is_pass then 1 end) as passed_count,
        count(case when not is_pass then 1 end) as failed_count,
        count(case when kind = 'edit' then 1 end) as edit_count,
        min(case when kind = 'check' then run_position end) as first_check_position,
        count(case when is_last_check and is_pass then 1 end) > 0 as is_last_passed,
        count(case when is_last_check and is_pass is null then 1 end) > 0 as is_last_unknown,
        max(case when is_last_check then command end) as last_command,
        cast(sum(step_share_tokens) as bigint) as tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        count(case when not is_fork_copy then 1 end) = 0 as is_fork_copy,
        count(case when is_undone then 1 end) > 0 as is_undone,
    from members
    group by run_id
),

final as (
    select
        sums.loop_id, sums.run_id, tool_calls.session_id, tool_calls.turn_id,
        tool_calls.project_id, tool_calls.project_name, tool_calls.directory, tool_calls.root_session_id,
        tool_calls.is_child, tool_calls.agent, tool_calls.model, runs.skill_name,
        case when runs.skill_name is not null then sums.run_id end as window_id,
        case when runs.skill_name is not null then 'skill_window' else 'repair' end as rule,
        sums.started_at, sums.ended_at, sums.ended_at - sums.started_at as duration_ms,
        sums.iterations, sums.passed_count, sums.failed_count,
        sums.iterations - sums.passed_count - sums.failed_count as unknown_count,
        sums.edit_count,
        case when not sums.is_last_unknown then sums.is_last_passed end as is_verified,
        case when not sums.is_last_unknown then sums.is_last_passed and sums.iterations = 1 end as is_first_pass,
        sums.failed_count >= 3 and sums.passed_count = 0 as is_max_reached,
        coalesce(runs.last_escalation_position > sums.first_check_position, false) as is_escalated,
        sums.last_command, sums.tokens, sums.cost_usd, sums.is_fork_copy, sums.is_undone,
    from sums
    inner join runs
        on sums.run_id = runs.run_id
    inner join tool_calls
        on sums.loop_id = tool_calls.part_id
)

select * from final
