-- staging: stg_telemetry_edits
-- sources: raw_telemetry
--
-- One row per attempt to edit that telemetry tells of. NULL is what it does not tell.
with events as (
    select * from raw_telemetry where kind = 'edit'
),

renamed as (
    select
        id as event_id,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        session_id,
        replace(file, '\', '/') as path,
        tool as tool_name,
        format,
        recommended_format,
        case when attempt_no > 0 then attempt_no end as attempt_number,
        edit_group_id,
        outcome,
        is_final,
        duration_ms,
        tokens,
        lsp_errors as has_lsp_errors,
        error as error_message,
        source,
        label,
    from events
)

select * from renamed
