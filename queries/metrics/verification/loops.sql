-- metric:    loops
-- title:     Verification loops
-- grain:     one row per iterations
-- units:     iterations=count, loop_count=count, verified_count=count, max_reached_count=count, escalated_count=count, unknown_count=count, printed_count=count, told_count=count, verified_ratio=ratio, ci_low=ratio, ci_high=ratio, skill_count=count, edit_count=count, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, tokens=tokens, cost_usd=usd
-- sources:   verification_loops
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=iterations y=loop_count
--
-- How often work had to be checked until it held. A loop is editing and checking in the window of a skill that verifies
-- (dev, verification, verifier-code-agent); iterations are its checks: tests, builds and lints with an exit code, and
-- the verification engine by its printed verdict. Where numbers were printed (rubric-verify, a GVR result, an agent's
-- report of its attempts) they come first: printed_count; what telemetry tells of a loop comes before both: told_count. Verified: the last verdict or check passed; n of the ratio
-- leaves out loops whose result is unknown. Max reached: three or more failed and none passed, or the printed number says
-- so. Escalated: the question tool was called, a router asked for a person, or ESCALATE was written. Tokens and cost are
-- the shares of the edits and checks alone. Loops elsewhere: see repair_loops.
with

loops as (
    select
        iterations,
        is_verified,
        is_max_reached,
        is_escalated,
        skill_name,
        source,
        event_id,
        edit_count,
        duration_ms,
        tokens,
        cost_usd,
    from verification_loops
    where rule in ('skill_window', 'printed', 'telemetry')
),

final as (
    select
        iterations,
        count(*) as loop_count,
        count(*) filter (where is_verified) as verified_count,
        count(*) filter (where is_max_reached) as max_reached_count,
        count(*) filter (where is_escalated) as escalated_count,
        count(*) filter (where is_verified is null) as unknown_count,
        count(*) filter (where source = 'printed') as printed_count,
        count(event_id) as told_count,
        cast(count(*) filter (where is_verified) as double) / nullif(count(is_verified), 0) as verified_ratio,
        wilson_low(count(*) filter (where is_verified), count(is_verified)) as ci_low,
        wilson_high(count(*) filter (where is_verified), count(is_verified)) as ci_high,
        count(distinct skill_name) as skill_count,
        cast(sum(edit_count) as bigint) as edit_count,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(tokens) as bigint) as tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
    from loops
    group by iterations
)

select * from final
order by iterations
