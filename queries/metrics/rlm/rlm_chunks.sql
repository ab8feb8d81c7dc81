-- metric:    rlm_chunks
-- title:     RLM chunks by size
-- grain:     one row per (chunk_unit, chunk_size)
-- units:     chunk_size=count, run_count=count, chunk_count=count, ok_count=count, ok_ratio=ratio, ci_low=ratio, ci_high=ratio, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, mean_ms=ms, tokens=tokens, p50_tokens=tokens, p50_tokens_ci_low=tokens, p50_tokens_ci_high=tokens, p95_tokens=tokens, mean_tokens=tokens, cost_usd=usd, cost_per_chunk_usd=usd, accuracy=ratio
-- sources:   rlm_chunks, rlm_runs
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=chunk_size y=p50_ms
--
-- What a chunk takes, by the size that the run's chunker printed (NULL where none did). Time and tokens are those of the
-- subagent that read it, with its instructions and what else it looked at, so that small chunks are never as cheap as
-- their size. Failed chunks count in all sums. Sizes are chosen by the kind of text: a difference between sizes is also
-- one between texts.
with

sizes as (
    select run_id, chunk_unit, chunk_size from rlm_runs
),

chunks as (
    select
        rlm_chunks.*,
        sizes.chunk_unit,
        sizes.chunk_size,
    from rlm_chunks
    left join sizes
        on rlm_chunks.run_id = sizes.run_id
),

final as (
    select
        chunk_unit,
        chunk_size,
        count(distinct run_id) as run_count,
        count(*) as chunk_count,
        count(*) filter (where is_ok) as ok_count,
        cast(count(*) filter (where is_ok) as double) / nullif(count(is_ok), 0) as ok_ratio,
        wilson_low(count(*) filter (where is_ok), count(is_ok)) as ci_low,
        wilson_high(count(*) filter (where is_ok), count(is_ok)) as ci_high,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        avg(duration_ms) as mean_ms,
        cast(sum(tokens) as bigint) as tokens,
        quantile_cont(tokens, 0.5) as p50_tokens,
        median_low(tokens) as p50_tokens_ci_low, median_high(tokens) as p50_tokens_ci_high,
        quantile_cont(tokens, 0.95) as p95_tokens,
        avg(tokens) as mean_tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 / nullif(count(cost_usd), 0) as cost_per_chunk_usd,
        cast(count(*) filter (where is_relevant) as double) / nullif(count(is_relevant), 0) as accuracy,
    from chunks
    group by chunk_unit, chunk_size
)

select * from final
order by chunk_unit nulls last, chunk_size nulls last
