-- mart: decision_predictions
-- grain: one row per routing decision
-- sources: mart_decision_windows, mart_signals, stg_routes
-- time: none
-- stored: no
--
-- What a decision predicts: skills or agents. In this order: the skills that were printed; the chain that was named (its
-- skills stand in the user's own table); the route that was printed; the route table of the era. The second era's
-- router prints its default, code-agent, for intents that belong to an agent: there the table comes first. An intent
-- that the table routes to no skill is direct. `unclear` predicts nothing; a way through the graph its nodes. Where a
-- chain was named that no table knows, the route is only a part of what was predicted.
-- Columns: decision_id, signal_position, era, predicted_intent, route_project_id (project whose own table holds; NULL = the
-- one for all), predicted_skills (comma-separated), predicted_by (printed, chain, table), is_partial, is_direct, is_unclear,
-- route_threshold, route_strategy.
with windows as (
    select * from mart_decision_windows
),

signals as (
    select * from mart_signals
),

routes as (
    select * from stg_routes
),

scopes as (
    select distinct project_id, era from routes where project_id is not null
),

said as (
    select
        windows.decision_id,
        windows.signal_position,
        signals.kind,
        coalesce(signals.era, 'e1') as era,
        signals.predicted_intent,
        signals.predicted_skills,
        signals.route,
        signals.strategy,
        lower(signals.workflow) as workflow,
        scopes.project_id as route_project_id,
    from windows
    inner join signals
        on windows.decision_id = signals.part_id and windows.signal_position = signals.signal_position
    left join scopes
        on signals.project_id = scopes.project_id and coalesce(signals.era, 'e1') = scopes.era
),

chains as (
    select
        said.decision_id,
        min(routes.skills) as skills,
    from said
    inner join routes
        on said.workflow = routes.name
            and said.era = routes.era
            and said.route_project_id is not distinct from routes.project_id
    where routes.kind <> 'intent'
    group by said.decision_id
),

final as (
    select
        said.decision_id,
        said.signal_position,
        said.era,
        said.predicted_intent,
        said.route_project_id,
        case
            when said.kind <> 'graph_route' and coalesce(said.predicted_intent, 'unclear') = 'unclear' then null
            when said.kind = 'confidence' then routes.skills
            when said.predicted_skills is not null then said.predicted_skills
            when chains.skills is not null then chains.skills
            when said.route is not null and said.era = 'e2' and routes.invoke_via = 'subagent'
                then routes.skills || case when said.route <> routes.skills then ',' || said.route else '' end
            when said.route is not null then said.route
            else routes.skills
        end as predicted_skills,
        case
            when said.kind <> 'graph_route' and coalesce(said.predicted_intent, 'unclear') = 'unclear' then null
            when said.kind <> 'confidence' and said.predicted_skills is not null then 'printed'
            when said.kind <> 'confidence' and chains.skills is not null then 'chain'
            when said.kind <> 'confidence' and said.route is not null
                and not coalesce(said.era = 'e2' and routes.invoke_via = 'subagent', false)
                then 'printed'
            when routes.name is not null then 'table'
        end as predicted_by,
        said.kind <> 'confidence' and said.workflow is not null and chains.skills is null and said.predicted_skills is null
            as is_partial,
        coalesce(
            said.predicted_intent <> 'unclear'
            and said.predicted_skills is null and said.route is null and chains.skills is null
            and routes.skills is null
            and (routes.invoke_via = 'direct' or (said.era = 'e3' and said.strategy = 'direct')),
            false
        ) as is_direct,
        coalesce(said.predicted_intent = 'unclear', false) as is_unclear,
        routes.threshold as route_threshold,
        routes.strategy as route_strategy,
    from said
    left join routes
        on said.predicted_intent = routes.name
            and said.era = routes.era
            and routes.kind = 'intent'
            and said.route_project_id is not distinct from routes.project_id
    left join chains
        on said.decision_id = chains.decision_id
)

select * from final
