-- metric:    checks
-- title:     Tests, builds and lints
-- grain:     one row per (check_kind, program)
-- units:     check_count=count, session_count=count, known_count=count, pass_count=count, fail_count=count, pass_ratio=ratio, ci_low=ratio, ci_high=ratio, mended_count=count, total_ms=ms, mean_ms=ms, p50_ms=ms, p50_ms_ci_low=ms, p50_ms_ci_high=ms, p95_ms=ms, output_chars=chars, last_at=at
-- sources:   tool_calls, signals
-- evidence:  derived
-- better:    higher
-- chart:     interval x=pass_ratio y=program
--
-- The commands by which agents check their work, how often they passed and what they took. A pass is exit code 0; a
-- command without exit code (aborted, timed out, denied) counts in no ratio. Tachikoma's verification-engine exits with
-- 0 on a FAIL too: its printed verdict tells, and without one nothing is known. mended_count: failed, and the same command passed later in
-- the turn. The kind is read from the command's words, and a command line that does several things counts once, by
-- the first of verify, test, lint, build that it names. A failing check has done its work: a low ratio is not bad in
-- itself.
with

verdicts as (
    select part_id, max(verdict) as verdict
    from signals
    where program = 'verification-engine'
    group by part_id
),

checks as (
    select
        case
            when command like '%verification-engine.%' then 'verify'
            when regexp_matches(
                lower(command),
                '(^|[^a-z])(t|tests?|specs?|pytest|unittest|jest|vitest|mocha|tox|nox|rspec|phpunit|ctest'
                || '|nextest)([^a-z]|$)'
            ) then 'test'
            when regexp_matches(
                lower(command),
                '(^|[^a-z])(lint|clippy|ruff|mypy|pyright|flake8|pylint|eslint|tsc|biome|shellcheck|golangci-lint|fmt|black|analyze|pre-commit'
                || '|vet|checks?|typecheck|type-check|prettier)([^a-z]|$)'
            ) then 'lint'
            else 'build'
        end as check_kind,
        coalesce(nullif(program, ''), 'unknown') as program,
        command,
        session_id,
        started_at,
        duration_ms,
        output_chars,
        coalesce(is_recovered, false) as is_mended,
        case when command like '%verification-engine.%' then verdicts.verdict = 'PASS' else exit_code = 0 end as is_pass,
    from tool_calls
    left join verdicts
        on tool_calls.part_id = verdicts.part_id
    where tool_class = 'check'
),

failing_commands as (
    select
        check_kind,
        program,
        command,
        row_number() over (
            partition by check_kind, program
            order by count(*) desc, max(started_at) desc, command
        ) as failure_rank,
    from checks
    where not is_pass
    group by check_kind, program, command
),

per_program as (
    select
        check_kind,
        program,
        count(*) as check_count,
        count(distinct session_id) as session_count,
        count(is_pass) as known_count,
        count(*) filter (where is_pass) as pass_count,
        count(*) filter (where not is_pass) as fail_count,
        cast(count(*) filter (where is_pass) as double) / nullif(count(is_pass), 0) as pass_ratio,
        wilson_low(count(*) filter (where is_pass), count(is_pass)) as ci_low,
        wilson_high(count(*) filter (where is_pass), count(is_pass)) as ci_high,
        count(*) filter (where not is_pass and is_mended) as mended_count,
        cast(sum(duration_ms) as bigint) as total_ms,
        cast(sum(duration_ms) as double) / nullif(count(duration_ms), 0) as mean_ms,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        median_low(duration_ms) as p50_ms_ci_low, median_high(duration_ms) as p50_ms_ci_high,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        cast(sum(output_chars) as bigint) as output_chars,
        max(started_at) as last_at,
    from checks
    group by check_kind, program
),

final as (
    select
        per_program.*,
        substr(failing_commands.command, 1, 200) as most_failing_command,
    from per_program
    left join failing_commands
        on per_program.check_kind = failing_commands.check_kind
        and per_program.program = failing_commands.program
        and failing_commands.failure_rank = 1
)

select * from final
order by check_count desc, check_kind, program
