-- mart: session_sums
-- grain: one row per session
-- sources: stg_sessions, mart_messages
-- time: none
-- reach: session
-- stored: no
--
-- The sums over messages behind `sessions`, of the session's own rows: without fork copies, and with prefix `raw_`
-- including them. Tokens and cost are over assistant messages, as `opencode stats` sums them by model; a session
-- without an answer has sums of 0, one whose amounts are all unknown has NULL.
-- Columns: session_id, message_count, prompt_count, answer_count, error_count, input_tokens, output_tokens,
-- reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd, raw_message_count, the same seven
-- with raw_, diff_additions, diff_deletions, message_outcome.
with sessions as (
    select session_id from stg_sessions
),

messages as (
    select
        *,
        role = 'assistant' as is_answer,
        role = 'assistant' and not is_fork_copy as is_own_answer,
    from mart_messages
),

last_messages as (
    select session_id, max(message_index) as message_index from messages group by session_id
),

summed as (
    select
        sessions.session_id,
        count(case when not is_fork_copy then message_id end) as message_count,
        count(case when is_prompt and not is_fork_copy then 1 end) as prompt_count,
        count(case when is_own_answer then 1 end) as answer_count,
        count(case when is_error and not is_fork_copy then 1 end) as error_count,
        cast(sum(case when is_own_answer then input_tokens end) as bigint) as input_tokens,
        cast(sum(case when is_own_answer then output_tokens end) as bigint) as output_tokens,
        cast(sum(case when is_own_answer then reasoning_tokens end) as bigint) as reasoning_tokens,
        cast(sum(case when is_own_answer then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(case when is_own_answer then cache_write_tokens end) as bigint) as cache_write_tokens,
        cast(sum(case when is_own_answer then total_tokens end) as bigint) as total_tokens,
        sum(case when is_own_answer then cast(round(cost_usd * 1e9) as bigint) end) / 1e9 as cost_usd,
        count(message_id) as raw_message_count,
        count(case when is_answer then 1 end) as raw_answer_count,
        cast(sum(case when is_answer then input_tokens end) as bigint) as raw_input_tokens,
        cast(sum(case when is_answer then output_tokens end) as bigint) as raw_output_tokens,
        cast(sum(case when is_answer then reasoning_tokens end) as bigint) as raw_reasoning_tokens,
        cast(sum(case when is_answer then cache_read_tokens end) as bigint) as raw_cache_read_tokens,
        cast(sum(case when is_answer then cache_write_tokens end) as bigint) as raw_cache_write_tokens,
        cast(sum(case when is_answer then total_tokens end) as bigint) as raw_total_tokens,
        sum(case when is_answer then cast(round(cost_usd * 1e9) as bigint) end) / 1e9 as raw_cost_usd,
        cast(sum(case when not is_fork_copy then diff_additions end) as bigint) as diff_additions,
        cast(sum(case when not is_fork_copy then diff_deletions end) as bigint) as diff_deletions,
        max(case
            when messages.message_index < last_messages.message_index or messages.message_id is null then null
            when is_aborted then 'aborted'
            when is_error then 'error'
            when not is_answer or completed_at is null or finish_reason in ('tool-calls', 'unknown') then 'open'
            else 'completed'
        end) as message_outcome,
    from sessions
    left join messages
        on sessions.session_id = messages.session_id
    left join last_messages
        on sessions.session_id = last_messages.session_id
    group by sessions.session_id
),

final as (
    select
        session_id,
        message_count,
        prompt_count,
        answer_count,
        error_count,
        case when answer_count = 0 then 0 else input_tokens end as input_tokens,
        case when answer_count = 0 then 0 else output_tokens end as output_tokens,
        case when answer_count = 0 then 0 else reasoning_tokens end as reasoning_tokens,
        case when answer_count = 0 then 0 else cache_read_tokens end as cache_read_tokens,
        case when answer_count = 0 then 0 else cache_write_tokens end as cache_write_tokens,
        case when answer_count = 0 then 0 else total_tokens end as total_tokens,
        case when answer_count = 0 then 0 else cost_usd end as cost_usd,
        raw_message_count,
        case when raw_answer_count = 0 then 0 else raw_input_tokens end as raw_input_tokens,
        case when raw_answer_count = 0 then 0 else raw_output_tokens end as raw_output_tokens,
        case when raw_answer_count = 0 then 0 else raw_reasoning_tokens end as raw_reasoning_tokens,
        case when raw_answer_count = 0 then 0 else raw_cache_read_tokens end as raw_cache_read_tokens,
        case when raw_answer_count = 0 then 0 else raw_cache_write_tokens end as raw_cache_write_tokens,
        case when raw_answer_count = 0 then 0 else raw_total_tokens end as raw_total_tokens,
        case when raw_answer_count = 0 then 0 else raw_cost_usd end as raw_cost_usd,
        coalesce(message_outcome, 'empty') as message_outcome,
        diff_additions,
        diff_deletions,
    from summed
)

select * from final
