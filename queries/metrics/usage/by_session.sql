-- metric:    by_session
-- title:     Sessions by cost
-- grain:     one row per session_id
-- units:     started_at=at, first_message_at=at, last_message_at=at, message_count=count, turn_count=count, own_cost_usd=usd, with_children_cost_usd=usd, own_tokens=tokens, with_children_tokens=tokens, cache_hit_ratio=ratio, child_session_count=count, tool_call_count=count, tool_error_count=count, active_ms=ms
-- sources:   stg_sessions, session_ancestors, messages, turns, tool_calls, sessions, sessions_history
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=title y=with_children_cost_usd
--
-- Which conversations were dear. own_ is the session's own messages; with_children_ adds the subagents that it
-- started, and theirs: a child stands in its own row too, so never add that column up. Only what happened in the
-- period counts, but active_ms is of the whole session, with pauses over ten minutes left out. A session is here when
-- it has a message in the period or was started in it.
with

known_sessions as (
    select session_id, parent_id, title, created_at as started_at from stg_sessions
),

present_sessions as (
    select session_id, project_name from sessions
    union all
    select session_id, project_name from messages
),

session_projects as (
    select
        session_id,
        min(project_name) as project_name,
    from present_sessions
    group by session_id
),

own_sums as (
    select
        session_id,
        min(created_at) as first_message_at,
        max(created_at) as last_message_at,
        count(*) as message_count,
        string_agg(distinct model, ', ' order by model) filter (where role = 'assistant') as models,
        cast(coalesce(sum(cast(round(cost_usd * 1e9) as bigint)), 0) as bigint) as cost_nusd,
        cast(coalesce(sum(total_tokens), 0) as bigint) as own_tokens,
        cast(sum(cache_read_tokens) filter (where context_tokens is not null) as double)
        / nullif(sum(context_tokens), 0) as cache_hit_ratio,
    from messages
    group by session_id
),

tree_sums as (
    select
        session_ancestors.ancestor_id as session_id,
        sum(own_sums.cost_nusd) / 1e9 as with_children_cost_usd,
        cast(sum(own_sums.own_tokens) as bigint) as with_children_tokens,
        count(*) filter (where session_ancestors.session_id <> session_ancestors.ancestor_id) as child_session_count,
    from session_ancestors
    inner join own_sums
        on session_ancestors.session_id = own_sums.session_id
    group by session_ancestors.ancestor_id
),

turn_counts as (
    select session_id, count(*) as turn_count from turns group by session_id
),

call_counts as (
    select
        session_id,
        count(*) as tool_call_count,
        count(*) filter (where is_error) as tool_error_count,
    from tool_calls
    group by session_id
),

final as (
    select
        session_projects.session_id,
        known_sessions.title,
        session_projects.project_name,
        known_sessions.parent_id,
        own_sums.models,
        known_sessions.started_at,
        own_sums.first_message_at,
        own_sums.last_message_at,
        coalesce(own_sums.message_count, 0) as message_count,
        coalesce(turn_counts.turn_count, 0) as turn_count,
        coalesce(own_sums.cost_nusd, 0) / 1e9 as own_cost_usd,
        coalesce(tree_sums.with_children_cost_usd, 0) as with_children_cost_usd,
        coalesce(own_sums.own_tokens, 0) as own_tokens,
        coalesce(tree_sums.with_children_tokens, 0) as with_children_tokens,
        own_sums.cache_hit_ratio,
        coalesce(tree_sums.child_session_count, 0) as child_session_count,
        coalesce(call_counts.tool_call_count, 0) as tool_call_count,
        coalesce(call_counts.tool_error_count, 0) as tool_error_count,
        sessions_history.active_ms,
        sessions_history.outcome,
    from session_projects
    left join known_sessions on session_projects.session_id = known_sessions.session_id
    left join own_sums on session_projects.session_id = own_sums.session_id
    left join tree_sums on session_projects.session_id = tree_sums.session_id
    left join turn_counts on session_projects.session_id = turn_counts.session_id
    left join call_counts on session_projects.session_id = call_counts.session_id
    left join sessions_history on session_projects.session_id = sessions_history.session_id
)

select * from final
order by with_children_cost_usd desc, own_cost_usd desc, session_id
