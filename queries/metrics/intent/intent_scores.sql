-- metric:    intent_scores
-- title:     How well each intent is recognised
-- grain:     one row per (level, intent)
-- units:     decision_count=count, labelled_count=count, correct_count=count, precision=ratio, precision_ci_low=ratio, precision_ci_high=ratio, actual_count=count, possible_count=count, recall=ratio, recall_ci_low=ratio, recall_ci_high=ratio, recall_at_worst=ratio, f1=score, weak_label_count=count
-- sources:   intent_decisions
-- evidence:  derived
-- better:    higher
-- chart:     interval x=intent y=precision
-- engine:    polars
--
-- Precision: of the decisions for an intent whose outcome is known, the share that was right. Recall: of those whose
-- actual intent is known to be this one, the share that was predicted so. Decisions whose actual intent is only known to
-- be of the intent's class (`dev:*`) may belong to it: possible_count, and recall_at_worst counts all of them as missed.
-- Low and high are 95 % Wilson intervals. Level skill says the same of skills, where everything is exact: there `intent`
-- is the skill's name. Both levels are of the same decisions: look at one, never sum over both. Unknown, not 0, where
-- nothing has a label.
with

decisions as (
    select * from intent_decisions
),

final as (
    select
        'intent' as level,
        predicted_intent as predicted,
        actual_intent as actual,
        case when predicted_skills is not null then split_part(predicted_skills, ',', 1) || ':*' end as predicted_class,
        is_correct,
        coalesce(evidence = 'weak' or label_evidence = 'weak', false) as is_weak,
    from decisions
    where predicted_intent is not null

    union all

    select
        'skill',
        predicted_skill,
        case
            when is_correct and label_rule <> 'direct' then predicted_skill
            when not is_correct
                and position(',' || actual_skill || ',' in ',' || coalesce(predicted_skills, '') || ',') > 0
                then null
            when is_correct is not null then actual_skill
        end,
        null,
        is_correct,
        coalesce(evidence = 'weak' or label_evidence = 'weak', false),
    from decisions
    where predicted_skill is not null
)

select * from final
order by level, predicted, actual, is_correct, is_weak
