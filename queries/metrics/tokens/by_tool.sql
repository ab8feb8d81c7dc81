-- metric:    by_tool
-- title:     What fills the context
-- grain:     one row per tool_name
-- units:     call_count=count, output_chars=chars, output_tokens=tokens, output_ratio=ratio, input_tokens=tokens, carried_tokens=tokens, carried_ratio=ratio, mean_output_tokens=tokens, p50_output_tokens=tokens, p50_output_tokens_ci_low=tokens, p50_output_tokens_ci_high=tokens, p95_output_tokens=tokens, max_output_tokens=tokens, truncated_count=count, oversized_count=count, oversized_ratio=ratio, ci_low=ratio, ci_high=ratio, resent_mean_count=score
-- sources:   tool_calls
-- evidence:  estimated
-- better:    lower
-- chart:     bar x=tool_name y=carried_tokens
--
-- What the tools' outputs put into the context, estimated at four characters a token. output_tokens counts an output
-- once; carried_tokens once more for each later request of the session, for each is given all that came before, mostly
-- from the cache. It is too high where a compaction or pruning took outputs away. input_tokens is what the model wrote
-- to call the tool. Oversized: more than 5,000 tokens in one output. Truncated: OpenCode cut the output. Prompts,
-- system texts, skill lists and tool schemas fill the context too, and are not recorded.
with

calls as (
    select
        tool_name,
        output_chars,
        output_tokens_estimate,
        cast(ceil(input_chars / 4.0) as bigint) as input_tokens_estimate,
        output_tokens_estimate * (1 + coalesce(later_step_count, 0)) as carried_tokens,
        later_step_count,
        is_truncated,
        output_tokens_estimate > 5000 as is_oversized,
    from tool_calls
),

sums as (
    select
        tool_name,
        count(*) as call_count,
        cast(coalesce(sum(output_chars), 0) as bigint) as output_chars,
        cast(coalesce(sum(output_tokens_estimate), 0) as bigint) as output_tokens,
        cast(coalesce(sum(input_tokens_estimate), 0) as bigint) as input_tokens,
        cast(coalesce(sum(carried_tokens), 0) as bigint) as carried_tokens,
        cast(sum(output_tokens_estimate) as double) / nullif(count(output_tokens_estimate), 0) as mean_output_tokens,
        quantile_cont(output_tokens_estimate, 0.5) as p50_output_tokens,
        median_low(output_tokens_estimate) as p50_output_tokens_ci_low,
        median_high(output_tokens_estimate) as p50_output_tokens_ci_high,
        quantile_cont(output_tokens_estimate, 0.95) as p95_output_tokens,
        max(output_tokens_estimate) as max_output_tokens,
        count(*) filter (where is_truncated) as truncated_count,
        count(*) filter (where is_oversized) as oversized_count,
        count(is_oversized) as known_count,
        cast(sum(later_step_count) as double) / nullif(count(later_step_count), 0) as resent_mean_count,
    from calls
    group by tool_name
),

final as (
    select
        tool_name,
        call_count,
        output_chars,
        output_tokens,
        cast(output_tokens as double) / nullif(sum(output_tokens) over (), 0) as output_ratio,
        input_tokens,
        carried_tokens,
        cast(carried_tokens as double) / nullif(sum(carried_tokens) over (), 0) as carried_ratio,
        mean_output_tokens,
        p50_output_tokens, p50_output_tokens_ci_low, p50_output_tokens_ci_high,
        p95_output_tokens,
        max_output_tokens,
        truncated_count,
        oversized_count,
        cast(oversized_count as double) / nullif(known_count, 0) as oversized_ratio,
        wilson_low(oversized_count, known_count) as ci_low,
        wilson_high(oversized_count, known_count) as ci_high,
        resent_mean_count,
    from sums
)

select * from final
order by carried_tokens desc, call_count desc, tool_name
