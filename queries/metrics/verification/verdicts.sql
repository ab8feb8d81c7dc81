-- metric:    verdicts
-- title:     Printed verdicts
-- grain:     one row per (program, rule)
-- units:     verdict_count=count, pass_count=count, pass_ratio=ratio, ci_low=ratio, ci_high=ratio, unknown_count=count, criteria_count=count, criteria_passed_ratio=ratio, mean_confidence=ratio, mean_iterations=count, session_count=count, last_at=at
-- sources:   signals
-- evidence:  observed
-- better:    higher
-- chart:     interval x=program y=pass_ratio
--
-- What verification programs and agents printed: the verification engine (it exits with 0 on a FAIL, too, so only this
-- verdict counts), rubric-verify, GVR results, and agents' own reports, which are the least to be trusted (`rule` ends in
-- text). n of the ratio leaves out verdicts that mean nothing: the third era prints `verified: false` after a first pass
-- that succeeded. Confidence is the share of criteria that passed, not a probability.
with

verdicts as (
    select
        *,
        case
            when verdict = 'PASS' then true
            when era = 'e3' and iterations <= 1 and coalesce(rubric_verdict, '') not in ('fail', 'needs_revision') then null
            when verdict is not null then false
        end as is_pass,
    from signals
    where kind = 'verification'
),

final as (
    select
        coalesce(program, 'an answer') as program,
        rule,
        count(*) as verdict_count,
        count(*) filter (where is_pass) as pass_count,
        cast(count(*) filter (where is_pass) as double) / nullif(count(is_pass), 0) as pass_ratio,
        wilson_low(count(*) filter (where is_pass), count(is_pass)) as ci_low,
        wilson_high(count(*) filter (where is_pass), count(is_pass)) as ci_high,
        count(*) filter (where is_pass is null) as unknown_count,
        cast(sum(criteria_total) as bigint) as criteria_count,
        cast(sum(criteria_passed) as double) / nullif(sum(criteria_total), 0) as criteria_passed_ratio,
        avg(confidence) as mean_confidence,
        avg(iterations) as mean_iterations,
        count(distinct session_id) as session_count,
        max(said_at) as last_at,
    from verdicts
    group by coalesce(program, 'an answer'), rule
)

select * from final
order by verdict_count desc, program, rule
