-- metric:    coverage
-- title:     Coverage
-- grain:     one row per (entity, field)
-- units:     row_count=count, known_count=count, known_ratio=ratio
-- sources:   messages, steps, turns, tool_calls, edit_attempts, skill_loads, subagents, sessions, verification_loops, intent_decisions, rlm_runs, rlm_chunks, signals, telemetry_events, stg_messages, stg_parts, stg_quarantine
-- evidence:  observed
-- better:    higher
-- chart:     bar x=field y=known_ratio
--
-- What share of the rows each metric could read. A field that OpenCode did not record is unknown, never 0: sums leave
-- it out and rates have it in no n. 'decoded' is rows of the whole store that were understood, by those and the
-- quarantined ones; everything else is of the period. 'price' is answers with tokens that have a cost above 0: the
-- others are of subscriptions, free models, or models without a price. Not everything can be known: an abort has no
-- exit code, and a skill's use is judged only where its window allows it. used_by names metrics that read the field.
with

counts as (
    select 'stored messages' as entity, 'decoded' as field, count(*) as row_count,
        count(*) filter (where is_decoded) as known_count, 'all' as used_by
    from (
        select true as is_decoded from stg_messages
        union all
        select false as is_decoded from stg_quarantine where table_name in ('message', 'session_message')
    ) as stored_messages
    union all
    select 'stored parts', 'decoded', count(*), count(*) filter (where is_decoded), 'all'
    from (
        select true as is_decoded from stg_parts
        union all
        select false as is_decoded from stg_quarantine where table_name = 'part'
    ) as stored_parts
    union all
    select 'messages', 'session', count(*), count(directory), 'by_project, by_session' from messages
    union all
    select 'messages', 'turn', count(*), count(turn_id), 'by_skill, cost_per_change' from messages
    union all
    select 'answers', 'model', count(*), count(*) filter (where model <> 'unknown'), 'by_model' from messages
    where role = 'assistant'
    union all
    select 'answers', 'tokens', count(*), count(input_tokens), 'overview, efficiency_daily' from messages
    where role = 'assistant'
    union all
    select 'answers', 'cost', count(*), count(cost_usd), 'overview, daily' from messages where role = 'assistant'
    union all
    select 'answers', 'price', count(*), count(*) filter (where cost_usd > 0), 'cost_per_change, waste' from messages
    where role = 'assistant' and total_tokens > 0
    union all
    select 'answers', 'end', count(*), count(completed_at), 'by_model' from messages where role = 'assistant'
    union all
    select 'steps', 'finish', count(*), count(finish_reason), 'context_growth' from steps
    union all
    select 'steps', 'first output', count(*), count(first_output_ms), 'efficiency_by_model' from steps
    union all
    select 'turns', 'outcome', count(*), count(*) filter (where outcome <> 'open'), 'skill_outcomes' from turns
    union all
    select 'tool calls', 'end', count(*), count(*) filter (where not is_unfinished), 'tool_usage' from tool_calls
    union all
    select 'tool calls', 'duration', count(*), count(duration_ms), 'slowest_calls' from tool_calls
    where not is_unfinished
    union all
    select 'tool calls', 'output', count(*), count(output_chars), 'by_tool' from tool_calls
    where status = 'completed'
    union all
    select 'tool calls', 'target', count(*), count(target), 'retries' from tool_calls
    union all
    select 'shell commands', 'exit code', count(*), count(exit_code), 'shell_commands' from tool_calls
    where tool_name = 'bash'
    union all
    select 'checks', 'exit code', count(*), count(exit_code), 'checks, loops' from tool_calls
    where tool_class = 'check'
    union all
    select 'edit calls', 'outcome', count(*), count(outcome), 'edit_success' from edit_attempts
    union all
    select 'edit calls', 'error class', count(*), count(*) filter (where error_class <> 'other'), 'edit_failures'
    from edit_attempts
    where outcome <> 'applied'
    union all
    select 'applied edits', 'lines', count(*), count(additions + deletions), 'cost_per_change' from edit_attempts
    where is_applied
    union all
    select 'skill loads', 'window', count(*), count(window_tokens), 'skill_usage, by_skill' from skill_loads
    where is_load
    union all
    select 'skill loads', 'success', count(*), count(is_success), 'skill_usage, flaky_skills' from skill_loads
    where is_load
    union all
    select 'subagents', 'child session', count(*), count(child_session_id), 'subagents' from subagents
    union all
    select 'subagents', 'tokens', count(*), count(total_tokens), 'subagents' from subagents
    union all
    select 'sessions', 'project', count(*), count(project_name), 'by_project' from sessions
    union all
    select 'sessions', 'recorded sums', count(*), count(recorded_cost_usd), 'stats' from sessions
    union all
    select 'verification loops', 'result', count(*), count(is_verified), 'loops, repair_loops' from verification_loops
    union all select 'intent decisions', 'confidence', count(*), count(confidence), 'intent_calibration' from intent_decisions
    union all select 'intent decisions', 'label', count(*), count(is_correct), 'intent_confusion, intent_scores'
    from intent_decisions
    union all select 'RLM runs', 'mode', count(*), count(*) filter (where mode <> 'unknown'), 'rlm_modes' from rlm_runs
    union all select 'RLM chunks', 'result', count(*), count(is_relevant), 'rlm_accuracy' from rlm_chunks
    union all select 'printed verdicts', 'meaning', count(*), count(verdict), 'verdicts' from signals
    where kind = 'verification'
    union all select 'telemetry events', 'time', count(*), count(occurred_at), 'telemetry' from telemetry_events
    union all select 'telemetry events', 'part', count(*), count(matched_part_id), 'skill_usage, edit_success'
    from telemetry_events
),

final as (
    select
        entity,
        field,
        row_count,
        known_count,
        cast(known_count as double) / nullif(row_count, 0) as known_ratio,
        used_by,
    from counts
)

select * from final
order by entity, field
