-- mart: edit_attempts
-- grain: one row per edit-class call, or attempt by telemetry's word
-- sources: mart_edit_calls
-- time: attempted_at
--
-- An edit is the run of edit-class calls on one path in one session (other calls may stand between) until one is
-- applied, the user prompts, or 10 minutes pass. Attempts that count are those that were applied or had a format error:
-- a call that was blocked (file not read, changed, missing), denied, aborted or left unfinished says nothing about the
-- format. A patch on several files is one attempt on its first file. Formats are only comparable between models that
-- were offered both: OpenCode gives apply_patch, and neither edit nor write, to `gpt-` models. What telemetry tells
-- (format, outcome, the attempt's number, which attempts belong together …) counts instead of what was inferred.
-- Columns: part_id, edit_id (part id of the edit's first call), call_number (in the edit), attempt_number (NULL when it
-- does not count), is_attempt, is_applied, is_format_error, session_id, turn_id, message_id, project_id, project_name,
-- directory, root_session_id, is_child, agent, model, tool_name, format, path, outcome, error_class, error_message,
-- attempted_at, duration_ms, additions, deletions, file_count, has_lsp_errors, step_share_tokens,
-- step_share_output_tokens, step_share_cost_usd, input_chars, window_id, is_fork_copy, is_undone, recommended_format (as
-- told), evidence (derived: from the database alone; observed or weak: told, too; telemetry: a row of its own), source,
-- label, event_id.
with edit_calls as (
    select * from mart_edit_calls
),

compared as (
    select
        *,
        lag(edit_outcome) over on_path as previous_outcome,
        lag(turn_index) over on_path as previous_turn_index,
        lag(coalesce(ended_at, started_at)) over on_path as previous_ended_at,
        lag(edit_group_id) over on_path as previous_group_id,
    from edit_calls
    window on_path as (
        partition by session_id, target_path
        order by part_index
    )
),

opened as (
    select
        *,
        case
            when edit_group_id = previous_group_id then null
            when edit_group_id <> previous_group_id or is_telemetry_only then part_id
            when previous_turn_index is null
                or previous_turn_index <> turn_index
                or previous_outcome = 'applied'
                or started_at - previous_ended_at > 600000
                then part_id
        end as opening_id,
    from compared
),

grouped as (
    select
        *,
        last_value(opening_id ignore nulls) over (
            partition by session_id, target_path
            order by part_index
            rows between unbounded preceding and current row
        ) as edit_id,
        coalesce(edit_outcome in ('applied', 'format_error'), false) as is_attempt,
    from opened
),

final as (
    select
        part_id,
        edit_id,
        row_number() over in_edit as call_number,
        case
            when is_attempt then coalesce(told_attempt_number, count(case when is_attempt then 1 end) over in_edit)
        end as attempt_number,
        is_attempt,
        coalesce(edit_outcome = 'applied', false) as is_applied,
        coalesce(edit_outcome = 'format_error', false) as is_format_error,
        session_id,
        turn_id,
        message_id,
        project_id,
        project_name,
        directory,
        root_session_id,
        is_child,
        agent,
        model,
        tool_name,
        edit_format as format,
        target_path as path,
        edit_outcome as outcome,
        error_class,
        error_message,
        started_at as attempted_at,
        duration_ms,
        additions,
        deletions,
        file_count,
        has_lsp_errors,
        step_share_tokens,
        step_share_output_tokens,
        step_share_cost_usd,
        input_chars,
        window_id,
        is_fork_copy,
        is_undone,
        recommended_format,
        evidence,
        source,
        label,
        event_id,
    from grouped
    window in_edit as (
        partition by edit_id
        order by part_index
        rows between unbounded preceding and current row
    )
)

select * from final
