-- check:   chk_absurd_amounts
-- title:   No tokens or cost are negative or beyond belief
-- sources: raw_message, raw_part
--
-- Amounts below 0, above 10^12 tokens or above a million dollars are taken as unknown by staging, so that one broken
-- row cannot bend every total. They are shown here, because unknown is not 0: the totals are too low by what they
-- were.
with

amounts as (
    select
        'message' as kind, id, cost, tokens_input, tokens_output, tokens_reasoning, tokens_cache_read,
        tokens_cache_write
    from raw_message
    union all
    select
        'part' as kind, id, cost, tokens_input, tokens_output, tokens_reasoning, tokens_cache_read,
        tokens_cache_write
    from raw_part
),

final as (
    select
        'absurd_amounts' as rule,
        id as subject,
        kind || ': cost ' || coalesce(cast(cost as varchar), 'unknown')
        || ', tokens in ' || coalesce(cast(tokens_input as varchar), 'unknown')
        || ', out ' || coalesce(cast(tokens_output as varchar), 'unknown')
        || ', reasoning ' || coalesce(cast(tokens_reasoning as varchar), 'unknown')
        || ', cache read ' || coalesce(cast(tokens_cache_read as varchar), 'unknown')
        || ', cache write ' || coalesce(cast(tokens_cache_write as varchar), 'unknown') as detail,
    from amounts
    where not coalesce(cost between 0 and 1000000, true)
        or least(tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write) < 0
        or greatest(tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write) > 1000000000000
)

select * from final
order by rule, subject, detail
