-- mart: edits
-- grain: one row per edit: the calls on one file until applied or given up
-- sources: mart_edit_attempts
-- time: started_at
--
-- `attempt_count` = format errors + applied. An edit with no attempt that counts was never tried in earnest
-- (`outcome` never_tried) and belongs in no success rate. `is_first_try` says that the first attempt that counts was
-- applied; both it and `is_applied` are NULL where nothing was tried. Where telemetry numbers an attempt, those before it
-- count although nobody recorded them. `format` and `model` are those of the first call,
-- `final_format` of the last: where they differ the agent changed its way of editing.
-- Columns: edit_id, session_id, turn_id, project_id, project_name, directory, root_session_id, is_child, agent, model,
-- path, format, final_format, started_at, ended_at, duration_ms (from the first call to the end of the last),
-- call_count, attempt_count, format_error_count, blocked_count, is_tried, is_applied, is_first_try, outcome (applied,
-- failed, never_tried), last_error_class, tokens (its calls' shares of their steps), failed_tokens and failed_cost_usd
-- (the same for calls that were not applied), cost_usd, additions, deletions, has_lsp_errors, window_id, is_fork_copy,
-- is_undone, evidence (derived, observed, telemetry).
with attempts as (
    select * from mart_edit_attempts
),

positioned as (
    select
        *,
        row_number() over (partition by edit_id order by call_number desc) = 1 as is_last_call,
    from attempts
),

grouped as (
    select
        edit_id,
        min(attempted_at) as started_at,
        max(attempted_at + coalesce(duration_ms, 0)) as ended_at,
        count(*) as call_count,
        greatest(
            count(case when is_attempt then 1 end),
            coalesce(max(case when event_id is not null then attempt_number end), 0)
        ) as attempt_count,
        count(case when is_format_error then 1 end) as format_error_count,
        count(case when outcome = 'blocked' then 1 end) as blocked_count,
        max(case when is_last_call then format end) as final_format,
        count(case when is_applied then 1 end) > 0 as has_applied,
        count(case when is_applied and attempt_number = 1 then 1 end) > 0 as has_applied_first,
        cast(sum(step_share_tokens) as bigint) as tokens,
        cast(sum(case when not is_applied then step_share_tokens end) as bigint) as failed_tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        sum(case when not is_applied then cast(round(step_share_cost_usd * 1e9) as bigint) end) / 1e9 as failed_cost_usd,
        cast(sum(additions) as bigint) as additions,
        cast(sum(deletions) as bigint) as deletions,
        count(case when has_lsp_errors then 1 end) > 0 as has_lsp_errors,
        case
            when count(event_id) = 0 then 'derived'
            when count(case when evidence <> 'telemetry' then 1 end) = 0 then 'telemetry'
            else 'observed'
        end as evidence,
        max(case when is_last_call then error_class end) as final_error_class,
    from positioned
    group by edit_id
),

final as (
    select
        grouped.edit_id,
        attempts.session_id,
        attempts.turn_id,
        attempts.project_id,
        attempts.project_name,
        attempts.directory,
        attempts.root_session_id,
        attempts.is_child,
        attempts.agent,
        attempts.model,
        attempts.path,
        attempts.format,
        grouped.final_format,
        grouped.started_at,
        grouped.ended_at,
        grouped.ended_at - grouped.started_at as duration_ms,
        grouped.call_count,
        grouped.attempt_count,
        grouped.format_error_count,
        grouped.blocked_count,
        grouped.attempt_count > 0 as is_tried,
        case when grouped.attempt_count > 0 then grouped.has_applied end as is_applied,
        case when grouped.attempt_count > 0 then grouped.has_applied_first end as is_first_try,
        case
            when grouped.attempt_count = 0 then 'never_tried'
            when grouped.has_applied then 'applied'
            else 'failed'
        end as outcome,
        grouped.final_error_class as last_error_class,
        grouped.tokens,
        grouped.failed_tokens,
        grouped.cost_usd,
        grouped.failed_cost_usd,
        grouped.additions,
        grouped.deletions,
        grouped.has_lsp_errors,
        attempts.window_id,
        attempts.is_fork_copy,
        attempts.is_undone,
        grouped.evidence,
    from grouped
    inner join attempts
        on grouped.edit_id = attempts.part_id
)

select * from final
