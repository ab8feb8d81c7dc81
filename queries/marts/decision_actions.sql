-- mart: decision_actions
-- grain: one row per call in a decision's window that tells what came of it
-- sources: mart_decision_windows, mart_tool_calls, mart_session_ancestors, mart_signals
-- time: none
-- stored: no
--
-- What was done under a decision, in its own session and in those that `task` started inside the window (while the task
-- ran). A target is a skill that was loaded, a skill's script that ran, or an agent that was asked, and that succeeded;
-- the skill intent-classifier only decides. Reading a SKILL.md is too weak to count.
-- Columns: decision_id, part_id, kind (target, edit, question, escalation), target (skill or agent), place (order in
-- the window, over all sessions).
with windows as (
    select * from mart_decision_windows
),

calls as (
    select * from mart_tool_calls
),

ancestors as (
    select * from mart_session_ancestors
),

escalations as (
    select * from mart_signals where kind = 'escalation' or verdict = 'ESCALATE'
),

events as (
    select
        part_id,
        session_id,
        turn_index,
        part_index,
        started_at,
        ended_at,
        child_session_id,
        case
            when tool_name = 'question' then 'question'
            when edit_outcome = 'applied' then 'edit'
            when is_failed or is_unfinished then 'other'
            when tool_class = 'task' or (coalesce(skill_via, '') in ('skill_tool', 'bash_router')
                and skill_name is distinct from 'intent-classifier')
                then 'target'
            else 'other'
        end as kind,
        case when tool_class = 'task' then subagent_type else skill_name end as target,
    from calls
    where tool_name = 'question' or edit_outcome = 'applied' or tool_class = 'task' or skill_via is not null

    union all

    select part_id, session_id, turn_index, part_index, said_at, said_at, null, 'escalation', null
    from escalations
),

own as (
    select
        windows.decision_id,
        events.*,
        events.part_index as anchor_index,
        0 as depth,
    from windows
    inner join events
        on windows.session_id = events.session_id
            and windows.turn_index = events.turn_index
            and (windows.part_index < events.part_index
                or (events.kind = 'escalation' and windows.part_index = events.part_index))
            and (windows.next_part_index is null or events.part_index < windows.next_part_index)
),

below as (
    select
        own.decision_id,
        events.*,
        own.anchor_index,
        1 as depth,
    from own
    inner join ancestors
        on own.child_session_id = ancestors.ancestor_id
    inner join events
        on ancestors.session_id = events.session_id
            and events.started_at >= own.started_at
            and (own.ended_at is null or events.started_at <= own.ended_at)
    where own.child_session_id is not null and own.session_id <> events.session_id
),

final as (
    select
        decision_id,
        part_id,
        kind,
        target,
        row_number() over (
            partition by decision_id
            order by anchor_index, depth, started_at, part_index, part_id
        ) as place,
    from (
        select * from own
        union all
        select * from below
    ) as joined
    where kind <> 'other' and (kind <> 'target' or target is not null)
)

select * from final
