-- metric:    skill_trend
-- title:     Skill use by week
-- grain:     one row per (week, skill_name)
-- units:     load_count=count, weak_use_count=count, error_count=count, window_tokens=tokens, slope=score, slope_ci_low=score, slope_ci_high=score, full_week_count=count
-- sources:   skill_loads_history, messages_history, run
-- evidence:  derived
-- better:    neutral
-- chart:     line x=week y=load_count by=skill_name
--
-- Whether a skill is used more or less, over all weeks with any message up to the period's end; a week without the
-- skill is 0. slope is uses (loads and weak uses) a week, by least squares over the full weeks, with its 95 %
-- interval (t distribution); unknown below five full weeks. Counts are not normal and a skill that was
-- installed late starts with zeros, so take it as a hint.
with

uses as (
    select
        skill_name,
        cast(date_trunc('week', local_date) as date) as monday,
        is_load as is_use,
        via,
        status,
        case when via in ('skill_tool', 'slash', 'telemetry') then window_tokens end as window_tokens,
    from skill_loads_history
    where skill_name is not null and local_date is not null
),

bounds as (
    select date_trunc('week', min(local_date)) as first_monday, date_trunc('week', max(local_date)) as last_monday from messages_history
),

mondays as (
    select cast(unnest(generate_series(first_monday, last_monday, interval 7 day)) as date) as monday
    from bounds
),

names as (
    select distinct skill_name from uses
),

week_end as (
    select local_date(least(coalesce(until_ms, now_ms), now_ms)) as end_date from run
),

weekly as (
    select
        mondays.monday,
        names.skill_name,
        count(*) filter (where uses.is_use and uses.via = 'skill_tool') as load_count,
        count(*) filter (where uses.is_use and uses.via <> 'skill_tool') as weak_use_count,
        count(*) filter (where uses.status = 'error') as error_count,
        cast(coalesce(sum(uses.window_tokens) filter (where uses.is_use), 0) as bigint) as window_tokens,
        mondays.monday + interval 7 day > min(week_end.end_date) as is_unfinished,
    from mondays
    cross join names
    cross join week_end
    left join uses
        on mondays.monday = uses.monday
        and names.skill_name = uses.skill_name
    group by mondays.monday, names.skill_name
),

sums as (
    select
        skill_name,
        count(*) as full_week_count,
        cast(sum(date_diff('day', date '2000-01-03', monday) // 7) as double) as week_sum,
        cast(sum(load_count + weak_use_count) as double) as use_sum,
        cast(sum(power(date_diff('day', date '2000-01-03', monday) // 7, 2)) as double) as week_squares,
        cast(sum(power(load_count + weak_use_count, 2)) as double) as use_squares,
        cast(sum((load_count + weak_use_count) * (date_diff('day', date '2000-01-03', monday) // 7)) as double) as products,
    from weekly
    where not is_unfinished
    group by skill_name
),

spreads as (
    select
        skill_name,
        full_week_count,
        week_squares - week_sum * week_sum / full_week_count as week_spread,
        use_squares - use_sum * use_sum / full_week_count as use_spread,
        products - week_sum * use_sum / full_week_count as joint_spread,
        1.959964 + 2.3723 / nullif(full_week_count - 2, 0) + 2.8225 / nullif(power(full_week_count - 2, 2), 0)
        + 2.5556 / nullif(power(full_week_count - 2, 3), 0) + 1.5895 / nullif(power(full_week_count - 2, 4), 0) as t_value,
    from sums
),

fits as (
    select
        skill_name,
        full_week_count,
        t_value,
        case when full_week_count >= 5 then joint_spread / week_spread end as slope,
        case when full_week_count >= 5 and use_spread > 0 then sqrt(
            greatest(use_spread - joint_spread * joint_spread / week_spread, 0) / (full_week_count - 2) / week_spread
        ) end as slope_error,
    from spreads
),

final as (
    select
        strftime(weekly.monday, '%G-W%V') as week,
        weekly.skill_name,
        weekly.load_count,
        weekly.weak_use_count,
        weekly.error_count,
        weekly.window_tokens,
        weekly.is_unfinished,
        fits.slope,
        fits.slope - fits.t_value * fits.slope_error as slope_ci_low,
        fits.slope + fits.t_value * fits.slope_error as slope_ci_high,
        coalesce(fits.full_week_count, 0) as full_week_count,
    from weekly
    left join fits
        on weekly.skill_name = fits.skill_name
)

select * from final
order by week, skill_name
