-- check:   chk_duplicates
-- title:   Every id stands once
-- sources: stg_sessions, stg_messages, stg_parts
--
-- The same row may come from two databases, from OpenCode 1.x and 2.x tables of one file, or from old JSON files
-- beside it; extract keeps one of them. An id that still stands twice is counted twice everywhere.
with

ids as (
    select 'session' as kind, session_id as id, source from stg_sessions
    union all
    select 'message' as kind, message_id as id, source from stg_messages
    union all
    select 'part' as kind, part_id as id, source from stg_parts
),

repeated as (
    select
        kind,
        id,
        count(*) as row_count,
        min(source) as first_source,
        max(source) as last_source,
    from ids
    group by kind, id
    having count(*) > 1
),

final as (
    select
        'duplicates' as rule,
        id as subject,
        kind || ' stands ' || row_count || ' times, from ' || coalesce(first_source, 'unknown')
        || case when last_source <> first_source then ' and ' || last_source else '' end as detail,
    from repeated
)

select * from final
order by rule, subject, detail
