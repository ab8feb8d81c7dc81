-- mart: fork_copies
-- grain: one row per message that may be a fork's copy of another
-- sources: stg_messages, stg_parts, mart_session_places
-- time: none
-- stored: no
--
-- Forking a session copies its messages under new ids with their old times. A message older than its own session is a
-- candidate (v2: only in a session with a recorded fork origin). It is a copy if a message of another session agrees in
-- role, times, model, cost, tokens, error and tool call ids (but not in what only one generation of schema records: a
-- prompt's model, an error's name, the 0 of an aborted answer), and ranks before it: messages that are no candidates
-- first, then the older session, then the smaller id. The first in rank is the record and counts: so does a candidate
-- whose original is gone. The k-th such message of one session answers to the k-th of the other, and messages that are
-- no candidates are never marked, so two requests that merely look alike are never merged.
-- Columns: message_id, session_id, is_fork_copy, record_message_id, record_session_id (the message that counts).
with messages as (
    select * from stg_messages
),

parts as (
    select * from stg_parts
),

session_places as (
    select * from mart_session_places
),

marked as (
    select
        messages.*,
        session_places.created_at as session_created_at,
        coalesce(
            coalesce(messages.row_created_at, messages.created_at) < session_places.created_at
            and (messages.generation = 'v1' or session_places.fork_session_id is not null),
            false
        ) as is_candidate,
    from messages
    inner join session_places
        on messages.session_id = session_places.session_id
    where messages.role is not null
),

candidate_times as (
    select distinct role, created_at from marked where is_candidate
),

suspects as (
    select marked.*
    from marked
    inner join candidate_times
        on marked.role = candidate_times.role
        and marked.created_at = candidate_times.created_at
),

call_lists as (
    select
        parts.message_id,
        string_agg(parts.call_id, ',' order by parts.call_id) as call_ids,
    from parts
    inner join suspects
        on parts.message_id = suspects.message_id
    where parts.part_type = 'tool'
    group by parts.message_id
),

fingerprints as (
    select
        suspects.message_id,
        suspects.session_id,
        suspects.session_created_at,
        suspects.is_candidate,
        suspects.sequence_number,
        concat_ws(
            '|', suspects.role, suspects.created_at, coalesce(suspects.completed_at, 0),
            case when suspects.role = 'assistant' then suspects.model else '' end,
            coalesce(suspects.cost_usd, 0), coalesce(suspects.input_tokens, 0), coalesce(suspects.output_tokens, 0),
            coalesce(suspects.reasoning_tokens, 0), coalesce(suspects.cache_read_tokens, 0),
            coalesce(suspects.cache_write_tokens, 0), suspects.error_name is not null, coalesce(call_lists.call_ids, '')
        ) as fingerprint,
    from suspects
    left join call_lists
        on suspects.message_id = call_lists.message_id
),

numbered as (
    select
        *,
        row_number() over (
            partition by session_id, fingerprint
            order by sequence_number, message_id
        ) as occurrence,
    from fingerprints
),

ranked as (
    select
        message_id,
        session_id,
        is_candidate,
        row_number() over records as copy_rank,
        first_value(message_id) over records as record_message_id,
        first_value(session_id) over records as record_session_id,
    from numbered
    window records as (
        partition by fingerprint, occurrence
        order by is_candidate, session_created_at, message_id
    )
),

final as (
    select
        message_id,
        session_id,
        is_candidate and copy_rank > 1 as is_fork_copy,
        record_message_id,
        record_session_id,
    from ranked
    where is_candidate
)

select * from final
