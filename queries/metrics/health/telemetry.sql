-- metric:    telemetry
-- title:     Telemetry
-- grain:     one row per telemetry file (path)
-- units:     event_count=count, skill_count=count, edit_count=count, rlm_count=count, intent_count=count, verification_count=count, tool_error_count=count, matched_count=count, matched_ratio=ratio, contradiction_count=count, problem_count=count, absurd_time_count=count, duplicate_count=count, bad_line_count=count, total_count=count, size_bytes=bytes
-- sources:   stg_telemetry_files, telemetry_events
-- evidence:  observed
-- better:    neutral
-- chart:     none
--
-- What skills, hooks and scripts wrote down beside the database, file by file. Events are counted in the period, by kind;
-- an event without a time that can be true is in no period but everything. Matched events tell of a part of the
-- database; of the others, routing decisions, runs and verdicts may join by time in their marts, and what joins nothing
-- is a row of its own (see `evidence` there). A contradiction is a value that both sides have and that differs: the
-- event's word counts. A problem is a value that made no sense and is unknown. Duplicates (ids known already), bad lines
-- (they are in the quarantine) and counters without events are those of the whole file when it was last read.
with

files as (
    select * from stg_telemetry_files
),

event_sums as (
    select
        path,
        count(*) as event_count,
        count(*) filter (where kind = 'skill') as skill_count,
        count(*) filter (where kind = 'edit') as edit_count,
        count(*) filter (where kind = 'rlm') as rlm_count,
        count(*) filter (where kind = 'intent') as intent_count,
        count(*) filter (where kind = 'verification') as verification_count,
        count(*) filter (where kind = 'tool_error') as tool_error_count,
        count(matched_part_id) as matched_count,
        count(*) filter (where is_contradiction) as contradiction_count,
        count(problem) as problem_count,
        count(*) filter (where has_absurd_time) as absurd_time_count,
    from telemetry_events
    group by path
),

final as (
    select
        files.path,
        files.format,
        files.is_by_hand,
        coalesce(event_sums.event_count, 0) as event_count,
        coalesce(event_sums.skill_count, 0) as skill_count,
        coalesce(event_sums.edit_count, 0) as edit_count,
        coalesce(event_sums.rlm_count, 0) as rlm_count,
        coalesce(event_sums.intent_count, 0) as intent_count,
        coalesce(event_sums.verification_count, 0) as verification_count,
        coalesce(event_sums.tool_error_count, 0) as tool_error_count,
        coalesce(event_sums.matched_count, 0) as matched_count,
        cast(event_sums.matched_count as double) / nullif(event_sums.event_count, 0) as matched_ratio,
        coalesce(event_sums.contradiction_count, 0) as contradiction_count,
        coalesce(event_sums.problem_count, 0) as problem_count,
        coalesce(event_sums.absurd_time_count, 0) as absurd_time_count,
        files.duplicate_count,
        files.bad_line_count,
        files.total_count,
        files.size_bytes,
        files.note,
    from files
    left join event_sums
        on files.path = event_sums.path
)

select * from final
order by path
