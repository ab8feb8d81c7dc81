-- mart: verifying_windows
-- grain: one row per window of a skill that verifies
-- sources: mart_skill_asks
-- time: none
-- reach: session
-- stored: no
--
-- Windows in which edits and checks are one loop: those of dev, verification and verifier-code-agent. The same skill
-- loaded again in the turn, and no other between, goes on with the loop: its windows are one chain.
-- Columns: window_id, skill_name, chain_id (window_id of the chain's first).
with asks as (
    select * from mart_skill_asks where is_load and window_id is not null
),

windows as (
    select
        window_id,
        min(session_id) as session_id,
        min(turn_index) as turn_index,
        min(part_index) as part_index,
        count(case when via in ('skill_tool', 'slash') then 1 end) > 0 as is_full,
        min(case when skill_name in ('dev', 'verification', 'verifier-code-agent') then skill_name end) as skill_name,
    from asks
    group by window_id
),

compared as (
    select
        *,
        lag(coalesce(skill_name, '')) over in_turn is distinct from coalesce(skill_name, '') as is_first,
    from windows
    window in_turn as (partition by session_id, turn_index, is_full order by part_index)
),

final as (
    select
        window_id,
        skill_name,
        last_value(case when is_first then window_id end ignore nulls) over (
            partition by session_id, turn_index, is_full
            order by part_index
            rows between unbounded preceding and current row
        ) as chain_id,
    from compared
)

select * from final where skill_name is not null
