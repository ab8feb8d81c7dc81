-- metric:    skill_unknown
-- title:     Skills asked for that are not there
-- grain:     one row per skill_name
-- units:     ask_count=count, session_count=count, nearest_similarity=score, recovered_count=count, recovered_ratio=ratio, ci_low=ratio, ci_high=ratio, first_asked_at=at, last_asked_at=at
-- sources:   skill_loads, skills
-- evidence:  derived
-- better:    lower
-- chart:     bar x=skill_name y=ask_count
--
-- Names that agents asked for and did not get: typos to be forgiven by a clearer name, or skills worth writing. The
-- nearest name is sought among the files installed now and the names that the error listed then, with case, '-' and
-- '_' folded; none is given below a Jaro-Winkler similarity of 0.8. A nearest name equal to the asked one means that
-- the skill exists, but not where it was asked for. Recovered: the nearest name was loaded later in the same session.
-- Asks that a rule denied are not here.
with

asks as (
    select
        part_id,
        session_id,
        skill_name,
        project_name,
        loaded_at,
        available_skills,
        lower(replace(replace(replace(skill_name, '-', ''), '_', ''), ' ', '')) as folded_name,
    from skill_loads
    where status = 'error'
        and skill_name is not null
        and (
            lower(error_message) like '%not found%'
            or lower(error_message) like 'unable to load skill%'
            or lower(error_message) like '%is an agent, not a skill%'
        )
),

completed_loads as (
    select part_id, session_id, skill_name, loaded_at
    from skill_loads
    where is_load
),

candidates as (
    select skill_name as candidate_name
    from skills
    where problem is null and not coalesce(is_hidden, false)
    union
    select trim(unnest(string_split(available_skills, ','))) as candidate_name
    from asks
),

scored as (
    select
        asked.skill_name,
        candidates.candidate_name,
        jaro_winkler_similarity(
            asked.folded_name,
            lower(replace(replace(replace(candidates.candidate_name, '-', ''), '_', ''), ' ', ''))
        ) as similarity,
        levenshtein(asked.skill_name, candidates.candidate_name) as distance,
    from (select distinct skill_name, folded_name from asks) as asked
    cross join candidates
    where candidates.candidate_name <> ''
),

nearest as (
    select
        skill_name,
        candidate_name as nearest_name,
        similarity as nearest_similarity,
        row_number() over (
            partition by skill_name
            order by similarity desc, distance, candidate_name
        ) as candidate_rank,
    from scored
    where similarity >= 0.8
),

judged as (
    select
        asks.*,
        nearest.nearest_name,
        nearest.nearest_similarity,
        exists (
            select 1
            from completed_loads
            where completed_loads.session_id = asks.session_id
                and completed_loads.skill_name = nearest.nearest_name
                and (completed_loads.loaded_at, completed_loads.part_id) > (asks.loaded_at, asks.part_id)
        ) as is_recovered,
    from asks
    left join nearest
        on asks.skill_name = nearest.skill_name
        and nearest.candidate_rank = 1
),

final as (
    select
        skill_name,
        count(*) as ask_count,
        count(distinct session_id) as session_count,
        min(nearest_name) as nearest_name,
        min(nearest_similarity) as nearest_similarity,
        coalesce(min(nearest_name) = skill_name, false) as is_installed_elsewhere,
        count(*) filter (where is_recovered) as recovered_count,
        cast(count(*) filter (where is_recovered) as double) / count(*) as recovered_ratio,
        wilson_low(count(*) filter (where is_recovered), count(*)) as ci_low,
        wilson_high(count(*) filter (where is_recovered), count(*)) as ci_high,
        string_agg(distinct project_name, ', ' order by project_name) as projects,
        min(loaded_at) as first_asked_at,
        max(loaded_at) as last_asked_at,
    from judged
    group by skill_name
)

select * from final
order by ask_count desc, last_asked_at desc, skill_name
