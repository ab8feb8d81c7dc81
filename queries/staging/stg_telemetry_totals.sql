-- staging: stg_telemetry_totals
-- sources: raw_telemetry_total
--
-- Counters that telemetry files keep without the events behind them. They stand beside rows and are never added to them:
-- `meaning` says what a counter really counts, and `is_lower_bound` that the true figure is this or more.
with totals as (
    select * from raw_telemetry_total
),

renamed as (
    select
        path,
        source,
        project_id,
        directory,
        kind,
        subject,
        format,
        counter,
        value,
        is_lower_bound,
        meaning,
        case when updated_at between 1000000000000 and 4102444800000 then updated_at end as updated_at,
    from totals
)

select * from renamed
