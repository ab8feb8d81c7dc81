-- mart: rlm_calls
-- grain: one row per call of an RLM run
-- sources: mart_signals, mart_tool_calls, mart_skill_asks, mart_decision_windows
-- time: none
-- stored: no
--
-- The calls that make up runs over large contexts: chunkers, the REPL, results that a program printed, and subagents
-- whose type begins with `rlm`. A run is those of one window: a turn, cut where another skill is loaded or another
-- decision is taken. Looking at the REPL's state or resetting it starts no run; neither does the self-test of the
-- parallel processor, which is no signal at all.
-- Columns: part_id, run_id (part id of its first call), kind (rlm_chunker, rlm_repl, rlm_run, chunk), signal_position
-- (NULL for chunks), part_index.
with signals as (
    select * from mart_signals
    where kind in ('rlm_chunker', 'rlm_run')
        or (kind = 'rlm_repl' and coalesce(action, '') not in ('status', 'reset', 'export-buffers'))
),

tasks as (
    select * from mart_tool_calls
    where tool_class = 'task' and (subagent_type like 'rlm-%' or subagent_type like 'rlm\_%' escape '\')
),

window_skills as (
    select
        window_id,
        min(skill_name) as skill_name,
    from mart_skill_asks
    where is_load and window_id is not null
    group by window_id
),

decisions as (
    select * from mart_decision_windows
),

calls as (
    select part_id, kind, signal_position, session_id, turn_index, part_index, window_id from signals
    union all
    select part_id, 'chunk', null, session_id, turn_index, part_index, window_id from tasks
),

placed as (
    select
        calls.*,
        coalesce(window_skills.skill_name, '') as skill_name,
        coalesce(decisions.decision_id, '') as decision_id,
    from calls
    left join window_skills
        on calls.window_id = window_skills.window_id
    left join decisions
        on calls.session_id = decisions.session_id
            and calls.turn_index = decisions.turn_index
            and calls.part_index >= decisions.part_index
            and (decisions.next_part_index is null or calls.part_index < decisions.next_part_index)
),

opened as (
    select
        *,
        case
            when lag(part_id) over in_turn is null
                or lag(skill_name) over in_turn <> skill_name
                or lag(decision_id) over in_turn <> decision_id
                then part_id
        end as opening_id,
    from placed
    window in_turn as (
        partition by session_id, turn_index
        order by part_index, signal_position nulls last
    )
),

final as (
    select
        part_id,
        last_value(opening_id ignore nulls) over (
            partition by session_id, turn_index
            order by part_index, signal_position nulls last
            rows between unbounded preceding and current row
        ) as run_id,
        kind,
        signal_position,
        part_index,
    from opened
)

select * from final
