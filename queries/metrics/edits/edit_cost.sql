-- metric:    edit_cost
-- title:     What failed edits cost
-- grain:     one row per (format, model)
-- units:     call_count=count, failed_call_count=count, tokens=tokens, failed_tokens=tokens, failed_token_ratio=ratio, failed_output_tokens=tokens, cost_usd=usd, failed_cost_usd=usd, failed_ms=ms, applied_count=count, tokens_per_applied=tokens, cost_per_applied_usd=usd, mean_failed_tokens=tokens, p50_failed_tokens=tokens, p50_failed_tokens_ci_low=tokens, p50_failed_tokens_ci_high=tokens
-- sources:   edit_attempts
-- evidence:  derived
-- better:    lower
-- chart:     bar x=model y=failed_tokens by=format
--
-- Tokens and money that went into edit calls, and into those that changed nothing. A call has an equal share of its
-- step (the request that made it), so a request with three calls lays a third on each; most of it is the context that
-- was sent again. failed_output_tokens is the part that the model wrote. Failed means not applied, for whatever reason;
-- what reading the file again cost comes on top and is not here. Cost is 0 for models of a subscription.
with

calls as (
    select
        format,
        model,
        is_applied,
        duration_ms,
        step_share_tokens,
        step_share_output_tokens,
        cast(round(step_share_cost_usd * 1e9) as bigint) as share_nano_usd,
    from edit_attempts
),

sums as (
    select
        format,
        model,
        count(*) as call_count,
        count(*) filter (where not is_applied) as failed_call_count,
        cast(sum(step_share_tokens) as bigint) as tokens,
        cast(coalesce(sum(step_share_tokens) filter (where not is_applied), 0) as bigint) as failed_tokens,
        cast(coalesce(sum(step_share_output_tokens) filter (where not is_applied), 0) as bigint)
            as failed_output_tokens,
        sum(share_nano_usd) / 1e9 as cost_usd,
        coalesce(sum(share_nano_usd) filter (where not is_applied), 0) / 1e9 as failed_cost_usd,
        cast(coalesce(sum(duration_ms) filter (where not is_applied), 0) as bigint) as failed_ms,
        count(*) filter (where is_applied) as applied_count,
        quantile_cont(step_share_tokens, 0.5) filter (where not is_applied) as p50_failed_tokens,
        median_low(case when not is_applied then step_share_tokens end) as p50_failed_tokens_ci_low,
        median_high(case when not is_applied then step_share_tokens end) as p50_failed_tokens_ci_high,
    from calls
    group by format, model
),

final as (
    select
        format,
        model,
        call_count,
        failed_call_count,
        tokens,
        failed_tokens,
        cast(failed_tokens as double) / nullif(tokens, 0) as failed_token_ratio,
        failed_output_tokens,
        cost_usd,
        failed_cost_usd,
        failed_ms,
        applied_count,
        cast(tokens as double) / nullif(applied_count, 0) as tokens_per_applied,
        cost_usd / nullif(applied_count, 0) as cost_per_applied_usd,
        cast(failed_tokens as double) / nullif(failed_call_count, 0) as mean_failed_tokens,
        p50_failed_tokens, p50_failed_tokens_ci_low, p50_failed_tokens_ci_high,
    from sums
)

select * from final
order by failed_tokens desc, format, model
