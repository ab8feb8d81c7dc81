-- metric:    skill_pairs
-- title:     Skills used together
-- grain:     one row per (skill_a, skill_b), a before b by name
-- units:     pair_session_count=count, a_session_count=count, b_session_count=count, either_session_count=count, session_count=count, pair_ratio=ratio, ci_low=ratio, ci_high=ratio, lift=score, lift_ci_low=score, lift_ci_high=score, q_value=score
-- sources:   skill_loads
-- evidence:  derived
-- better:    neutral
-- chart:     matrix x=skill_a y=skill_b by=lift
--
-- Which skills go together in a session, among the sessions that used any skill. lift is how much oftener than by
-- chance: 1 is chance, lift_ci_low to lift_ci_high its 95 % interval (of the logarithm), and q_value says how likely
-- chance alone would do it, adjusted for all the pairs that are looked at (Benjamini-Hochberg). pair_ratio is both
-- among either. A pair that always goes together may be one skill in two files. Weak uses count.
with

session_skills as (
    select distinct
        session_id,
        skill_name,
    from skill_loads
    where skill_name is not null and is_load and session_id is not null
),

session_total as (
    select count(distinct session_id) as session_count from session_skills
),

skill_totals as (
    select
        skill_name,
        count(*) as skill_session_count,
    from session_skills
    group by skill_name
),

pairs as (
    select
        first_skills.skill_name as skill_a,
        second_skills.skill_name as skill_b,
        count(*) as pair_session_count,
    from session_skills as first_skills
    inner join session_skills as second_skills
        on first_skills.session_id = second_skills.session_id
        and first_skills.skill_name < second_skills.skill_name
    group by first_skills.skill_name, second_skills.skill_name
),

counted as (
    select
        pairs.skill_a,
        pairs.skill_b,
        pairs.pair_session_count,
        a_totals.skill_session_count as a_session_count,
        b_totals.skill_session_count as b_session_count,
        a_totals.skill_session_count + b_totals.skill_session_count - pairs.pair_session_count as either_session_count,
        session_total.session_count,
    from pairs
    inner join skill_totals as a_totals on pairs.skill_a = a_totals.skill_name
    inner join skill_totals as b_totals on pairs.skill_b = b_totals.skill_name
    cross join session_total
),

scored as (
    select
        *,
        cast(pair_session_count as double) * session_count / a_session_count / b_session_count as lift,
        sqrt(greatest(0, 1.0 / pair_session_count - 1.0 / a_session_count
            + 1.0 / b_session_count - 1.0 / session_count)) as lift_error,
        (cast(pair_session_count as double) * session_count - cast(a_session_count as double) * b_session_count)
        / nullif(sqrt(cast(a_session_count as double) * b_session_count * (session_count - a_session_count)
            * (session_count - b_session_count) / session_count), 0) as z_score,
    from counted
),

ranked as (
    select
        *,
        normal_tails(z_score) as p_value,
        row_number() over (order by abs(z_score) desc nulls last, skill_a, skill_b) as place,
        count(z_score) over () as test_count,
    from scored
),

final as (
    select
        skill_a,
        skill_b,
        pair_session_count,
        a_session_count,
        b_session_count,
        either_session_count,
        session_count,
        cast(pair_session_count as double) / either_session_count as pair_ratio,
        wilson_low(pair_session_count, either_session_count) as ci_low,
        wilson_high(pair_session_count, either_session_count) as ci_high,
        lift,
        lift * exp(-1.959964 * lift_error) as lift_ci_low,
        lift * exp(1.959964 * lift_error) as lift_ci_high,
        case
            when p_value is not null then least(1.0, min(p_value * test_count / place) over (
                order by place desc
                rows between unbounded preceding and current row
            ))
        end as q_value,
    from ranked
)

select * from final
order by pair_session_count desc, lift desc, skill_a, skill_b
