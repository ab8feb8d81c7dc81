-- metric:    by_model
-- title:     Use by model
-- grain:     one row per model
-- units:     message_count=count, session_count=count, cost_usd=usd, cost_ratio=ratio, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, cache_hit_ratio=ratio, cost_per_message_usd=usd, error_count=count, error_ratio=ratio, ci_low=ratio, ci_high=ratio, aborted_count=count, mean_ms=ms, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms
-- sources:   messages
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=model y=cost_usd
--
-- Which model the money and the tokens went to. A message here is one answer of a model (role assistant), as in the
-- MODEL USAGE table of `opencode stats`, failed and aborted answers included. That table adds reasoning to output;
-- here they stand apart. Cost is what OpenCode recorded: 0 for subscription, free and unpriced models, and without
-- the title requests, which it stores nowhere. error_ratio is the share of answers with an error; aborts stand apart.
with

answers as (
    select
        model,
        session_id,
        cost_usd,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        is_error,
        is_aborted,
        duration_ms as answer_ms,
        total_tokens,
        context_tokens,
    from messages
    where role = 'assistant'
),

per_model as (
    select
        model,
        count(*) as message_count,
        count(distinct session_id) as session_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(total_tokens) as bigint) as total_tokens,
        sum(cache_read_tokens) filter (where context_tokens is not null) as cache_hit_tokens,
        sum(context_tokens) as context_tokens,
        count(*) filter (where is_error) as error_count,
        count(*) filter (where is_aborted) as aborted_count,
        cast(sum(answer_ms) as double) / nullif(count(answer_ms), 0) as mean_ms,
        quantile_cont(answer_ms, 0.5) as p50_ms,
        median_low(answer_ms) as p50_ms_ci_low, median_high(answer_ms) as p50_ms_ci_high,
        quantile_cont(answer_ms, 0.95) as p95_ms,
    from answers
    group by model
),

final as (
    select
        model,
        message_count,
        session_count,
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
        error_count,
        cast(error_count as double) / message_count as error_ratio,
        wilson_low(error_count, message_count) as ci_low,
        wilson_high(error_count, message_count) as ci_high,
        aborted_count,
        mean_ms,
        p50_ms, p50_ms_ci_low, p50_ms_ci_high,
        p95_ms,
    from per_model
)

select * from final
order by cost_usd desc nulls last, message_count desc, model
