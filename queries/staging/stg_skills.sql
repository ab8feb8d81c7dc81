-- staging: stg_skills
-- sources: raw_skill
--
-- One row per skill file on disk, found by OpenCode's discovery rules. `is_usable` says that OpenCode would load the
-- file: it is valid and no other file of the same name wins. `is_listed`: its description is also told to the model.
-- `listing_tokens` estimates what listing it costs a request: a quarter of the characters.
with skills as (
    select * from raw_skill
),

renamed as (
    select
        skill_name,
        scope,
        path,
        project_id,
        directory,
        description_chars,
        body_chars,
        cast(ceil(description_chars / 4.0) as bigint) as listing_tokens,
        cast(ceil(body_chars / 4.0) as bigint) as body_tokens,
        content_hash,
        case when modified_at between 1000000000000 and 4102444800000 then modified_at end as modified_at,
        is_hidden,
        is_shadowed,
        problem,
        problem is null and not coalesce(is_shadowed, false) as is_usable,
        problem is null and not coalesce(is_shadowed, false) and not coalesce(is_hidden, false) as is_listed,
    from skills
)

select * from renamed
