-- mart: signals
-- grain: one row per thing that Tachikoma's programs printed, or its agents wrote
-- sources: stg_signals, mart_part_numbers, mart_message_places, mart_messages, mart_session_places
-- time: said_at
-- reach: session
--
-- Signals with their place in the session. What stands in a text counts only where an assistant wrote it outside of a
-- summary: a user's text may quote anything, and a summary repeats what was said before. `evidence` is observed (data
-- as printed), derived (read from printed lines) or weak (written by a model).
-- Columns: part_id, signal_position (in the part), message_id, session_id, turn_id, turn_index, part_index, window_id
-- (of a full skill load), weak_window_id, project_id, project_name, directory, root_session_id, is_child, agent, model (of the
-- message), said_at, kind, era, program, rule, evidence, origin (bash, tool, task, text), query_hash,
-- predicted_intent, confidence, confidence_scale, complexity, complexity_score, strategy, route, invoke_via,
-- predicted_skills, workflow, action, threshold, is_escalated, criteria_passed, criteria_total, verdict,
-- rubric_verdict, gvr_verdict, iterations, chunk_id, relevant_count, chunk_count, chunk_size, chunk_unit, waves,
-- ok_chunks, is_early_termination, printed_tokens, chosen_model, chosen_format, is_fork_copy, is_undone.
with numbered as (
    select
        *,
        row_number() over (partition by part_id, signal_position order by source) as copy_number,
    from stg_signals
),

-- A part that stands in two sources says the same twice.
signals as (
    select * from numbered where copy_number = 1
),

part_numbers as (
    select * from mart_part_numbers
),

openings as (
    select part_number as window_number, part_id as window_id from part_numbers where is_load
),

first_parts as (
    select session_number, min(part_number) - 1 as parts_before from part_numbers group by session_number
),

final as (
    select
        signals.part_id,
        signals.signal_position,
        signals.message_id,
        signals.session_id,
        message_places.turn_id,
        coalesce(message_places.turn_index, 0) as turn_index,
        part_numbers.part_number - first_parts.parts_before as part_index,
        openings.window_id,
        weak_openings.window_id as weak_window_id,
        session_places.project_id,
        session_places.project_name,
        session_places.directory,
        coalesce(session_places.root_session_id, signals.session_id) as root_session_id,
        coalesce(session_places.is_child, false) as is_child,
        messages.agent,
        coalesce(messages.model, 'unknown') as model,
        coalesce(signals.said_at, messages.created_at) as said_at,
        signals.kind,
        signals.era,
        signals.program,
        signals.rule,
        signals.evidence,
        signals.origin,
        signals.query_hash,
        signals.predicted_intent,
        signals.confidence,
        signals.confidence_scale,
        signals.complexity,
        signals.complexity_score,
        signals.strategy,
        signals.route,
        signals.invoke_via,
        signals.predicted_skills,
        signals.workflow,
        signals.action,
        signals.threshold,
        signals.is_escalated,
        signals.criteria_passed,
        signals.criteria_total,
        signals.verdict,
        signals.rubric_verdict,
        signals.gvr_verdict,
        signals.iterations,
        signals.chunk_id,
        signals.relevant_count,
        signals.chunk_count,
        signals.chunk_size,
        signals.chunk_unit,
        signals.waves,
        signals.ok_chunks,
        signals.is_early_termination,
        signals.printed_tokens,
        signals.chosen_model,
        signals.chosen_format,
        part_numbers.is_fork_copy,
        part_numbers.is_undone,
    from part_numbers
    inner join signals on part_numbers.part_id = signals.part_id
    inner join first_parts on part_numbers.session_number = first_parts.session_number
    left join mart_message_places as message_places on signals.message_id = message_places.message_id
    left join mart_messages as messages on signals.message_id = messages.message_id
    left join mart_session_places as session_places on signals.session_id = session_places.session_id
    left join openings on part_numbers.window_number = openings.window_number
    left join openings as weak_openings on part_numbers.weak_window_number = weak_openings.window_number
    where signals.origin <> 'text' or (messages.role = 'assistant' and not messages.is_summary)
)

select * from final
