-- metric:    mcp_servers
-- title:     MCP servers and added tools
-- grain:     one row per server_name
-- units:     tool_count=count, call_count=count, session_count=count, error_count=count, error_ratio=ratio, ci_low=ratio, ci_high=ratio, mean_ms=ms, p50_ms=ms, p95_ms=ms, output_chars=chars, estimated_output_tokens=tokens, last_at=at
-- sources:   tool_calls
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=server_name y=call_count
--
-- Use of the tools that are not OpenCode's own. OpenCode does not record where a tool came from: the name is
-- `<server>_<tool>`, and the server shown is a guess, the text before the first underscore. A server whose own name
-- has an underscore is cut, and a plugin's tool may look like a server's; one that has no server stands under
-- '(none)'. An error is what the server answered as one. Schemas of tools that were never called cost context too,
-- and are not seen.
with

added_calls as (
    select
        case when tool_class = 'mcp' then split_part(tool_name, '_', 1) else '(none)' end as server_name,
        tool_name,
        session_id,
        is_error,
        started_at,
        duration_ms,
        output_chars,
    from tool_calls
    where tool_class = 'mcp'
        or tool_class = 'other' and tool_name not in (
            'invalid', 'question', 'todowrite', 'todoread', 'execute', 'batch', 'plan_enter', 'plan_exit'
        )
),

final as (
    select
        server_name,
        string_agg(distinct tool_name, ', ' order by tool_name) as tools,
        count(distinct tool_name) as tool_count,
        count(*) as call_count,
        count(distinct session_id) as session_count,
        count(*) filter (where is_error) as error_count,
        cast(count(*) filter (where is_error) as double) / count(*) as error_ratio,
        wilson_low(count(*) filter (where is_error), count(*)) as ci_low,
        wilson_high(count(*) filter (where is_error), count(*)) as ci_high,
        cast(sum(duration_ms) as double) / nullif(count(duration_ms), 0) as mean_ms,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(output_chars) as bigint) as output_chars,
        cast(ceil(sum(output_chars) / 4.0) as bigint) as estimated_output_tokens,
        max(started_at) as last_at,
    from added_calls
    group by server_name
)

select * from final
order by call_count desc, server_name
