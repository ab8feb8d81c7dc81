-- metric:    edit_success
-- title:     Edit success
-- grain:     one row per (format, model)
-- units:     attempt_count=count, applied_count=count, format_error_count=count, success_ratio=ratio, ci_low=ratio, ci_high=ratio, edit_count=count, first_try_ratio=ratio, eventual_ratio=ratio, first_try_ci_low=ratio, first_try_ci_high=ratio, eventual_ci_low=ratio, eventual_ci_high=ratio, tried_edit_count=count, first_try_count=count, eventual_count=count, call_count=count, blocked_count=count, denied_count=count, aborted_count=count, other_error_count=count, unfinished_count=count, lsp_error_count=count, model_format_count=count
-- sources:   edit_attempts, edit_attempts_history, edits
-- evidence:  derived
-- better:    higher
-- chart:     matrix x=format y=model
--
-- How well each model writes each format. Attempts are calls that were applied or had a format error; blocked, denied
-- and aborted calls say nothing about the format. An edit is the calls on one file until applied or given up; it has
-- the format and model of its first call, and the ratios of edits leave out those never tried in earnest. A model that
-- has only ever used one format is marked is_single_format: OpenCode gives `gpt-` models apply_patch instead of edit
-- and write, so compare formats within a model and never across such models. str_replace includes fuzzy matching.
with

attempts as (
    select
        format,
        model,
        count(*) as call_count,
        count(*) filter (where is_attempt) as attempt_count,
        count(*) filter (where is_applied) as applied_count,
        count(*) filter (where is_format_error) as format_error_count,
        count(*) filter (where outcome = 'blocked') as blocked_count,
        count(*) filter (where outcome = 'denied') as denied_count,
        count(*) filter (where outcome = 'aborted') as aborted_count,
        count(*) filter (where outcome = 'other_error') as other_error_count,
        count(*) filter (where outcome is null) as unfinished_count,
        count(*) filter (where has_lsp_errors) as lsp_error_count,
    from edit_attempts
    group by format, model
),

edit_sums as (
    select
        format,
        model,
        count(*) as edit_count,
        count(*) filter (where is_tried) as tried_edit_count,
        count(*) filter (where is_first_try) as first_try_count,
        count(*) filter (where is_applied) as eventual_count,
    from edits
    group by format, model
),

formats_of_models as (
    select
        model,
        count(distinct format) as model_format_count,
    from edit_attempts_history
    group by model
),

final as (
    select
        attempts.format,
        attempts.model,
        attempt_count,
        applied_count,
        format_error_count,
        cast(applied_count as double) / nullif(attempt_count, 0) as success_ratio,
        wilson_low(applied_count, attempt_count) as ci_low,
        wilson_high(applied_count, attempt_count) as ci_high,
        coalesce(edit_count, 0) as edit_count,
        cast(first_try_count as double) / nullif(tried_edit_count, 0) as first_try_ratio,
        cast(eventual_count as double) / nullif(tried_edit_count, 0) as eventual_ratio,
        wilson_low(first_try_count, tried_edit_count) as first_try_ci_low,
        wilson_high(first_try_count, tried_edit_count) as first_try_ci_high,
        wilson_low(eventual_count, tried_edit_count) as eventual_ci_low,
        wilson_high(eventual_count, tried_edit_count) as eventual_ci_high,
        coalesce(tried_edit_count, 0) as tried_edit_count,
        coalesce(first_try_count, 0) as first_try_count,
        coalesce(eventual_count, 0) as eventual_count,
        call_count,
        blocked_count,
        denied_count,
        aborted_count,
        other_error_count,
        unfinished_count,
        lsp_error_count,
        model_format_count,
        model_format_count = 1 as is_single_format,
    from attempts
    left join edit_sums
        on attempts.format = edit_sums.format
        and attempts.model = edit_sums.model
    left join formats_of_models
        on attempts.model = formats_of_models.model
)

select * from final
order by format, model
