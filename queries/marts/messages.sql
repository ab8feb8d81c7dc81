-- mart: messages
-- grain: one row per message with a role (user or assistant)
-- sources: stg_messages, mart_session_places, mart_message_places
-- time: created_at
-- reach: session
--
-- A user message is a prompt, or text that OpenCode injected (is_prompt false); an assistant message is one request to
-- a model. Sums by session and by model are over assistant messages, as `opencode stats` does. Tokens: `input_tokens`
-- are not cached, `output_tokens` are without reasoning, `total_tokens` is the sum of the five kinds. A request that
-- failed or was aborted has 0 tokens and 0 cost, although the provider may have billed it. Messages of a session that
-- is gone stay, without project. A message of the user that names no model or agent, as in the second generation, has
-- those of the next answer in its turn.
-- Columns: message_id, session_id, turn_id, turn_index, message_index, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, variant, role, is_prompt, is_summary, parent_message_id, created_at,
-- completed_at, duration_ms, input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens,
-- total_tokens, context_tokens (input + cache: what the model was given), cost_usd, finish_reason, error_name,
-- error_message, error_status, is_error (an error that is no abort), is_aborted, diff_file_count, diff_additions,
-- diff_deletions (user: what changed in the turn by git snapshot), is_fork_copy, record_message_id, record_session_id,
-- is_undone, last_seen_at (gone from the source since), generation, source.
with messages as (
    select * from stg_messages where role is not null
),

session_places as (
    select * from mart_session_places
),

message_places as (
    select * from mart_message_places
),

addressees as (
    select
        messages.message_id,
        first_value(case when messages.role = 'assistant' then nullif(messages.model, 'unknown') end ignore nulls)
            over following as model,
        first_value(case when messages.role = 'assistant' then messages.agent end ignore nulls) over following as agent,
    from messages
    inner join message_places
        on messages.message_id = message_places.message_id
    where messages.session_id in (
        select session_id from messages where role = 'user' and (model = 'unknown' or agent is null)
    )
    window following as (
        partition by message_places.turn_number order by message_places.message_number
        rows between current row and unbounded following
    )
),

final as (
    select
        messages.message_id,
        messages.session_id,
        message_places.turn_id,
        message_places.turn_index,
        message_places.message_index,
        session_places.project_id,
        session_places.project_name,
        session_places.directory,
        coalesce(session_places.root_session_id, messages.session_id) as root_session_id,
        coalesce(session_places.is_child, false) as is_child,
        coalesce(messages.agent, case when messages.role = 'user' then addressees.agent end) as agent,
        case
            when messages.role = 'user' and messages.model = 'unknown' then coalesce(addressees.model, 'unknown')
            else messages.model
        end as model,
        messages.variant,
        messages.role,
        messages.is_prompt,
        coalesce(messages.is_summary, false) as is_summary,
        messages.parent_message_id,
        messages.created_at,
        messages.completed_at,
        case
            when messages.completed_at >= messages.created_at then messages.completed_at - messages.created_at
        end as duration_ms,
        messages.input_tokens,
        messages.output_tokens,
        messages.reasoning_tokens,
        messages.cache_read_tokens,
        messages.cache_write_tokens,
        case
            when coalesce(
                messages.input_tokens, messages.output_tokens, messages.reasoning_tokens,
                messages.cache_read_tokens, messages.cache_write_tokens
            ) is not null
                then coalesce(messages.input_tokens, 0) + coalesce(messages.output_tokens, 0)
                    + coalesce(messages.reasoning_tokens, 0) + coalesce(messages.cache_read_tokens, 0)
                    + coalesce(messages.cache_write_tokens, 0)
        end as total_tokens,
        messages.input_tokens + coalesce(messages.cache_read_tokens, 0)
            + coalesce(messages.cache_write_tokens, 0) as context_tokens,
        messages.cost_usd,
        messages.finish_reason,
        messages.error_name,
        messages.error_message,
        messages.error_status,
        messages.error_name is not null and lower(messages.error_name) not like '%abort%' as is_error,
        messages.error_name is not null and lower(messages.error_name) like '%abort%' as is_aborted,
        messages.diff_file_count,
        messages.diff_additions,
        messages.diff_deletions,
        message_places.is_fork_copy,
        message_places.record_message_id,
        message_places.record_session_id,
        message_places.is_undone,
        messages.last_seen_at,
        messages.generation,
        messages.source,
    from messages
    left join session_places
        on messages.session_id = session_places.session_id
    inner join message_places
        on messages.message_id = message_places.message_id
    left join addressees
        on messages.message_id = addressees.message_id
)

select * from final
