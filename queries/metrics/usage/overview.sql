-- metric:    overview
-- title:     Overview
-- grain:     one row
-- units:     sessions=count, messages=count, turns=count, steps=count, days=count, active_days=count, cost_usd=usd, cost_per_day_usd=usd, cost_per_turn_usd=usd, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, tokens_per_session=tokens, median_tokens_per_session=tokens, cache_hit_ratio=ratio, tool_calls=count, tool_errors=count, tool_error_ratio=ratio, tool_error_ci_low=ratio, tool_error_ci_high=ratio, edit_attempts=count, edits_applied=count, edit_success_ratio=ratio, edit_success_ci_low=ratio, edit_success_ci_high=ratio, skill_loads=count, skills_used=count, skills_installed=count, active_ms=ms, failed_messages=count, aborted_messages=count, child_sessions=count, child_cost_usd=usd, fork_sessions=count, fork_copy_messages=count, fork_copy_cost_usd=usd, undone_messages=count, undone_cost_usd=usd, present_sessions=count, present_messages=count, present_cost_usd=usd, vanished_sessions=count, vanished_messages=count, vanished_cost_usd=usd, raw_sessions=count, raw_messages=count, raw_days=count, raw_cost_usd=usd, raw_cost_per_day_usd=usd, raw_input_tokens=tokens, raw_output_tokens=tokens, raw_reasoning_tokens=tokens, raw_cache_read_tokens=tokens, raw_cache_write_tokens=tokens, raw_total_tokens=tokens, raw_tokens_per_session=tokens, raw_median_tokens_per_session=tokens, raw_tool_calls=count, raw_tool_errors=count
-- sources:   messages_raw, sessions, stg_sessions, turns, steps, tool_calls_raw, edit_attempts, skill_loads, skills, run
-- evidence:  observed
-- better:    neutral
-- chart:     none
--
-- The headline numbers, each piece of work counted once; raw_ is as `opencode stats` counts, fork copies in. That
-- program takes whole sessions by the day of their last change; here a message counts when it was written, so raw_
-- agrees with it for --all only. A session belongs to a period when it was started in it or has a message in it. A
-- turn is a person's prompt with all that followed, subagents' work included. Undone work counts: it was paid; so does
-- what is gone from the sources (vanished_; present_ is what they hold, if only as a fork's copy). Never stored by OpenCode: title requests, retries.
with flags as (select false as is_raw union all select true as is_raw),
kept as (select distinct record_message_id as message_id from messages_raw where is_fork_copy and last_seen_at is null),

both_messages as (
    select
        is_raw, messages_raw.message_id, session_id, local_date, is_error, is_aborted, is_child, is_fork_copy, is_undone,
        last_seen_at is not null and kept.message_id is null as is_gone, cast(round(cost_usd * 1e9) as bigint) as nano_usd,
        input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, context_tokens,
    from messages_raw cross join run inner join flags on is_raw or count_forks or not is_fork_copy
    left join kept on messages_raw.message_id = kept.message_id and not (is_fork_copy or count_forks)
),

session_tokens as (
    select is_raw, session_id, cast(coalesce(sum(total_tokens), 0) as bigint) as tokens
    from (select is_raw, session_id, total_tokens from both_messages
        union all select is_raw, session_id, 0 from sessions cross join flags) as rows
    group by is_raw, session_id
),

message_sums as (
    select
        is_raw, count(message_id) as messages, count(distinct local_date) as active_days,
        count(*) filter (where is_error) as failed_messages, count(*) filter (where is_aborted) as aborted_messages,
        coalesce(sum(nano_usd), 0) / 1e9 as cost, coalesce(sum(nano_usd) filter (where is_child), 0) / 1e9 as child_cost_usd,
        coalesce(sum(nano_usd) filter (where is_fork_copy), 0) / 1e9 as copy_cost, count(*) filter (where is_fork_copy) as copies,
        coalesce(sum(nano_usd) filter (where is_undone), 0) / 1e9 as undone_cost_usd,
        coalesce(sum(nano_usd) filter (where is_gone), 0) / 1e9 as gone_cost, count(*) filter (where is_gone) as gone_messages,
        coalesce(sum(nano_usd) filter (where not is_gone), 0) / 1e9 as present_cost,
        count(*) filter (where is_undone) as undone_messages, cast(coalesce(sum(input_tokens), 0) as bigint) as input,
        cast(coalesce(sum(output_tokens), 0) as bigint) as output,
        cast(coalesce(sum(reasoning_tokens), 0) as bigint) as reasoning, cast(coalesce(sum(cache_read_tokens), 0) as bigint) as cache_read,
        cast(coalesce(sum(cache_write_tokens), 0) as bigint) as cache_write,
        sum(cache_read_tokens) filter (where context_tokens is not null) as hits, sum(context_tokens) as context,
    from flags left join both_messages using (is_raw) group by is_raw
),

session_sums as (
    select
        is_raw, count(session_id) as sessions, count(stg_sessions.parent_id) as child_sessions,
        count(stg_sessions.last_seen_at) as gone_sessions, quantile_cont(tokens, 0.5) as median_tokens,
        case when count(session_id) = 0 then 0 else greatest(1, cast(ceil(case
            when bool_or(run.is_all or run.since_ms is null) then max(updated_at) - min(created_at) else min(local_ms(least(coalesce(run.until_ms, run.now_ms), run.now_ms)) - local_ms(run.since_ms))
        end / 86400000.0) as bigint)) end as days,
    from flags cross join run left join session_tokens using (is_raw) left join stg_sessions using (session_id) group by is_raw
),

sums as (
    select *, input + output + reasoning + cache_read + cache_write as total
    from message_sums inner join session_sums using (is_raw)
),

call_sums as (
    select count(*) filter (where count_forks or not is_fork_copy) as calls,
        count(*) filter (where is_error and (count_forks or not is_fork_copy)) as errors,
        count(*) as raw_calls, count(*) filter (where is_error) as raw_errors,
    from tool_calls_raw cross join run
),

edit_sums as (select count(*) as attempts, count(*) filter (where is_applied) as applied from edit_attempts where is_attempt),
load_sums as (select count(*) filter (where via = 'skill_tool') as skill_loads, count(distinct skill_name) as skills_used,
    from skill_loads where is_load),
activity as (
    select cast(coalesce(sum(active_ms) filter (where not is_child), 0) as bigint) as active_ms,
        count(*) filter (where is_fork) as fork_sessions, from sessions
),

counts as (
    select
        (select count(*) from turns where not is_child) as turns, (select count(*) from steps) as steps,
        (select count(distinct skill_name) from skills where is_usable) as skills_installed, call_sums.*, edit_sums.*,
        load_sums.*, activity.*,
    from call_sums cross join edit_sums cross join load_sums cross join activity
),

final as (
    select
        own.sessions, own.messages, turns, steps, own.days, own.active_days, own.cost as cost_usd,
        own.cost / nullif(own.days, 0) as cost_per_day_usd, own.cost / nullif(turns, 0) as cost_per_turn_usd,
        own.input as input_tokens, own.output as output_tokens, own.reasoning as reasoning_tokens,
        own.cache_read as cache_read_tokens, own.cache_write as cache_write_tokens, own.total as total_tokens,
        cast(own.total as double) / nullif(own.sessions, 0) as tokens_per_session,
        own.median_tokens as median_tokens_per_session,
        cast(own.hits as double) / nullif(own.context, 0) as cache_hit_ratio,
        calls as tool_calls, errors as tool_errors, cast(errors as double) / nullif(calls, 0) as tool_error_ratio,
        wilson_low(errors, calls) as tool_error_ci_low, wilson_high(errors, calls) as tool_error_ci_high,
        attempts as edit_attempts, applied as edits_applied,
        cast(applied as double) / nullif(attempts, 0) as edit_success_ratio,
        wilson_low(applied, attempts) as edit_success_ci_low, wilson_high(applied, attempts) as edit_success_ci_high,
        skill_loads, skills_used, skills_installed, active_ms, own.failed_messages, own.aborted_messages,
        own.child_sessions, own.child_cost_usd, fork_sessions, every.copies as fork_copy_messages,
        every.copy_cost as fork_copy_cost_usd, own.undone_messages, own.undone_cost_usd,
        own.sessions - own.gone_sessions as present_sessions, own.messages - own.gone_messages as present_messages,
        own.present_cost as present_cost_usd, own.gone_sessions as vanished_sessions, own.gone_messages as vanished_messages,
        own.gone_cost as vanished_cost_usd, every.sessions as raw_sessions,
        every.messages as raw_messages, every.days as raw_days, every.cost as raw_cost_usd,
        every.cost / nullif(every.days, 0) as raw_cost_per_day_usd, every.input as raw_input_tokens,
        every.output as raw_output_tokens, every.reasoning as raw_reasoning_tokens,
        every.cache_read as raw_cache_read_tokens, every.cache_write as raw_cache_write_tokens,
        every.total as raw_total_tokens, every.median_tokens as raw_median_tokens_per_session,
        cast(every.total as double) / nullif(every.sessions, 0) as raw_tokens_per_session, raw_calls as raw_tool_calls,
        raw_errors as raw_tool_errors,
    from sums as own
    inner join sums as every on not own.is_raw and every.is_raw cross join counts
)

select * from final order by sessions
