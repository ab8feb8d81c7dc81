-- mart: rlm_run_sums
-- grain: one row per RLM run
-- sources: mart_rlm_chunks, mart_rlm_printed
-- time: none
-- stored: no
--
-- What the chunks and printed results of a run add up to; `rlm_runs` lays telemetry about whole runs over it.
-- One run over a large context. Counted from its chunks (RLM subagents) where there are any, else as a program printed
-- it; a printed number of waves comes first, because the program knew. Mode: parallel if any two chunks overlap in time,
-- sequential if there are two or more and none do, else unknown. Time and tokens are those of the chunks, from the first
-- one's start to the last one's end; cutting the file into chunks is not in them. Accuracy is the share of chunk results
-- that found something relevant: not whether that was true.
-- Columns: run_id (part id of its first call), session_id, turn_id, project_id, project_name, directory,
-- root_session_id, is_child, agent, model, started_at, ended_at, duration_ms, mode, chunk_count, planned_chunk_count (as
-- the chunker printed), wave_count, chunk_size, chunk_unit (chars, tokens), ok_chunks, result_count (chunks whose
-- result could be read), relevant_chunks, accuracy, chunk_ms (sum of the chunks' times), tokens, cost_usd, era,
-- is_early_termination, source (calls, printed), is_fork_copy, is_undone.
with chunks as (
    select * from mart_rlm_chunks
),

printed as (
    select * from mart_rlm_printed
),

chunk_sums as (
    select
        run_id,
        min(session_id) as session_id,
        min(turn_id) as turn_id,
        min(project_id) as project_id,
        min(project_name) as project_name,
        min(directory) as directory,
        min(root_session_id) as root_session_id,
        count(case when is_child then 1 end) > 0 as is_child,
        min(agent) as agent,
        min(model) as model,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        count(*) as chunk_count,
        max(wave_number) as wave_count,
        count(case when is_overlapping then 1 end) > 0 as is_parallel,
        count(is_overlapping) as timed_count,
        case when count(is_ok) > 0 then count(case when is_ok then 1 end) end as ok_chunks,
        count(is_relevant) as result_count,
        count(case when is_relevant then 1 end) as relevant_chunks,
        cast(sum(duration_ms) as bigint) as chunk_ms,
        cast(sum(tokens) as bigint) as tokens,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        count(case when not is_fork_copy then 1 end) = 0 as is_fork_copy,
        count(case when is_undone then 1 end) > 0 as is_undone,
    from chunks
    group by run_id
),

final as (
    select
        run_id,
        coalesce(chunk_sums.session_id, printed.session_id) as session_id,
        coalesce(chunk_sums.turn_id, printed.turn_id) as turn_id,
        coalesce(chunk_sums.project_id, printed.project_id) as project_id,
        coalesce(chunk_sums.project_name, printed.project_name) as project_name,
        coalesce(chunk_sums.directory, printed.directory) as directory,
        coalesce(chunk_sums.root_session_id, printed.root_session_id) as root_session_id,
        coalesce(chunk_sums.is_child, printed.is_child) as is_child,
        coalesce(printed.agent, chunk_sums.agent) as agent,
        coalesce(chunk_sums.model, printed.model) as model,
        coalesce(chunk_sums.started_at, printed.started_at) as started_at,
        chunk_sums.ended_at,
        chunk_sums.ended_at - chunk_sums.started_at as duration_ms,
        case
            when chunk_sums.is_parallel then 'parallel'
            when chunk_sums.chunk_count >= 2 and chunk_sums.timed_count = chunk_sums.chunk_count then 'sequential'
            else 'unknown'
        end as mode,
        cast(coalesce(chunk_sums.chunk_count, printed.printed_chunk_count, printed.planned_chunk_count) as bigint)
            as chunk_count,
        cast(printed.planned_chunk_count as bigint) as planned_chunk_count,
        cast(coalesce(printed.printed_waves, chunk_sums.wave_count) as bigint) as wave_count,
        printed.chunk_size,
        printed.chunk_unit,
        cast(coalesce(chunk_sums.ok_chunks, printed.printed_ok_chunks) as bigint) as ok_chunks,
        chunk_sums.result_count,
        chunk_sums.relevant_chunks,
        cast(chunk_sums.relevant_chunks as double) / nullif(chunk_sums.result_count, 0) as accuracy,
        chunk_sums.chunk_ms,
        cast(coalesce(chunk_sums.tokens, printed.printed_tokens) as bigint) as tokens,
        chunk_sums.cost_usd,
        printed.era,
        coalesce(printed.is_early_termination, false) as is_early_termination,
        case when chunk_sums.run_id is not null then 'calls' else 'printed' end as source,
        coalesce(chunk_sums.is_fork_copy, printed.is_fork_copy) as is_fork_copy,
        coalesce(chunk_sums.is_undone, printed.is_undone) as is_undone,
    from chunk_sums
    full join printed using (run_id)
)

select * from final
