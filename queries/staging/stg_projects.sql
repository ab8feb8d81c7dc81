-- staging: stg_projects
-- sources: raw_project
--
-- One row per project. `project_name` is the user's name for it, else the last element of the worktree's path; the
-- project of directories outside git is called 'global'. NULL where neither is known.
with projects as (
    select * from raw_project
),

renamed as (
    select
        id as project_id,
        case
            when id = 'global' then 'global'
            else coalesce(nullif(name, ''), nullif(regexp_replace(rtrim(replace(worktree, '\', '/'), '/'), '^.*/', ''), ''))
        end as project_name,
        worktree,
        vcs,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as created_at,
        case when time_updated between 1000000000000 and 4102444800000 then time_updated end as updated_at,
        last_seen_at,
        source,
    from projects
)

select * from renamed
