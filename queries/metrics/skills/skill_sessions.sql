-- metric:    skill_sessions
-- title:     Skills by session
-- grain:     one row per (session_id, skill_name)
-- units:     load_count=count, weak_use_count=count, error_count=count, first_asked_at=at, first_used_at=at, last_used_at=at, window_tokens=tokens, window_cost_usd=usd, window_ms=ms
-- sources:   skill_loads, stg_sessions
-- evidence:  observed
-- better:    neutral
-- chart:     none
--
-- Which skills were used in which session, when and how often. A subagent loads skills in its own session: parent_id
-- says whose it is. Times are of the uses that succeeded, and empty where every ask failed. Windows are those of
-- loads and slash commands; they end at the next one, so those of one session never overlap.
with

asks as (
    select
        *,
        is_load as is_use,
        is_load and via in ('skill_tool', 'slash', 'telemetry') as has_window,
    from skill_loads
    where skill_name is not null and session_id is not null
),

known_sessions as (
    select session_id, title, parent_id from stg_sessions
),

per_session as (
    select
        session_id,
        skill_name,
        min(project_name) as project_name,
        count(*) filter (where is_use and via = 'skill_tool') as load_count,
        count(*) filter (where is_use and via <> 'skill_tool') as weak_use_count,
        count(*) filter (where status = 'error') as error_count,
        string_agg(distinct via, ', ' order by via) as vias,
        min(loaded_at) filter (where is_use) as first_used_at,
        max(loaded_at) filter (where is_use) as last_used_at,
        min(loaded_at) as first_asked_at,
        cast(sum(window_tokens) filter (where has_window) as bigint) as window_tokens,
        sum(cast(round(window_cost_usd * 1e9) as bigint)) filter (where has_window) / 1e9 as window_cost_usd,
        cast(sum(window_ms) filter (where has_window) as bigint) as window_ms,
    from asks
    group by session_id, skill_name
),

final as (
    select
        per_session.session_id,
        known_sessions.title,
        per_session.project_name,
        known_sessions.parent_id,
        per_session.skill_name,
        per_session.load_count,
        per_session.weak_use_count,
        per_session.error_count,
        per_session.vias,
        per_session.first_used_at,
        per_session.last_used_at,
        per_session.window_tokens,
        per_session.window_cost_usd,
        per_session.window_ms,
        per_session.first_asked_at,
    from per_session
    left join known_sessions
        on per_session.session_id = known_sessions.session_id
)

select * from final
order by first_asked_at, session_id, skill_name
