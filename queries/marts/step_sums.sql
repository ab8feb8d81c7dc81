-- mart: step_sums
-- grain: one row per message with parts
-- sources: stg_parts
-- time: none
--
-- The sums over parts behind `steps`: what the step-finish part says (summed, should old versions have several in one
-- message), and what the message holds. Amounts are NULL where the message has no step-finish part.
-- Columns: message_id, marker_count (step-start and step-finish parts), finish_reason, the five kinds of tokens,
-- cost_usd, first_output_at, last_output_at, tool_call_count, tool_error_count, input_chars, output_chars, text_chars,
-- reasoning_chars.
with parts as (
    select * from stg_parts
),

finished as (
    select
        message_id,
        max(finish_reason) as finish_reason,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from parts
    where part_type = 'step-finish'
    group by message_id
),

filled as (
    select
        message_id,
        count(case when part_type in ('step-start', 'step-finish') then 1 end) as marker_count,
        min(started_at) as first_output_at,
        max(coalesce(ended_at, started_at)) as last_output_at,
        count(case when part_type = 'tool' then 1 end) as tool_call_count,
        count(case when part_type = 'tool' and status = 'error' then 1 end) as tool_error_count,
        cast(sum(input_chars) as bigint) as input_chars,
        cast(sum(output_chars) as bigint) as output_chars,
        cast(sum(case when part_type = 'text' then text_chars end) as bigint) as text_chars,
        cast(sum(case when part_type = 'reasoning' then text_chars end) as bigint) as reasoning_chars,
    from parts
    group by message_id
),

final as (
    select *
    from filled
    left join finished using (message_id)
)

select * from final
order by message_id
