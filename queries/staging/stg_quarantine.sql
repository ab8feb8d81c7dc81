-- staging: stg_quarantine
-- sources: raw_quarantine
--
-- One row per source row that could not be decoded. The raw text stays in the store; it is not needed to count.
with quarantine as (
    select * from raw_quarantine
),

renamed as (
    select
        table_name,
        row_id,
        session_id,
        reason,
        case when time_created between 1000000000000 and 4102444800000 then time_created end as created_at,
        source,
    from quarantine
)

select * from renamed
