-- metric:    shell_commands
-- title:     Shell commands
-- grain:     one row per program
-- units:     command_count=count, session_count=count, known_count=count, failure_count=count, failure_ratio=ratio, ci_low=ratio, ci_high=ratio, exit_failure_count=count, denied_count=count, interrupted_count=count, total_ms=ms, mean_ms=ms, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, output_chars=chars, last_at=at
-- sources:   tool_calls
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=program y=failure_count
--
-- Which programs the agents run, and which fail. A failure is a non-zero exit, an abort or timeout, or a denied call;
-- its n is known_count, the commands of which the end is known. A non-zero exit is not always trouble: grep says 1
-- for 'nothing found'. The program is the first one of the command line, so `cd x && make` counts once. Milliseconds
-- include the wait for a permission.
with

commands as (
    select
        coalesce(nullif(program, ''), 'unknown') as program,
        session_id,
        command,
        started_at,
        duration_ms,
        output_chars,
        coalesce(exit_code <> 0, false) as is_exit_failure,
        coalesce(error_class = 'denied', false) as is_denied,
        is_interrupted,
        is_failed,
        is_failed or exit_code is not null as is_known,
    from tool_calls
    where tool_name = 'bash'
),

failing_commands as (
    select
        program,
        command,
        count(*) as failure_count,
        max(started_at) as last_at,
    from commands
    where is_failed
    group by program, command
),

top_failing as (
    select
        program,
        command,
        row_number() over (
            partition by program
            order by failure_count desc, last_at desc, command
        ) as failure_rank,
    from failing_commands
),

per_program as (
    select
        program,
        count(*) as command_count,
        count(distinct session_id) as session_count,
        count(*) filter (where is_known) as known_count,
        count(*) filter (where is_failed) as failure_count,
        count(*) filter (where is_exit_failure) as exit_failure_count,
        count(*) filter (where is_denied) as denied_count,
        count(*) filter (where is_interrupted) as interrupted_count,
        cast(sum(duration_ms) as bigint) as total_ms,
        cast(sum(duration_ms) as double) / nullif(count(duration_ms), 0) as mean_ms,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(output_chars) as bigint) as output_chars,
        max(started_at) as last_at,
    from commands
    group by program
),

final as (
    select
        per_program.program,
        command_count,
        session_count,
        known_count,
        failure_count,
        cast(failure_count as double) / nullif(known_count, 0) as failure_ratio,
        wilson_low(failure_count, known_count) as ci_low,
        wilson_high(failure_count, known_count) as ci_high,
        exit_failure_count,
        denied_count,
        interrupted_count,
        total_ms,
        mean_ms,
        p50_ms, p50_ms_ci_low, p50_ms_ci_high,
        p95_ms,
        output_chars,
        last_at,
        substr(top_failing.command, 1, 200) as most_failing_command,
    from per_program
    left join top_failing
        on per_program.program = top_failing.program
        and top_failing.failure_rank = 1
)

select * from final
order by command_count desc, program
