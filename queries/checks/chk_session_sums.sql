-- check:   chk_session_sums
-- title:   A session's own totals are the sums of its messages
-- sources: stg_sessions, stg_messages
--
-- OpenCode keeps running totals in the session, fork copies and undone work included; they must be what its messages add
-- up to. Messages that it deleted (an undo that was not taken back) it subtracts: those kept here only as history are left
-- out, unless the whole session went with them. The totals differ when rows could not be read, or when a session was
-- imported from the old JSON files (totals stay 0). Sessions without recorded totals (before 2026-05-10) and forks of
-- OpenCode 2.x, whose totals leave out the inherited history, are not looked at.
with

recorded as (
    select
        session_id,
        cast(round(recorded_cost_usd * 1e9) as bigint) as cost_nusd,
        recorded_input_tokens + recorded_output_tokens + recorded_reasoning_tokens + recorded_cache_read_tokens
        + recorded_cache_write_tokens as tokens,
    from stg_sessions
    where recorded_cost_usd is not null and fork_session_id is null
),

summed as (
    select
        stg_messages.session_id,
        sum(cast(round(cost_usd * 1e9) as bigint)) as cost_nusd,
        sum(
            coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)
            + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)
        ) as tokens,
    from stg_messages
    inner join stg_sessions
        on stg_messages.session_id = stg_sessions.session_id
    where role = 'assistant'
        and (stg_messages.last_seen_at is null or stg_messages.last_seen_at >= stg_sessions.last_seen_at)
    group by stg_messages.session_id
),

final as (
    select
        'session_sums' as rule,
        recorded.session_id as subject,
        'recorded: ' || recorded.cost_nusd / 1e9 || ' USD, ' || recorded.tokens || ' tokens; messages: '
        || coalesce(summed.cost_nusd, 0) / 1e9 || ' USD, ' || coalesce(summed.tokens, 0) || ' tokens' as detail,
    from recorded
    left join summed
        on recorded.session_id = summed.session_id
    where abs(recorded.cost_nusd - coalesce(summed.cost_nusd, 0)) > 1000
        or recorded.tokens <> coalesce(summed.tokens, 0)
)

select * from final
order by rule, subject
