-- staging: stg_messages
-- sources: raw_message
--
-- One row per message, v2 markers (role NULL) included. Renames OpenCode's columns to the house's names.
-- `row_created_at` is the row's own time, `created_at` the one inside its data. Times outside 2001 to 2100 and negative
-- or absurd amounts become NULL (unknown); `isfinite` is needed because Parquet statistics do not know NaN, so that a
-- comparison may let it pass. `model` is 'provider/model_id', as in `opencode stats`.
with messages as (
    select * from raw_message
),

renamed as (
    select
        id as message_id,
        session_id,
        kind,
        role,
        seq as sequence_number,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as row_created_at,
        case when created_at between 1000000000000 and 4102444800000 then created_at end as created_at,
        case when completed_at between 1000000000000 and 4102444800000 then completed_at end as completed_at,
        agent,
        case
            when model_id is null and provider_id is null then 'unknown'
            else coalesce(provider_id, 'unknown') || '/' || coalesce(model_id, 'unknown')
        end as model,
        provider_id,
        model_id,
        variant,
        parent_message_id,
        case when isfinite(cost) and cost between 0 and 1000000 then cost end as cost_usd,
        case when tokens_input between 0 and 1000000000000 then tokens_input end as input_tokens,
        case when tokens_output between 0 and 1000000000000 then tokens_output end as output_tokens,
        case when tokens_reasoning between 0 and 1000000000000 then tokens_reasoning end as reasoning_tokens,
        case when tokens_cache_read between 0 and 1000000000000 then tokens_cache_read end as cache_read_tokens,
        case when tokens_cache_write between 0 and 1000000000000 then tokens_cache_write end as cache_write_tokens,
        finish as finish_reason,
        error_name,
        error_message,
        error_status,
        is_summary,
        is_prompt,
        cwd,
        diff_file_count,
        diff_additions,
        diff_deletions,
        data_chars,
        generation,
        last_seen_at,
        source,
    from messages
)

select * from renamed
