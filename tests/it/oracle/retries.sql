-- What src/pipeline/retries.rs computes, in SQL: the oracle of a parity test.
with

calls as (
    select
        part_id,
        session_id,
        turn_index,
        part_index,
        tool_name,
        case when tool_class = 'edit' then 'edit' else tool_name end as alike_tool,
        target,
        is_failed,
        retry_of,
        started_at,
        ended_at,
        step_share_tokens,
        step_share_cost_usd,
    from tool_calls
    where is_failed or retry_of is not null
),

numbered as (
    select
        *,
        count(*) filter (where retry_of is null) over (
            partition by session_id, turn_index, alike_tool, target
            order by part_index
            rows between unbounded preceding and current row
        ) as episode_number,
    from calls
),

episodes as (
    select
        session_id,
        min_by(tool_name, part_index) as tool_name,
        count(*) filter (where is_failed) as error_count,
        count(retry_of) as retry_count,
        count(*) filter (where retry_of is not null and not is_failed) as success_count,
        cast(sum(step_share_tokens) filter (where retry_of is not null) as bigint) as retry_tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where retry_of is not null) / 1e9
            as retry_cost_usd,
        max(coalesce(ended_at, started_at)) - min(started_at) as episode_ms,
        max(started_at) as last_at,
    from numbered
    group by session_id, turn_index, alike_tool, target, episode_number
),

final as (
    select
        tool_name,
        count(*) as episode_count,
        count(distinct session_id) as session_count,
        cast(sum(error_count) as bigint) as error_count,
        count(*) filter (where retry_count > 0) as retried_count,
        cast(sum(retry_count) as bigint) as retry_count,
        max(retry_count) as max_retry_count,
        count(*) filter (where success_count > 0) as recovered_count,
        cast(count(*) filter (where success_count > 0) as double)
        / nullif(count(*) filter (where retry_count > 0), 0) as recovered_ratio,
        wilson_low(count(*) filter (where success_count > 0), count(*) filter (where retry_count > 0)) as ci_low,
        wilson_high(count(*) filter (where success_count > 0), count(*) filter (where retry_count > 0)) as ci_high,
        count(*) filter (where retry_count = 0) as unretried_count,
        cast(sum(retry_tokens) as bigint) as retry_tokens,
        sum(cast(round(retry_cost_usd * 1e9) as bigint)) / 1e9 as retry_cost_usd,
        quantile_cont(episode_ms, 0.5) filter (where retry_count > 0) as p50_ms,
        median_low(case when retry_count > 0 then episode_ms end) as p50_ms_ci_low,
        median_high(case when retry_count > 0 then episode_ms end) as p50_ms_ci_high,
        max(last_at) as last_at,
    from episodes
    group by tool_name
)

select * from final
order by retry_count desc, error_count desc, tool_name
