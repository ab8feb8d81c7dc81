-- check:   chk_orphans
-- title:   Every row belongs to something that exists
-- sources: stg_parts, stg_messages, stg_sessions, stg_projects, stg_todos
--
-- OpenCode enforces its references only while it runs itself, so deleting by hand, a crash or a partial copy leaves
-- parts without a message, messages without a session and so on. Rows without a session are in no figure.
with

orphans as (
    select
        'part' as kind,
        stg_parts.part_id as id,
        'message ' || coalesce(stg_parts.message_id, 'unknown') as owner
    from stg_parts
    left join stg_messages on stg_parts.message_id = stg_messages.message_id
    where stg_messages.message_id is null
    union all
    select
        'message' as kind,
        stg_messages.message_id as id,
        'session ' || coalesce(stg_messages.session_id, 'unknown') as owner
    from stg_messages
    left join stg_sessions on stg_messages.session_id = stg_sessions.session_id
    where stg_sessions.session_id is null
    union all
    select
        'session' as kind,
        stg_sessions.session_id as id,
        'project ' || coalesce(stg_sessions.project_id, 'unknown') as owner
    from stg_sessions
    left join stg_projects on stg_sessions.project_id = stg_projects.project_id
    where stg_projects.project_id is null
    union all
    select
        'session' as kind,
        children.session_id as id,
        'parent session ' || children.parent_id as owner
    from stg_sessions as children
    left join stg_sessions as parents on children.parent_id = parents.session_id
    where children.parent_id is not null and parents.session_id is null
    union all
    select 'todo' as kind, stg_todos.session_id || '/' || stg_todos.todo_position as id, 'session ' || stg_todos.session_id as owner
    from stg_todos
    left join stg_sessions on stg_todos.session_id = stg_sessions.session_id
    where stg_sessions.session_id is null
),

final as (
    select
        'orphans' as rule,
        id as subject,
        kind || ' of ' || owner || ', which is not there' as detail,
    from orphans
)

select * from final
order by rule, subject, detail
