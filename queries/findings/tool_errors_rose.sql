-- finding:  tool_errors_rose
-- title:    Tools whose errors rose
-- sources:  messages, tool_calls_history, run
-- evidence: observed
-- grain:    one row per tool_name
-- units:    n=count, ci_low=ratio, ci_high=ratio, saved_tokens_per_week=tokens, saved_usd_per_week=usd, saved_usd_low=usd, saved_usd_high=usd
--
-- The share of a tool's calls that ended in an error, in the last four weeks against the twelve before. Errors come in
-- clusters, so the variance is taken over sessions (ratio estimator) and never below the binomial one; p-values are
-- adjusted over all tools by Benjamini-Hochberg (5 %). Both stretches need 20 calls in three sessions, the later one
-- five errors. The interval is that of the rise. A tool is left out when its calls since the last error would all
-- succeed by chance in less than one case in a hundred. That the work changed and not the tool is not ruled out.
with

stretch as (
    select
        max(created_at) - 9676800000 as start_ms,
        max(created_at) - 2419200000 as recent_ms,
        max(created_at) + 1 as end_ms,
    from run inner join messages on created_at < now_ms
),

calls as (
    select
        tool_calls_history.*,
        started_at >= recent_ms as is_recent,
        max(case when is_error then started_at end) over (partition by tool_name) as last_error_at,
    from tool_calls_history inner join stretch on started_at between start_ms and end_ms
    where not is_unfinished
),

per_session as (
    select
        tool_name,
        is_recent,
        session_id,
        cast(count(*) as double) as call_count,
        cast(count(*) filter (where is_error) as double) as error_count,
        count(*) filter (where started_at > last_error_at) as good_end_count,
        cast(coalesce(sum(step_share_tokens) filter (where is_error), 0) as bigint) as error_tokens,
        coalesce(sum(cast(round(step_share_cost_usd * 1e9) as bigint)) filter (where is_error), 0) as error_nano_usd,
    from calls
    group by tool_name, is_recent, session_id
),

ratios as (
    select
        *,
        sum(error_count) over side / sum(call_count) over side as ratio,
    from per_session
    window side as (partition by tool_name, is_recent)
),

sides as (
    select
        tool_name,
        is_recent,
        cast(sum(call_count) as bigint) as n,
        cast(sum(error_count) as bigint) as errors,
        min(ratio) as ratio,
        cast(sum(good_end_count) as bigint) as good_end_count,
        cast(sum(error_tokens) as double) as error_tokens,
        nullif(sum(error_nano_usd), 0) / 1e9 as error_usd,
        greatest(
            1e0 * count(*) / (count(*) - 1)
            * sum(power(error_count - ratio * call_count, 2) order by session_id) / power(sum(call_count), 2),
            (sum(error_count) + 1) * (sum(call_count - error_count) + 1) / power(sum(call_count) + 2, 3)
        ) as variance,
    from ratios
    group by tool_name, is_recent
    having count(*) >= 3 and sum(call_count) >= 20
),

compared as (
    select
        recent.*,
        earlier.n as n_before,
        earlier.errors as errors_before,
        earlier.ratio as ratio_before,
        recent.ratio - earlier.ratio as rise,
        sqrt(recent.variance + earlier.variance) as standard_error,
        exp(-0.717 * abs(recent.ratio - earlier.ratio) / sqrt(recent.variance + earlier.variance)
            - 0.416 * power(recent.ratio - earlier.ratio, 2) / (recent.variance + earlier.variance)) as p_value,
    from sides as recent
    inner join sides as earlier
        on recent.tool_name = earlier.tool_name and recent.is_recent and not earlier.is_recent
),

ranked as (
    select *, p_value * count(*) over () / row_number() over (order by p_value, tool_name) as scaled_p from compared
),

tested as (
    select *, least(1.0, min(scaled_p) over (order by p_value desc, tool_name desc)) as q_value from ranked
),

final as (
    select *, rise - 1.959964 * standard_error as ci_low, rise + 1.959964 * standard_error as ci_high,
    from tested
    where rise >= 0.02 and errors >= 5 and q_value <= 0.05 and power(1 - ratio, good_end_count) >= 0.01
)

select
    case when rise >= 0.2 then 'high' else 'medium' end as severity,
    tool_name as subject,
    'Errors of the tool ' || tool_name || ' rose from ' || percent(ratio_before) || ' % to '
    || percent(ratio) || ' % of its calls in the last four weeks.' as sentence,
    'Look at its error messages, and at what changed in the tool, its permissions or its callers.' as action,
    'tool_errors' as metric,
    grouped(errors) || ' of ' || grouped(n) || ' calls against ' || grouped(errors_before) || ' of '
    || grouped(n_before) || '; rise of ' || percent(ci_low) || ' to ' || percent(ci_high)
    || ' points (95 %, by session)' as evidence,
    n + n_before as n, ci_low, ci_high,
    rise * n / errors * error_tokens / 4 as saved_tokens_per_week,
    rise * n / errors * error_usd / 4 as saved_usd_per_week,
    greatest(0, ci_low) * n / errors * error_usd / 4 as saved_usd_low,
    ci_high * n / errors * error_usd / 4 as saved_usd_high,
    cast(least(0.999, round(1 - q_value, 3)) as varchar) as confidence,
from final
order by rise desc, subject
