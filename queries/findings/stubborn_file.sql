-- finding:  stubborn_file
-- title:    Files that resist edits
-- sources:  messages, messages_history, edit_attempts_history, run
-- evidence: derived
-- grain:    one row per path
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Files with at least five attempts to edit them, of which more fail than on all other files, in the last four weeks
-- or a longer period (at most 13 weeks), and at least once in the period. Compared with the other files' rate for the
-- same mix of models and formats (normal approximation, Benjamini-Hochberg over the files, 5 %). A file is left out
-- when its attempts since the last failure would all be applied by chance in less than one case in a hundred.
with

bounds as (
    select
        case when is_all then 0 else coalesce(since_ms, 0) end as still_ms,
        case when is_all or since_ms is null then max(created_at) - 7862400000
            else greatest(least(since_ms, max(created_at) - 2419200000), max(created_at) - 7862400000) end as start_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
    group by is_all, since_ms
),

stretch as (
    select bounds.*, greatest(1.0, (end_ms - min(created_at)) / 604800000.0) as weeks,
    from bounds inner join messages_history on created_at between start_ms and end_ms
    group by still_ms, start_ms, end_ms
),

attempts as (
    select edit_attempts_history.*, still_ms, weeks,
        max(case when not is_applied then attempted_at end) over (partition by project_id, path) as last_failed_at,
    from edit_attempts_history inner join stretch on attempted_at between start_ms and end_ms
    where is_attempt and path is not null
),

expected as (
    select
        *,
        cast(count(*) filter (where not is_applied) over mix as double) as mix_failures,
        cast(count(*) over mix as double) as mix_attempts,
        count(*) filter (where not is_applied) over file_mix as own_failures,
        count(*) over file_mix as own_attempts,
    from attempts
    window mix as (partition by model, format), file_mix as (partition by model, format, project_id, path)
),

files as (
    select
        project_id,
        path,
        min(project_name) as project_name,
        count(*) as n,
        count(*) filter (where not is_applied) as failure_count,
        count(*) filter (where attempted_at > last_failed_at) as good_end_count,
        sum((mix_failures - own_failures + 0.5) / (mix_attempts - own_attempts + 1) order by part_id)
        as expected_failures,
        mode(error_class order by error_class) filter (where not is_applied) as usual_error,
        cast(sum(step_share_tokens) filter (where not is_applied) as double) as tokens,
        nullif(sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where not is_applied), 0) / 1e9
        as cost_usd,
        min(weeks) as weeks,
        max(last_failed_at) >= min(still_ms) as is_still,
    from expected
    group by project_id, path
    having count(*) >= 5
),

scored as (
    select
        *,
        (failure_count - 0.5 - expected_failures)
        / sqrt(expected_failures * (1 - expected_failures / n)) as z_score,
    from files
),

ranked as (
    select
        *,
        case when z_score > 0 then exp(-0.717 * z_score - 0.416 * z_score * z_score) / 2 else 0.5 end as p_value,
        row_number() over (order by z_score desc, path, project_id) as place,
    from scored
),

tested as (
    select *, least(1.0, min(p_value * (select count(*) from scored) / place) over (order by place desc)) as q_value,
    from ranked
),

final as (
    select *, tokens / failure_count / weeks as tokens_each, cost_usd / failure_count / weeks as usd_each,
    from tested
    where q_value <= 0.05 and failure_count >= 3 and is_still
        and power(1 - 1e0 * failure_count / n, good_end_count) >= 0.01
)

select
    case when failure_count / weeks >= 3 then 'medium' else 'low' end as severity,
    path as subject,
    grouped(failure_count) || ' of ' || grouped(n) || ' attempts to edit ' || path || ' failed'
    || coalesce(', mostly ' || replace(usual_error, '_', ' '), '') || '; about '
    || grouped(expected_failures) || ' would be usual for these models and formats.' as sentence,
    'Look for repeated lines, odd whitespace or generated parts; split the file or have it written whole.' as action,
    'edit_files' as metric,
    grouped(failure_count) || ' of ' || grouped(n) || ' attempts in ' || cast(round(7 * weeks) as bigint) || ' days; '
    || percent(wilson_low(failure_count, n)) || ' to ' || percent(wilson_high(failure_count, n))
    || ' % (95 %), expected ' || percent(expected_failures / n) || ' %' as evidence,
    n, wilson_low(failure_count, n) as ci_low, wilson_high(failure_count, n) as ci_high,
    (failure_count - expected_failures) * tokens_each as saved_tokens_per_week,
    (failure_count - expected_failures) * usd_each as saved_usd_per_week,
    greatest(0, wilson_low(failure_count, n) * n - expected_failures) * usd_each as saved_usd_low,
    greatest(0, wilson_high(failure_count, n) * n - expected_failures) * usd_each as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
order by saved_tokens_per_week desc, subject
