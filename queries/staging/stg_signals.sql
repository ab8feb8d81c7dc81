-- staging: stg_signals
-- sources: raw_signal
--
-- One row per thing that Tachikoma's programs printed, or its agents wrote, about their own work: intents, verdicts,
-- RLM, edit formats. Times outside 2001 to 2100, shares outside 0 to 1 and absurd counts become NULL (unknown). What a
-- text says is not yet told apart by its author: the mart does that.
with signals as (
    select * from raw_signal
),

renamed as (
    select
        part_id,
        message_id,
        session_id,
        position as signal_position,
        case when said_at between 1000000000000 and 4102444800000 then said_at end as said_at,
        kind,
        era,
        program,
        rule,
        evidence,
        origin,
        query_hash,
        predicted_intent,
        case when isfinite(confidence) and confidence between 0 and 1 then confidence end as confidence,
        confidence_scale,
        complexity,
        case when isfinite(complexity_score) and complexity_score between 0 and 1 then complexity_score end as complexity_score,
        strategy,
        route,
        invoke_via,
        predicted_skills,
        workflow,
        action,
        case when isfinite(threshold) and threshold between 0 and 1 then threshold end as threshold,
        is_escalated,
        case when criteria_passed between 0 and 10000 then criteria_passed end as criteria_passed,
        case when criteria_total between 0 and 10000 then criteria_total end as criteria_total,
        verdict,
        rubric_verdict,
        gvr_verdict,
        case when iterations between 0 and 10000 then iterations end as iterations,
        chunk_id,
        relevant_count,
        case when chunk_count between 0 and 1000000 then chunk_count end as chunk_count,
        case when chunk_size between 1 and 1000000000000 then chunk_size end as chunk_size,
        chunk_unit,
        case when waves between 0 and 1000000 then waves end as waves,
        case when ok_chunks between 0 and 1000000 then ok_chunks end as ok_chunks,
        is_early_termination,
        case when tokens between 0 and 1000000000000 then tokens end as printed_tokens,
        model as chosen_model,
        format as chosen_format,
        generation,
        source,
    from signals
)

select * from renamed
