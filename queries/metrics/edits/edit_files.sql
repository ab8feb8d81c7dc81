-- metric:    edit_files
-- title:     Files that resist edits
-- grain:     one row per (project_name, path), the 100 with most failures
-- units:     edit_count=count, call_count=count, attempt_count=count, failed_count=count, failed_ratio=ratio, ci_low=ratio, ci_high=ratio, format_error_count=count, blocked_count=count, given_up_count=count, session_count=count, failed_tokens=tokens, failed_cost_usd=usd, last_failed_at=at
-- sources:   edit_attempts, edits
-- evidence:  derived
-- better:    lower
-- chart:     bar x=path y=failed_count
--
-- The files on which edit calls fail most, for whatever reason but a person's no. failed_ratio is format errors by
-- attempts (applied and format errors); given_up_count is edits that were tried and never applied. Long files,
-- repeated lines, tabs and generated files are the usual causes. A patch on several files stands under its first file
-- only. Copies of one file in several worktrees are several rows.
with

calls as (
    select
        coalesce(project_name, 'unknown') as project_name,
        path,
        edit_id,
        session_id,
        is_attempt,
        is_applied,
        is_format_error,
        outcome,
        error_class,
        attempted_at,
        step_share_tokens,
        step_share_cost_usd,
        outcome in ('format_error', 'blocked', 'other_error') as is_failure,
    from edit_attempts
    where path is not null
),

given_up as (
    select
        coalesce(project_name, 'unknown') as project_name,
        path,
        count(*) as edit_count,
        count(*) filter (where outcome = 'failed') as given_up_count,
    from edits
    group by coalesce(project_name, 'unknown'), path
),

classes as (
    select
        project_name,
        path,
        error_class,
        row_number() over (
            partition by project_name, path
            order by count(*) desc, error_class
        ) as place,
    from calls
    where is_failure
    group by project_name, path, error_class
),

file_sums as (
    select
        project_name,
        path,
        count(*) as call_count,
        count(*) filter (where is_attempt) as attempt_count,
        count(*) filter (where is_failure) as failed_count,
        count(*) filter (where is_format_error) as format_error_count,
        count(*) filter (where outcome = 'blocked') as blocked_count,
        count(distinct session_id) as session_count,
        cast(sum(step_share_tokens) filter (where is_failure) as bigint) as failed_tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where is_failure) / 1e9 as failed_cost_usd,
        max(attempted_at) filter (where is_failure) as last_failed_at,
        row_number() over (
            order by count(*) filter (where is_failure) desc, count(*), project_name, path
        ) as file_rank,
    from calls
    group by project_name, path
),

final as (
    select
        file_sums.project_name,
        file_sums.path,
        coalesce(given_up.edit_count, 0) as edit_count,
        call_count,
        attempt_count,
        failed_count,
        cast(format_error_count as double) / nullif(attempt_count, 0) as failed_ratio,
        wilson_low(format_error_count, attempt_count) as ci_low,
        wilson_high(format_error_count, attempt_count) as ci_high,
        format_error_count,
        blocked_count,
        coalesce(given_up.given_up_count, 0) as given_up_count,
        session_count,
        classes.error_class as main_error_class,
        failed_tokens,
        failed_cost_usd,
        last_failed_at,
    from file_sums
    left join given_up
        on file_sums.project_name = given_up.project_name
        and file_sums.path = given_up.path
    left join classes
        on file_sums.project_name = classes.project_name
        and file_sums.path = classes.path
        and classes.place = 1
    where failed_count > 0 and file_rank <= 100
)

select * from final
order by failed_count desc, call_count, project_name, path
