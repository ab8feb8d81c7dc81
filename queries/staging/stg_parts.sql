-- staging: stg_parts
-- sources: raw_part
--
-- One row per part. Renames OpenCode's columns to the house's names. `row_created_at` is the time of writing the row:
-- in a fork's copy the time of copying, so measure by `started_at`. Times outside 2001 to 2100 and negative or absurd
-- amounts become NULL (unknown); so does the end of a part that would end before it starts. `tool_class`: a shell
-- command that tests, builds or lints is a check (macro is_check), but not one that is quoted or written into a file; a
-- name with an underscore that OpenCode does not know is an MCP tool (`server_tool`).
with parts as (
    select * from raw_part
),

renamed as (
    select
        id as part_id,
        message_id,
        session_id,
        type as part_type,
        tool as tool_name,
        call_id,
        status,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as row_created_at,
        case when started_at between 1000000000000 and 4102444800000 then started_at end as started_at,
        case
            when ended_at between 1000000000000 and 4102444800000 and (started_at is null or ended_at >= started_at)
                then ended_at
        end as ended_at,
        case when compacted_at between 1000000000000 and 4102444800000 then compacted_at end as compacted_at,
        title,
        error as error_text,
        input_chars,
        output_chars,
        is_truncated,
        is_interrupted,
        skill_name,
        skill_via,
        skill_dir,
        available_skills,
        target_path,
        command,
        program,
        exit_code,
        edit_format,
        edit_outcome,
        edit_error_class,
        additions,
        deletions,
        file_count,
        has_lsp_errors,
        subagent_type,
        child_session_id,
        subagent_model,
        asked_tool,
        text_chars,
        is_synthetic,
        is_correction,
        case when isfinite(cost) and cost between 0 and 1000000 then cost end as cost_usd,
        case when tokens_input between 0 and 1000000000000 then tokens_input end as input_tokens,
        case when tokens_output between 0 and 1000000000000 then tokens_output end as output_tokens,
        case when tokens_reasoning between 0 and 1000000000000 then tokens_reasoning end as reasoning_tokens,
        case when tokens_cache_read between 0 and 1000000000000 then tokens_cache_read end as cache_read_tokens,
        case when tokens_cache_write between 0 and 1000000000000 then tokens_cache_write end as cache_write_tokens,
        finish as finish_reason,
        data_chars,
        generation,
        last_seen_at,
        source,
    from parts
),

classed as (
    select
        *,
        case
            when tool_name is null then null
            when edit_format is not null or tool_name in ('edit', 'write', 'multiedit', 'apply_patch', 'patch') then 'edit'
            when tool_name = 'bash' and is_check(command) then 'check'
            when tool_name = 'bash' then 'shell'
            when tool_name = 'read' then 'read'
            when tool_name in ('glob', 'grep', 'list', 'lsp') then 'search'
            when tool_name in ('skill', 'task') then tool_name
            when tool_name in ('webfetch', 'websearch', 'codesearch') then 'web'
            when tool_name in ('plan_exit', 'rlm_repl') or tool_name like 'tachikoma%' then 'other'
            when tool_name like '%\_%' escape '\' then 'mcp'
            else 'other'
        end as tool_class,
    from renamed
)

select * from classed
