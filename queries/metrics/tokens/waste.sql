-- metric:    waste
-- title:     Tokens without effect
-- grain:     one row per waste_kind
-- units:     item_count=count, session_count=count, tokens=tokens, token_ratio=ratio, cost_usd=usd, cost_ratio=ratio, last_at=at
-- sources:   steps, turns_history, tool_calls
-- evidence:  derived
-- better:    lower
-- chart:     bar x=waste_kind y=tokens
--
-- Tokens and money that moved nothing. Each request or call stands in the first row that takes it, so the observed
-- rows may be added: aborted_turns (aborted requests, and all of a turn that ended so), failed_steps (requests with an
-- error), failed_edits (edit calls not applied), failed_retries (calls that failed again on the same target) and
-- repeated_calls (the same read or search again in a turn after a success). A call has its equal share of its request.
-- over_read_output is estimated and overlaps the others: what stands beyond 5,000 tokens in one output of reading,
-- searching or fetching, once when read and again in each later request, at its request's mean price. A request that
-- failed is recorded with 0 tokens though the provider may bill it. Not all of this can be avoided.
with

requests as (
    select
        steps.step_id,
        steps.session_id,
        steps.started_at,
        steps.total_tokens,
        cast(round(steps.cost_usd * 1e9) as bigint) as nano_usd,
        case
            when steps.is_aborted or turns.is_aborted then 'aborted_turns'
            when steps.is_error then 'failed_steps'
        end as waste_kind,
    from steps
    left join turns_history as turns
        on steps.turn_id = turns.turn_id
),

calls as (
    select
        tool_calls.part_id,
        tool_calls.session_id,
        tool_calls.started_at,
        tool_calls.step_share_tokens,
        cast(round(tool_calls.step_share_cost_usd * 1e9) as bigint) as nano_usd,
        case
            when requests.waste_kind is not null then null
            when tool_calls.tool_class = 'edit' and tool_calls.edit_outcome <> 'applied' then 'failed_edits'
            when tool_calls.retry_of is not null and tool_calls.is_failed then 'failed_retries'
            when tool_calls.repeat_of is not null and tool_calls.tool_class in ('read', 'search', 'web')
                then 'repeated_calls'
        end as waste_kind,
        case when tool_calls.tool_class in ('read', 'search', 'web', 'shell', 'mcp') then
            greatest(tool_calls.output_tokens_estimate - 5000, 0) * (1 + coalesce(tool_calls.later_step_count, 0))
        end as over_read_tokens,
        cast(requests.nano_usd as double) / nullif(requests.total_tokens, 0) as nano_usd_per_token,
    from tool_calls
    left join requests
        on tool_calls.message_id = requests.step_id
),

items as (
    select waste_kind, session_id, started_at, total_tokens as tokens, nano_usd from requests
    union all
    select waste_kind, session_id, started_at, step_share_tokens as tokens, nano_usd from calls
    union all
    select
        'over_read_output' as waste_kind, session_id, started_at, over_read_tokens as tokens,
        cast(round(over_read_tokens * nano_usd_per_token) as bigint) as nano_usd
    from calls
    where over_read_tokens > 0
),

kinds as (
    select *
    from (
        values
            ('aborted_turns', false), ('failed_steps', false), ('failed_edits', false), ('failed_retries', false),
            ('repeated_calls', false), ('over_read_output', true)
    ) as listed (waste_kind, is_estimated)
),

totals as (
    select
        cast(sum(total_tokens) as bigint) as all_tokens,
        cast(sum(nano_usd) as bigint) as all_nano_usd,
    from requests
),

final as (
    select
        kinds.waste_kind,
        count(items.waste_kind) as item_count,
        count(distinct items.session_id) as session_count,
        cast(coalesce(sum(items.tokens), 0) as bigint) as tokens,
        cast(coalesce(sum(items.tokens), 0) as double) / nullif(min(totals.all_tokens), 0) as token_ratio,
        coalesce(sum(items.nano_usd), 0) / 1e9 as cost_usd,
        cast(coalesce(sum(items.nano_usd), 0) as double) / nullif(min(totals.all_nano_usd), 0) as cost_ratio,
        kinds.is_estimated,
        max(items.started_at) as last_at,
    from kinds
    cross join totals
    left join items
        on kinds.waste_kind = items.waste_kind
    group by kinds.waste_kind, kinds.is_estimated
)

select * from final
order by tokens desc, waste_kind
