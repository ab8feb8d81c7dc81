-- metric:    efficiency_daily
-- title:     Token efficiency by day
-- grain:     one row per date
-- units:     answer_count=count, step_count=count, turn_count=count, cost_usd=usd, context_tokens=tokens, cache_hit_ratio=ratio, output_input_ratio=ratio, reasoning_ratio=ratio, cost_per_turn_usd=usd, cost_per_step_usd=usd, tokens_per_turn=tokens, context_tokens_per_step=tokens, output_tokens_per_step=tokens
-- sources:   messages, steps, turns
-- evidence:  observed
-- better:    neutral
-- chart:     line x=date y=cache_hit_ratio
--
-- What a day's tokens and money bought. Context is all that the model was given: input, cache reads and cache writes;
-- cache_hit_ratio is the share of it read from the cache, output_input_ratio what was written by what was given,
-- reasoning_ratio the share of reasoning in what was written. Turns are prompts of a person that day; their cost has
-- subagents in it. Not every provider reports cache or reasoning, so compare days of the same models. Days in the
-- user's time zone, by when each answer began.
with

answers as (
    select
        local_date as date,
        count(*) as answer_count,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 as cost_usd,
        cast(sum(context_tokens) as bigint) as context_tokens,
        cast(sum(case when context_tokens is not null then cache_read_tokens end) as bigint) as cache_read_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) as bigint) as written_tokens,
        cast(sum(coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) filter (where context_tokens is not null)
            as bigint) as answering_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        cast(sum(total_tokens) as bigint) as total_tokens,
    from messages
    where role = 'assistant'
    group by local_date
),

requests as (
    select local_date as date, count(*) as step_count
    from steps
    group by local_date
),

prompts as (
    select local_date as date, count(*) as turn_count
    from turns
    where not is_child
    group by local_date
),

final as (
    select
        answers.date,
        answer_count,
        coalesce(step_count, 0) as step_count,
        coalesce(turn_count, 0) as turn_count,
        cost_usd,
        context_tokens,
        cast(cache_read_tokens as double) / nullif(context_tokens, 0) as cache_hit_ratio,
        cast(answering_tokens as double) / nullif(context_tokens, 0) as output_input_ratio,
        cast(reasoning_tokens as double) / nullif(written_tokens, 0) as reasoning_ratio,
        cost_usd / nullif(turn_count, 0) as cost_per_turn_usd,
        cost_usd / nullif(step_count, 0) as cost_per_step_usd,
        cast(total_tokens as double) / nullif(turn_count, 0) as tokens_per_turn,
        cast(context_tokens as double) / nullif(step_count, 0) as context_tokens_per_step,
        cast(output_tokens as double) / nullif(step_count, 0) as output_tokens_per_step,
    from answers
    left join requests
        on answers.date is not distinct from requests.date
    left join prompts
        on answers.date is not distinct from prompts.date
)

select * from final
order by date
