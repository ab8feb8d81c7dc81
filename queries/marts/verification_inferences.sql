-- mart: verification_inferences
-- grain: one row per loop of making and checking
-- sources: mart_verification_counts, mart_verification_calls, mart_verifying_windows, mart_signals
-- time: none
-- reach: session
-- stored: no
--
-- What the database alone tells of each loop; `verification_loops` lays telemetry over it.
-- A loop goes by the numbers that were printed, where there are any: rubric-verify, a GVR result, or an agent's own report
-- (Generation attempts). Else it is counted from calls (see verification_counts). A report takes the place of the loop that
-- was counted in its window. Verified: the verdict is PASS, or the last check passed; NULL where that is not known (the
-- third era prints `verified: false` after a first pass that succeeded). Max reached: 4 iterations in the third era, 3 in
-- the others without success; counted: three or more checks failed and none passed. Escalated: the verdict is ESCALATE,
-- or a person was asked in the run (after its first check, where checks were counted).
-- Columns: loop_id (part id of its first call), run_id, session_id, turn_id, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, skill_name (NULL outside such windows), window_id, source (printed, derived),
-- rule (skill_window, repair, printed), evidence (observed, derived, weak), started_at, ended_at, duration_ms, iterations,
-- passed_count, failed_count, unknown_count, edit_count, is_verified, is_first_pass, is_max_reached, is_escalated,
-- last_command, tokens, cost_usd (its calls' shares of their steps), criteria_passed, criteria_total, is_fork_copy,
-- is_undone.
with counts as (
    select * from mart_verification_counts
),

escalated_runs as (
    select distinct run_id from mart_verification_calls where kind = 'escalation'
),

verifying_windows as (
    select * from mart_verifying_windows
),

reports as (
    select
        signals.*,
        coalesce(full_windows.skill_name, weak_windows.skill_name) as skill_name,
        coalesce(
            full_windows.chain_id, weak_windows.chain_id,
            signals.session_id || ' ' || cast(signals.turn_index as varchar)
        ) as run_id,
        case
            when signals.verdict = 'PASS' then true
            when signals.era = 'e3' and signals.iterations <= 1
                and coalesce(signals.rubric_verdict, '') not in ('fail', 'needs_revision')
                then null
            when signals.verdict is not null then false
        end as is_pass,
    from mart_signals as signals
    left join verifying_windows as full_windows
        on signals.window_id = full_windows.window_id
    left join verifying_windows as weak_windows
        on signals.weak_window_id = weak_windows.window_id
    where signals.kind = 'verification' and signals.iterations is not null
),

ranked as (
    select
        *,
        row_number() over (partition by run_id order by part_index desc, signal_position desc) as place_from_end,
    from reports
),

final as (
    select
        coalesce(counts.loop_id, ranked.part_id) as loop_id,
        coalesce(counts.run_id, ranked.run_id) as run_id,
        coalesce(counts.session_id, ranked.session_id) as session_id,
        coalesce(counts.turn_id, ranked.turn_id) as turn_id,
        coalesce(counts.project_id, ranked.project_id) as project_id,
        coalesce(counts.project_name, ranked.project_name) as project_name,
        coalesce(counts.directory, ranked.directory) as directory,
        coalesce(counts.root_session_id, ranked.root_session_id) as root_session_id,
        coalesce(counts.is_child, ranked.is_child) as is_child,
        coalesce(counts.agent, ranked.agent) as agent,
        coalesce(counts.model, ranked.model) as model,
        coalesce(counts.skill_name, ranked.skill_name) as skill_name,
        coalesce(counts.window_id, case when ranked.skill_name is not null then ranked.run_id end) as window_id,
        case when ranked.part_id is not null then 'printed' else 'derived' end as source,
        case when ranked.part_id is not null then 'printed' else counts.rule end as rule,
        coalesce(ranked.evidence, 'derived') as evidence,
        coalesce(counts.started_at, ranked.said_at) as started_at,
        coalesce(counts.ended_at, ranked.said_at) as ended_at,
        counts.duration_ms,
        coalesce(ranked.iterations, counts.iterations) as iterations,
        counts.passed_count, counts.failed_count, counts.unknown_count, counts.edit_count,
        case when ranked.part_id is not null then ranked.is_pass else counts.is_verified end as is_verified,
        case
            when ranked.part_id is not null then ranked.is_pass and ranked.iterations <= 1
            else counts.is_first_pass
        end as is_first_pass,
        case
            when ranked.part_id is null then counts.is_max_reached
            when ranked.era = 'e3' then ranked.iterations >= 4
            else ranked.iterations >= 3 and not coalesce(ranked.is_pass, false)
        end as is_max_reached,
        coalesce(ranked.verdict = 'ESCALATE', false) or coalesce(counts.is_escalated, false)
            or (counts.loop_id is null and escalated_runs.run_id is not null) as is_escalated,
        counts.last_command, counts.tokens, counts.cost_usd, ranked.criteria_passed, ranked.criteria_total,
        coalesce(counts.is_fork_copy, ranked.is_fork_copy) as is_fork_copy,
        coalesce(counts.is_undone, ranked.is_undone) as is_undone,
    from counts
    full join ranked
        on counts.run_id = ranked.run_id and ranked.place_from_end = 1
    left join escalated_runs
        on ranked.run_id = escalated_runs.run_id
)

select * from final
