//! Tachikoma's programs as the shell runs them. Input: a script, its exit code, its output. Output: [`Signal`]s.

use super::lines::{count, entries, of, plain, share, verdict};
use super::objects::{self, Object};
use super::{Signal, printed};
use crate::model::digest;
use crate::model::path::base_name;
use crate::model::shell::{Invocation, Script};

/// Pieces of the programs' names: without one of them a command is none of them.
const HINTS: [&str; 9] =
    ["outer", "heuristic", "selector", "verif", "chunker", "processor", "rlm", "intent", "tachikoma"];
/// … and so is one without a script.
const ENDINGS: [&str; 4] = [".py", ".ts", ".js", ".mjs"];
/// Programs that run a script given to them.
const INTERPRETERS: [&str; 8] = ["uv", "bun", "bunx", "node", "deno", "tsx", "npx", "ts-node"];
/// Words between an interpreter and the script: `uv run python -u script.py`.
const MOST_WORDS_BEFORE: usize = 6;
/// Shells inside of shells that are looked into.
const MOST_SHELLS: usize = 3;

/// One of the programs, with what was asked of it.
struct Ran {
    program: &'static str,
    era: &'static str,
    words: Vec<String>,
}

impl Ran {
    /// By the script's name; `-` and `_` are as good.
    fn of(script: &str, words: &[String]) -> Option<Self> {
        let (stem, extension) = base_name(script).rsplit_once('.')?;
        let era = match extension {
            "py" => "e1",
            "ts" | "js" | "mjs" => "e2",
            _ => return None,
        };
        let stem = stem.replace('_', "-").to_ascii_lowercase();
        let program = match stem.as_str() {
            "cli-router" => "cli-router",
            "router" if era == "e2" => "router",
            "fast-heuristic" => "fast-heuristic",
            "confidence-router" => "confidence-router",
            "edit-format-selector" => "edit-format-selector",
            "verification-engine" => "verification-engine",
            "adaptive-chunker" => "adaptive-chunker",
            "parallel-processor" => "parallel-processor",
            "rlm-repl" => "rlm-repl",
            _ if era == "e2" && (stem.contains("intent") || stem.contains("router") || stem.contains("tachikoma")) => {
                "intent-router"
            }
            _ if era == "e2" && stem.contains("verif") => "verifier",
            _ if era == "e2" && stem.contains("rlm") => "rlm-handler",
            _ => return None,
        };
        Some(Self { program, era, words: words.to_vec() })
    }

    /// The word after a sub-command that is no flag.
    fn operand(&self, skip: usize) -> Option<&str> {
        self.words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).nth(skip)
    }

    fn first(&self) -> Option<&str> {
        self.operand(0)
    }

    /// The value of a flag.
    fn flag(&self, name: &str) -> Option<&str> {
        let with_equals = format!("{name}=");
        let joined = self.words.iter().find_map(|word| word.strip_prefix(with_equals.as_str()));
        joined.or_else(|| {
            let at = self.words.iter().position(|word| word == name)?;
            self.words.get(at + 1).map(String::as_str)
        })
    }
}

/// What a shell command says. Exit code 127 says that nothing ran; an output of nothing says nothing.
pub(in super::super) fn of_command(
    command: &str,
    exit_code: Option<i64>,
    output: impl FnOnce() -> String,
) -> Vec<Signal> {
    if exit_code == Some(127)
        || !(ENDINGS.iter().any(|ending| command.contains(ending)) || names_router(command))
        || !HINTS.iter().any(|hint| command.contains(hint))
    {
        return Vec::new();
    }
    let mut ran = Vec::new();
    collect(&Script::parse(command), 0, &mut ran);
    if ran.is_empty() {
        return Vec::new();
    }
    let output = output();
    let output = plain(&output);
    let is_silent = matches!(output.trim(), "" | "(no output)");
    let mut signals: Vec<Signal> = Vec::new();
    // The same program twice in one script: what it printed last counts.
    for (at, run) in ran.iter().enumerate() {
        if ran.iter().skip(at + 1).any(|later| later.program == run.program) {
            continue;
        }
        let found = if is_silent { silent(run, exit_code) } else { read(run, exit_code, &output) };
        signals.extend(found.map(|found| Signal { program: Some(run.program), origin: "bash", ..found }));
    }
    signals
}

