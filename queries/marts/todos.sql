-- mart: todos
-- grain: one row per todo of a session's latest list
-- sources: stg_todos, mart_session_places
-- time: none
--
-- OpenCode keeps only the latest list of a session, so a todo that was dropped on the way is not here, and the times
-- are those of the last writing. A list whose session never was in the store is no session's: like messages without a
-- session it is in no figure, and the check `orphans` names it.
-- Columns: session_id, todo_position, project_id, project_name, directory, root_session_id, is_child, agent, model,
-- todo_text, status, priority, created_at, updated_at.
with todos as (
    select * from stg_todos
),

session_places as (
    select * from mart_session_places
),

final as (
    select
        todos.session_id,
        todos.todo_position,
        session_places.project_id,
        session_places.project_name,
        session_places.directory,
        session_places.root_session_id,
        session_places.is_child,
        session_places.agent,
        session_places.model,
        todos.todo_text,
        todos.status,
        todos.priority,
        todos.created_at,
        todos.updated_at,
    from todos
    inner join session_places
        on todos.session_id = session_places.session_id
)

select * from final
