-- metric:    repair_loops
-- title:     Repairs outside skills
-- grain:     one row per iterations
-- units:     iterations=count, loop_count=count, verified_count=count, max_reached_count=count, escalated_count=count, unknown_count=count, verified_ratio=ratio, ci_low=ratio, ci_high=ratio, session_count=count, edit_count=count, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, tokens=tokens, cost_usd=usd
-- sources:   verification_loops
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=iterations y=loop_count
--
-- The loops of agents that no verifying skill guides: a failed check, an edit and another check within one turn.
-- Iterations are all checks of the turn (test, build, lint, with an exit code), so two commands run one after the other
-- are two. Verified: the last one passed, whatever it checked. A turn that checks out of habit and never failed is no
-- loop, nor is one that goes on after the next prompt. Loops in the window of dev, verification or verifier-code-agent
-- are in loops, with the same words.
with

repairs as (
    select
        iterations,
        is_verified,
        is_max_reached,
        is_escalated,
        session_id,
        edit_count,
        duration_ms,
        tokens,
        cost_usd,
    from verification_loops
    where rule = 'repair'
),

final as (
    select
        iterations,
        count(*) as loop_count,
        count(*) filter (where is_verified) as verified_count,
        count(*) filter (where is_max_reached) as max_reached_count,
        count(*) filter (where is_escalated) as escalated_count,
        count(*) filter (where is_verified is null) as unknown_count,
        cast(count(*) filter (where is_verified) as double) / nullif(count(is_verified), 0) as verified_ratio,
        wilson_low(count(*) filter (where is_verified), count(is_verified)) as ci_low,
        wilson_high(count(*) filter (where is_verified), count(is_verified)) as ci_high,
        count(distinct session_id) as session_count,
        cast(sum(edit_count) as bigint) as edit_count,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(tokens) as bigint) as tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from repairs
    group by iterations
)

select * from final
order by iterations
