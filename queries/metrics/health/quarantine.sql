-- metric:    quarantine
-- title:     Quarantine
-- grain:     one row per source row that could not be decoded
-- units:     created_at=at
-- sources:   stg_quarantine
-- evidence:  observed
-- better:    lower
-- chart:     none
--
-- The rows of OpenCode's database that could not be read, and why. They are in no sum and no rate, but never dropped in
-- silence: all of the store are here whatever the period, since many of them have no time that could be trusted. A
-- value of a wrong type inside a good row is no reason: that value alone is unknown. The raw text stays in the
-- store's table `quarantine`.
with

bad_rows as (
    select
        table_name,
        row_id,
        reason,
        session_id,
        created_at,
        source,
    from stg_quarantine
)

select * from bad_rows
order by table_name, row_id, reason, source