fn collect(script: &Script, depth: usize, ran: &mut Vec<Ran>) {
    for found in script.invocations() {
        if matches!(found.program, "bash" | "sh" | "zsh" | "dash") && depth < MOST_SHELLS {
            let flag = found.arguments.iter().position(|word| word.starts_with('-') && word.ends_with('c'));
            if let Some(inner) = flag.and_then(|at| found.arguments.get(at + 1)) {
                collect(&Script::parse(inner), depth + 1, ran);
            }
            continue;
        }
        ran.extend(of_invocation(&found));
    }
}

/// A script given as text that uses the third era's router.
fn names_router(code: &str) -> bool {
    ["intent-router", "IntentRouter", "tachikoma"].iter().any(|name| code.contains(name))
}

fn of_invocation(found: &Invocation<'_>) -> Option<Ran> {
    let is_interpreter = INTERPRETERS.contains(&found.program) || found.program.starts_with("python");
    if !is_interpreter {
        return Ran::of(found.path, found.arguments);
    }
    (0..found.arguments.len().min(MOST_WORDS_BEFORE)).find_map(|at| {
        let word = found.arguments.get(at)?;
        if matches!(word.as_str(), "-e" | "-p" | "--eval" | "--print") {
            let code = found.arguments.get(at + 1)?;
            return names_router(code).then(|| Ran { program: "intent-router", era: "e2", words: Vec::new() });
        }
        Ran::of(word, found.arguments.get(at + 1..)?)
    })
}

fn hash(query: &str) -> String {
    digest::sha256(query.trim().as_bytes()).chars().take(16).collect()
}

/// Only what leaves its traces elsewhere may print nothing.
fn silent(run: &Ran, exit_code: Option<i64>) -> Option<Signal> {
    (run.program == "rlm-repl" && exit_code == Some(0)).then(|| repl(run, "")).flatten()
}

fn read(run: &Ran, exit_code: Option<i64>, output: &str) -> Option<Signal> {
    match run.program {
        "cli-router" | "router" => {
            // The third era's router of that name takes the request itself.
            if !matches!(run.first()?, "full" | "classify") {
                let found = printed::decided(output).filter(|_| run.program == "router")?;
                return Some(Signal { query_hash: run.first().map(hash), ..found });
            }
            let found = printed::routed(output, run.era)?;
            Some(Signal { query_hash: run.operand(1).map(hash), ..found })
        }
        "fast-heuristic" => {
            let found = printed::routed(output, run.era)?;
            Some(Signal { query_hash: run.first().map(hash), ..found })
        }
        "confidence-router" => {
            if run.first() != Some("route") {
                return None;
            }
            let intent = run.flag("--intent").or_else(|| run.flag("-i")).map(str::to_ascii_lowercase);
            let found = printed::judged(output)?;
            Some(Signal { query_hash: run.operand(1).map(hash), predicted_intent: intent, ..found })
        }
        "intent-router" => {
            let found = printed::decided(output)?;
            Some(Signal { query_hash: run.first().map(hash), ..found })
        }
        "edit-format-selector" => {
            if !matches!(run.first(), Some("detect" | "recommend")) {
                return None;
            }
            Some(Signal { era: Some(run.era), ..printed::recommended(output)? })
        }
        "verification-engine" => engine(output).map(|found| Signal { era: Some(run.era), ..found }),
        "verifier" => loop_result(output),
        "adaptive-chunker" => chunker(run, output),
        // Its `test` runs on made-up chunks.
        "parallel-processor" if run.first() == Some("test") => None,
        "parallel-processor" | "rlm-handler" => run_result(output),
        "rlm-repl" if exit_code.is_none_or(|code| code == 0) => run_result(output).or_else(|| repl(run, output)),
        _ => None,
    }
}

