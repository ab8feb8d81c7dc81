-- mart: session_places
-- grain: one row per session
-- sources: stg_sessions, stg_projects, mart_session_ancestors
-- time: none
-- stored: no
--
-- Where a session stands: its project and its place in the tree of subagents. Every other mart takes these columns
-- from here. `project_name` is the project's name, else the last element of the session's directory; sessions outside
-- git belong to 'global'. `depth` is the number of known sessions above (0 = root); a session whose parent is gone is a
-- root, though `is_child` stays true. In a circle of parents the smallest id is the root.
-- Columns: session_id, project_id, project_name, directory, parent_id, root_session_id, depth, is_child, agent, model,
-- created_at, updated_at, revert_message_id, revert_part_id, fork_session_id, last_seen_at.
with sessions as (
    select * from stg_sessions
),

projects as (
    select * from stg_projects
),

ancestors as (
    select * from mart_session_ancestors
),

roots as (
    select
        ancestors.session_id,
        count(*) - 1 as depth,
        coalesce(
            min(case when parents.session_id is null then above.session_id end),
            min(ancestors.ancestor_id)
        ) as root_session_id,
    from ancestors
    inner join sessions as above
        on ancestors.ancestor_id = above.session_id
    left join sessions as parents
        on above.parent_id = parents.session_id
    group by ancestors.session_id
),

placed as (
    select
        sessions.session_id,
        sessions.project_id,
        coalesce(
            projects.project_name,
            case when sessions.project_id = 'global' then 'global' end,
            nullif(regexp_replace(rtrim(replace(sessions.directory, '\', '/'), '/'), '^.*/', ''), '')
        ) as project_name,
        sessions.directory,
        sessions.parent_id,
        coalesce(roots.root_session_id, sessions.session_id) as root_session_id,
        coalesce(roots.depth, 0) as depth,
        sessions.parent_id is not null as is_child,
        sessions.agent,
        sessions.model,
        sessions.created_at,
        sessions.updated_at,
        sessions.revert_message_id,
        sessions.revert_part_id,
        sessions.fork_session_id,
        sessions.last_seen_at,
    from sessions
    left join projects
        on sessions.project_id = projects.project_id
    left join roots
        on sessions.session_id = roots.session_id
)

select * from placed
