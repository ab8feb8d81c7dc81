-- staging: stg_telemetry_verifications
-- sources: raw_telemetry
--
-- One row per verification loop or verdict that telemetry tells of. NULL is what it does not tell.
with events as (
    select * from raw_telemetry where kind = 'verification'
),

renamed as (
    select
        id as event_id,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        session_id,
        loop_id,
        skill as skill_name,
        iterations,
        max_iterations,
        verified as is_verified,
        max_reached as is_max_reached,
        escalated as is_escalated,
        criteria_passed as criteria_passed_count,
        criteria_total as criteria_total_count,
        failed_criteria,
        rubric_verdict,
        gvr_verdict,
        confidence,
        quality,
        duration_ms,
        error as error_message,
        source,
        label,
    from events
)

select * from renamed
