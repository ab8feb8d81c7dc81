-- staging: stg_routes
-- sources: raw_route
--
-- One row per intent, or named chain of skills, of the route tables that hold: the user's own where found, else those
-- that Tachikoma shipped, by era (e1 Python, e2 bun, e3 plugin). `project_id` NULL: all projects that have no table of
-- their own for the era. `skills` are comma-separated; an intent without any is direct, or asks the user.
with routes as (
    select * from raw_route
)

select
    project_id,
    era,
    kind,
    name,
    skills,
    invoke_via,
    threshold,
    strategy,
    origin,
    is_fallback,
from routes
