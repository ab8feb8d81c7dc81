-- check:   chk_mart_sums
-- title:   The marts keep the spend of the messages
-- sources: stg_messages, sessions_raw
--
-- What a session cost is summed in its mart, fork copies in (raw_). It must be the sum of its messages as they were read;
-- a difference means that rows were lost or counted twice on the way. Sessions outside the period are not looked at.
with

message_sums as (
    select
        session_id,
        count(*) as message_count,
        coalesce(sum(cast(round(cost_usd * 1e9) as bigint)) filter (where role = 'assistant'), 0) as cost_nusd,
        coalesce(sum(output_tokens) filter (where role = 'assistant'), 0) as output_tokens,
    from stg_messages
    where role is not null
    group by session_id
),

session_sums as (
    select
        session_id,
        coalesce(raw_message_count, 0) as message_count,
        coalesce(cast(round(raw_cost_usd * 1e9) as bigint), 0) as cost_nusd,
        coalesce(raw_output_tokens, 0) as output_tokens,
    from sessions_raw
),

final as (
    select
        'mart_sums' as rule,
        session_sums.session_id as subject,
        'messages: ' || coalesce(message_sums.message_count, 0) || ' rows, '
        || coalesce(message_sums.cost_nusd, 0) / 1e9 || ' USD, '
        || coalesce(message_sums.output_tokens, 0) || ' output tokens; mart: ' || session_sums.message_count || ' rows, '
        || session_sums.cost_nusd / 1e9 || ' USD, ' || session_sums.output_tokens || ' output tokens' as detail,
    from session_sums
    left join message_sums
        on session_sums.session_id = message_sums.session_id
    where session_sums.message_count <> coalesce(message_sums.message_count, 0)
        or abs(session_sums.cost_nusd - coalesce(message_sums.cost_nusd, 0)) > 1
        or session_sums.output_tokens <> coalesce(message_sums.output_tokens, 0)
)

select * from final
order by rule, subject
