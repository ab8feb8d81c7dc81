//! Functions that every query may use, as SQL macros.
//!
//! Input: nothing. Output: SQL that creates them. Staging uses some, so that marts depend on them.

/// SQLite's JSON functions as OpenCode's users know them; intervals for shares, both tails of the normal distribution
/// (Hastings 1955, to seven places), which judge differences where many are compared; numbers in sentences as the report
/// writes them: `12,345`, `12.3` (of a hundred), `$3.41`. `bare_command` is what a shell reads of a command line as commands:
/// no here-documents, what `sh -c` is given in place of it, and quoted text only where nothing in it would part commands;
/// `is_check` tells whether any of them tests, builds or lints.
pub(super) const MACROS: &str = r#"
create or replace macro json_extract(document, path) as
    case when json_valid(document) then
        case json_type(cast(document as json), path)
            when 'VARCHAR' then json_extract_string(cast(document as json), path)
            when 'BOOLEAN' then cast(cast(json_extract_string(cast(document as json), path) = 'true' as integer) as varchar)
            when 'NULL' then null
            else json_extract_string(cast(document as json), path)
        end
    end;
create or replace macro wilson_low(successes, n) as
    case when n > 0 and successes <= 0 then 0.0 when n > 0 and successes is not null then greatest(0.0, (successes / cast(n as double) + 1.9207294 / n
        - 1.959964 * sqrt((successes / cast(n as double)) * (1 - successes / cast(n as double)) / n + 0.9603647 / (cast(n as double) * n)))
        / (1 + 3.8414588 / n)) end;
create or replace macro wilson_high(successes, n) as
    case when n > 0 and successes >= n then 1.0 when n > 0 and successes is not null then least(1.0, (successes / cast(n as double) + 1.9207294 / n
        + 1.959964 * sqrt((successes / cast(n as double)) * (1 - successes / cast(n as double)) / n + 0.9603647 / (cast(n as double) * n)))
        / (1 + 3.8414588 / n)) end;
create or replace macro median_low(x) as
    list_extract(list_sort(list(x) filter (where x is not null)),
        cast(floor((count(x) + 1) / 2.0 - 0.979982 * sqrt(greatest(count(x) - 0.4, 0.0))) as bigint));
create or replace macro median_high(x) as
    list_extract(list_sort(list(x) filter (where x is not null)),
        count(x) + 1 - cast(floor((count(x) + 1) / 2.0 - 0.979982 * sqrt(greatest(count(x) - 0.4, 0.0))) as bigint));
create or replace macro normal_tails(z) as
    exp(-z * z / 2) / (1 + 0.2316418882 * abs(z)) * (0.254829592 + (-0.284496736 + (1.421413741 + (-1.453152027
        + 1.061405429 / (1 + 0.2316418882 * abs(z))) / (1 + 0.2316418882 * abs(z))) / (1 + 0.2316418882 * abs(z)))
        / (1 + 0.2316418882 * abs(z)));
create or replace macro grouped(amount) as replace(format('{:,}', cast(round(amount) as bigint)), '-', '−');
create or replace macro percent(share) as
    case
        when share <> 0 and abs(share) < 0.0005 then case when share < 0 then '−<0.1' else '<0.1' end
        else replace(regexp_replace(format('{:,.1f}', round(100 * share, 1) + 0.0), '[.]0$', ''), '-', '−')
    end;
create or replace macro dollars(usd) as
    case
        when abs(usd) >= 999.995 then replace(format('${:,}', cast(round(usd) as bigint)), '$-', '−$')
        when usd = 0 then '$0'
        when abs(usd) >= 1 then replace(format('${:.2f}', cast(usd as double)), '$-', '−$')
        when abs(usd) >= 0.01 then replace(format('${:.3f}', cast(usd as double)), '$-', '−$')
        else replace(format('${:.4f}', cast(usd as double)), '$-', '−$')
    end;
create or replace macro bare_command(command) as
    case
        when not regexp_matches(command, '[\\"'']|<<') then command
        else regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(
                            command,
                            '(^|[^<])<<-?[ \t]*\\?["'']?[A-Za-z_]\w*["'']?([^\n]*)\n([^\n]*\n)*?[ \t]*([A-Z][A-Z0-9_]*|eof|end)[ \t]*(\n|$)',
                            '\1 \2 ' || chr(10), 'g'
                        ),
                        '(?s)(^|[^<])<<-?[ \t]*\\?["'']?[A-Za-z_]\w*["'']?[^\n]*\n.*$', '\1'
                    ),
                    '\b(?:ba|z|da)?sh -\w*c\s+(?:"((?:[^"\\]|\\.)*)"|''([^'']*)'')', '; \1\2 ;', 'g'
                ),
                '\b(\w+=)(?:"(?:[^"\\]|\\.)*"|''[^'']*'')', '\1_', 'g'
            ),
            '(?s)\\.|"((?:[^"\\;&|(\n]|\\.)*)"|''([^'';&|(\n]*)''|"(?:[^"\\]|\\.)*"|''[^'']*''', '\1\2', 'g'
        )
    end;
create or replace macro is_check(command) as
    regexp_matches(
        lower(bare_command(command)),
        '(^|[;&|(\n])\s*((if|while|until|then|do|else|!|\{)\s+)*(\w+=\S*\s+)*'
        || '(((sudo|doas|env|time|nice|nohup|command|exec|timeout|npx|bunx|(pnpm|yarn)( exec| dlx)?|uvx|(uv|poetry|pipenv|hatch) run|'
        || 'python3? -m|bundle exec)( --?[\w-]\S*( [^\s;&|-][^\s;&|]*)??)*?( [\d.]+[smhd]?)?\s+)(\w+=\S*\s+)*)*(\S*/)?'
        || '(pytest|jest|vitest|mocha|tox|nox|rspec|phpunit|ctest|ruff|mypy|pyright|flake8|pylint|eslint|tsc|biome|shellcheck|'
        || 'golangci-lint|make|cmake --build|\./gradlew|gradle|\./mvnw|mvn|cargo( \+\S+)? (test|nextest|build|check|clippy)|'
        || 'go (test|build|vet)|dotnet (test|build)|swift (test|build)|deno (test|lint|check)|prettier (--check|-c)|'
        || 'cargo( \+\S+)? fmt .*--check|black .*--check|'
        || '(bazel|sbt|mix|just|rake|rails|flutter|hatch|composer|next) (test|spec|build|compile|lint|check|analyze)|'
        || 'pre-commit run|python3? manage\.py test|'
        || 'unittest|((sh|bash|node|ruby|php|python3?) |\./)(\S*[/._-])?(tests?|specs?|lint|checks?|build)([/._-]\S*)?|'
        || '(bun run|python3?) \S*verification-engine\.\S+|'
        || '(npm|pnpm|yarn|bun)( --?[\w-]+([ =]\S+)?)*( run)? (t|test|build|lint|check|typecheck|type-check|tsc)([:.-]\S+)?)'
        || '(\s|[;&|)"'']|$)'
    );
"#;
