-- staging: stg_telemetry
-- sources: raw_telemetry
--
-- One row per event of telemetry: who, when, where, and what it may be joined by. What was measured stands in
-- `stg_telemetry_skills` and the other views of one kind. `occurred_at` is NULL where the recorded time is absurd
-- (before 2001, after 2100; seconds taken for milliseconds are 1970): such an event still joins by its ids.
with numbered as (
    select
        *,
        row_number() over (partition by id order by path, line) as copy_number,
    from raw_telemetry
),

-- Two machines that write into one store may both have read a file.
events as (
    select * from numbered where copy_number = 1
),

renamed as (
    select
        id as event_id,
        kind,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        ts is not null and ts not between 1000000000000 and 4102444800000 as has_absurd_time,
        session_id,
        message_id,
        part_id,
        call_id,
        agent,
        case
            when model is null then null
            when provider is null or starts_with(model, provider || '/') then model
            else provider || '/' || model
        end as model,
        skill as skill_name,
        replace(file, '\', '/') as edited_path,
        tool as tool_name,
        format as edit_format,
        outcome as edit_outcome,
        status,
        source,
        label,
        coalesce(is_synthetic, false) as is_synthetic,
        project_id,
        directory,
        path,
        line,
        problem,
    from events
)

select * from renamed
