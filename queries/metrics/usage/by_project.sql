-- metric:    by_project
-- title:     Use by project
-- grain:     one row per project_id
-- units:     session_count=count, child_session_count=count, message_count=count, turn_count=count, active_day_count=count, cost_usd=usd, cost_ratio=ratio, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, cache_hit_ratio=ratio, cost_per_turn_usd=usd, tool_call_count=count, tool_error_count=count, tool_error_ratio=ratio, ci_low=ratio, ci_high=ratio, last_active_at=at
-- sources:   messages, turns, tool_calls
-- evidence:  observed
-- better:    neutral
-- chart:     bar x=project_name y=cost_usd
--
-- Where the work was done. A project is a git repository as OpenCode knows it, named by its user, else by its folder;
-- everything outside a repository shares the project 'global', so that row may be many folders. Subagents' sessions
-- count in the project in which they ran. Messages are prompts and answers; turns are prompts of a person with all
-- that followed.
with

project_messages as (
    select
        coalesce(project_id, 'unknown') as project_id,
        project_name,
        session_id,
        is_child,
        created_at,
        local_date,
        cost_usd,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        context_tokens,
    from messages
),

turns_per_project as (
    select
        coalesce(project_id, 'unknown') as project_id,
        count(*) as turn_count,
    from turns
    where not is_child
    group by coalesce(project_id, 'unknown')
),

calls_per_project as (
    select
        coalesce(project_id, 'unknown') as project_id,
        count(*) as tool_call_count,
        count(*) filter (where is_error) as tool_error_count,
    from tool_calls
    group by coalesce(project_id, 'unknown')
),

per_project as (
    select
        project_id,
        coalesce(min(project_name), 'unknown') as project_name,
        count(distinct session_id) as session_count,
        count(distinct session_id) filter (where is_child) as child_session_count,
        count(*) as message_count,
        count(distinct local_date) as active_day_count,
        coalesce(sum(cast(round(cost_usd * 1e9) as bigint)), 0) / 1e9 as cost_usd,
        cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens,
        cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens,
        cast(coalesce(sum(reasoning_tokens), 0) as bigint) as reasoning_tokens,
        cast(coalesce(sum(cache_read_tokens), 0) as bigint) as cache_read_tokens,
        cast(coalesce(sum(cache_write_tokens), 0) as bigint) as cache_write_tokens,
        cast(coalesce(sum(total_tokens), 0) as bigint) as total_tokens,
        sum(cache_read_tokens) filter (where context_tokens is not null) as cache_hit_tokens,
        sum(context_tokens) as context_tokens,
        max(created_at) as last_active_at,
    from project_messages
    group by project_id
),

final as (
    select
        project_name,
        per_project.project_id,
        session_count,
        child_session_count,
        message_count,
        coalesce(turn_count, 0) as turn_count,
        active_day_count,
        cost_usd,
        cost_usd / nullif(sum(cast(round(cost_usd * 1e9) as bigint)) over () / 1e9, 0) as cost_ratio,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        cast(cache_hit_tokens as double) / nullif(context_tokens, 0) as cache_hit_ratio,
        cost_usd / turn_count as cost_per_turn_usd,
        coalesce(tool_call_count, 0) as tool_call_count,
        coalesce(tool_error_count, 0) as tool_error_count,
        cast(tool_error_count as double) / tool_call_count as tool_error_ratio,
        wilson_low(tool_error_count, tool_call_count) as ci_low,
        wilson_high(tool_error_count, tool_call_count) as ci_high,
        last_active_at,
    from per_project
    left join turns_per_project
        on per_project.project_id = turns_per_project.project_id
    left join calls_per_project
        on per_project.project_id = calls_per_project.project_id
)

select * from final
order by cost_usd desc, message_count desc, project_id
