-- metric:    cost_per_change
-- title:     Cost per change
-- grain:     one row per (project_name, model)
-- units:     turn_count=count, changing_turn_count=count, changing_ratio=ratio, ci_low=ratio, ci_high=ratio, cost_usd=usd, changing_cost_usd=usd, total_tokens=tokens, added_lines=lines, deleted_lines=lines, changed_lines=lines, snapshot_lines=lines, changed_file_count=count, cost_per_line_usd=usd, cost_per_file_usd=usd, changing_cost_per_line_usd=usd, tokens_per_line=tokens
-- sources:   turns, edit_attempts
-- evidence:  derived
-- better:    lower
-- chart:     bar x=model y=cost_per_line_usd by=project_name
--
-- What a changed line and a changed file cost. All turns are paid for, those that only answered too; the changing ones
-- alone are in changing_cost_usd. Lines are those added and deleted by edit tools; what a whole-file write replaced is
-- not recorded, so its deletions are unknown and count as none. snapshot_lines is what git snapshots saw change,
-- commands' work included, where OpenCode recorded it. A line rewritten thrice counts thrice, and more lines are not
-- better. Subagents' turns count in their own model's row.
with

all_turns as (
    select
        coalesce(project_name, 'unknown') as project_name,
        model,
        cast(round(cost_usd * 1e9) as bigint) as nano_usd,
        total_tokens,
        additions,
        deletions,
        diff_additions + diff_deletions as snapshot_lines,
        edit_count > 0 or coalesce(diff_file_count, 0) > 0 as is_changing,
    from turns
),

turn_sums as (
    select
        project_name,
        model,
        count(*) as turn_count,
        count(*) filter (where is_changing) as changing_turn_count,
        sum(nano_usd) / 1e9 as cost_usd,
        coalesce(sum(nano_usd) filter (where is_changing), 0) / 1e9 as changing_cost_usd,
        cast(sum(total_tokens) as bigint) as total_tokens,
        cast(sum(additions) as bigint) as added_lines,
        cast(sum(deletions) as bigint) as deleted_lines,
        cast(sum(additions + deletions) as bigint) as changed_lines,
        cast(sum(snapshot_lines) as bigint) as snapshot_lines,
    from all_turns
    group by project_name, model
),

changed_files as (
    select
        coalesce(turns.project_name, 'unknown') as project_name,
        turns.model,
        edit_attempts.path,
        max(coalesce(edit_attempts.file_count, 1)) as file_count,
    from edit_attempts
    inner join turns
        on edit_attempts.turn_id = turns.turn_id
    where edit_attempts.is_applied
    group by coalesce(turns.project_name, 'unknown'), turns.model, edit_attempts.path
),

file_sums as (
    select
        project_name,
        model,
        cast(sum(file_count) as bigint) as changed_file_count,
    from changed_files
    group by project_name, model
),

final as (
    select
        turn_sums.project_name,
        turn_sums.model,
        turn_count,
        changing_turn_count,
        cast(changing_turn_count as double) / turn_count as changing_ratio,
        wilson_low(changing_turn_count, turn_count) as ci_low,
        wilson_high(changing_turn_count, turn_count) as ci_high,
        cost_usd,
        changing_cost_usd,
        total_tokens,
        added_lines,
        deleted_lines,
        changed_lines,
        snapshot_lines,
        coalesce(changed_file_count, 0) as changed_file_count,
        cost_usd / nullif(changed_lines, 0) as cost_per_line_usd,
        cost_usd / nullif(changed_file_count, 0) as cost_per_file_usd,
        changing_cost_usd / nullif(changed_lines, 0) as changing_cost_per_line_usd,
        cast(total_tokens as double) / nullif(changed_lines, 0) as tokens_per_line,
    from turn_sums
    left join file_sums
        on turn_sums.project_name = file_sums.project_name
        and turn_sums.model = file_sums.model
)

select * from final
order by cost_usd desc nulls last, project_name, model
