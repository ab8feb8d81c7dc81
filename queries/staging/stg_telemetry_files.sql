-- staging: stg_telemetry_files
-- sources: raw_telemetry_file
--
-- The files of telemetry that were read, as they were when they were last read. Events of a file that has shrunk or gone
-- since stay, so a file may have fewer events than rows of the store name it.
with files as (
    select * from raw_telemetry_file
),

renamed as (
    select
        path,
        format,
        project_id,
        directory,
        is_by_hand,
        is_synthetic,
        size_bytes,
        event_count,
        duplicate_count,
        bad_line_count,
        total_count,
        note,
    from files
)

select * from renamed
