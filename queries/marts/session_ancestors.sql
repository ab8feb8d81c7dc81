-- mart: session_ancestors
-- grain: one row per session and each session above it, itself included
-- sources: stg_sessions
-- time: none
--
-- Who belongs under whom: child sessions (subagents) of any depth. `union` without `all` ends by itself where
-- parent_id runs in a circle, as a hand-edited or half-imported database may have it: each session of a circle then
-- counts as an ancestor of the others. A parent that is not in the database is not an ancestor.
-- Columns: session_id, ancestor_id (the session itself among them).
with recursive sessions as (
    select session_id, parent_id from stg_sessions
),

linked as (
    select
        sessions.session_id,
        parents.session_id as parent_id,
    from sessions
    inner join sessions as parents
        on sessions.parent_id = parents.session_id
),

climbed as (
    select
        session_id,
        session_id as ancestor_id,
    from sessions

    union

    select
        climbed.session_id,
        linked.parent_id as ancestor_id,
    from climbed
    inner join linked
        on climbed.ancestor_id = linked.session_id
)

select * from climbed
