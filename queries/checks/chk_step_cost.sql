-- check:   chk_step_cost
-- title:   The steps of a message add up to its cost and tokens
-- sources: stg_messages, stg_parts
--
-- OpenCode writes the cost and the tokens of a request twice: in the message and in its step-finish part. Where both
-- are there they must agree, or one of the two was lost, written twice or read wrongly. Messages without such a part
-- are left out: aborted requests, commands that the user ran, and all of OpenCode 2.x.
with

step_sums as (
    select
        message_id,
        sum(cast(round(cost_usd * 1e9) as bigint)) as cost_nusd,
        sum(input_tokens + output_tokens + reasoning_tokens + cache_read_tokens + cache_write_tokens) as tokens,
    from stg_parts
    where part_type = 'step-finish'
    group by message_id
),

message_sums as (
    select
        message_id,
        cast(round(cost_usd * 1e9) as bigint) as cost_nusd,
        input_tokens + output_tokens + reasoning_tokens + cache_read_tokens + cache_write_tokens as tokens,
    from stg_messages
    where role = 'assistant'
),

final as (
    select
        'step_cost' as rule,
        message_sums.message_id as subject,
        'message: ' || message_sums.cost_nusd / 1e9 || ' USD, ' || message_sums.tokens || ' tokens; steps: '
        || step_sums.cost_nusd / 1e9 || ' USD, ' || step_sums.tokens || ' tokens' as detail,
    from message_sums
    inner join step_sums
        on message_sums.message_id = step_sums.message_id
    where abs(message_sums.cost_nusd - step_sums.cost_nusd) > 1
        or message_sums.tokens <> step_sums.tokens
)

select * from final
order by rule, subject
