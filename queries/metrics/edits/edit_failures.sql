-- metric:    edit_failures
-- title:     Why edits fail
-- grain:     one row per (error_class, format)
-- units:     failure_count=count, failure_ratio=ratio, session_count=count, file_count=count, model_count=count, mended_count=count, mended_ratio=ratio, ci_low=ratio, ci_high=ratio, tokens=tokens, cost_usd=usd, first_at=at, last_at=at
-- sources:   edit_attempts, edits
-- evidence:  derived
-- better:    lower
-- chart:     bar x=error_class y=failure_count
--
-- Every edit call that was not applied, by the reason that its error text gives. Only format errors (outcome
-- format_error) are the model's writing; blocked means that the file was not read, has changed or is missing, denied
-- that a person or rule said no. failure_ratio is the share of all failures. Mended: the same edit was applied by a
-- later call; one that was given up, or went on after a prompt, is not. Error texts differ between versions: what no
-- rule knows is 'other'.
with

failures as (
    select
        edit_attempts.error_class,
        edit_attempts.format,
        edit_attempts.outcome,
        edit_attempts.session_id,
        edit_attempts.path,
        edit_attempts.model,
        edit_attempts.attempted_at,
        edit_attempts.step_share_tokens,
        edit_attempts.step_share_cost_usd,
        edit_attempts.error_message,
        coalesce(edits.is_applied, false) as is_mended,
        row_number() over (
            partition by edit_attempts.error_class, edit_attempts.format
            order by edit_attempts.attempted_at desc, edit_attempts.part_id desc
        ) as recency,
    from edit_attempts
    left join edits
        on edit_attempts.edit_id = edits.edit_id
    where edit_attempts.outcome <> 'applied'
),

final as (
    select
        coalesce(error_class, 'other') as error_class,
        format,
        min(outcome) as outcome,
        count(*) as failure_count,
        cast(count(*) as double) / sum(count(*)) over () as failure_ratio,
        count(distinct session_id) as session_count,
        count(distinct path) as file_count,
        count(distinct model) as model_count,
        count(*) filter (where is_mended) as mended_count,
        cast(count(*) filter (where is_mended) as double) / count(*) as mended_ratio,
        wilson_low(count(*) filter (where is_mended), count(*)) as ci_low,
        wilson_high(count(*) filter (where is_mended), count(*)) as ci_high,
        cast(sum(step_share_tokens) as bigint) as tokens,
        sum(cast(round(step_share_cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        min(attempted_at) as first_at,
        max(attempted_at) as last_at,
        substr(min(error_message) filter (where recency = 1), 1, 200) as last_message,
    from failures
    group by coalesce(error_class, 'other'), format
)

select * from final
order by failure_count desc, error_class, format
