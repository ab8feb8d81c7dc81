-- metric:    skill_usage
-- title:     Skill use
-- grain:     one row per skill_name
-- units:     load_count=count, session_count=count, ask_count=count, error_count=count, error_ratio=ratio, error_ci_low=ratio, error_ci_high=ratio, weak_use_count=count, slash_count=count, read_count=count, shell_count=count, telemetry_count=count, first_used_at=at, last_used_at=at, judged_count=count, success_count=count, success_ratio=ratio, ci_low=ratio, ci_high=ratio, window_tokens=tokens, window_cost_usd=usd, window_ms=ms, mean_window_tokens=tokens, p50_window_tokens=tokens, p50_window_tokens_ci_low=tokens, p50_window_tokens_ci_high=tokens, p95_window_tokens=tokens, p50_window_cost_usd=usd, p50_window_ms=ms, p50_window_ms_ci_low=ms, p50_window_ms_ci_high=ms, p95_window_ms=ms, p50_load_ms=ms, tool_call_count=count, tool_error_count=count, iteration_count=count, retry_count=count, checked_count=count, verified_count=count, verified_ratio=ratio, verified_ci_low=ratio, verified_ci_high=ratio
-- sources:   skill_loads
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=skill_name y=load_count
--
-- Which skills earn their place. A load is a completed call of the skill tool; an error is an ask that loaded nothing
-- (unknown, denied). Weak uses came another way: a slash command, a script in the shell, reading SKILL.md, or by
-- telemetry's word alone (telemetry_count). Where telemetry tells of a use, its figures count, not the inferred. The window
-- runs from a load (or slash command) to the next one, the next prompt or the session's end: what was spent after the
-- skill, not because of it; loads in one message share it. Success is inferred from the window's last check, else
-- from how the turn ended, and unknown for the rest. Iterations are checks (test, build, lint).
with

asks as (
    select
        *,
        is_load and via = 'skill_tool' as is_tool_load,
        is_load and via <> 'skill_tool' as is_weak_use,
        is_load and via in ('skill_tool', 'slash', 'telemetry') as has_window,
    from skill_loads
    where skill_name is not null
),

uses as (
    select
        skill_name,
        count(*) filter (where is_tool_load) as load_count,
        count(distinct session_id) filter (where is_tool_load) as session_count,
        count(*) filter (where via = 'skill_tool') as ask_count,
        count(*) filter (where status = 'error') as error_count,
        count(*) filter (where is_weak_use) as weak_use_count,
        count(*) filter (where is_weak_use and via = 'slash') as slash_count,
        count(*) filter (where is_weak_use and via = 'read') as read_count,
        count(*) filter (where is_weak_use and via in ('bash', 'bash_router')) as shell_count,
        count(*) filter (where evidence = 'telemetry') as telemetry_count,
        min(loaded_at) filter (where is_load) as first_used_at,
        max(loaded_at) filter (where is_load) as last_used_at,
        quantile_cont(duration_ms, 0.5) filter (where is_tool_load) as p50_load_ms,
    from asks
    group by skill_name
),

windows as (
    select
        skill_name,
        count(is_success) as judged_count,
        count(*) filter (where is_success) as success_count,
        cast(sum(window_tokens) as bigint) as window_tokens,
        sum(cast(round(window_cost_usd * 1e9) as bigint)) / 1e9 as window_cost_usd,
        cast(sum(window_ms) as bigint) as window_ms,
        cast(sum(window_tokens) as double) / nullif(count(window_tokens), 0) as mean_window_tokens,
        quantile_cont(window_tokens, 0.5) as p50_window_tokens,
        median_low(window_tokens) as p50_window_tokens_ci_low, median_high(window_tokens) as p50_window_tokens_ci_high,
        quantile_cont(window_tokens, 0.95) as p95_window_tokens,
        quantile_cont(window_cost_usd, 0.5) as p50_window_cost_usd,
        quantile_cont(window_ms, 0.5) as p50_window_ms,
        median_low(window_ms) as p50_window_ms_ci_low, median_high(window_ms) as p50_window_ms_ci_high,
        quantile_cont(window_ms, 0.95) as p95_window_ms,
        cast(sum(window_tool_call_count) as bigint) as tool_call_count,
        cast(sum(window_tool_error_count) as bigint) as tool_error_count,
        cast(sum(window_iteration_count) as bigint) as iteration_count,
        cast(sum(window_retry_count) as bigint) as retry_count,
        count(is_window_verified) as checked_count,
        count(*) filter (where is_window_verified) as verified_count,
    from asks
    where has_window
    group by skill_name
),

final as (
    select
        uses.skill_name, load_count, session_count, ask_count, error_count,
        cast(error_count as double) / nullif(ask_count, 0) as error_ratio,
        wilson_low(error_count, ask_count) as error_ci_low,
        wilson_high(error_count, ask_count) as error_ci_high,
        weak_use_count, slash_count, read_count, shell_count, telemetry_count, first_used_at, last_used_at,
        coalesce(judged_count, 0) as judged_count,
        coalesce(success_count, 0) as success_count,
        cast(success_count as double) / nullif(judged_count, 0) as success_ratio,
        wilson_low(success_count, judged_count) as ci_low,
        wilson_high(success_count, judged_count) as ci_high,
        window_tokens, window_cost_usd, window_ms, mean_window_tokens, p50_window_tokens, p50_window_tokens_ci_low,
        p50_window_tokens_ci_high, p95_window_tokens,
        p50_window_cost_usd, p50_window_ms, p50_window_ms_ci_low, p50_window_ms_ci_high, p95_window_ms, p50_load_ms,
        tool_call_count, tool_error_count, iteration_count, retry_count,
        coalesce(checked_count, 0) as checked_count,
        coalesce(verified_count, 0) as verified_count,
        cast(verified_count as double) / nullif(checked_count, 0) as verified_ratio,
        wilson_low(verified_count, checked_count) as verified_ci_low,
        wilson_high(verified_count, checked_count) as verified_ci_high,
    from uses
    left join windows
        on uses.skill_name = windows.skill_name
)

select * from final
order by load_count desc, weak_use_count desc, skill_name
