-- metric:    context_growth
-- title:     Growth of the context
-- grain:     one row per step_number: 1 to 20 each, then by tens, named by the first
-- units:     step_number=count, last_step_number=count, step_count=count, session_count=count, mean_context_tokens=tokens, p50_context_tokens=tokens, p50_context_tokens_ci_low=tokens, p50_context_tokens_ci_high=tokens, p95_context_tokens=tokens, max_context_tokens=tokens, p50_growth_tokens=tokens, cache_hit_ratio=ratio, cost_per_step_usd=usd, compaction_count=count, shrink_count=count
-- sources:   steps
-- evidence:  observed
-- better:    lower
-- chart:     line x=step_number y=p50_context_tokens
--
-- How much the model is given at the n-th request of a session, and where sessions get compacted. Context is input plus
-- cache; growth is what was added since the request before (known in the period only); a shrink is a context of less
-- than half of that one: a compaction, or pruned outputs. Long sessions alone reach high numbers, so the right of
-- the curve is another population than the left. Requests that failed have no tokens and are left out of the sizes.
with

numbered as (
    select
        session_id,
        step_index,
        case
            when step_index <= 20 then step_index
            else cast(floor((step_index - 1) / 10.0) as bigint) * 10 + 1
        end as step_number,
        case when context_tokens > 0 then context_tokens end as context_tokens,
        case when context_tokens > 0 then cache_read_tokens end as cache_read_tokens,
        cost_usd,
        is_summary,
    from steps
),

grown as (
    select
        *,
        lag(case when not coalesce(is_summary, false) then context_tokens end ignore nulls) over (
            partition by session_id
            order by step_index
        ) as previous_context_tokens,
    from numbered
),

final as (
    select
        step_number,
        case when step_number <= 20 then step_number else step_number + 9 end as last_step_number,
        count(*) as step_count,
        count(distinct session_id) as session_count,
        cast(sum(context_tokens) as double) / nullif(count(context_tokens), 0) as mean_context_tokens,
        quantile_cont(context_tokens, 0.5) as p50_context_tokens,
        median_low(context_tokens) as p50_context_tokens_ci_low, median_high(context_tokens) as p50_context_tokens_ci_high,
        quantile_cont(context_tokens, 0.95) as p95_context_tokens,
        max(context_tokens) as max_context_tokens,
        quantile_cont(context_tokens - previous_context_tokens, 0.5) as p50_growth_tokens,
        cast(sum(cache_read_tokens) as double) / nullif(sum(context_tokens), 0) as cache_hit_ratio,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 / nullif(count(cost_usd), 0) as cost_per_step_usd,
        count(*) filter (where is_summary) as compaction_count,
        count(*) filter (
            where context_tokens * 2 < previous_context_tokens and not coalesce(is_summary, false)
        ) as shrink_count,
    from grown
    group by step_number
)

select * from final
order by step_number
