-- metric:    rlm_modes
-- title:     Parallel against sequential runs
-- grain:     one row per mode
-- units:     run_count=count, chunk_count=count, p50_chunk_count=count, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, p50_ms_per_chunk=ms, p50_ms_per_chunk_ci_low=ms, p50_ms_per_chunk_ci_high=ms, speed_up=score, p50_speed_up=score, wave_count=count, tokens=tokens, tokens_per_chunk=tokens, ok_ratio=ratio, ci_low=ratio, ci_high=ratio, accuracy=ratio, cost_usd=usd
-- sources:   rlm_runs
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=mode y=p50_ms_per_chunk
--
-- Parallel: any two of a run's chunks overlapped in time; sequential: two or more, and none did; unknown: a single chunk,
-- or no subagents at all. Speed-up is the sum of the chunks' times over the time of the run, over all runs and as the
-- median run's. Runs differ in what they read, so the modes are no experiment: compare time and tokens per chunk, and
-- mind the number of runs.
with

final as (
    select
        mode,
        count(*) as run_count,
        cast(sum(chunk_count) as bigint) as chunk_count,
        quantile_cont(chunk_count, 0.5) as p50_chunk_count,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        quantile_cont(cast(duration_ms as double) / nullif(chunk_count, 0), 0.5) as p50_ms_per_chunk,
        median_low(cast(duration_ms as double) / nullif(chunk_count, 0)) as p50_ms_per_chunk_ci_low,
        median_high(cast(duration_ms as double) / nullif(chunk_count, 0)) as p50_ms_per_chunk_ci_high,
        cast(sum(chunk_ms) as double) / nullif(sum(duration_ms), 0) as speed_up,
        quantile_cont(cast(chunk_ms as double) / nullif(duration_ms, 0), 0.5) as p50_speed_up,
        cast(sum(wave_count) as bigint) as wave_count,
        cast(sum(tokens) as bigint) as tokens,
        cast(sum(tokens) as double) / nullif(sum(case when tokens is not null then chunk_count end), 0) as tokens_per_chunk,
        cast(sum(ok_chunks) as double) / nullif(sum(case when ok_chunks is not null then chunk_count end), 0) as ok_ratio,
        wilson_low(sum(ok_chunks), sum(case when ok_chunks is not null then chunk_count end)) as ci_low,
        wilson_high(sum(ok_chunks), sum(case when ok_chunks is not null then chunk_count end)) as ci_high,
        cast(sum(relevant_chunks) as double) / nullif(sum(result_count), 0) as accuracy,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from rlm_runs
    group by mode
)

select * from final
order by mode
