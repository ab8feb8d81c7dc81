-- mart: skill_renames
-- grain: one row per skill of Tachikoma that has another name since
-- sources: none
-- time: none
-- stored: no
--
-- What Tachikoma's older skills became. Names are kept as recorded everywhere; who wants to report across the change joins
-- this: `left join skill_renames on skill_name = old_name`, then `coalesce(new_name, skill_name)`.
-- Columns: old_name, new_name.
select *
from (
    values
        ('code-agent', 'dev'), ('code', 'dev'), ('refactor', 'dev'), ('verification', 'dev'),
        ('verifier-code-agent', 'dev'), ('reasoning', 'think'), ('reflection-orchestrator', 'think'),
        ('planning', 'plan'), ('paul', 'plan'), ('carl', 'plan'), ('task-tracking', 'plan'),
        ('workflow-management', 'plan'), ('research', 'context'), ('research-agent', 'context'),
        ('context7', 'context'), ('context-manager', 'context'), ('rlm', 'context'),
        ('opensage-orchestrator', 'meta'), ('skill-composer', 'meta')
) as listed (old_name, new_name)
