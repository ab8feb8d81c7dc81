-- staging: stg_model_formats
-- sources: raw_model_format
--
-- One row per name that decides on the edit format that Tachikoma recommends for a model: the first that the model's
-- id contains (or equals, where `is_exact`) decides. `project_id` NULL: all projects without a table of their own.
with model_formats as (
    select * from raw_model_format
)

select
    project_id,
    place,
    name_part,
    is_exact,
    format,
    origin,
from model_formats
