-- mart: subagents
-- grain: one row per call of the task tool
-- sources: mart_tool_calls, mart_messages, mart_sessions
-- time: started_at
--
-- What a subagent cost and how it ended. A task may be resumed: the n-th call that names a child session owns the
-- child's n-th turn, the last call all that follows, so that the child's tokens are counted once; what the child's own
-- children spent goes to the first call (`with_children_*`). A call without a child (unknown agent type) has NULL sums.
-- The result's worth is not recorded: `is_error` says that the call failed, not that an answer was bad.
-- Columns: part_id, session_id (the parent), turn_id, child_session_id, project_id, project_name, directory,
-- root_session_id, is_child, agent (the caller), model (of the child), parent_model, subagent_type, title, status,
-- is_error, is_failed, error_class, error_message, started_at, ended_at, duration_ms, call_number (on this child),
-- is_resume, message_count, answer_count, tool_call_count, tool_error_count, input_tokens, output_tokens,
-- reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd, with_children_total_tokens,
-- with_children_cost_usd, child_outcome, output_chars, window_id, weak_window_id, is_fork_copy, is_undone, call_id,
-- child_model, below_tokens, below_cost_usd (of sessions under the child).
with tasks as (
    select
        part_id, call_id, session_id, turn_id, child_session_id, project_id, project_name, directory, root_session_id,
        is_child, agent, model as parent_model, subagent_type, title, status, is_error, is_failed, error_class,
        error_message, started_at, ended_at, duration_ms, output_chars, window_id, weak_window_id, is_fork_copy, is_undone,
        case
            when child_session_id is not null
                then dense_rank() over (partition by child_session_id order by started_at, call_id)
        end as call_number,
    from mart_tool_calls
    where tool_class = 'task'
),

tool_calls as (
    select * from mart_tool_calls where not is_fork_copy
),

messages as (
    select * from mart_messages where not is_fork_copy
),

sessions as (
    select * from mart_sessions
),

children as (
    select
        child_session_id,
        max(call_number) as last_call_number,
    from tasks
    where child_session_id is not null
    group by child_session_id
),

answers as (
    select
        messages.*,
        children.child_session_id,
        least(greatest(messages.turn_index, 1), children.last_call_number) as call_number,
        messages.role = 'assistant' as is_answer,
    from messages
    inner join children
        on messages.session_id = children.child_session_id
),

message_sums as (
    select
        child_session_id,
        call_number,
        count(*) as message_count,
        count(case when is_answer then 1 end) as answer_count,
        max(case when is_answer then model end) as child_model,
        cast(sum(case when is_answer then input_tokens end) as bigint) as input_tokens,
        cast(sum(case when is_answer then output_tokens end) as bigint) as output_tokens,
        cast(sum(case when is_answer then reasoning_tokens end) as bigint) as reasoning_tokens,
        cast(sum(case when is_answer then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(case when is_answer then cache_write_tokens end) as bigint) as cache_write_tokens,
        cast(sum(case when is_answer then total_tokens end) as bigint) as total_tokens,
        sum(case when is_answer then cast(round(cost_usd * 1e9) as bigint) end) / 1e9 as cost_usd,
    from answers
    group by child_session_id, call_number
),

call_sums as (
    select
        children.child_session_id,
        least(greatest(tool_calls.turn_index, 1), children.last_call_number) as call_number,
        count(*) as tool_call_count,
        count(case when tool_calls.is_error then 1 end) as tool_error_count,
    from tool_calls
    inner join children
        on tool_calls.session_id = children.child_session_id
    group by children.child_session_id, least(greatest(tool_calls.turn_index, 1), children.last_call_number)
),

below as (
    select
        session_id as child_session_id,
        outcome as child_outcome,
        with_children_total_tokens - coalesce(total_tokens, 0) as below_tokens,
        with_children_cost_usd - coalesce(cost_usd, 0) as below_cost_usd,
    from sessions
),

final as (
    select
        *,
        coalesce(child_model, 'unknown') as model,
        coalesce(call_number > 1, false) as is_resume,
        total_tokens + case when call_number = 1 then coalesce(below_tokens, 0) else 0 end as with_children_total_tokens,
        cost_usd + case when call_number = 1 then coalesce(below_cost_usd, 0) else 0 end as with_children_cost_usd,
    from tasks
    left join message_sums using (child_session_id, call_number)
    left join call_sums using (child_session_id, call_number)
    left join below using (child_session_id)
)

select * from final
