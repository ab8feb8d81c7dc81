-- mart: verifying_windows
-- grain: one row per window of a skill that verifies
-- sources: mart_skill_asks
-- time: none
-- reach: session
-- stored: no
--
-- Windows in which edits and checks are one loop: those of dev, verification and verifier-code-agent.
-- Columns: window_id, skill_name.
with asks as (
    select * from mart_skill_asks
    where skill_name in ('dev', 'verification', 'verifier-code-agent') and is_load and window_id is not null
)

select
    window_id,
    min(skill_name) as skill_name,
from asks
group by window_id
