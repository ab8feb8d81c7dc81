-- metric:    edit_recommended
-- title:     Recommended edit formats
-- grain:     one row per (model, format)
-- units:     attempt_count=count, applied_count=count, success_ratio=ratio, ci_low=ratio, ci_high=ratio, used_ratio=ratio, recommended_attempt_count=count, recommended_success_ratio=ratio, best_success_ratio=ratio
-- sources:   edit_attempts, edit_recommendations
-- evidence:  derived
-- better:    higher
-- chart:     none
--
-- The format that Tachikoma recommends for a model, beside those it really used and how they did. recommended_by says
-- whose word it is: what its selector printed for the model, else the project's or user's own table, else the shipped
-- one, by the first name that the model's id contains; unknown for other models. Its str_replace_fuzzy is OpenCode's
-- edit, which tries fuzzy matches by itself: str_replace here. The best format has the highest lower bound of success
-- among those of the model with 5 attempts or more; there is none where fewer than two have them. OpenCode does not
-- follow the recommendation: it offers apply_patch, or edit and write, by the model's name.
with

used_formats as (
    select
        model,
        format,
        count(*) filter (where is_attempt) as attempt_count,
        count(*) filter (where is_applied) as applied_count,
    from edit_attempts
    group by model, format
),

recommended as (
    select * from edit_recommendations
),

judged as (
    select
        *,
        wilson_low(applied_count, attempt_count) as ci_low,
        count(*) filter (where attempt_count >= 5) over (partition by model) as comparable_count,
        row_number() over (
            partition by model, attempt_count >= 5
            order by wilson_low(applied_count, attempt_count) desc nulls last, format
        ) as place,
    from used_formats
),

best as (
    select
        model,
        format as best_format,
        cast(applied_count as double) / attempt_count as best_success_ratio,
    from judged
    where comparable_count >= 2 and attempt_count >= 5 and place = 1
),

final as (
    select
        judged.model,
        judged.format,
        judged.attempt_count,
        judged.applied_count,
        cast(judged.applied_count as double) / nullif(judged.attempt_count, 0) as success_ratio,
        judged.ci_low,
        wilson_high(judged.applied_count, judged.attempt_count) as ci_high,
        cast(judged.attempt_count as double)
        / nullif(sum(judged.attempt_count) over (partition by judged.model), 0) as used_ratio,
        recommended.recommended_format,
        recommended.recommended_by,
        judged.format = recommended.recommended_format as is_recommended,
        used_formats.attempt_count as recommended_attempt_count,
        cast(used_formats.applied_count as double) / nullif(used_formats.attempt_count, 0) as recommended_success_ratio,
        best.best_format,
        best.best_success_ratio,
    from judged
    left join recommended
        on judged.model = recommended.model
    left join used_formats
        on judged.model = used_formats.model
        and recommended.recommended_format = used_formats.format
    left join best
        on judged.model = best.model
)

select * from final
order by model, format
