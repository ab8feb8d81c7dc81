-- finding:  data_quality
-- title:    Trouble with the data
-- sources:  stg_quarantine, stg_sessions, stg_messages, stg_parts, stg_todos, stg_projects, stg_telemetry, skills, messages, tool_calls, run
-- evidence: observed
-- grain:    one row per trouble
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- What makes the other numbers wrong, and can often be mended: rows that could not be decoded, messages without a time
-- (they belong to no period) or with one in the future, answers with tokens but without a known cost, tool calls left
-- unfinished, and skill files that OpenCode cannot load. Rows, times and skill files are those of the whole store, the
-- others those of the period.
-- n is the rows looked at, the interval that of the share of bad ones. Nothing is saved but trust.
with

table_rows as (
    select 'session' as table_name, count(*) as row_count from stg_sessions
    union all
    select 'message', count(*) from stg_messages
    union all
    select 'part', count(*) from stg_parts
    union all
    select 'todo', count(*) from stg_todos
    union all
    select 'project', count(*) from stg_projects
    union all
    select 'telemetry', count(*) from stg_telemetry
),

bad_rows as (
    select
        table_name,
        count(*) as bad_count,
        mode(reason order by reason) as usual_reason,
    from stg_quarantine
    group by table_name
),

troubles as (
    select
        'quarantined rows of ' || bad_rows.table_name as subject,
        bad_count,
        bad_count + coalesce(row_count, 0) as n,
        'Rows of ' || bad_rows.table_name || ' that could not be read: ' || grouped(bad_count) || ', mostly: '
        || left(usual_reason, 120) || '.' as sentence,
        'Look at the rows with `logicoma query -c "select * from quarantine"`, or repair the database.' as action,
        'quarantine' as metric,
    from bad_rows left join table_rows using (table_name)
    union all
    select
        'messages without time',
        count(*) filter (where created_at is null),
        count(*),
        'Messages without a believable time, which belong to no period: '
        || grouped(count(*) filter (where created_at is null)) || '.',
        'See with --all what they are.',
        'overview',
    from stg_messages where role is not null
    union all
    select
        'answers without cost',
        count(*) filter (where cost_usd is null),
        count(*),
        'Answers with tokens but without a believable cost, so that totals are too low: '
        || grouped(count(*) filter (where cost_usd is null)) || '.',
        'Look at them with `logicoma query -c "select * from messages where cost_usd is null"`.',
        'by_model',
    from messages where role = 'assistant' and total_tokens > 0
    union all
    select
        'times in the future',
        count(*) filter (where created_at > now_ms + 86400000),
        count(*),
        'Messages of a day that has not come, as from a clock that was wrong: '
        || grouped(count(*) filter (where created_at > now_ms + 86400000)) || '.',
        'See when they are said to be with `logicoma metrics run freshness`.',
        'freshness',
    from stg_messages cross join run where role is not null
    union all
    select
        'unfinished tool calls',
        count(*) filter (where is_unfinished),
        count(*),
        'Tool calls left pending or running, as after a crash: ' || grouped(count(*) filter (where is_unfinished))
        || '.',
        'See whether OpenCode crashed or was killed; their time and outcome are unknown.',
        'tool_usage',
    from tool_calls inner join run on coalesce(started_at, 0) < now_ms - 3600000
    union all
    select
        'skill files',
        count(*) filter (where problem is not null),
        count(*),
        'Skill files that cannot be loaded: '
        || string_agg(path || ' (' || problem || ')', ', ' order by path) filter (where problem is not null) || '.',
        'Mend their front matter, or delete them.',
        'skill_unused',
    from skills
),

final as (
    select *, wilson_low(bad_count, n) as ci_low, wilson_high(bad_count, n) as ci_high,
    from troubles
    where bad_count > 0 and n >= 5
        and (subject <> 'unfinished tool calls' or wilson_low(bad_count, n) > 0.02)
)

select
    case when ci_low > 0.05 then 'high' when ci_low > 0.005 then 'medium' else 'info' end as severity,
    subject,
    sentence,
    action,
    metric,
    grouped(bad_count) || ' of ' || grouped(n) || '; ' || percent(ci_low) || ' to ' || percent(ci_high) || ' % (95 %)'
    as evidence,
    n, ci_low, ci_high,
    -- Better data cost as much as bad ones.
    0e0 as saved_tokens_per_week, 0e0 as saved_usd_per_week, 0e0 as saved_usd_low, 0e0 as saved_usd_high,
    'observed' as confidence,
from final
order by ci_low desc, subject
