-- metric:    rlm_accuracy
-- title:     Chunks that found something
-- grain:     one row per (subagent_type, model)
-- units:     run_count=count, chunk_count=count, result_count=count, relevant_count=count, accuracy=ratio, ci_low=ratio, ci_high=ratio, failed_count=count, unreadable_count=count, finding_count=count, tokens_per_relevant=tokens, cost_per_relevant_usd=usd
-- sources:   rlm_chunks
-- evidence:  derived
-- better:    neutral
-- chart:     interval x=model y=accuracy
--
-- The share of chunk results that name at least one relevant point: what Tachikoma calls accuracy (the chunk contributed
-- to the answer). Not whether the point was true, and a run over text that holds nothing is rightly low. n is
-- the results in the form that RLM workers are told to use; failed chunks and results in another form are counted apart
-- and are in no rate.
with

final as (
    select
        subagent_type,
        model,
        count(distinct run_id) as run_count,
        count(*) as chunk_count,
        count(is_relevant) as result_count,
        count(*) filter (where is_relevant) as relevant_count,
        cast(count(*) filter (where is_relevant) as double) / nullif(count(is_relevant), 0) as accuracy,
        wilson_low(count(*) filter (where is_relevant), count(is_relevant)) as ci_low,
        wilson_high(count(*) filter (where is_relevant), count(is_relevant)) as ci_high,
        count(*) filter (where not is_ok) as failed_count,
        count(*) filter (where is_ok and is_relevant is null) as unreadable_count,
        cast(sum(relevant_count) as bigint) as finding_count,
        cast(sum(tokens) as double) / nullif(count(*) filter (where is_relevant), 0) as tokens_per_relevant,
        sum(cast(round(cost_usd * 1e9) as bigint)) / 1e9 / nullif(count(*) filter (where is_relevant), 0)
            as cost_per_relevant_usd,
    from rlm_chunks
    group by subagent_type, model
)

select * from final
order by chunk_count desc, subagent_type, model
