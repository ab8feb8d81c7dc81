-- finding:  failing_command
-- title:    Commands that fail again and again
-- sources:  messages, messages_history, tool_calls_history, run
-- evidence: observed
-- grain:    one row per command, with quoted text and numbers taken out
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- Shell commands that failed at least five times, and surely more than one time in four, in the last four weeks or a
-- longer period (at most 13 weeks), and at least once in the period. Programs that answer by their exit code (grep,
-- diff, test …) are left out; failures that a rule denied count. A command is left out when its runs since the last
-- failure would all succeed by chance in less than one case in a hundred. Tests that fail while work is going on do
-- their job.
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

runs as (
    select
        trim(regexp_replace(regexp_replace(
            regexp_replace(command, '^\s*cd\s+\S+\s*(&&|;)\s*', ''), '"[^"]*"|''[^'']*''', '"…"', 'g'
        ), '\d+', 'N', 'g')) as command_pattern,
        tool_class,
        session_id,
        is_failed,
        started_at,
        exit_code,
        step_share_tokens,
        step_share_cost_usd,
        still_ms,
        weeks,
    from tool_calls_history inner join stretch on started_at between start_ms and end_ms
    where tool_name = 'bash'
        and command is not null
        and (is_failed or exit_code is not null)
        and coalesce(program, '') not in (
            'grep', 'rg', 'ag', 'egrep', 'fgrep', 'diff', 'cmp', 'test', '[', 'which', 'pgrep', 'false'
        )
),

marked as (
    select *, max(case when is_failed then started_at end) over (partition by command_pattern) as last_failed_at,
    from runs
),

final as (
    select
        command_pattern,
        left(command_pattern, 80) || case when length(command_pattern) > 80 then ' …' else '' end as command_text,
        min(tool_class) as tool_class,
        count(*) as n,
        count(*) filter (where is_failed) as failure_count,
        count(distinct session_id) as session_count,
        count(*) filter (where started_at > last_failed_at) as good_end_count,
        mode(exit_code order by exit_code) filter (where is_failed) as usual_exit_code,
        cast(sum(step_share_tokens) filter (where is_failed) as double) as tokens,
        nullif(sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where is_failed), 0) / 1e9 as cost_usd,
        min(weeks) as weeks,
    from marked
    group by command_pattern
    having count(*) filter (where is_failed) >= 5
        and max(last_failed_at) >= min(still_ms)
)

select
    case when failure_count / weeks >= 5 and tool_class <> 'check' then 'high' else 'medium' end as severity,
    command_text as subject,
    'The command ' || command_text || ' failed ' || grouped(failure_count) || ' of ' || grouped(n) || ' times in '
    || grouped(session_count) || ' sessions' || coalesce(', mostly with exit code ' || usual_exit_code, '')
    || '.' as sentence,
    case
        when tool_class = 'check' then 'See what it keeps finding, and tell the agent what to do before it.'
        else 'Mend it, or tell the agent in its instructions what works instead.'
    end as action,
    'shell_commands' as metric,
    grouped(failure_count) || ' of ' || grouped(n) || ' runs failed in ' || cast(round(7 * weeks) as bigint)
    || ' days; ' || percent(wilson_low(failure_count, n)) || ' to ' || percent(wilson_high(failure_count, n))
    || ' % (95 %)' as evidence,
    n, wilson_low(failure_count, n) as ci_low, wilson_high(failure_count, n) as ci_high,
    tokens / weeks as saved_tokens_per_week,
    cost_usd / weeks as saved_usd_per_week,
    cost_usd / weeks * wilson_low(failure_count, n) * n / failure_count as saved_usd_low,
    cost_usd / weeks * wilson_high(failure_count, n) * n / failure_count as saved_usd_high,
    'observed' as confidence,
from final
where wilson_low(failure_count, n) > 0.25
    and power(1 - 1e0 * failure_count / n, good_end_count) >= 0.01
order by saved_tokens_per_week desc, subject
