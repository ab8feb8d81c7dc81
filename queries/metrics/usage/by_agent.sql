-- metric:    by_agent
-- title:     Use by agent
-- grain:     one row per agent
-- units:     message_count=count, session_count=count, child_session_count=count, cost_usd=usd, cost_ratio=ratio, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, cache_hit_ratio=ratio, cost_per_message_usd=usd, tool_call_count=count, tool_error_count=count, tool_error_ratio=ratio, ci_low=ratio, ci_high=ratio
-- sources:   messages, tool_calls
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=agent y=cost_usd
--
-- Which agent (build, plan, a subagent, one of the user's own) did the work. Messages are answers, counted for the
-- agent that answered. An agent that ran as a subagent has child sessions; its cost is its own and stands in no other
-- row. 'compaction' is the agent that writes summaries of full sessions.
with

answers as (
    select
        coalesce(agent, 'unknown') as agent,
        session_id,
        is_child,
        cost_usd,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        context_tokens,
    from messages
    where role = 'assistant'
),

calls_per_agent as (
    select
        coalesce(agent, 'unknown') as agent,
        count(*) as tool_call_count,
        count(*) filter (where is_error) as tool_error_count,
    from tool_calls
    group by coalesce(agent, 'unknown')
),

per_agent as (
    select
        agent,
        count(*) as message_count,
        count(distinct session_id) as session_count,
        count(distinct session_id) filter (where is_child) as child_session_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(total_tokens) as bigint) as total_tokens,
        sum(cache_read_tokens) filter (where context_tokens is not null) as cache_hit_tokens,
        sum(context_tokens) as context_tokens,
    from answers
    group by agent
),

final as (
    select
        per_agent.agent,
        message_count,
        session_count,
        child_session_count,
        cost_usd,
        cost_usd / nullif(sum(cast(round(cost_usd * 1e9) as bigint)) over () / 1e9, 0) as cost_ratio,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        cast(cache_hit_tokens as double) / nullif(context_tokens, 0) as cache_hit_ratio,
        cost_usd / message_count as cost_per_message_usd,
        coalesce(tool_call_count, 0) as tool_call_count,
        coalesce(tool_error_count, 0) as tool_error_count,
        cast(tool_error_count as double) / tool_call_count as tool_error_ratio,
        wilson_low(tool_error_count, tool_call_count) as ci_low,
        wilson_high(tool_error_count, tool_call_count) as ci_high,
    from per_agent
    left join calls_per_agent
        on per_agent.agent = calls_per_agent.agent
)

select * from final
order by cost_usd desc nulls last, message_count desc, agent
