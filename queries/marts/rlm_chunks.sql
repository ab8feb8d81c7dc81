-- mart: rlm_chunks
-- grain: one row per chunk of a run
-- sources: mart_rlm_chunk_calls, mart_telemetry_chunks
-- time: started_at
--
-- What the database tells of each chunk (see rlm_chunk_calls), with telemetry laid over it value by value: what an event
-- says of tokens, time and success counts instead. A chunk that only telemetry knows is a row of its own (evidence
-- telemetry), in a run of its own by the run's told name; whether it ran beside others is known only where its mode was
-- told, and whether it succeeded only where it was told to have failed.
-- Columns: those of rlm_chunk_calls; accuracy (0 to 1, as told), evidence (derived, observed, weak, telemetry), source
-- (opencode_db, or what told), event_id (the last event).
with calls as (
    select * from mart_rlm_chunk_calls
),

told as (
    select * from mart_telemetry_chunks
),

final as (
    select
        coalesce(calls.chunk_part_id, told.chunk_part_id) as chunk_part_id,
        coalesce(calls.run_id, told.told_run_id) as run_id,
        calls.chunk_number,
        coalesce(calls.chunk_id, told.chunk_id) as chunk_id,
        coalesce(calls.session_id, told.session_id) as session_id,
        calls.turn_id, calls.child_session_id,
        case when calls.chunk_part_id is null then told.project_id else calls.project_id end as project_id,
        case when calls.chunk_part_id is null then told.project_name else calls.project_name end as project_name,
        case when calls.chunk_part_id is null then told.directory else calls.directory end as directory,
        coalesce(calls.root_session_id, told.root_session_id) as root_session_id,
        coalesce(calls.is_child, told.is_child) as is_child,
        coalesce(calls.agent, told.agent) as agent,
        coalesce(calls.model, told.model, 'unknown') as model,
        calls.subagent_type,
        coalesce(calls.started_at, told.occurred_at) as started_at,
        coalesce(calls.ended_at, told.occurred_at + told.duration_ms) as ended_at,
        coalesce(told.duration_ms, calls.duration_ms) as duration_ms,
        coalesce(told.tokens, calls.tokens) as tokens,
        calls.input_tokens, calls.output_tokens, calls.cost_usd,
        case when told.error_message is not null then false else calls.is_ok end as is_ok,
        coalesce(calls.is_unfinished, false) as is_unfinished,
        calls.error_class, calls.relevant_count, calls.is_relevant, calls.wave_number,
        coalesce(calls.is_overlapping, case told.mode when 'parallel' then true when 'sequential' then false end)
            as is_overlapping,
        coalesce(calls.is_fork_copy, false) as is_fork_copy,
        coalesce(calls.is_undone, false) as is_undone,
        told.accuracy,
        case
            when told.chunk_part_id is null then 'derived'
            when calls.chunk_part_id is null then 'telemetry'
            when told.label = 'explicit' then 'observed'
            else told.label
        end as evidence,
        coalesce(told.source, 'opencode_db') as source,
        told.event_id,
    from calls
    full outer join told
        on calls.chunk_part_id = told.chunk_part_id
)

select * from final
