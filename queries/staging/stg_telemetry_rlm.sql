-- staging: stg_telemetry_rlm
-- sources: raw_telemetry
--
-- One row per run over a large text, or chunk of one, that telemetry tells of. NULL is what it does not tell.
with events as (
    select * from raw_telemetry where kind = 'rlm'
),

renamed as (
    select
        id as event_id,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        session_id,
        run_id,
        coalesce(grain, case when chunk_id is not null then 'chunk' else 'run' end) as grain,
        chunk_id,
        mode,
        chunk_count,
        waves as wave_count,
        chunk_size,
        chunk_unit,
        tokens,
        duration_ms,
        ok_chunks,
        early_termination as is_early_termination,
        accuracy,
        model,
        error as error_message,
        source,
        label,
    from events
)

select * from renamed
