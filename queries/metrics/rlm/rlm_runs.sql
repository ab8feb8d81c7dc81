-- metric:    rlm_runs
-- title:     RLM runs
-- grain:     one row per run_id
-- units:     started_at=at, chunk_count=count, planned_chunk_count=count, wave_count=count, tokens=tokens, duration_ms=ms, ok_chunks=count, ok_ratio=ratio, ci_low=ratio, ci_high=ratio, chunk_size=count, chunk_ms=ms, speed_up=score, accuracy=ratio, result_count=count, cost_usd=usd
-- sources:   rlm_runs
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=started_at y=chunk_count
--
-- Runs over contexts that are too large for one prompt: cut into chunks, each read by a subagent. A run is the chunker's
-- and REPL's calls and the `rlm-…` subagents of one turn and skill window. Mode, waves and speed-up come from the
-- subagents' times: speed_up is the sum of their times over the time from the first start to the last end. Tokens and
-- cost are the subagents' alone; runs without subagents have what a program printed. See rlm_accuracy for accuracy.
with

final as (
    select
        run_id,
        session_id,
        project_name,
        agent,
        model,
        started_at,
        mode,
        chunk_count,
        planned_chunk_count,
        wave_count,
        tokens,
        duration_ms,
        ok_chunks,
        cast(ok_chunks as double) / nullif(chunk_count, 0) as ok_ratio,
        wilson_low(ok_chunks, chunk_count) as ci_low,
        wilson_high(ok_chunks, chunk_count) as ci_high,
        chunk_size,
        chunk_unit,
        chunk_ms,
        cast(chunk_ms as double) / nullif(duration_ms, 0) as speed_up,
        accuracy,
        result_count,
        cost_usd,
        source,
    from rlm_runs
)

select * from final
order by started_at, run_id