/// The verification engine's verdict; it exits with 0 on a FAIL, too.
fn engine(output: &str) -> Option<Signal> {
    let found = Signal { kind: "verification", evidence: "observed", ..Signal::default() };
    let is_result = |object: &Object| object.get("overall_pass").is_some_and(serde_json::Value::is_boolean);
    if let Some(object) = objects::last(output, is_result) {
        let is_pass = object.get("overall_pass")?.as_bool()?;
        return Some(Signal {
            rule: "engine_json",
            verdict: Some(if is_pass { "PASS" } else { "FAIL" }),
            confidence: objects::share(&object, "confidence"),
            criteria_passed: objects::count(&object, "criteria_passed"),
            criteria_total: objects::count(&object, "criteria_total"),
            ..found
        });
    }
    let mut found = Signal { rule: "engine_lines", ..found };
    for (key, value) in entries(output) {
        match key {
            "Overall" => found.verdict = verdict(value).or(found.verdict),
            "Confidence" => found.confidence = found.confidence.or_else(|| share(value)),
            "Criteria" => {
                (found.criteria_passed, found.criteria_total) = of(value).unzip();
            }
            _ => {}
        }
    }
    found.verdict.is_some().then_some(found)
}

/// `{result, iterations, verified}`: a first pass that succeeds says `verified: false`, so that means nothing.
fn loop_result(output: &str) -> Option<Signal> {
    let is_result = |object: &Object| {
        object.get("verified").is_some_and(serde_json::Value::is_boolean)
            && objects::count(object, "iterations").is_some()
    };
    let object = objects::last(output, is_result)?;
    let iterations = objects::count(&object, "iterations")?;
    let is_verified = object.get("verified")?.as_bool()?;
    let verdict = match (is_verified, iterations) {
        (true, _) => Some("PASS"),
        (false, 0 | 1) => None,
        (false, _) => Some("FAIL"),
    };
    Some(Signal {
        kind: "verification",
        era: Some("e3"),
        rule: "gvr_json",
        evidence: "observed",
        verdict,
        iterations: Some(iterations),
        ..Signal::default()
    })
}

fn chunker(run: &Ran, output: &str) -> Option<Signal> {
    if run.first() != Some("chunk") {
        return None;
    }
    let mut found = Signal {
        kind: "rlm_chunker",
        era: Some(run.era),
        rule: "chunker",
        evidence: "observed",
        action: Some("chunk".into()),
        ..Signal::default()
    };
    for line in output.lines() {
        if let Some(rest) = line.trim().strip_prefix("Created ") {
            found.chunk_count = count(rest).filter(|_| rest.contains("chunk")).or(found.chunk_count);
        } else if let Some((_, size)) = line.split_once("Chunk Size:") {
            found.chunk_size = count(size);
            found.chunk_unit = Some(if size.contains("token") { "tokens" } else { "chars" });
        }
    }
    found.chunk_count.is_some().then_some(found)
}

fn repl(run: &Ran, output: &str) -> Option<Signal> {
    const ACTIONS: [&str; 5] = ["init", "status", "exec", "reset", "export-buffers"];
    let action = run.words.iter().find(|word| ACTIONS.contains(&word.as_str()))?;
    // The second era's exec cannot await: it prints a SyntaxError and exits with 0.
    (!output.contains("SyntaxError")).then(|| Signal {
        kind: "rlm_repl",
        era: Some(run.era),
        rule: "repl",
        evidence: "observed",
        action: Some(action.clone()),
        ..Signal::default()
    })
}

/// The result of a whole run, where somebody printed it: the first two eras' ProcessResult, the third's RLMResult.
fn run_result(output: &str) -> Option<Signal> {
    let object = objects::last(output, |object| {
        object.contains_key("total_chunks") && object.contains_key("total_waves")
            || object.contains_key("chunksProcessed")
    })?;
    let either = |first: &str, second: &str| objects::count(&object, first).or_else(|| objects::count(&object, second));
    Some(Signal {
        kind: "rlm_run",
        era: Some(if object.contains_key("chunksProcessed") { "e3" } else { "e1" }),
        rule: "process_result",
        evidence: "observed",
        chunk_count: either("processed_chunks", "chunksProcessed"),
        waves: either("processed_waves", "waves"),
        ok_chunks: objects::count(&object, "successful_chunks"),
        tokens: either("tokens_processed", "totalTokens"),
        is_early_termination: object.get("early_termination").and_then(serde_json::Value::as_bool),
        ..Signal::default()
    })
}
