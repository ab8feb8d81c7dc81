-- mart: call_errors
-- grain: one row per tool call that did not succeed
-- sources: stg_parts
-- time: none
-- reach: session
-- stored: no
--
-- Why a call did not succeed, in one word and as a pattern by which like errors can be counted. A shell command that
-- exits with another code than 0 has failed although OpenCode calls it completed; so has a call of a tool that does not
-- exist. A call left pending or running is unfinished: OpenCode ended before it did. `error_message` is the text as
-- recorded (up to 2,000 characters), or a short one where none is; `error_pattern` is its first line without quoted
-- names, paths, ids and numbers.
-- Columns: part_id, error_class (an edit's not_found, multiple_matches, identical, patch_context, span_too_large,
-- not_read, stale_read, missing_file; and for all denied, aborted, invalid_arguments, unknown_tool, unknown_skill,
-- unknown_agent, subagent_failed, timeout, missing, exit_code, unfinished, other), error_message, error_pattern.
with parts as (
    select
        *,
        lower(coalesce(error_text, '')) as lower_text,
    from stg_parts
    where part_type = 'tool'
        and (
            status in ('error', 'pending', 'running')
            or exit_code <> 0
            or is_interrupted
            or tool_name = 'invalid'
        )
),

classed as (
    select
        part_id,
        case
            when is_interrupted then 'aborted'
            when status in ('pending', 'running') then 'unfinished'
            when tool_name = 'invalid' then 'unknown_tool'
            when edit_error_class is not null then edit_error_class
            when status = 'completed' then 'exit_code'
            when lower_text like '%invalid arguments%' then 'invalid_arguments'
            when lower_text like '%rejected permission%' or lower_text like '%specified a rule%' then 'denied'
            when lower_text like '%task cancelled%' or lower_text like '%aborted%' then 'aborted'
            when tool_name = 'skill' then 'unknown_skill'
            when lower_text like '%unknown agent type%' then 'unknown_agent'
            when tool_name = 'task' then 'subagent_failed'
            when lower_text like '%timed out%' or lower_text like '%timeout%' then 'timeout'
            when lower_text like '%permission denied%' then 'denied'
            when lower_text like '%not found%' or lower_text like '%no such%' or lower_text like '%does not exist%'
                then 'missing'
            else 'other'
        end as error_class,
        case
            when error_text is not null then error_text
            when tool_name = 'invalid' then 'Model tried to call unavailable tool ' || coalesce(asked_tool, 'unknown')
            when is_interrupted then 'aborted or timed out'
            when exit_code <> 0 then 'exit code ' || cast(exit_code as varchar)
            when status in ('pending', 'running') then 'left ' || status
        end as error_message,
        exit_code,
        tool_name,
    from parts
),

first_lines as (
    select
        *,
        case
            when tool_name = 'invalid' then 'Model tried to call unavailable tool "…"'
            else regexp_replace(
                split_part(trim(error_message), chr(10), 1), 'Available (skills|tools|agents).*', '', 'g'
            )
        end as first_line,
    from classed
),

unquoted as (
    select
        *,
        regexp_replace(
            regexp_replace(first_line, '"[^"]*"|`[^`]*`', '"…"', 'g'),
            '(^|[\s(:=])''.*''($|[\s).,:;])', '\1''…''\2'
        ) as unquoted_line,
    from first_lines
),

unplaced as (
    select
        *,
        regexp_replace(unquoted_line, '([A-Za-z]:|~|\.{1,2})?[/\\][^\s:,;"'')]+', '<path>', 'g') as unplaced_line,
    from unquoted
),

unnamed as (
    select
        *,
        regexp_replace(unplaced_line, '\b((ses|msg|prt|call|toolu)_\w+|[0-9a-f]{8,})\b', '<id>', 'g') as unnamed_line,
    from unplaced
),

final as (
    select
        part_id,
        error_class,
        error_message,
        case
            when error_class = 'exit_code' then unnamed_line
            else left(trim(regexp_replace(unnamed_line, '\d+', 'N', 'g')), 160)
        end as error_pattern,
    from unnamed
)

select * from final
