-- metric:    skill_unused
-- title:     Unused skills
-- grain:     one row per installed skill (path)
-- units:     description_tokens=tokens, last_used_at=at, load_count=count, weak_use_count=count, history_load_count=count, history_weak_use_count=count, request_count=count, session_count=count, listing_tokens=tokens, listing_tokens_per_session=tokens, body_chars=chars, modified_at=at
-- sources:   skills, skill_loads, skill_loads_history, steps, messages_history
-- evidence:  estimated
-- better:    lower
-- chart:     bar x=skill_name y=listing_tokens
--
-- Installed skills that were not used in the period, and what it costs to list them: every request carries the name
-- and description of every skill. Tokens are estimated as characters / 4; most of them are read from the cache, so
-- this is volume, not money. Used means loaded by the skill tool, or used weakly: by slash command, router script or
-- reading SKILL.md; a skill that is only ever read is not in this list. A project's skill counts as used only in
-- sessions of that project. Hidden, shadowed and invalid files and the built-in skill are left out. What was
-- installed in the past is not recorded: the list holds the files of now against the uses of then.
with

installed as (
    select *
    from skills
    where problem is null
        and not coalesce(is_hidden, false)
        and not coalesce(is_shadowed, false)
        and skill_name <> 'customize-opencode'
),

known_places as (
    select distinct project_id, directory from messages_history
),

uses as (
    select skill_name, project_id, directory, loaded_at, via, true as is_in_period
    from skill_loads
    where is_load
    union all
    select skill_name, project_id, directory, loaded_at, via, false as is_in_period
    from skill_loads_history
    where is_load
),

use_counts as (
    select
        installed.path,
        installed.project_id,
        count(*) filter (where uses.is_in_period and uses.via = 'skill_tool') as load_count,
        count(*) filter (where uses.is_in_period and uses.via <> 'skill_tool') as weak_use_count,
        count(*) filter (where not uses.is_in_period and uses.via = 'skill_tool') as history_load_count,
        count(*) filter (where not uses.is_in_period and uses.via <> 'skill_tool') as history_weak_use_count,
        max(uses.loaded_at) as last_used_at,
    from installed
    inner join uses
        on installed.skill_name = uses.skill_name
        and (installed.project_id is null or installed.project_id = uses.project_id)
        and (
            installed.project_id is distinct from 'global'
            or installed.directory is null
            or uses.directory = installed.directory
            or starts_with(uses.directory, installed.directory || '/')
        )
    group by installed.path, installed.project_id
),

places as (
    select project_id, directory, session_id, count(*) as request_count
    from steps
    group by project_id, directory, session_id
),

request_counts as (
    select
        installed.path,
        installed.project_id,
        cast(sum(places.request_count) as bigint) as request_count,
        count(distinct places.session_id) as session_count,
    from installed
    inner join places
        on (installed.project_id is null or installed.project_id = places.project_id)
        and (
            installed.project_id is distinct from 'global'
            or installed.directory is null
            or places.directory = installed.directory
            or starts_with(places.directory, installed.directory || '/')
        )
    group by installed.path, installed.project_id
),

final as (
    select
        installed.skill_name,
        installed.scope,
        installed.path,
        installed.project_id,
        cast(ceil(installed.description_chars / 4.0) as bigint) as description_tokens,
        use_counts.last_used_at,
        coalesce(use_counts.load_count, 0) as load_count,
        coalesce(use_counts.weak_use_count, 0) as weak_use_count,
        coalesce(use_counts.history_load_count, 0) as history_load_count,
        coalesce(use_counts.history_weak_use_count, 0) as history_weak_use_count,
        coalesce(request_counts.request_count, 0) as request_count,
        coalesce(request_counts.session_count, 0) as session_count,
        cast(ceil(installed.description_chars / 4.0) * coalesce(request_counts.request_count, 0) as bigint)
            as listing_tokens,
        ceil(installed.description_chars / 4.0) * request_counts.request_count / request_counts.session_count
            as listing_tokens_per_session,
        installed.body_chars,
        installed.modified_at,
    from installed
    left join use_counts
        on installed.path = use_counts.path
        and installed.project_id is not distinct from use_counts.project_id
    left join request_counts
        on installed.path = request_counts.path
        and installed.project_id is not distinct from request_counts.project_id
    where coalesce(use_counts.load_count, 0) = 0
        and coalesce(use_counts.weak_use_count, 0) = 0
        and (installed.project_id is null or installed.project_id in (select project_id from known_places))
)

select * from final
order by listing_tokens desc, skill_name, path, project_id
