-- finding:  costly_subagent
-- title:    Subagents that cost more than they return
-- sources:  messages, messages_history, subagents_history, run
-- evidence: derived
-- grain:    one row per subagent_type
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Types of subagents of which surely more than half of the calls returned little for what they took: the call failed,
-- or for each token of the answer 100 fresh tokens (all kinds but cache reads) were spent. Over the last four weeks or
-- a longer period (at most 13 weeks), and at least once in the period, unless the calls since the last such one would
-- all be better by chance in less than one case in a hundred. Short answers may be worth much, and whether they were is
-- not recorded. The saving is what these calls took, less what their answers would take: an upper bound, as the work
-- may have to be done anyway.
with

bounds as (
    select
        case when is_all then 0 else coalesce(since_ms, 0) end as still_ms,
        case when is_all or since_ms is null then max(created_at) - 7862400000
            else greatest(least(since_ms, max(created_at) - 2419200000), max(created_at) - 7862400000) end as start_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
    group by is_all, since_ms
),

stretch as (
    select bounds.*, greatest(1.0, (end_ms - min(created_at)) / 604800000.0) as weeks,
    from bounds inner join messages_history on created_at between start_ms and end_ms
    group by still_ms, start_ms, end_ms
),

calls as (
    select
        coalesce(subagent_type, 'unknown') as subagent_type,
        child_session_id,
        started_at,
        is_failed,
        coalesce(output_chars, 0) / 4.0 as returned_tokens,
        total_tokens,
        cost_usd,
        input_tokens + cache_write_tokens + output_tokens + reasoning_tokens as fresh_tokens,
        is_failed or total_tokens - cache_read_tokens >= 25 * coalesce(output_chars, 0) as is_poor,
        still_ms,
        weeks,
    from subagents_history inner join stretch on started_at between start_ms and end_ms
    where total_tokens > 0
),

marked as (
    select *, max(case when is_poor then started_at end) over (partition by subagent_type) as last_poor_at from calls
),

final as (
    select
        subagent_type,
        count(*) as n,
        count(*) filter (where is_poor) as poor_count,
        count(*) filter (where started_at > last_poor_at) as good_end_count,
        count(*) filter (where is_failed) as failed_count,
        quantile_cont(fresh_tokens, 0.5) as p50_fresh_tokens,
        quantile_cont(returned_tokens, 0.5) as p50_returned_tokens,
        cast(sum(total_tokens - returned_tokens) filter (where is_poor) as double) as tokens,
        nullif(sum(cast(round(cost_usd * 1e9) as bigint)) filter (where is_poor), 0) / 1e9 as cost_usd,
        min(weeks) as weeks,
    from marked
    group by subagent_type
    having count(*) filter (where is_poor) >= 5 and max(last_poor_at) >= min(still_ms)
)

select
    case when cost_usd / weeks >= 5 then 'high' when cost_usd / weeks >= 0.5 then 'medium' else 'low' end as severity,
    subagent_type as subject,
    'The subagent ' || subagent_type || ' took ' || grouped(p50_fresh_tokens)
    || ' fresh tokens a call and returned ' || grouped(p50_returned_tokens) || ' (medians); '
    || grouped(poor_count) || ' of ' || grouped(n) || ' calls returned less than a hundredth or failed.' as sentence,
    'Give it a shorter prompt and fewer tools, ask it for more in one call, or search directly.' as action,
    'subagents' as metric,
    grouped(poor_count) || ' of ' || grouped(n) || ' calls in ' || cast(round(7 * weeks) as bigint) || ' days ('
    || grouped(failed_count) || ' failed); ' || percent(wilson_low(poor_count, n)) || ' to '
    || percent(wilson_high(poor_count, n)) || ' % (95 %)' as evidence,
    n, wilson_low(poor_count, n) as ci_low, wilson_high(poor_count, n) as ci_high,
    tokens / weeks as saved_tokens_per_week,
    cost_usd / weeks as saved_usd_per_week,
    cost_usd / weeks * wilson_low(poor_count, n) * n / poor_count as saved_usd_low,
    cost_usd / weeks * wilson_high(poor_count, n) * n / poor_count as saved_usd_high,
    'derived' as confidence,
from final
where wilson_low(poor_count, n) > 0.5 and power(1 - 1e0 * poor_count / n, good_end_count) >= 0.01
order by saved_usd_per_week desc nulls last, saved_tokens_per_week desc, subject
