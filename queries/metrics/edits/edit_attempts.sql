-- metric:    edit_attempts
-- title:     Attempts per edit
-- grain:     one row per attempts
-- units:     attempts=count, edit_count=count, edit_ratio=ratio, applied_count=count, failed_count=count, applied_ratio=ratio, ci_low=ratio, ci_high=ratio, file_count=count, tokens=tokens, cost_usd=usd, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms
-- sources:   edits
-- evidence:  derived
-- better:    lower
-- chart:     bar x=attempts y=edit_count
--
-- How many tries a change to one file took. An attempt is a call that was applied or had a format error. An edit ends
-- when applied, at the user's next prompt, or after ten minutes; failed_count is those that ended without success.
-- 0 attempts: never tried in earnest, for every call was blocked, denied, aborted or left unfinished. Tokens and cost
-- are the calls' equal shares of their steps.
with

counted_edits as (
    select
        attempt_count,
        is_applied,
        session_id,
        path,
        tokens,
        cost_usd,
        duration_ms,
    from edits
),

final as (
    select
        attempt_count as attempts,
        count(*) as edit_count,
        cast(count(*) as double) / sum(count(*)) over () as edit_ratio,
        count(*) filter (where is_applied) as applied_count,
        count(*) filter (where not coalesce(is_applied, false)) as failed_count,
        cast(count(*) filter (where is_applied) as double) / nullif(count(is_applied), 0) as applied_ratio,
        wilson_low(count(*) filter (where is_applied), count(is_applied)) as ci_low,
        wilson_high(count(*) filter (where is_applied), count(is_applied)) as ci_high,
        count(distinct path) as file_count,
        cast(sum(tokens) as bigint) as tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
    from counted_edits
    group by attempt_count
)

select * from final
order by attempts
