-- metric:    retries
-- title:     Retries
-- grain:     one row per tool_name
-- units:     episode_count=count, session_count=count, error_count=count, retried_count=count, retry_count=count, max_retry_count=count, recovered_count=count, recovered_ratio=ratio, ci_low=ratio, ci_high=ratio, unretried_count=count, retry_tokens=tokens, retry_cost_usd=usd, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, last_at=at
-- sources:   tool_calls
-- evidence:  derived
-- better:    lower
-- chart:     bar x=tool_name y=retry_count
-- engine:    polars
--
-- What agents do after a failure: an episode is a run of failed calls of one tool on one target within a turn (path,
-- command, address; all edit tools count as one), with the calls that follow until one succeeds. error_count is its
-- failures, retry_count the calls made after a failure; recovered means that one of them succeeded, and the ratio's n
-- is the retried episodes. A shell command that exits with another code than 0 is a failure, a search that found
-- nothing too, and a check run again after an edit is a retry. The same command with other words is another target.
with

final as (
    select
        session_id,
        turn_index,
        case when tool_class = 'edit' then 'edit' else tool_name end as alike_tool,
        target,
        part_index,
        tool_name,
        is_failed,
        retry_of is not null as is_retry,
        started_at,
        ended_at,
        step_share_tokens,
        cast(round(step_share_cost_usd * 1e9) as bigint) as step_share_nano_usd,
    from tool_calls
    where is_failed or retry_of is not null
)

select * from final
order by session_id, turn_index, alike_tool, target, part_index
