-- mart: rlm_runs
-- grain: one row per RLM run
-- sources: mart_rlm_run_sums, mart_telemetry_runs, mart_rlm_chunks
-- time: started_at
--
-- What the chunks of a run add up to (see rlm_run_sums), with telemetry about the whole run laid over it value by value:
-- what an event says counts instead, and is never added. A run that only telemetry knows is a row of its own (evidence
-- telemetry), from events about it or about its chunks. Accuracy is what was told of the run, else the share of chunks
-- that found something, else the mean of what was told of its chunks.
-- Columns: those of rlm_run_sums; evidence (derived, observed, weak, telemetry), source (calls, printed, or what told),
-- event_id (the last event about the run).
with sums as (
    select * from mart_rlm_run_sums
),

told as (
    select * from mart_telemetry_runs
),

told_chunks as (
    select
        run_id,
        count(case when evidence <> 'telemetry' then 1 end) = 0 as is_telemetry_only,
        avg(accuracy) as accuracy,
        max(source) as source,
    from mart_rlm_chunks
    where event_id is not null
    group by run_id
),

final as (
    select
        run_id,
        coalesce(sums.session_id, told.session_id) as session_id,
        sums.turn_id,
        coalesce(sums.project_id, told.project_id) as project_id,
        coalesce(sums.project_name, told.project_name) as project_name,
        coalesce(sums.directory, told.directory) as directory,
        coalesce(sums.root_session_id, told.root_session_id) as root_session_id,
        coalesce(sums.is_child, told.is_child) as is_child,
        coalesce(sums.agent, told.agent) as agent,
        coalesce(sums.model, told.model, 'unknown') as model,
        coalesce(sums.started_at, told.occurred_at) as started_at,
        coalesce(sums.ended_at, told.occurred_at + told.duration_ms) as ended_at,
        coalesce(told.duration_ms, sums.duration_ms) as duration_ms,
        coalesce(told.mode, sums.mode, 'unknown') as mode,
        coalesce(told.chunk_count, sums.chunk_count) as chunk_count,
        sums.planned_chunk_count,
        coalesce(told.wave_count, sums.wave_count) as wave_count,
        coalesce(told.chunk_size, sums.chunk_size) as chunk_size,
        coalesce(told.chunk_unit, sums.chunk_unit) as chunk_unit,
        coalesce(told.ok_chunks, sums.ok_chunks) as ok_chunks,
        sums.result_count, sums.relevant_chunks,
        coalesce(told.accuracy, sums.accuracy, told_chunks.accuracy) as accuracy,
        sums.chunk_ms,
        coalesce(told.tokens, sums.tokens) as tokens,
        sums.cost_usd, sums.era,
        coalesce(told.is_early_termination, sums.is_early_termination, false) as is_early_termination,
        coalesce(sums.is_fork_copy, false) as is_fork_copy,
        coalesce(sums.is_undone, false) as is_undone,
        case
            when not told.is_matched or told_chunks.is_telemetry_only then 'telemetry'
            when told.run_id is null and told_chunks.run_id is null then 'derived'
            when coalesce(told.label, 'explicit') = 'explicit' then 'observed'
            else told.label
        end as evidence,
        coalesce(told.source, case when told_chunks.is_telemetry_only then told_chunks.source end, sums.source) as source,
        told.event_id,
    from sums
    full outer join told using (run_id)
    left join told_chunks using (run_id)
)

select * from final
