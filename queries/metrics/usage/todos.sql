-- metric:    todos
-- title:     Todo lists
-- grain:     one row per (project_name, status, priority)
-- units:     todo_count=count, session_count=count, project_todo_count=count, todo_ratio=ratio, ci_low=ratio, ci_high=ratio, last_updated_at=at
-- sources:   todos, messages
-- evidence:  observed
-- better:    neutral
-- chart:     stacked x=project_name y=todo_count by=status
--
-- What agents planned and left open, in the sessions that had a message in the period. OpenCode keeps only the latest
-- list of a session, so a todo that was dropped from a list is gone, and 'completed' is what the agent claimed, not
-- what was verified. todo_ratio is the share of the project's todos. OpenCode 2.x has no todos.
with

active_sessions as (
    select distinct session_id from messages
),

active_todos as (
    select
        todos.session_id,
        coalesce(todos.project_name, 'unknown') as project_name,
        coalesce(todos.status, 'unknown') as status,
        coalesce(todos.priority, 'unknown') as priority,
        todos.updated_at,
    from todos
    inner join active_sessions
        on todos.session_id = active_sessions.session_id
),

counted as (
    select
        project_name,
        status,
        priority,
        count(*) as todo_count,
        count(distinct session_id) as session_count,
        max(updated_at) as last_updated_at,
    from active_todos
    group by project_name, status, priority
),

totals as (
    select
        project_name,
        count(*) as project_todo_count,
    from active_todos
    group by project_name
),

final as (
    select
        counted.project_name,
        counted.status,
        counted.priority,
        counted.todo_count,
        counted.session_count,
        totals.project_todo_count,
        cast(counted.todo_count as double) / totals.project_todo_count as todo_ratio,
        wilson_low(counted.todo_count, totals.project_todo_count) as ci_low,
        wilson_high(counted.todo_count, totals.project_todo_count) as ci_high,
        counted.last_updated_at,
    from counted
    inner join totals
        on counted.project_name = totals.project_name
)

select * from final
order by project_name, status, priority
