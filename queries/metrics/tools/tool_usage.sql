-- metric:    tool_usage
-- title:     Tool use
-- grain:     one row per tool_name
-- units:     call_count=count, call_ratio=ratio, session_count=count, error_count=count, error_ratio=ratio, ci_low=ratio, ci_high=ratio, failed_count=count, unfinished_count=count, mean_ms=ms, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, output_chars=chars, p50_output_chars=chars, p95_output_chars=chars, estimated_output_tokens=tokens
-- sources:   tool_calls
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=tool_name y=call_count
--
-- What the agents did, as in the TOOL USAGE table of `opencode stats`. An error is a call that OpenCode recorded as
-- one; failed_count also has what OpenCode calls completed: a shell command with a non-zero exit, an aborted one, a
-- call of an unknown tool. error_ratio is over all calls, unfinished ones (left over by a crash) included.
-- Milliseconds include the wait for a permission. estimated_output_tokens is output characters / 4: what the outputs
-- put into the context, once.
with

calls as (
    select
        tool_name,
        tool_class,
        session_id,
        is_error,
        is_failed,
        is_unfinished,
        duration_ms,
        output_chars,
    from tool_calls
),

per_tool as (
    select
        tool_name,
        case when tool_name = 'bash' then 'shell' else min(tool_class) end as tool_class,
        count(*) as call_count,
        count(distinct session_id) as session_count,
        count(*) filter (where is_error) as error_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where is_unfinished) as unfinished_count,
        cast(sum(duration_ms) as double) / nullif(count(duration_ms), 0) as mean_ms,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(output_chars) as bigint) as output_chars,
        quantile_cont(output_chars, 0.5) as p50_output_chars,
        quantile_cont(output_chars, 0.95) as p95_output_chars,
    from calls
    group by tool_name
),

final as (
    select
        tool_name,
        tool_class,
        call_count,
        cast(call_count as double) / sum(call_count) over () as call_ratio,
        session_count,
        error_count,
        cast(error_count as double) / call_count as error_ratio,
        wilson_low(error_count, call_count) as ci_low,
        wilson_high(error_count, call_count) as ci_high,
        failed_count,
        unfinished_count,
        mean_ms,
        p50_ms, p50_ms_ci_low, p50_ms_ci_high,
        p95_ms,
        output_chars,
        p50_output_chars,
        p95_output_chars,
        cast(ceil(output_chars / 4.0) as bigint) as estimated_output_tokens,
    from per_tool
)

select * from final
order by call_count desc, tool_name
