-- staging: stg_telemetry_intents
-- sources: raw_telemetry
--
-- One row per routing decision, or correction of one, that telemetry tells of. NULL is what it does not tell. Lists of skills
-- have commas between.
with events as (
    select * from raw_telemetry where kind = 'intent'
),

renamed as (
    select
        id as event_id,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        session_id,
        query_hash,
        predicted_intent,
        confidence,
        confidence_scale,
        complexity,
        strategy,
        predicted_skills,
        action,
        threshold,
        escalated as is_escalated,
        actual_skills,
        actual_intent,
        correct as is_correct,
        label_rule,
        source,
        label,
    from events
)

select * from renamed
