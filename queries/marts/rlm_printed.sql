-- mart: rlm_printed
-- grain: one row per RLM run of which a program printed something
-- sources: mart_rlm_calls, mart_signals
-- time: none
-- stored: no
--
-- What the chunker, the REPL and the parallel processor printed in one run: the chunks that were planned, and the result
-- of the whole where somebody printed it. Tokens here are a count of words, as the program counts.
-- Columns: run_id, session_id, turn_id, project_id, project_name, directory, root_session_id, is_child, agent, model,
-- started_at, era, planned_chunk_count, chunk_size, chunk_unit, printed_chunk_count, printed_waves, printed_ok_chunks,
-- printed_tokens, is_early_termination, is_fork_copy, is_undone.
with signals as (
    select
        mart_rlm_calls.run_id,
        mart_signals.*,
    from mart_signals
    inner join mart_rlm_calls
        on mart_signals.part_id = mart_rlm_calls.part_id
            and mart_signals.signal_position = mart_rlm_calls.signal_position
),

final as (
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
        min(said_at) as started_at,
        max(era) as era,
        sum(case when kind = 'rlm_chunker' then chunk_count end) as planned_chunk_count,
        max(case when kind = 'rlm_chunker' then chunk_size end) as chunk_size,
        max(case when kind = 'rlm_chunker' then chunk_unit end) as chunk_unit,
        sum(case when kind = 'rlm_run' then chunk_count end) as printed_chunk_count,
        sum(case when kind = 'rlm_run' then waves end) as printed_waves,
        sum(case when kind = 'rlm_run' then ok_chunks end) as printed_ok_chunks,
        sum(case when kind = 'rlm_run' then printed_tokens end) as printed_tokens,
        count(case when is_early_termination then 1 end) > 0 as is_early_termination,
        count(case when not is_fork_copy then 1 end) = 0 as is_fork_copy,
        count(case when is_undone then 1 end) > 0 as is_undone,
    from signals
    group by run_id
)

select * from final
