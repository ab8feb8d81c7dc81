-- mart: verification_loops
-- grain: one row per loop of making and checking
-- sources: mart_verification_inferences, mart_telemetry_verifications
-- time: started_at
--
-- What the database tells of each loop (see verification_inferences), with telemetry laid over it value by value: what an
-- event says counts instead of what was counted or printed. A loop that only telemetry knows is a row of its own (rule
-- and evidence telemetry). Verified, where it is not told, follows from a told verdict: pass or fail of GVR, else of the
-- rubric. Max reached, where it is not told, follows from told iterations at or above a told maximum without success.
-- Columns: those of verification_inferences; max_iterations, failed_criteria, confidence, quality (as told), evidence
-- (also observed where an event told of it, and telemetry), source (printed, derived, or what told), event_id (the last
-- event).
with inferred as (
    select * from mart_verification_inferences
),

told as (
    select
        *,
        coalesce(
            is_verified,
            case gvr_verdict when 'pass' then true when 'fail' then false end,
            case rubric_verdict when 'pass' then true when 'fail' then false when 'needs_revision' then false end
        ) as verdict,
    from mart_telemetry_verifications
),

final as (
    select
        coalesce(inferred.loop_id, told.loop_id) as loop_id,
        coalesce(inferred.run_id, told.loop_id) as run_id,
        coalesce(inferred.session_id, told.session_id) as session_id,
        inferred.turn_id,
        case when inferred.loop_id is null then told.project_id else inferred.project_id end as project_id,
        case when inferred.loop_id is null then told.project_name else inferred.project_name end as project_name,
        case when inferred.loop_id is null then told.directory else inferred.directory end as directory,
        coalesce(inferred.root_session_id, told.root_session_id) as root_session_id,
        coalesce(inferred.is_child, told.is_child) as is_child,
        coalesce(inferred.agent, told.agent) as agent,
        coalesce(inferred.model, told.model, 'unknown') as model,
        coalesce(told.skill_name, inferred.skill_name) as skill_name,
        inferred.window_id,
        coalesce(told.source, inferred.source) as source,
        coalesce(inferred.rule, 'telemetry') as rule,
        case
            when inferred.loop_id is null then 'telemetry'
            when told.loop_id is null then inferred.evidence
            when told.label = 'explicit' then 'observed'
            else told.label
        end as evidence,
        coalesce(inferred.started_at, told.occurred_at) as started_at,
        coalesce(inferred.ended_at, told.occurred_at) as ended_at,
        coalesce(told.duration_ms, inferred.duration_ms) as duration_ms,
        coalesce(told.iterations, inferred.iterations) as iterations,
        inferred.passed_count, inferred.failed_count, inferred.unknown_count, inferred.edit_count,
        coalesce(told.verdict, inferred.is_verified) as is_verified,
        case
            when told.iterations is not null or told.verdict is not null
                then coalesce(told.verdict, inferred.is_verified)
                    and coalesce(told.iterations, inferred.iterations) <= 1
            else inferred.is_first_pass
        end as is_first_pass,
        coalesce(
            told.is_max_reached, told.iterations >= told.max_iterations and not told.verdict, inferred.is_max_reached
        ) as is_max_reached,
        coalesce(told.is_escalated, inferred.is_escalated) as is_escalated,
        inferred.last_command, inferred.tokens, inferred.cost_usd,
        coalesce(told.criteria_passed, inferred.criteria_passed) as criteria_passed,
        coalesce(told.criteria_total, inferred.criteria_total) as criteria_total,
        coalesce(inferred.is_fork_copy, false) as is_fork_copy,
        coalesce(inferred.is_undone, false) as is_undone,
        told.max_iterations, told.failed_criteria, told.confidence, told.quality, told.event_id,
    from inferred
    full outer join told
        on inferred.loop_id = told.loop_id
)

select * from final
