-- metric:    skill_transitions
-- title:     From skill to skill
-- grain:     one row per (from_skill, to_skill)
-- units:     transition_count=count, session_count=count, from_count=count, transition_ratio=ratio, ci_low=ratio, ci_high=ratio, p50_gap_ms=ms
-- sources:   skill_loads
-- evidence:  observed
-- better:    neutral
-- chart:     matrix x=to_skill y=from_skill by=transition_count
--
-- What is used next in the same session, weak uses included. transition_ratio is over all that followed from_skill;
-- '(end)' means that no other skill followed. A skill followed by itself was loaded again, which costs its text
-- again. A subagent's session is another session, so a parent's skill followed by a child's is not seen.
with

ordered_uses as (
    select
        session_id,
        skill_name as from_skill,
        loaded_at,
        lead(skill_name) over (partition by session_id order by loaded_at, part_id) as next_skill,
        lead(loaded_at) over (partition by session_id order by loaded_at, part_id) as next_loaded_at,
    from skill_loads
    -- A use that only telemetry knows has no place among the others.
    where skill_name is not null and is_load and evidence <> 'telemetry'
),

transitions as (
    select
        from_skill,
        coalesce(next_skill, '(end)') as to_skill,
        count(*) as transition_count,
        count(distinct session_id) as session_count,
        quantile_cont(next_loaded_at - loaded_at, 0.5) as p50_gap_ms,
    from ordered_uses
    group by from_skill, coalesce(next_skill, '(end)')
),

final as (
    select
        from_skill,
        to_skill,
        transition_count,
        session_count,
        cast(sum(transition_count) over (partition by from_skill) as bigint) as from_count,
        cast(transition_count as double) / sum(transition_count) over (partition by from_skill) as transition_ratio,
        wilson_low(transition_count, cast(sum(transition_count) over (partition by from_skill) as bigint)) as ci_low,
        wilson_high(transition_count, cast(sum(transition_count) over (partition by from_skill) as bigint)) as ci_high,
        p50_gap_ms,
    from transitions
)

select * from final
order by transition_count desc, from_skill, to_skill
