-- staging: stg_telemetry_skills
-- sources: raw_telemetry
--
-- One row per use of a skill that telemetry tells of. NULL is what it does not tell. `total_tokens` is the sum of the kinds
-- that are told, else the sum as told.
with events as (
    select * from raw_telemetry where kind = 'skill'
),

renamed as (
    select
        id as event_id,
        case when ts between 1000000000000 and 4102444800000 then ts end as occurred_at,
        session_id,
        skill as skill_name,
        via,
        status,
        load_ms,
        duration_ms,
        tokens_input as input_tokens,
        tokens_output as output_tokens,
        tokens_reasoning as reasoning_tokens,
        tokens_cache_read as cache_read_tokens,
        tokens_cache_write as cache_write_tokens,
        case
            when coalesce(tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write) is not null
                then coalesce(tokens_input, 0) + coalesce(tokens_output, 0) + coalesce(tokens_reasoning, 0)
                    + coalesce(tokens_cache_read, 0) + coalesce(tokens_cache_write, 0)
            else tokens
        end as total_tokens,
        case when cost between 0 and 1000000 then cost end as cost_usd,
        tool_calls as tool_call_count,
        tool_errors as tool_error_count,
        iterations as iteration_count,
        retries as retry_count,
        success as is_success,
        quality,
        complexity,
        error as error_message,
        is_synthetic,
        source,
        label,
    from events
)

select * from renamed
