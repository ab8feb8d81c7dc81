-- finding:  flooding_tool
-- title:    Tools that flood the context
-- sources:  messages, messages_history, tool_calls_history, steps_history, run
-- evidence: estimated
-- grain:    one row per tool_name
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Tools of which at least five outputs were longer than 4,000 tokens (characters / 4) and filled at least a twentieth
-- of all that models read, in the last four weeks or a longer period (at most 13 weeks), with one in the period. An
-- output is read by the request after it and again by each later one of the session; compaction and pruning end that
-- sooner, so this is an upper bound. The saving is that of cutting them to 4,000 tokens; USD assumes the usual ratios
-- of list prices (cached 0.1, output 5 times input), low if read from the cache each time. A tool is left out when its
-- outputs since the last long one would all be shorter by chance in less than one case in a hundred.
with

bounds as (
    select
        case when is_all then 0 else coalesce(since_ms, 0) end as still_ms,
        case when is_all or since_ms is null then max(created_at) - 7862400000
            else greatest(least(since_ms, max(created_at) - 2419200000), max(created_at) - 7862400000) end as start_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
    group by is_all, since_ms
),

stretch as (
    select bounds.*, greatest(1.0, (end_ms - min(created_at)) / 604800000.0) as weeks,
    from bounds inner join messages_history on created_at between start_ms and end_ms
    group by still_ms, start_ms, end_ms
),

calls as (
    select
        tool_calls_history.*,
        still_ms,
        weeks,
        output_tokens_estimate > 4000 as is_long,
        max(case when output_tokens_estimate > 4000 then started_at end) over (partition by tool_name) as last_long_at,
        cast(output_tokens_estimate as double) * later_step_count as read_tokens,
        cast(output_tokens_estimate - 4000 as double) * later_step_count as excess_tokens,
    from tool_calls_history inner join stretch on started_at between start_ms and end_ms
    where output_tokens_estimate is not null and not is_wrapper
),

reads as (
    select
        cast(sum(context_tokens) as double) as context_tokens,
        sum(case when cost_usd > 0 then cost_usd end order by step_id) / nullif(sum(case when cost_usd > 0 then
            input_tokens + 0.1 * cache_read_tokens + 1.25 * cache_write_tokens + 5 * (output_tokens + reasoning_tokens)
        end order by step_id), 0) as input_usd,
        sum(case when cost_usd > 0 then
            input_tokens + 0.1 * cache_read_tokens + 1.25 * cache_write_tokens
        end order by step_id) / nullif(sum(case when cost_usd > 0 then context_tokens end), 0) as context_weight,
        cast(count(*) filter (where cost_usd > 0) as double) / count(*) as paid_share,
    from steps_history inner join stretch on started_at between start_ms and end_ms
),

final as (
    select
        tool_name,
        count(*) as n,
        count(*) filter (where is_long) as long_count,
        count(*) filter (where started_at > last_long_at) as good_end_count,
        sum(read_tokens) filter (where is_long) / min(context_tokens) as context_share,
        quantile_cont(output_tokens_estimate, 0.5) filter (where is_long) as p50_tokens,
        sum(excess_tokens) filter (where is_long) / min(weeks) as saved_tokens,
        min(input_usd) * min(paid_share) as input_usd,
        min(context_weight) as context_weight,
        min(weeks) as weeks,
    from calls cross join reads
    group by tool_name
    having count(*) filter (where is_long) >= 5 and max(last_long_at) >= min(still_ms)
)

select
    case when context_share >= 0.25 then 'high' else 'medium' end as severity,
    tool_name as subject,
    grouped(long_count) || ' outputs of ' || tool_name || ' were longer than 4,000 tokens (median '
    || grouped(p50_tokens) || ') and filled up to '
    || cast(round(100 * least(1, context_share)) as bigint) || ' % of what models read.' as sentence,
    'Have it return less: limits, filters, a line range, or a subagent that reads and answers in short.' as action,
    'tool_usage' as metric,
    grouped(long_count) || ' of ' || grouped(n) || ' calls in ' || cast(round(7 * weeks) as bigint) || ' days; '
    || percent(wilson_low(long_count, n)) || ' to ' || percent(wilson_high(long_count, n))
    || ' % (95 %)' as evidence,
    n, wilson_low(long_count, n) as ci_low, wilson_high(long_count, n) as ci_high,
    saved_tokens as saved_tokens_per_week,
    saved_tokens * input_usd * context_weight as saved_usd_per_week,
    saved_tokens * input_usd * least(0.1, context_weight) as saved_usd_low,
    saved_tokens * input_usd as saved_usd_high,
    'estimated' as confidence,
from final
where context_share >= 0.05 and power(1 - 1e0 * long_count / n, good_end_count) >= 0.01
order by saved_tokens_per_week desc, subject
