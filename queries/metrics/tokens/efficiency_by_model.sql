-- metric:    efficiency_by_model
-- title:     Token efficiency by model
-- grain:     one row per model
-- units:     step_count=count, turn_count=count, cost_usd=usd, total_tokens=tokens, cache_hit_ratio=ratio, output_input_ratio=ratio, reasoning_ratio=ratio, cost_per_step_usd=usd, cost_per_turn_usd=usd, cost_per_million_tokens_usd=usd, tokens_per_step=tokens, p50_context_tokens=tokens, p95_context_tokens=tokens, p50_first_output_ms=ms, p50_first_output_ms_ci_low=ms, p50_first_output_ms_ci_high=ms, p95_first_output_ms=ms, p50_step_ms=ms, p50_step_ms_ci_low=ms, p50_step_ms_ci_high=ms, output_tokens_per_second=score, completed_ratio=ratio, ci_low=ratio, ci_high=ratio, failed_step_count=count, aborted_step_count=count, tool_error_ratio=ratio
-- sources:   steps, turns, tool_calls
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=model y=cost_per_turn_usd
--
-- What each model makes of its tokens. Steps are requests by their own model, turns by the model that was asked, so
-- cost_per_turn_usd leaves out subagents and takes in a change of model on the way. completed_ratio is turns that ended
-- without error or abort, open ones left out. The wait for the first output is known only where parts have times.
-- Models get different work: a dear turn may be a hard one. Cost is 0 for models of a subscription.
with

requests as (
    select
        model,
        count(*) as step_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(total_tokens) as bigint) as total_tokens,
        cast(sum(context_tokens) as bigint) as context_tokens,
        cast(sum(case when context_tokens is not null then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) as bigint) as written_tokens,
        cast(sum(coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) filter (where context_tokens is not null)
            as bigint) as answering_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        quantile_cont(context_tokens, 0.5) filter (where context_tokens > 0) as p50_context_tokens,
        quantile_cont(context_tokens, 0.95) filter (where context_tokens > 0) as p95_context_tokens,
        quantile_cont(first_output_ms, 0.5) filter (where first_output_ms >= 0) as p50_first_output_ms,
        median_low(case when first_output_ms >= 0 then first_output_ms end) as p50_first_output_ms_ci_low,
        median_high(case when first_output_ms >= 0 then first_output_ms end) as p50_first_output_ms_ci_high,
        quantile_cont(first_output_ms, 0.95) filter (where first_output_ms >= 0) as p95_first_output_ms,
        quantile_cont(duration_ms, 0.5) as p50_step_ms,
        median_low(duration_ms) as p50_step_ms_ci_low, median_high(duration_ms) as p50_step_ms_ci_high,
        cast(sum(coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) filter (where duration_ms > 0) as double)
        / nullif(sum(duration_ms) filter (where duration_ms > 0) / 1000.0, 0) as output_tokens_per_second,
        count(*) filter (where is_error) as failed_step_count,
        count(*) filter (where is_aborted) as aborted_step_count,
    from steps
    group by model
),

asked as (
    select
        model,
        count(*) as turn_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as turn_cost_usd,
        count(*) filter (where outcome <> 'open') as ended_count,
        count(*) filter (where outcome = 'completed') as completed_count,
    from turns
    where not is_child
    group by model
),

calls as (
    select
        model,
        cast(count(*) filter (where is_error) as double) / count(*) as tool_error_ratio,
    from tool_calls
    group by model
),

final as (
    select
        requests.model,
        step_count,
        coalesce(turn_count, 0) as turn_count,
        cost_usd,
        total_tokens,
        cast(cache_read_tokens as double) / nullif(context_tokens, 0) as cache_hit_ratio,
        cast(answering_tokens as double) / nullif(context_tokens, 0) as output_input_ratio,
        cast(reasoning_tokens as double) / nullif(written_tokens, 0) as reasoning_ratio,
        cost_usd / step_count as cost_per_step_usd,
        turn_cost_usd / turn_count as cost_per_turn_usd,
        cost_usd * 1e6 / nullif(total_tokens, 0) as cost_per_million_tokens_usd,
        cast(total_tokens as double) / step_count as tokens_per_step,
        p50_context_tokens,
        p95_context_tokens,
        p50_first_output_ms, p50_first_output_ms_ci_low, p50_first_output_ms_ci_high,
        p95_first_output_ms,
        p50_step_ms, p50_step_ms_ci_low, p50_step_ms_ci_high,
        output_tokens_per_second,
        cast(completed_count as double) / nullif(ended_count, 0) as completed_ratio,
        wilson_low(completed_count, ended_count) as ci_low,
        wilson_high(completed_count, ended_count) as ci_high,
        failed_step_count,
        aborted_step_count,
        tool_error_ratio,
    from requests
    left join asked
        on requests.model = asked.model
    left join calls
        on requests.model = calls.model
)

select * from final
order by cost_usd desc nulls last, step_count desc, model
