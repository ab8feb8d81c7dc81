-- mart: decision_sums
-- grain: one row per routing decision under which something was done
-- sources: mart_decision_targets, mart_decision_actions
-- time: none
-- stored: no
--
-- What was done under a decision, in one row: the skills and agents in order of first use, whether a file was edited,
-- and whether somebody was asked.
-- Columns: decision_id, actual_skill (the first), actual_skills, is_first_predicted, is_any_predicted (NULL without any),
-- has_edit, asked_by (question or escalation: the first of them).
with target_sums as (
    select
        decision_id,
        min_by(target, place) as actual_skill,
        min_by(is_predicted, place) as is_first_predicted,
        count(case when is_predicted then 1 end) > 0 as is_any_predicted,
        string_agg(target, ',' order by place) as actual_skills,
    from mart_decision_targets
    group by decision_id
),

action_sums as (
    select
        decision_id,
        count(case when kind = 'edit' then 1 end) > 0 as has_edit,
        min_by(kind, place) filter (where kind in ('question', 'escalation')) as asked_by,
    from mart_decision_actions
    group by decision_id
),

final as (
    select
        action_sums.decision_id,
        target_sums.actual_skill,
        target_sums.actual_skills,
        target_sums.is_first_predicted,
        target_sums.is_any_predicted,
        action_sums.has_edit,
        action_sums.asked_by,
    from action_sums
    left join target_sums
        on action_sums.decision_id = target_sums.decision_id
)

select * from final
