-- metric:    subagents
-- title:     Subagents
-- grain:     one row per (subagent_type, model)
-- units:     call_count=count, child_session_count=count, resume_count=count, error_count=count, error_ratio=ratio, ci_low=ratio, ci_high=ratio, own_cost_usd=usd, with_children_cost_usd=usd, own_tokens=tokens, with_children_tokens=tokens, mean_cost_usd=usd, p50_cost_usd=usd, p95_cost_usd=usd, p50_tokens=tokens, p50_tokens_ci_low=tokens, p50_tokens_ci_high=tokens, p95_tokens=tokens, mean_ms=ms, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, tool_call_count=count, tool_error_count=count, output_chars=chars
-- sources:   subagents
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=subagent_type y=own_cost_usd
--
-- What the subagents of the task tool did and cost. own_ is the child session's, whenever it worked; with_children_
-- adds the subagents that it started itself. A parent's own cost never holds either. A call that names no child (an
-- unknown agent type, a denied call) has no session and no cost, and stands under the model 'unknown'. An error says
-- that the call failed, not that an answer was bad: whether it was worth its cost is not recorded.
with

calls as (
    select
        coalesce(subagent_type, 'unknown') as subagent_type,
        coalesce(model, 'unknown') as model,
        child_session_id,
        is_resume,
        is_error,
        cost_usd,
        with_children_cost_usd,
        total_tokens,
        with_children_total_tokens,
        duration_ms,
        tool_call_count,
        tool_error_count,
        output_chars,
    from subagents
),

sums as (
    select
        subagent_type,
        model,
        count(*) as call_count,
        count(distinct child_session_id) as child_session_count,
        count(*) filter (where is_resume) as resume_count,
        count(*) filter (where is_error) as error_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as own_cost_usd,
        sum(cast(round(with_children_cost_usd * 1e9) as bigint)) / 1e9 as with_children_cost_usd,
        count(cost_usd) as costed_count,
        cast(sum(total_tokens) as bigint) as own_tokens,
        cast(sum(with_children_total_tokens) as bigint) as with_children_tokens,
        quantile_cont(cost_usd, 0.5) as p50_cost_usd,
        quantile_cont(cost_usd, 0.95) as p95_cost_usd,
        quantile_cont(total_tokens, 0.5) as p50_tokens,
        median_low(total_tokens) as p50_tokens_ci_low, median_high(total_tokens) as p50_tokens_ci_high,
        quantile_cont(total_tokens, 0.95) as p95_tokens,
        cast(sum(duration_ms) as double) / nullif(count(duration_ms), 0) as mean_ms,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(tool_call_count) as bigint) as tool_call_count,
        cast(sum(tool_error_count) as bigint) as tool_error_count,
        cast(sum(output_chars) as bigint) as output_chars,
    from calls
    group by subagent_type, model
),

final as (
    select
        subagent_type,
        model,
        call_count,
        child_session_count,
        resume_count,
        error_count,
        cast(error_count as double) / call_count as error_ratio,
        wilson_low(error_count, call_count) as ci_low,
        wilson_high(error_count, call_count) as ci_high,
        own_cost_usd,
        with_children_cost_usd,
        own_tokens,
        with_children_tokens,
        own_cost_usd / nullif(costed_count, 0) as mean_cost_usd,
        p50_cost_usd,
        p95_cost_usd,
        p50_tokens, p50_tokens_ci_low, p50_tokens_ci_high,
        p95_tokens,
        mean_ms,
        p50_ms, p50_ms_ci_low, p50_ms_ci_high,
        p95_ms,
        tool_call_count,
        tool_error_count,
        output_chars,
    from sums
)

select * from final
order by own_cost_usd desc nulls last, call_count desc, subagent_type, model
