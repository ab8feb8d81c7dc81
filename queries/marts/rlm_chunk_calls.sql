-- mart: rlm_chunk_calls
-- grain: one row per chunk: one call of an RLM subagent
-- sources: mart_rlm_calls, mart_subagents, mart_sessions, mart_signals
-- time: none
-- stored: no
--
-- What the database alone tells of each chunk; `rlm_chunks` lays telemetry over it.
-- One piece of a large context, read by one subagent. Tokens and cost are those of its session. It ends with its call, or
-- with its session where that was left to run in the background. Chunks whose times overlap, also by way of others,
-- belong to one wave; a wave begins when no earlier chunk is running. `is_ok`: the call succeeded. `is_relevant`: the
-- result names at least one finding; NULL where the result is not in the form that RLM workers are told to use.
-- Columns: chunk_part_id (part id of the call), run_id, chunk_number (in the run), chunk_id (as the worker named it),
-- session_id (the parent), turn_id, child_session_id, project_id, project_name, directory, root_session_id, is_child,
-- agent, model, subagent_type, started_at, ended_at, duration_ms, tokens, input_tokens, output_tokens, cost_usd, is_ok,
-- is_unfinished, error_class, relevant_count, is_relevant, wave_number, is_overlapping (another chunk ran meanwhile),
-- is_fork_copy, is_undone.
with calls as (
    select * from mart_rlm_calls where kind = 'chunk'
),

subagents as (
    select
        *,
        count(*) over (partition by child_session_id) as call_count,
    from mart_subagents
),

sessions as (
    select session_id, ended_at from mart_sessions
),

results as (
    select * from mart_signals where kind = 'rlm_result'
),

timed as (
    select
        calls.run_id,
        calls.part_index,
        subagents.*,
        results.chunk_id,
        results.relevant_count,
        case
            when subagents.call_count = 1 and subagents.child_session_id is not null
                then greatest(subagents.ended_at, sessions.ended_at)
            else subagents.ended_at
        end as chunk_ended_at,
    from calls
    inner join subagents
        on calls.part_id = subagents.part_id
    left join sessions
        on subagents.child_session_id = sessions.session_id
    left join results
        on calls.part_id = results.part_id
),

compared as (
    select
        *,
        max(coalesce(chunk_ended_at, started_at)) over before as running_until,
        min(started_at) over after as next_started_at,
    from timed
    window
        before as (
            partition by run_id
            order by started_at, part_index
            rows between unbounded preceding and 1 preceding
        ),
        after as (
            partition by run_id
            order by started_at, part_index
            rows between 1 following and unbounded following
        )
),

final as (
    select
        part_id as chunk_part_id,
        run_id,
        row_number() over in_run as chunk_number,
        chunk_id,
        session_id,
        turn_id,
        child_session_id,
        project_id,
        project_name,
        directory,
        root_session_id,
        is_child,
        agent,
        model,
        subagent_type,
        started_at,
        chunk_ended_at as ended_at,
        chunk_ended_at - started_at as duration_ms,
        total_tokens as tokens,
        input_tokens,
        output_tokens,
        cost_usd,
        coalesce(status = 'completed' and not is_failed, false) as is_ok,
        chunk_ended_at is null as is_unfinished,
        error_class,
        relevant_count,
        relevant_count > 0 as is_relevant,
        count(case when running_until is null or started_at >= running_until then 1 end) over in_run as wave_number,
        coalesce(running_until > started_at, false) or coalesce(next_started_at < chunk_ended_at, false) as is_overlapping,
        is_fork_copy,
        is_undone,
    from compared
    window in_run as (
        partition by run_id
        order by started_at, part_index
        rows between unbounded preceding and current row
    )
)

select * from final
