-- metric:    slowest_calls
-- title:     Slowest tool calls
-- grain:     one row per part_id, the 50 slowest
-- units:     duration_ms=ms, started_at=at, output_chars=chars, exit_code=name
-- sources:   tool_calls
-- evidence:  observed
-- better:    lower
-- chart:     none
--
-- Where people waited. The time is from start to end as OpenCode recorded it, and includes the wait for a permission,
-- so a slow call may be a slow person; a `task` call lasts as long as its subagent works. Calls that never ended have
-- no duration and are not here.
with

timed_calls as (
    select
        tool_name,
        duration_ms,
        started_at,
        coalesce(target, title) as target,
        status,
        exit_code,
        output_chars,
        agent,
        model,
        project_name,
        session_id,
        part_id,
    from tool_calls
    where duration_ms is not null
),

final as (
    select
        tool_name,
        substr(target, 1, 200) as target,
        duration_ms,
        status,
        exit_code,
        started_at,
        output_chars,
        agent,
        model,
        project_name,
        session_id,
        part_id,
    from timed_calls
    order by duration_ms desc, started_at, part_id
    limit 50
)

select * from final
order by duration_ms desc, started_at, part_id
