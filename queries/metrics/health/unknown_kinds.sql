-- metric:    unknown_kinds
-- title:     Unknown kinds
-- grain:     one row per (kind, name)
-- units:     row_count=count, session_count=count, first_at=at, last_at=at
-- sources:   stg_parts, stg_messages, stg_sessions, stg_signals, stg_routes, stg_model_formats
-- evidence:  observed
-- better:    lower
-- chart:     none
--
-- Words in the whole store that this version of Logicoma has never seen: types of messages and parts, tools, states of
-- calls, finish reasons, errors; also intents that no route table names and edit formats that nobody knows. They are
-- counted where a count needs no meaning, and otherwise left alone; many of them mean that OpenCode is newer than the
-- versions known here. Tools named `server_tool` are taken for an MCP
-- server's and are in mcp_servers; a plugin's tool without an underscore is here, and is no harm.
with

words as (
    select
        'part type' as kind, coalesce(part_type, '(none)') as name, part_id as row_id, session_id,
        coalesce(started_at, row_created_at) as seen_at,
        coalesce(part_type, '') in (
            'text', 'reasoning', 'file', 'agent', 'subtask', 'skill', 'tool', 'step-start', 'step-finish', 'snapshot',
            'patch', 'retry', 'compaction'
        ) as is_known
    from stg_parts
    union all
    select
        'tool', coalesce(tool_name, '(none)'), part_id, session_id, coalesce(started_at, row_created_at),
        coalesce(tool_name, '') in (
            'invalid', 'question', 'bash', 'read', 'glob', 'grep', 'edit', 'write', 'task', 'webfetch', 'todowrite',
            'websearch', 'skill', 'apply_patch', 'execute', 'lsp', 'plan_enter', 'plan_exit', 'list', 'patch',
            'multiedit', 'todoread', 'codesearch', 'batch', 'rlm_repl', 'rubric-verify', 'verification-report', 'rubric-config',
            'clear-verification-cache', 'skill-metrics', 'competence-report', 'tracking-stats'
        ) or tool_name like '%\_%' escape '\' or regexp_matches(tool_name, '^(tachikoma|(memory|graph|index)-)')
    from stg_parts
    where part_type = 'tool'
    union all
    select
        'call state', coalesce(status, '(none)'), part_id, session_id, coalesce(started_at, row_created_at),
        coalesce(status, '') in ('pending', 'running', 'completed', 'error')
    from stg_parts
    where part_type = 'tool'
    union all
    select
        'message type', coalesce(kind, '(none)'), message_id, session_id, coalesce(created_at, row_created_at),
        coalesce(kind, '') in (
            'user', 'assistant', 'system', 'synthetic', 'skill', 'shell', 'compaction', 'agent-switched',
            'model-switched', 'location-switched', 'idle'
        )
    from stg_messages
    union all
    select
        'finish reason', finish_reason, message_id, session_id, coalesce(created_at, row_created_at),
        finish_reason in ('stop', 'tool-calls', 'length', 'unknown', 'content-filter', 'error', 'other')
    from stg_messages
    where role = 'assistant' and finish_reason is not null
    union all
    select
        'error', error_name, message_id, session_id, coalesce(created_at, row_created_at),
        error_name in (
            'APIError', 'ProviderAuthError', 'MessageAbortedError', 'MessageOutputLengthError', 'ContextOverflowError',
            'ContentFilterError', 'StructuredOutputError', 'UnknownError'
        )
    from stg_messages
    where error_name is not null
    union all
    select
        'intent', predicted_intent, part_id, session_id, said_at,
        predicted_intent = 'unclear' or predicted_intent in (select name from stg_routes where kind = 'intent')
    from stg_signals
    where predicted_intent is not null and origin <> 'text'
    union all
    select
        'edit format', format, name_part, null, null,
        format in ('str_replace', 'str_replace_fuzzy', 'apply_patch', 'hashline', 'editblock', 'whole', 'udiff', 'patch')
    from stg_model_formats
),

final as (
    select
        words.kind,
        words.name,
        count(*) as row_count,
        count(distinct words.session_id) as session_count,
        min(words.seen_at) as first_at,
        max(words.seen_at) as last_at,
        string_agg(distinct stg_sessions.version, ', ' order by stg_sessions.version) as versions,
        min(words.row_id) as example_id,
    from words
    left join stg_sessions
        on words.session_id = stg_sessions.session_id
    where not words.is_known
    group by words.kind, words.name
)

select * from final
order by kind, row_count desc, name
