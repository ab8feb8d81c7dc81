-- mart: skill_loads
-- grain: one row per time a skill was asked for, or used by telemetry's word
-- sources: mart_skill_uses, mart_telemetry_skills
-- time: loaded_at
--
-- What the database tells of each ask (see skill_uses), with telemetry laid over it value by value: what an event says
-- counts instead of what was inferred, and nothing is added up. `evidence` says how the row is known: derived (from the
-- database alone), observed (told by telemetry, too; weak where it is not sure), or telemetry: a use that the database
-- does not know, a row of its own with `via` telemetry and no place in a session. Told are
-- `status`, `duration_ms` (the time to read the file), `window_ms`, the tokens, the cost, the counts of calls, errors,
-- iterations and retries, and `is_success`; all else is inferred, also where a value beside it was told. An event that
-- tells tokens only in all leaves the kinds as they were inferred.
-- Columns: those of skill_uses; quality (0 to 1, as told), evidence, source (opencode_db, or what told: jsonl, tables,
-- metrics_json, traces, agents), label (explicit, derived, weak; of what was told), event_id (the last event),
-- is_synthetic (invented by its source).
with uses as (
    select * from mart_skill_uses
),

told as (
    select * from mart_telemetry_skills
),

final as (
    select
        coalesce(uses.part_id, told.part_id) as part_id,
        uses.message_id,
        coalesce(uses.session_id, told.session_id) as session_id,
        uses.turn_id, uses.turn_index, uses.part_index,
        case when uses.part_id is null then told.project_id else uses.project_id end as project_id,
        case when uses.part_id is null then told.project_name else uses.project_name end as project_name,
        case when uses.part_id is null then told.directory else uses.directory end as directory,
        coalesce(uses.root_session_id, told.root_session_id) as root_session_id,
        coalesce(uses.is_child, told.is_child) as is_child,
        case when uses.part_id is null then told.agent else uses.agent end as agent,
        coalesce(uses.model, told.model, 'unknown') as model,
        coalesce(uses.skill_name, told.skill_name) as skill_name,
        uses.skill_dir,
        coalesce(uses.via, 'telemetry') as via,
        coalesce(told.status, uses.status, 'completed') as status,
        uses.error_class,
        coalesce(told.error_message, uses.error_message) as error_message,
        uses.available_skills,
        coalesce(uses.loaded_at, told.used_at) as loaded_at,
        coalesce(told.load_ms, uses.duration_ms) as duration_ms,
        uses.output_chars, uses.output_tokens_estimate, uses.load_index,
        case
            when told.status is not null then told.status = 'completed'
            when uses.part_id is null then true
            else uses.is_load
        end as is_load,
        coalesce(uses.is_retry, told.retry_count > 0, false) as is_retry,
        uses.window_id, uses.window_bundle_size, uses.window_share, uses.window_closed_by, uses.window_ended_at,
        coalesce(told.window_ms, uses.window_ms) as window_ms,
        coalesce(told.input_tokens, uses.window_input_tokens) as window_input_tokens,
        coalesce(told.output_tokens, uses.window_output_tokens) as window_output_tokens,
        coalesce(told.reasoning_tokens, uses.window_reasoning_tokens) as window_reasoning_tokens,
        coalesce(told.cache_read_tokens, uses.window_cache_read_tokens) as window_cache_read_tokens,
        coalesce(told.cache_write_tokens, uses.window_cache_write_tokens) as window_cache_write_tokens,
        coalesce(told.total_tokens, uses.window_tokens) as window_tokens,
        coalesce(told.cost_usd, uses.window_cost_usd) as window_cost_usd,
        uses.window_with_children_tokens, uses.window_with_children_cost_usd, uses.window_step_count,
        coalesce(told.tool_call_count, uses.window_tool_call_count) as window_tool_call_count,
        coalesce(told.tool_error_count, uses.window_tool_error_count) as window_tool_error_count,
        uses.window_tool_failure_count,
        coalesce(told.retry_count, uses.window_retry_count) as window_retry_count,
        uses.window_edit_count,
        coalesce(told.iteration_count, uses.window_iteration_count) as window_iteration_count,
        uses.window_failed_iteration_count, uses.window_subagent_count, uses.is_window_verified, uses.turn_outcome,
        coalesce(told.is_success, uses.is_success) as is_success,
        coalesce(uses.is_fork_copy, false) as is_fork_copy,
        coalesce(uses.is_undone, false) as is_undone,
        uses.is_corrected, uses.window_children_tokens, uses.window_children_cost_usd, uses.window_bundle_position,
        uses.turn_load_count, told.quality,
        case
            when told.part_id is null then 'derived'
            when uses.part_id is null then 'telemetry'
            when told.label = 'explicit' then 'observed'
            else told.label
        end as evidence,
        coalesce(told.source, 'opencode_db') as source,
        told.label, told.event_id,
        coalesce(told.is_synthetic, false) as is_synthetic,
    from uses
    full outer join told
        on uses.part_id = told.part_id
)

select * from final
