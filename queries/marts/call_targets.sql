-- mart: call_targets
-- grain: one row per tool part
-- sources: stg_parts, mart_session_places
-- time: none
-- reach: session
-- stored: no
--
-- What a tool call worked on, in one word by which like calls are found: the path, or the command of a shell, the name
-- of a skill, the type of a subagent, the pattern or address of a search. `target_path` is absolute: a relative one
-- starts at the session's directory, and `a/./b` and `a/x/../b` are `a/b` (up to three such steps in one path). All
-- edit-class tools count as one tool.
-- Columns: part_id, message_id, alike_tool, target_path, target (NULL where the input names none), input_chars,
-- is_unfinished.
with parts as (
    select
        *,
        regexp_replace(replace(target_path, '\', '/'), '^\./', '') as clean_path,
    from stg_parts
    where part_type = 'tool'
),

session_places as (
    select * from mart_session_places
),

joined as (
    select
        parts.*,
        case
            when parts.clean_path is null or regexp_matches(parts.clean_path, '^([A-Za-z]:)?[/~]') then parts.clean_path
            else coalesce(rtrim(replace(session_places.directory, '\', '/'), '/') || '/', '') || parts.clean_path
        end as joined_path,
    from parts
    left join session_places
        on parts.session_id = session_places.session_id
),

resolved as (
    select
        *,
        case
            when contains(joined_path, '://') or not (contains(joined_path, '/.') or contains(joined_path, '//')) then joined_path
            else regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(joined_path, '/(\./|/)+', '/', 'g'), '/[^/.][^/]*/\.\./', '/'
                    ),
                    '/[^/.][^/]*/\.\./', '/'
                ),
                '/[^/.][^/]*/\.\./', '/'
            )
        end as full_path,
    from joined
),

final as (
    select
        part_id,
        message_id,
        case when tool_class = 'edit' then 'edit' else coalesce(tool_name, '') end as alike_tool,
        full_path as target_path,
        case
            when tool_name = 'bash' and tool_class <> 'edit' then command
            when tool_name = 'skill' then skill_name
            when tool_name in ('glob', 'grep') then coalesce(full_path || ' ', '') || coalesce(command, '')
            else coalesce(full_path, subagent_type, asked_tool, command)
        end as target,
        input_chars,
        coalesce(status in ('pending', 'running'), false) as is_unfinished,
    from resolved
)

select * from final
