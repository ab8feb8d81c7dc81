-- metric:    flaky_skills
-- title:     Flaky skills
-- grain:     one row per skill_name
-- units:     window_count=count, judged_count=count, success_count=count, success_ratio=ratio, ci_low=ratio, ci_high=ratio, change_count=count, change_ratio=ratio, change_ci_low=ratio, change_ci_high=ratio, ask_count=count, failed_ask_count=count, retry_count=count, retry_ratio=ratio, checked_count=count, first_pass_count=count, last_failed_at=at
-- sources:   skill_loads
-- evidence:  derived
-- better:    lower
-- chart:     interval x=change_ratio y=skill_name
--
-- Skills on which one cannot rely: those that work one time and not the next; skills with no failure and no retry are
-- not listed. A change is a judged use whose result differs from that of the use before it; change_ratio is changes by
-- chances to change. Success is inferred as in skill_usage: the last check of the window, else how the turn ended. A
-- retry asks again for the same skill after an error or in the same turn. first_pass_count: checked windows in which
-- no check failed. The tasks differ, so a change may be the task's fault.
with

asks as (
    select
        *,
        is_load and via in ('skill_tool', 'slash') as has_window,
    from skill_loads
    where skill_name is not null
),

uses as (
    select
        skill_name,
        window_id,
        min(loaded_at) as loaded_at,
        bool_and(is_success) as is_success,
        max(window_iteration_count) as iteration_count,
        max(window_failed_iteration_count) as failed_iteration_count,
    from asks
    where has_window
    group by skill_name, window_id
),

judged as (
    select
        skill_name,
        is_success <> lag(is_success) over (partition by skill_name order by loaded_at, window_id) as is_change,
    from uses
    where is_success is not null
),

changes as (
    select
        skill_name,
        count(is_change) as chance_count,
        count(*) filter (where is_change) as change_count,
    from judged
    group by skill_name
),

use_sums as (
    select
        skill_name,
        count(*) as window_count,
        count(is_success) as judged_count,
        count(*) filter (where is_success) as success_count,
        count(*) filter (where iteration_count > 0) as checked_count,
        count(*) filter (where iteration_count > 0 and failed_iteration_count = 0) as first_pass_count,
        max(loaded_at) filter (where not is_success) as last_failed_at,
    from uses
    group by skill_name
),

ask_sums as (
    select
        skill_name,
        count(*) as ask_count,
        count(*) filter (where status = 'error') as failed_ask_count,
        count(*) filter (where is_retry) as retry_count,
    from asks
    group by skill_name
),

final as (
    select
        ask_sums.skill_name,
        coalesce(window_count, 0) as window_count,
        coalesce(judged_count, 0) as judged_count,
        coalesce(success_count, 0) as success_count,
        cast(success_count as double) / nullif(judged_count, 0) as success_ratio,
        wilson_low(success_count, judged_count) as ci_low,
        wilson_high(success_count, judged_count) as ci_high,
        coalesce(change_count, 0) as change_count,
        cast(change_count as double) / nullif(chance_count, 0) as change_ratio,
        wilson_low(change_count, chance_count) as change_ci_low,
        wilson_high(change_count, chance_count) as change_ci_high,
        ask_count,
        failed_ask_count,
        retry_count,
        cast(retry_count as double) / ask_count as retry_ratio,
        coalesce(checked_count, 0) as checked_count,
        coalesce(first_pass_count, 0) as first_pass_count,
        last_failed_at,
    from ask_sums
    left join use_sums
        on ask_sums.skill_name = use_sums.skill_name
    left join changes
        on ask_sums.skill_name = changes.skill_name
    where change_count > 0 or retry_count > 0 or success_count < judged_count
)

select * from final
order by change_ratio desc nulls last, change_count desc, retry_count desc, skill_name
