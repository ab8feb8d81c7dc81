-- mart: decision_labels
-- grain: one row per routing decision
-- sources: mart_decision_windows, mart_decision_predictions, mart_decision_sums, mart_turns, stg_routes
-- time: none
-- stored: no
--
-- What came of a decision. The first target decides: among the predicted, right; none of the targets predicted, wrong;
-- a predicted one only later, unknown. A direct intent is right when no skill was used. Where nothing was used but
-- something was predicted, nothing is known; neither where another skill was used than the known part of a chain that no
-- table has. Two weak rules say wrong, whatever was used: another intent decided on
-- before any edit, and a next prompt that starts with no, wrong, instead or actually. Many intents share a skill: the
-- actual intent is the predicted one where its skill was used, else the used skill's only intent, else the skill's
-- class (`dev:*`).
-- Columns: decision_id, actual_skill (first target), actual_skills, actual_intent, is_correct, label_rule (first_skill,
-- other_skill, direct, direct_but_skill, reclassified, corrected; NULL = no label), label_evidence (derived, weak),
-- asked_by (question, escalation: the first of them).
with windows as (
    select * from mart_decision_windows
),

predictions as (
    select * from mart_decision_predictions
),

routes as (
    select * from stg_routes where kind = 'intent' and not is_fallback
),

corrected_turns as (
    select distinct session_id, turn_index from mart_turns where is_corrected
),

sums as (
    select * from mart_decision_sums
),

joined as (
    select
        predictions.*,
        sums.actual_skill,
        sums.actual_skills,
        sums.is_first_predicted,
        sums.is_any_predicted,
        sums.asked_by,
        windows.next_intent,
        case
            when predictions.predicted_intent is null or predictions.is_unclear then null
            when windows.closed_by = 'decision' and windows.next_intent <> predictions.predicted_intent
                and not coalesce(sums.has_edit, false)
                then 'reclassified'
            when windows.closed_by = 'prompt' and corrected_turns.session_id is not null then 'corrected'
        end as weak_rule,
    from predictions
    inner join windows
        on predictions.decision_id = windows.decision_id
    left join sums
        on predictions.decision_id = sums.decision_id
    left join corrected_turns
        on windows.session_id = corrected_turns.session_id and windows.turn_index = corrected_turns.turn_index
),

ruled as (
    select
        *,
        case
            when weak_rule is not null then weak_rule
            when is_unclear and actual_skill is not null then 'other_skill'
            when is_direct and actual_skill is null then 'direct'
            when is_direct then 'direct_but_skill'
            when predicted_skills is null or actual_skill is null then null
            when is_first_predicted then 'first_skill'
            when not is_any_predicted and not is_partial then 'other_skill'
        end as label_rule,
    from joined
),

classes as (
    select
        ruled.decision_id,
        count(*) as intent_count,
        min(routes.name) as only_intent,
    from ruled
    inner join routes
        on ruled.era = routes.era
            and ruled.route_project_id is not distinct from routes.project_id
            and position(',' || ruled.actual_skill || ',' in ',' || routes.skills || ',') > 0
    group by ruled.decision_id
),

final as (
    select
        ruled.decision_id,
        ruled.actual_skill,
        ruled.actual_skills,
        case
            when ruled.label_rule in ('first_skill', 'direct') then ruled.predicted_intent
            when ruled.label_rule = 'reclassified' and ruled.next_intent <> 'unclear' then ruled.next_intent
            when ruled.label_rule is null or coalesce(ruled.is_first_predicted, false) then null
            when classes.intent_count = 1 then classes.only_intent
            else ruled.actual_skill || ':*'
        end as actual_intent,
        ruled.label_rule in ('first_skill', 'direct') as is_correct,
        ruled.label_rule,
        case
            when ruled.label_rule in ('reclassified', 'corrected') then 'weak'
            when ruled.label_rule is not null then 'derived'
        end as label_evidence,
        ruled.asked_by,
    from ruled
    left join classes
        on ruled.decision_id = classes.decision_id
)

select * from final
