-- metric:    tool_errors
-- title:     Tool errors
-- grain:     one row per (error_class, message)
-- units:     error_count=count, error_share_ratio=ratio, session_count=count, tool_count=count, recovered_count=count, recovered_ratio=ratio, ci_low=ratio, ci_high=ratio, first_at=at, last_at=at
-- sources:   tool_calls
-- evidence:  derived
-- better:    lower
-- chart:     bar x=message y=error_count
--
-- The same failure under one line: of each error text the first line is kept, with quoted strings, paths, ids and
-- numbers folded, so that 'File a.ts not found' and 'File b.ts not found' are one row. Folding is a rule of ours: two
-- causes with the same wording fall together. Calls of tools that do not exist are here too, though OpenCode
-- completes them; commands with a non-zero exit are not: see shell_commands. Recovered: later in the turn the same
-- tool did the same target.
with

failed_calls as (
    select
        error_class,
        coalesce(nullif(error_pattern, ''), 'no message recorded') as message,
        tool_name,
        session_id,
        started_at,
        coalesce(is_recovered, false) as is_recovered,
        row_number() over (
            partition by error_class, coalesce(nullif(error_pattern, ''), 'no message recorded')
            order by started_at desc, part_id desc
        ) as recency,
    from tool_calls
    where is_error or error_class = 'unknown_tool'
),

final as (
    select
        error_class,
        message,
        string_agg(distinct tool_name, ', ' order by tool_name) as tools,
        count(*) as error_count,
        cast(count(*) as double) / sum(count(*)) over () as error_share_ratio,
        count(distinct session_id) as session_count,
        count(distinct tool_name) as tool_count,
        count(*) filter (where is_recovered) as recovered_count,
        cast(count(*) filter (where is_recovered) as double) / count(*) as recovered_ratio,
        wilson_low(count(*) filter (where is_recovered), count(*)) as ci_low,
        wilson_high(count(*) filter (where is_recovered), count(*)) as ci_high,
        min(started_at) as first_at,
        max(started_at) as last_at,
        min(session_id) filter (where recency = 1) as last_session_id,
    from failed_calls
    group by error_class, message
)

select * from final
order by error_count desc, last_at desc, error_class, message
