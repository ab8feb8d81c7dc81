-- mart: decision_targets
-- grain: one row per routing decision and skill or agent used under it
-- sources: mart_decision_actions, mart_decision_predictions, mart_skill_renames
-- time: none
-- stored: no
--
-- Which of the used skills and agents were predicted. A skill that was renamed since is still the predicted one; two old
-- names that became one new skill stay two (the names themselves are never changed).
-- Columns: decision_id, target, place (order of first use), is_predicted.
with targets as (
    select
        decision_id,
        target,
        min(place) as place,
    from mart_decision_actions
    where kind = 'target'
    group by decision_id, target
),

predictions as (
    select
        decision_id,
        ',' || predicted_skills || ',' as predicted_list,
    from mart_decision_predictions
),

renames as (
    select * from mart_skill_renames
),

names as (
    select decision_id, target, target as name from targets

    union

    select targets.decision_id, targets.target, renames.new_name as name
    from targets
    inner join renames
        on targets.target = renames.old_name

    union

    select targets.decision_id, targets.target, renames.old_name as name
    from targets
    inner join renames
        on targets.target = renames.new_name
),

final as (
    select
        targets.decision_id,
        targets.target,
        targets.place,
        count(case when position(',' || names.name || ',' in predictions.predicted_list) > 0 then 1 end) > 0 as is_predicted,
    from targets
    inner join names
        on targets.decision_id = names.decision_id and targets.target = names.target
    inner join predictions
        on targets.decision_id = predictions.decision_id
    group by targets.decision_id, targets.target, targets.place
)

select * from final
