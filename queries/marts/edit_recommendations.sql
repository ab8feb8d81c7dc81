-- mart: edit_recommendations
-- grain: one row per model that made edits
-- sources: mart_edit_attempts, mart_signals, stg_model_formats
-- time: none
--
-- The edit format that Tachikoma recommends for a model, over all history: what its selector printed last, else the table
-- that holds in the project with most of the model's edits. The first name decides that the model's id contains, or
-- equals where the table says so. str_replace_fuzzy is OpenCode's edit, which tries fuzzy matches by itself.
-- Columns: model, recommended_format (NULL = none), recommended_by (printed, shipped, or the table's file).
with models as (
    select
        edit_attempts.model,
        lower(regexp_replace(edit_attempts.model, '^[^/]*/', '')) as model_id,
        own_tables.project_id as table_project_id,
        count(*) as call_count,
    from mart_edit_attempts as edit_attempts
    left join (select distinct project_id from stg_model_formats where project_id is not null) as own_tables
        on edit_attempts.project_id = own_tables.project_id
    group by edit_attempts.model, own_tables.project_id
),

by_table as (
    select
        models.model,
        models.call_count,
        min_by(stg_model_formats.format, stg_model_formats.place) as format,
        min_by(stg_model_formats.origin, stg_model_formats.place) as origin,
    from models
    inner join stg_model_formats
        on models.table_project_id is not distinct from stg_model_formats.project_id
        and case
            when stg_model_formats.is_exact then stg_model_formats.name_part in (models.model_id, lower(models.model))
            else contains(models.model_id, stg_model_formats.name_part)
        end
    group by models.model, models.table_project_id, models.call_count
),

printed as (
    select
        lower(regexp_replace(chosen_model, '^[^/]*/', '')) as model_id,
        max_by(chosen_format, said_at) as format,
    from mart_signals
    where kind = 'edit_choice' and chosen_model is not null and chosen_format is not null
    group by lower(regexp_replace(chosen_model, '^[^/]*/', ''))
),

final as (
    select
        models.model,
        replace(
            coalesce(min(printed.format), max_by(by_table.format, by_table.call_count)), 'str_replace_fuzzy', 'str_replace'
        ) as recommended_format,
        case
            when min(printed.format) is not null then 'printed'
            else max_by(by_table.origin, by_table.call_count)
        end as recommended_by,
    from models
    left join by_table
        on models.model = by_table.model
    left join printed
        on models.model_id = printed.model_id
    group by models.model
)

select * from final
