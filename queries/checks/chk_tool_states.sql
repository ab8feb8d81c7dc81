-- check:   chk_tool_states
-- title:   Every tool call has a known state, and a finished one has an end
-- sources: stg_parts
--
-- The states are pending, running, completed and error. Another one means a newer OpenCode than the one known here,
-- and its calls are in no rate. A call that is completed or failed has a start and an end; without them it has no
-- duration. Calls that a crash left pending or running are no offence.
with

calls as (
    select part_id, tool_name, status, started_at, ended_at
    from stg_parts
    where part_type = 'tool'
),

judged as (
    select
        *,
        case
            when tool_name is null then 'has no tool name'
            when status is null then 'has no state'
            when status not in ('pending', 'running', 'completed', 'error') then 'has the unknown state ' || status
            when status in ('completed', 'error') and started_at is null then 'has no start'
            when status in ('completed', 'error') and ended_at is null then 'has no end'
        end as problem,
    from calls
),

final as (
    select
        'tool_states' as rule,
        part_id as subject,
        coalesce(tool_name, 'unknown tool') || ' ' || problem as detail,
    from judged
    where problem is not null
)

select * from final
order by rule, subject
