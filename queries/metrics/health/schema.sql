-- metric:    schema
-- title:     Versions and schema
-- grain:     one row per (source, generation, version)
-- units:     session_count=count, child_session_count=count, message_count=count, recorded_sum_count=count, agent_count=count, path_count=count, first_at=at, last_at=at
-- sources:   stg_sessions, stg_messages
-- evidence:  observed
-- better:    neutral
-- chart:     none
--
-- Which versions of OpenCode wrote the store, whatever the period: generation v1 keeps messages and parts apart, v2
-- has one table. A version is that of the session's creation; the database itself is migrated by whichever ran last.
-- The columns path (April 2026), agent (May 1st) and recorded sums (May 10th) came by migrations, so the counts of
-- sessions that have them tell how far the database had come. is_verified: the program of this version was run and
-- read when Logicoma was written; others are read by their shape.
with

message_counts as (
    select
        session_id,
        source,
        count(*) as message_count,
    from stg_messages
    group by session_id, source
),

final as (
    select
        coalesce(stg_sessions.source, 'unknown') as source,
        coalesce(stg_sessions.generation, 'unknown') as generation,
        coalesce(stg_sessions.version, 'unknown') as version,
        count(*) as session_count,
        count(stg_sessions.parent_id) as child_session_count,
        cast(coalesce(sum(message_counts.message_count), 0) as bigint) as message_count,
        count(stg_sessions.recorded_cost_usd) as recorded_sum_count,
        count(stg_sessions.agent) as agent_count,
        count(stg_sessions.path) as path_count,
        min(stg_sessions.created_at) as first_at,
        max(stg_sessions.updated_at) as last_at,
        coalesce(stg_sessions.version, 'unknown') in ('1.2.27', '1.18.33', '2.0.26') as is_verified,
    from stg_sessions
    left join message_counts
        on stg_sessions.session_id = message_counts.session_id
        and stg_sessions.source is not distinct from message_counts.source
    group by
        coalesce(stg_sessions.source, 'unknown'),
        coalesce(stg_sessions.generation, 'unknown'),
        coalesce(stg_sessions.version, 'unknown')
)

select * from final
order by source, generation, version
