-- metric:    skill_versions
-- title:     Skill versions
-- grain:     one row per installed skill (path)
-- units:     modified_at=at, body_chars=chars, estimated_body_tokens=tokens, before_load_count=count, after_load_count=count, before_p50_window_tokens=tokens, after_p50_window_tokens=tokens, before_judged_count=count, before_success_ratio=ratio, before_ci_low=ratio, before_ci_high=ratio, after_judged_count=count, after_success_ratio=ratio, after_ci_low=ratio, after_ci_high=ratio
-- sources:   skills, skill_loads_history
-- evidence:  derived
-- better:    neutral
-- chart:     none
--
-- What changed when a skill's file was changed: uses before and after the file's own date of change, over all history
-- up to the period's end. Only the file of now is known, by its hash, and copying or checking out a repository sets a
-- new date, so 'before' may be the same text. Success is inferred as in skill_usage. Observational: other things
-- changed.
with

installed as (
    select *
    from skills
    where problem is null and not coalesce(is_shadowed, false)
),

uses as (
    select skill_name, project_id, directory, loaded_at, window_tokens, is_success
    from skill_loads_history
    where is_load and via in ('skill_tool', 'slash')
),

dated_uses as (
    select
        installed.path,
        installed.project_id,
        uses.loaded_at < installed.modified_at as is_before,
        uses.window_tokens,
        uses.is_success,
    from installed
    inner join uses
        on installed.skill_name = uses.skill_name
        and (installed.project_id is null or installed.project_id = uses.project_id)
        and (
            installed.project_id is distinct from 'global'
            or installed.directory is null
            or uses.directory = installed.directory
            or starts_with(uses.directory, installed.directory || '/')
        )
    where uses.loaded_at is not null and installed.modified_at is not null
),

use_sums as (
    select
        path,
        project_id,
        count(*) filter (where is_before) as before_load_count,
        count(*) filter (where not is_before) as after_load_count,
        quantile_cont(window_tokens, 0.5) filter (where is_before) as before_p50_window_tokens,
        quantile_cont(window_tokens, 0.5) filter (where not is_before) as after_p50_window_tokens,
        count(is_success) filter (where is_before) as before_judged_count,
        count(*) filter (where is_before and is_success) as before_success_count,
        count(is_success) filter (where not is_before) as after_judged_count,
        count(*) filter (where not is_before and is_success) as after_success_count,
    from dated_uses
    group by path, project_id
),

final as (
    select
        installed.skill_name,
        installed.scope,
        installed.path,
        installed.project_id,
        installed.content_hash,
        installed.modified_at,
        installed.body_chars,
        cast(ceil(installed.body_chars / 4.0) as bigint) as estimated_body_tokens,
        coalesce(before_load_count, 0) as before_load_count,
        coalesce(after_load_count, 0) as after_load_count,
        before_p50_window_tokens,
        after_p50_window_tokens,
        coalesce(before_judged_count, 0) as before_judged_count,
        cast(before_success_count as double) / nullif(before_judged_count, 0) as before_success_ratio,
        wilson_low(before_success_count, before_judged_count) as before_ci_low,
        wilson_high(before_success_count, before_judged_count) as before_ci_high,
        coalesce(after_judged_count, 0) as after_judged_count,
        cast(after_success_count as double) / nullif(after_judged_count, 0) as after_success_ratio,
        wilson_low(after_success_count, after_judged_count) as after_ci_low,
        wilson_high(after_success_count, after_judged_count) as after_ci_high,
    from installed
    left join use_sums
        on installed.path = use_sums.path
        and installed.project_id is not distinct from use_sums.project_id
)

select * from final
order by skill_name, path, project_id
