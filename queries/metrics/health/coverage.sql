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
with message_counts as (
    select
        count(*) as n, count(directory) as in_session, count(turn_id) as in_turn,
        count(*) filter (where role = 'assistant') as answers,
        count(*) filter (where role = 'assistant' and model <> 'unknown') as models,
        count(input_tokens) filter (where role = 'assistant') as tokens,
        count(cost_usd) filter (where role = 'assistant') as costs,
        count(completed_at) filter (where role = 'assistant') as ends,
        count(*) filter (where role = 'assistant' and total_tokens > 0) as paid,
        count(*) filter (where role = 'assistant' and total_tokens > 0 and cost_usd > 0) as priced,
    from messages
),

step_counts as (select count(*) as n, count(finish_reason) as finishes, count(first_output_ms) as outputs from steps),

call_counts as (
    select
        count(*) as n, count(target) as targets,
        count(*) filter (where not is_unfinished) as ends,
        count(duration_ms) filter (where not is_unfinished) as durations,
        count(*) filter (where status = 'completed') as completed,
        count(output_chars) filter (where status = 'completed') as outputs,
        count(*) filter (where tool_name = 'bash') as commands,
        count(exit_code) filter (where tool_name = 'bash') as command_codes,
        count(*) filter (where tool_class = 'check') as checks,
        count(exit_code) filter (where tool_class = 'check') as check_codes,
    from tool_calls
),

edit_counts as (
    select
        count(*) as n, count(outcome) as outcomes,
        count(*) filter (where outcome <> 'applied') as failures,
        count(*) filter (where outcome <> 'applied' and error_class <> 'other') as classes,
        count(*) filter (where is_applied) as applied,
        count(additions + deletions) filter (where is_applied) as lines,
    from edit_attempts
),

load_counts as (select count(*) as n, count(window_tokens) as windows, count(is_success) as successes from skill_loads where is_load),

child_counts as (select count(*) as n, count(child_session_id) as children, count(total_tokens) as tokens from subagents),

session_counts as (select count(*) as n, count(project_name) as projects, count(recorded_cost_usd) as sums from sessions),

bad_rows as (
    select case when table_name = 'part' then 'parts' else 'messages' end as of_table, count(*) as bad_count
    from stg_quarantine where table_name in ('message', 'session_message', 'part') group by of_table
),

stored as (
    select 'messages' as of_table, count(*) as good_count from stg_messages union all select 'parts', count(*) from stg_parts
),

counts as (
    select 'stored ' || of_table as entity, 'decoded' as field, good_count + coalesce(bad_count, 0) as row_count,
        good_count as known_count, 'all' as used_by
    from stored left join bad_rows using (of_table)
    union all select 'messages', 'session', n, in_session, 'by_project, by_session' from message_counts
    union all select 'messages', 'turn', n, in_turn, 'by_skill, cost_per_change' from message_counts
    union all select 'answers', 'model', answers, models, 'by_model' from message_counts
    union all select 'answers', 'tokens', answers, tokens, 'overview, efficiency_daily' from message_counts
    union all select 'answers', 'cost', answers, costs, 'overview, daily' from message_counts
    union all select 'answers', 'price', paid, priced, 'cost_per_change, waste' from message_counts
    union all select 'answers', 'end', answers, ends, 'by_model' from message_counts
    union all select 'steps', 'finish', n, finishes, 'context_growth' from step_counts
    union all select 'steps', 'first output', n, outputs, 'efficiency_by_model' from step_counts
    union all select 'turns', 'outcome', count(*), count(*) filter (where outcome <> 'open'), 'skill_outcomes' from turns
    union all select 'tool calls', 'end', n, ends, 'tool_usage' from call_counts
    union all select 'tool calls', 'duration', ends, durations, 'slowest_calls' from call_counts
    union all select 'tool calls', 'output', completed, outputs, 'by_tool' from call_counts
    union all select 'tool calls', 'target', n, targets, 'retries' from call_counts
    union all select 'shell commands', 'exit code', commands, command_codes, 'shell_commands' from call_counts
    union all select 'checks', 'exit code', checks, check_codes, 'checks, loops' from call_counts
    union all select 'edit calls', 'outcome', n, outcomes, 'edit_success' from edit_counts
    union all select 'edit calls', 'error class', failures, classes, 'edit_failures' from edit_counts
    union all select 'applied edits', 'lines', applied, lines, 'cost_per_change' from edit_counts
    union all select 'skill loads', 'window', n, windows, 'skill_usage, by_skill' from load_counts
    union all select 'skill loads', 'success', n, successes, 'skill_usage, flaky_skills' from load_counts
    union all select 'subagents', 'child session', n, children, 'subagents' from child_counts
    union all select 'subagents', 'tokens', n, tokens, 'subagents' from child_counts
    union all select 'sessions', 'project', n, projects, 'by_project' from session_counts
    union all select 'sessions', 'recorded sums', n, sums, 'stats' from session_counts
    union all select 'verification loops', 'result', count(*), count(is_verified), 'loops, repair_loops' from verification_loops
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
        entity, field, row_count, known_count,
        cast(known_count as double) / nullif(row_count, 0) as known_ratio,
        used_by,
    from counts
)

select * from final
order by known_ratio nulls last, entity, field
