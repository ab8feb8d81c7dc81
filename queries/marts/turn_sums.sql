-- mart: turn_sums
-- grain: one row per turn
-- sources: mart_messages, mart_steps, mart_tool_calls
-- time: none
-- reach: session
-- stored: no
--
-- The sums behind `turns`: messages, requests and tool calls of a turn, and how it ended. Sums are over assistant
-- messages without child sessions; a turn without an answer has sums of 0, one whose amounts are all unknown has NULL.
-- Columns: turn_id, answer_model, answer_agent (of the first answer), ended_at, message_count, step_count,
-- tool_call_count, tool_error_count, tool_failure_count, retry_count, edit_count, skill_load_count, subagent_count,
-- input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd,
-- additions, deletions, outcome, error_name.
with messages as (
    select
        *,
        role = 'assistant' as is_answer,
    from mart_messages
    where turn_id is not null
),

edges as (
    select
        turn_id,
        max(message_index) as last_index,
        min(case when is_answer then message_index end) as first_answer_index,
    from messages
    group by turn_id
),

steps as (
    select * from mart_steps
),

tool_calls as (
    select * from mart_tool_calls
),

message_sums as (
    select
        messages.turn_id,
        count(*) as message_count,
        count(case when is_answer then 1 end) as answer_count,
        max(coalesce(completed_at, created_at)) as ended_at,
        max(case when message_index = first_answer_index then model end) as answer_model,
        max(case when message_index = first_answer_index then agent end) as answer_agent,
        cast(sum(case when is_answer then input_tokens end) as bigint) as input_tokens,
        cast(sum(case when is_answer then output_tokens end) as bigint) as output_tokens,
        cast(sum(case when is_answer then reasoning_tokens end) as bigint) as reasoning_tokens,
        cast(sum(case when is_answer then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(case when is_answer then cache_write_tokens end) as bigint) as cache_write_tokens,
        cast(sum(case when is_answer then total_tokens end) as bigint) as total_tokens,
        sum(case when is_answer then cast(round(cost_usd * 1e9) as bigint) end) / 1e9 as cost_usd,
        max(case
            when message_index < last_index then null
            when is_aborted then 'aborted'
            when is_error then 'error'
            when not is_answer or completed_at is null or finish_reason in ('tool-calls', 'unknown') then 'open'
            else 'completed'
        end) as outcome,
        max(case when message_index = last_index then error_name end) as error_name,
    from messages
    inner join edges on messages.turn_id = edges.turn_id
    group by messages.turn_id
),

step_sums as (
    select turn_id, count(*) as step_count from steps group by turn_id
),

call_sums as (
    select
        turn_id,
        max(ended_at) as ended_at,
        count(*) as tool_call_count,
        count(case when is_error then 1 end) as tool_error_count,
        count(case when is_failed then 1 end) as tool_failure_count,
        count(retry_of) as retry_count,
        count(case when edit_outcome = 'applied' then 1 end) as edit_count,
        count(case when tool_class = 'skill' and status = 'completed' then 1 end) as skill_load_count,
        count(case when tool_class = 'task' then 1 end) as subagent_count,
        cast(sum(additions) as bigint) as additions,
        cast(sum(deletions) as bigint) as deletions,
    from tool_calls
    group by turn_id
),

final as (
    select
        message_sums.turn_id,
        message_sums.answer_model,
        message_sums.answer_agent,
        greatest(message_sums.ended_at, coalesce(call_sums.ended_at, message_sums.ended_at)) as ended_at,
        message_sums.message_count,
        coalesce(step_sums.step_count, 0) as step_count,
        coalesce(call_sums.tool_call_count, 0) as tool_call_count,
        coalesce(call_sums.tool_error_count, 0) as tool_error_count,
        coalesce(call_sums.tool_failure_count, 0) as tool_failure_count,
        coalesce(call_sums.retry_count, 0) as retry_count,
        coalesce(call_sums.edit_count, 0) as edit_count,
        coalesce(call_sums.skill_load_count, 0) as skill_load_count,
        coalesce(call_sums.subagent_count, 0) as subagent_count,
        case when answer_count = 0 then 0 else input_tokens end as input_tokens,
        case when answer_count = 0 then 0 else output_tokens end as output_tokens,
        case when answer_count = 0 then 0 else reasoning_tokens end as reasoning_tokens,
        case when answer_count = 0 then 0 else cache_read_tokens end as cache_read_tokens,
        case when answer_count = 0 then 0 else cache_write_tokens end as cache_write_tokens,
        case when answer_count = 0 then 0 else total_tokens end as total_tokens,
        case when answer_count = 0 then 0 else cost_usd end as cost_usd,
        coalesce(call_sums.additions, 0) as additions,
        coalesce(call_sums.deletions, 0) as deletions,
        message_sums.outcome,
        message_sums.error_name,
    from message_sums
    left join step_sums on message_sums.turn_id = step_sums.turn_id
    left join call_sums on message_sums.turn_id = call_sums.turn_id
)

select * from final
