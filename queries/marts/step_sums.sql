-- mart: step_sums
-- grain: one row per message with parts
-- sources: stg_parts
-- time: none
-- reach: session
-- stored: no
--
-- The sums over parts behind `steps`: what the step-finish part says (summed, should old versions have several in one
-- message), and what the message holds. Amounts are NULL where the message has no step-finish part.
-- Columns: message_id, marker_count (step-start and step-finish parts), finish_reason, the five kinds of tokens,
-- cost_usd, first_output_at, last_output_at, tool_call_count, tool_error_count, input_chars, output_chars, text_chars,
-- reasoning_chars.
with parts as (
    select
        *,
        part_type = 'step-finish' as is_finish,
        part_type = 'tool' as is_tool,
    from stg_parts
),

final as (
    select
        message_id,
        count(case when part_type in ('step-start', 'step-finish') then 1 end) as marker_count,
        min(started_at) as first_output_at,
        max(coalesce(ended_at, started_at)) as last_output_at,
        count(case when is_tool then 1 end) as tool_call_count,
        count(case when is_tool and status = 'error' then 1 end) as tool_error_count,
        cast(sum(input_chars) as bigint) as input_chars,
        cast(sum(output_chars) as bigint) as output_chars,
        cast(sum(case when part_type = 'text' then text_chars end) as bigint) as text_chars,
        cast(sum(case when part_type = 'reasoning' then text_chars end) as bigint) as reasoning_chars,
        max(case when is_finish then finish_reason end) as finish_reason,
        cast(sum(case when is_finish then input_tokens end) as bigint) as input_tokens,
        cast(sum(case when is_finish then output_tokens end) as bigint) as output_tokens,
        cast(sum(case when is_finish then reasoning_tokens end) as bigint) as reasoning_tokens,
        cast(sum(case when is_finish then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(case when is_finish then cache_write_tokens end) as bigint) as cache_write_tokens,
        sum(case when is_finish then cast(round(cost_usd * 1e9) as bigint) end) / 1e9 as cost_usd,
    from parts
    group by message_id
)

select * from final
