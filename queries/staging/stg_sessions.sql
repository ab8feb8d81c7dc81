-- staging: stg_sessions
-- sources: raw_session
--
-- One row per session. Renames OpenCode's columns to the house's names. `recorded_*` are OpenCode's own sums: they
-- count fork copies, and are NULL before 2026-05-10. Times outside 2001 to 2100 and negative or absurd amounts
-- become NULL (unknown). `model` is 'provider/model_id', as in `opencode stats`. `last_seen_at` is set, in all staging
-- views, when the source no longer holds the row.
with sessions as (
    select * from raw_session
),

renamed as (
    select
        id as session_id,
        project_id,
        nullif(parent_id, '') as parent_id,
        directory,
        path,
        title,
        version,
        agent,
        case
            when model_id is null and provider_id is null then 'unknown'
            else coalesce(provider_id, 'unknown') || '/' || coalesce(model_id, 'unknown')
        end as model,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as created_at,
        case when time_updated between 1000000000000 and 4102444800000 then time_updated end as updated_at,
        case when time_archived between 1000000000000 and 4102444800000 then time_archived end as archived_at,
        case when isfinite(cost) and cost between 0 and 1000000 then cost end as recorded_cost_usd,
        case when tokens_input between 0 and 1000000000000 then tokens_input end as recorded_input_tokens,
        case when tokens_output between 0 and 1000000000000 then tokens_output end as recorded_output_tokens,
        case when tokens_reasoning between 0 and 1000000000000 then tokens_reasoning end as recorded_reasoning_tokens,
        case when tokens_cache_read between 0 and 1000000000000 then tokens_cache_read end as recorded_cache_read_tokens,
        case when tokens_cache_write between 0 and 1000000000000 then tokens_cache_write end as recorded_cache_write_tokens,
        fork_session_id,
        fork_boundary,
        idle_outcome,
        revert_message_id,
        revert_part_id,
        generation,
        last_seen_at,
        source,
    from sessions
)

select * from renamed
