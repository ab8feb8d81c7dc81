-- metric:    skill_outcomes
-- title:     With and without a skill
-- grain:     one row per skill_name
-- units:     stratum_count=count, with_turn_count=count, with_ok_ratio=ratio, ci_low=ratio, ci_high=ratio, without_turn_count=count, without_ok_ratio=ratio, difference_ratio=ratio, difference_ci_low=ratio, difference_ci_high=ratio, q_value=score, with_p50_tokens=tokens, with_p50_tokens_ci_low=tokens, with_p50_tokens_ci_high=tokens, without_p50_tokens=tokens, without_p50_tokens_ci_low=tokens, without_p50_tokens_ci_high=tokens, with_p50_cost_usd=usd, without_p50_cost_usd=usd, with_tool_error_ratio=ratio, without_tool_error_ratio=ratio, unmatched_turn_count=count
-- sources:   turns, skill_loads
-- evidence:  derived
-- better:    higher
-- chart:     interval x=difference_ratio y=skill_name
--
-- Turns in which a skill was used against turns without it, of the same project and model only. A turn is ok when it
-- ended without an error or an abort. The rate without is weighted to the mix of projects and models of the turns
-- with the skill; turns with the skill that have no counterpart are left out and counted as unmatched. This is
-- observation: a skill is chosen because of the task, so a difference is not its effect. q_value says how likely chance
-- alone would make it, adjusted for all skills (Benjamini-Hochberg). Medians and tool errors are not weighted.
with turn_skills as (
    select distinct turn_id, skill_name from skill_loads where skill_name is not null and turn_id is not null and is_load
),

ended_turns as (
    select
        turn_id, total_tokens, cost_usd, tool_call_count, tool_error_count,
        coalesce(project_id, 'unknown') as project_id, coalesce(model, 'unknown') as model,
        case when outcome = 'completed' then 1 else 0 end as is_ok,
    from turns
    where outcome <> 'open'
),

skill_strata as (select distinct skill_name, project_id, model from turn_skills inner join ended_turns using (turn_id)),

compared_turns as (
    select
        skill_strata.skill_name, ended_turns.*,
        turn_skills.turn_id is not null as is_with,
        count(turn_skills.turn_id) over stratum as with_count,
        count(*) over stratum - count(turn_skills.turn_id) over stratum as without_count,
    from skill_strata inner join ended_turns using (project_id, model)
    left join turn_skills
        on ended_turns.turn_id = turn_skills.turn_id and skill_strata.skill_name = turn_skills.skill_name
    window stratum as (partition by skill_strata.skill_name, ended_turns.project_id, ended_turns.model)
),

strata as (
    select
        skill_name, project_id || '/' || model as stratum,
        min(with_count) as with_count, min(without_count) as without_count,
        cast(sum(is_ok) filter (where is_with) as double) as with_ok,
        cast(sum(is_ok) filter (where not is_with) as double) as without_ok,
        (with_ok + 1) / (min(with_count) + 2) as with_rate,
        (without_ok + 1) / (min(without_count) + 2) as without_rate,
    from compared_turns
    where without_count > 0
    group by skill_name, project_id, model
),

weighted as (
    select
        skill_name,
        count(*) as stratum_count,
        sum(with_count * without_ok / without_count order by stratum) / sum(with_count) as without_ok_ratio,
        sqrt(sum(power(with_count, 2) * (
            with_rate * (1 - with_rate) / (with_count + 2) + without_rate * (1 - without_rate) / (without_count + 2)
        ) order by stratum)) / sum(with_count) as difference_error,
    from strata
    group by skill_name
),

per_skill as (
    select
        skill_name,
        count(*) filter (where is_with and without_count > 0) as with_turn_count,
        count(*) filter (where is_with and without_count > 0 and is_ok = 1) as with_ok_count,
        count(*) filter (where not is_with) as without_turn_count,
        count(*) filter (where is_with and without_count = 0) as unmatched_turn_count,
        quantile_cont(total_tokens, 0.5) filter (where is_with and without_count > 0) as with_p50_tokens,
        median_low(case when is_with and without_count > 0 then total_tokens end) as with_p50_tokens_ci_low,
        median_high(case when is_with and without_count > 0 then total_tokens end) as with_p50_tokens_ci_high,
        quantile_cont(total_tokens, 0.5) filter (where not is_with) as without_p50_tokens,
        median_low(case when not is_with then total_tokens end) as without_p50_tokens_ci_low,
        median_high(case when not is_with then total_tokens end) as without_p50_tokens_ci_high,
        quantile_cont(cost_usd, 0.5) filter (where is_with and without_count > 0) as with_p50_cost_usd,
        quantile_cont(cost_usd, 0.5) filter (where not is_with) as without_p50_cost_usd,
        cast(sum(tool_error_count) filter (where is_with and without_count > 0) as double)
        / nullif(sum(tool_call_count) filter (where is_with and without_count > 0), 0) as with_tool_error_ratio,
        cast(sum(tool_error_count) filter (where not is_with) as double)
        / nullif(sum(tool_call_count) filter (where not is_with), 0) as without_tool_error_ratio,
    from compared_turns
    group by skill_name
),

tested as (
    select
        skill_name, stratum_count, without_ok_ratio, difference_error,
        cast(with_ok_count as double) / with_turn_count - without_ok_ratio as difference_ratio,
        normal_tails((cast(with_ok_count as double) / with_turn_count - without_ok_ratio) / difference_error) as p_value,
    from per_skill inner join weighted using (skill_name)
),

adjusted as (
    select *, least(1.0, min(p_value * test_count / place) over (order by place desc)) as q_value,
    from (
        select *, row_number() over (order by p_value, skill_name) as place, count(*) over () as test_count from tested
    ) as ranked
),

final as (
    select
        skill_name, stratum_count, with_turn_count,
        cast(with_ok_count as double) / nullif(with_turn_count, 0) as with_ok_ratio,
        wilson_low(with_ok_count, with_turn_count) as ci_low, wilson_high(with_ok_count, with_turn_count) as ci_high,
        without_turn_count, without_ok_ratio, difference_ratio,
        difference_ratio - 1.96 * difference_error as difference_ci_low,
        difference_ratio + 1.96 * difference_error as difference_ci_high, q_value,
        with_p50_tokens, with_p50_tokens_ci_low, with_p50_tokens_ci_high, without_p50_tokens, without_p50_tokens_ci_low,
        without_p50_tokens_ci_high, with_p50_cost_usd, without_p50_cost_usd, with_tool_error_ratio,
        without_tool_error_ratio, unmatched_turn_count,
    from per_skill left join adjusted using (skill_name)
)

select * from final
order by with_turn_count desc, skill_name
