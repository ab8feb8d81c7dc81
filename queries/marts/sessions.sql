-- mart: sessions
-- grain: one row per session
-- sources: stg_sessions, mart_session_places, mart_session_ancestors, mart_session_sums, mart_session_activity, mart_fork_copies, mart_tool_calls, mart_steps
-- time: started_at
--
-- Sums are the session's own, without fork copies and without child sessions; `raw_*` include fork copies,
-- `with_children_*` all sessions below, `recorded_*` are OpenCode's own columns (copies included; NULL before 2026-05).
-- `outcome` goes by the last message: completed, error, aborted, open (unanswered, cut off, or ended by a refused tool
-- call), empty. `active_ms` leaves out gaps over 10 minutes. `fork_origin_id` is recorded by v2; in v1 it is the
-- session that holds the record of the copies, NULL where that is gone.
-- Columns: session_id, project_id, project_name, directory, parent_id, root_session_id, depth, is_child, title, agent,
-- model (the last), version, started_at, updated_at, archived_at, ended_at (last message or part), wall_ms, active_ms,
-- message_count, prompt_count, answer_count, error_count, step_count, tool_call_count, tool_error_count,
-- tool_failure_count, skill_load_count, input_tokens, output_tokens, reasoning_tokens, cache_read_tokens,
-- cache_write_tokens, total_tokens, cost_usd; raw_ message_count, tool_call_count, tool_error_count and the same seven;
-- recorded_ cost_usd and the five kinds of tokens; with_children_ total_tokens, cost_usd, and child_count; additions,
-- deletions, diff_additions, diff_deletions, outcome, is_fork, fork_origin_id, generation, source, and the rest of stg_sessions.
with sessions as (
    select
        *,
        created_at as started_at,
    from stg_sessions
),

places as (
    select session_id, project_name, root_session_id, depth, is_child from mart_session_places
),

message_sums as (
    select * from mart_session_sums
),

known_calls as (
    select
        session_id,
        count(case when not is_fork_copy then part_id end) as tool_call_count,
        count(case when is_error and not is_fork_copy then 1 end) as tool_error_count,
        count(case when is_failed and not is_fork_copy then 1 end) as tool_failure_count,
        count(case when tool_class = 'skill' and status = 'completed' and not is_fork_copy then 1 end) as skill_load_count,
        count(part_id) as raw_tool_call_count,
        count(case when is_error then 1 end) as raw_tool_error_count,
        cast(sum(case when not is_fork_copy then additions end) as bigint) as additions,
        cast(sum(case when not is_fork_copy then deletions end) as bigint) as deletions,
    from mart_tool_calls
    group by session_id
),

known_steps as (
    select session_id, count(case when not is_fork_copy then step_id end) as step_count from mart_steps group by session_id
),

call_sums as (
    select
        session_id,
        coalesce(tool_call_count, 0) as tool_call_count, coalesce(tool_error_count, 0) as tool_error_count,
        coalesce(tool_failure_count, 0) as tool_failure_count, coalesce(skill_load_count, 0) as skill_load_count,
        coalesce(raw_tool_call_count, 0) as raw_tool_call_count, coalesce(raw_tool_error_count, 0) as raw_tool_error_count,
        coalesce(additions, 0) as additions, coalesce(deletions, 0) as deletions,
        coalesce(step_count, 0) as step_count,
    from places
    left join known_calls using (session_id)
    left join known_steps using (session_id)
),

activity as (
    select
        session_id,
        last_at as ended_at,
        last_at - first_at as wall_ms,
        active_ms,
    from mart_session_activity
),

forks as (
    select
        session_id,
        max(case when record_session_id <> session_id then record_session_id end) as record_session_id,
    from mart_fork_copies
    group by session_id
),

families as (
    select
        ancestors.ancestor_id as session_id,
        count(*) - 1 as child_count,
        cast(sum(message_sums.total_tokens) as bigint) as with_children_total_tokens,
        sum(cast(round(message_sums.cost_usd * 1e9) as bigint)) / 1e9 as with_children_cost_usd,
    from mart_session_ancestors as ancestors
    left join message_sums
        on ancestors.session_id = message_sums.session_id
    group by ancestors.ancestor_id
),

final as (
    select
        *,
        case
            when idle_outcome = 'succeeded' then 'completed'
            when idle_outcome = 'failed' then 'error'
            when idle_outcome = 'interrupted' then 'aborted'
            else message_outcome
        end as outcome,
        fork_session_id is not null or record_session_id is not null or coalesce(title like '% (fork #%)', false) as is_fork,
        coalesce(fork_session_id, record_session_id) as fork_origin_id,
    from sessions
    inner join places using (session_id)
    inner join message_sums using (session_id)
    inner join call_sums using (session_id)
    left join activity using (session_id)
    left join forks using (session_id)
    inner join families using (session_id)
)

select * from final
