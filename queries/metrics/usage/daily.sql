-- metric:    daily
-- title:     Use by day and model
-- grain:     one row per (date, model)
-- units:     cost_usd=usd, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, session_count=count, message_count=count, prompt_count=count, error_count=count
-- sources:   messages
-- evidence:  observed
-- better:    neutral
-- chart:     stacked x=date y=cost_usd by=model
--
-- What was spent on each day of the user's time zone. message_count is answers of the model, as in by_model; prompts
-- are what a person wrote to it; a day with prompts alone (the answer came after midnight) has no row. Sums over days
-- are sums over messages, so they never count a whole session on the day when it was last touched, as `opencode stats
-- --days` does. session_count must not be added over days or models: one session may be in many rows.
with

dated_messages as (
    select
        local_date as date,
        model,
        role,
        session_id,
        cost_usd,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        is_error,
        is_prompt,
    from messages
),

final as (
    select
        date,
        model,
        coalesce(sum(cast(round(cost_usd * 1e9) as bigint)) filter (where role = 'assistant'), 0) / 1e9 as cost_usd,
        cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens,
        cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens,
        cast(coalesce(sum(reasoning_tokens), 0) as bigint) as reasoning_tokens,
        cast(coalesce(sum(cache_read_tokens), 0) as bigint) as cache_read_tokens,
        cast(coalesce(sum(cache_write_tokens), 0) as bigint) as cache_write_tokens,
        cast(coalesce(sum(total_tokens), 0) as bigint) as total_tokens,
        count(distinct session_id) as session_count,
        count(*) filter (where role = 'assistant') as message_count,
        count(*) filter (where is_prompt) as prompt_count,
        count(*) filter (where is_error) as error_count,
    from dated_messages
    where role = 'assistant' or is_prompt
    group by date, model
    having count(*) filter (where role = 'assistant') > 0
)

select * from final
order by date, model
