-- check:   chk_fork_copies
-- title:   Every fork copy has a record that counts
-- sources: fork_copies_raw, stg_messages
--
-- A message is left out as a fork's copy only because another one counts for it. That other one must be there, must
-- not be a copy itself, and must have the same cost and tokens; otherwise spend would be lost from the totals.
with

copies as (
    select message_id, record_message_id from fork_copies_raw where is_fork_copy
),

judged as (
    select
        copies.message_id,
        copies.record_message_id,
        case
            when records.message_id is null then 'its record is not there'
            when record_copies.message_id is not null then 'its record is itself a copy'
            when originals.cost_usd is distinct from records.cost_usd then 'its record has another cost'
            when originals.output_tokens is distinct from records.output_tokens then 'its record has other tokens'
        end as problem,
    from copies
    inner join stg_messages as originals on copies.message_id = originals.message_id
    left join stg_messages as records on copies.record_message_id = records.message_id
    left join copies as record_copies on copies.record_message_id = record_copies.message_id
),

final as (
    select
        'fork_copies' as rule,
        message_id as subject,
        problem || ': ' || coalesce(record_message_id, 'unknown') as detail,
    from judged
    where problem is not null
)

select * from final
order by rule, subject
