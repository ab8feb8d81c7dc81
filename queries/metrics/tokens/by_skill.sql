-- metric:    by_skill
-- title:     Tokens by skill
-- grain:     one row per skill_name, and one for work outside skills
-- units:     load_count=count, step_count=count, input_tokens=tokens, output_tokens=tokens, reasoning_tokens=tokens, cache_read_tokens=tokens, cache_write_tokens=tokens, total_tokens=tokens, token_ratio=ratio, cost_usd=usd, cost_ratio=ratio, tokens_per_load=tokens, cost_per_load_usd=usd, skill_text_tokens=tokens
-- sources:   steps, skill_loads, skill_loads_history
-- evidence:  derived
-- better:    neutral
-- chart:     bar x=skill_name y=total_tokens
--
-- Where the tokens went by the skill in force: each request belongs to the window in which it stands, and those outside
-- any window to '(no skill)', so that the rows add up to all requests. Loads of one message share their window in equal
-- parts. Windows are those of the skill tool and of slash commands. A window holds what was spent after a load, not
-- because of it: a skill loaded early in a long turn owns the turn. skill_text_tokens estimates what the loaded texts
-- put into the context, once: a quarter of their characters.
with

windows as (
    select
        window_id,
        skill_name,
        window_bundle_size as share_count,
        window_bundle_position as share_number,
    from skill_loads_history
    where is_load and via in ('skill_tool', 'slash') and skill_name is not null
),

shared_steps as (
    select
        steps.*,
        coalesce(windows.skill_name, '(no skill)') as skill_name,
        coalesce(windows.share_count, 1) as parts,
        coalesce(windows.share_count - windows.share_number, 0) as extra,
    from steps
    left join windows
        on steps.window_id = windows.window_id
),

shares as (
    select
        skill_name,
        step_id,
        cast(floor((input_tokens + extra) / parts) as bigint) as input_tokens,
        cast(floor((output_tokens + extra) / parts) as bigint) as output_tokens,
        cast(floor((reasoning_tokens + extra) / parts) as bigint) as reasoning_tokens,
        cast(floor((cache_read_tokens + extra) / parts) as bigint) as cache_read_tokens,
        cast(floor((cache_write_tokens + extra) / parts) as bigint) as cache_write_tokens,
        cast(round(cost_usd * 1e9 / parts) as bigint) as nano_usd,
    from shared_steps
),

token_sums as (
    select
        skill_name,
        count(distinct step_id) as step_count,
        cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens,
        cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens,
        cast(coalesce(sum(reasoning_tokens), 0) as bigint) as reasoning_tokens,
        cast(coalesce(sum(cache_read_tokens), 0) as bigint) as cache_read_tokens,
        cast(coalesce(sum(cache_write_tokens), 0) as bigint) as cache_write_tokens,
        cast(sum(nano_usd) as bigint) as nano_usd,
    from shares
    group by skill_name
),

loads as (
    select
        skill_name,
        count(*) as load_count,
        cast(sum(output_tokens_estimate) as bigint) as skill_text_tokens,
    from skill_loads
    where is_load and via in ('skill_tool', 'slash')
    group by skill_name
),

totals as (
    select
        *,
        input_tokens + output_tokens + reasoning_tokens + cache_read_tokens + cache_write_tokens as total_tokens,
    from token_sums
),

final as (
    select
        totals.skill_name,
        coalesce(load_count, 0) as load_count,
        step_count,
        input_tokens,
        output_tokens,
        reasoning_tokens,
        cache_read_tokens,
        cache_write_tokens,
        total_tokens,
        cast(total_tokens as double) / nullif(sum(total_tokens) over (), 0) as token_ratio,
        nano_usd / 1e9 as cost_usd,
        cast(nano_usd as double) / nullif(sum(nano_usd) over (), 0) as cost_ratio,
        cast(total_tokens as double) / load_count as tokens_per_load,
        nano_usd / 1e9 / load_count as cost_per_load_usd,
        skill_text_tokens,
    from totals
    left join loads
        on totals.skill_name = loads.skill_name
)

select * from final
order by total_tokens desc, skill_name
