//! Tables about Tachikoma: what its programs said, and the tables by which they decide.

use super::Kind::{Bool, Float, Int, Text};
use super::Origin::{Decoded, Path};
use super::{TableDef, col};

/// What Tachikoma's programs and agents said about their own work.
pub const SIGNAL: TableDef = TableDef {
    name: "signal",
    doc: "one row per thing that Tachikoma's programs printed, or its agents wrote, about intents, verdicts, RLM or edit formats",
    columns: &[
        col("part_id", Text, Decoded, "part.id"),
        col("message_id", Text, Decoded, "message.id"),
        col("session_id", Text, Decoded, "session.id"),
        col("position", Int, Decoded, "order among the signals of the part, from 0"),
        col("said_at", Int, Decoded, "when the part began, else when its row was written; epoch ms UTC"),
        col(
            "kind",
            Text,
            Decoded,
            "intent, confidence (of a decision), escalation, verification, rlm_chunker, rlm_repl, rlm_run, rlm_result (a chunk's), edit_choice or graph_route",
        ),
        col(
            "era",
            Text,
            Decoded,
            "e1 (Python scripts), e2 (bun command line), e3 (plugin); NULL where they print the same",
        ),
        col("program", Text, Decoded, "program or tool that spoke; NULL for a text"),
        col("rule", Text, Decoded, "which rule read it"),
        col(
            "evidence",
            Text,
            Decoded,
            "observed (printed as data), derived (read from printed lines) or weak (written by a model)",
        ),
        col("origin", Text, Decoded, "bash, tool, task or text"),
        col("query_hash", Text, Decoded, "first 16 digits of the SHA-256 of what was to be routed"),
        col("predicted_intent", Text, Decoded, "intent, in lower case"),
        col("confidence", Float, Decoded, "0 to 1, as said; scales are not comparable"),
        col(
            "confidence_scale",
            Text,
            Decoded,
            "share (of keyword hits), pattern (hits of patterns), graph (of the way) or stated (by the model itself)",
        ),
        col("complexity", Text, Decoded, "word: low, high, simple, critical …"),
        col("complexity_score", Float, Decoded, "0 to 1"),
        col("strategy", Text, Decoded, "direct, single_skill, skill_chain, rlm …"),
        col("route", Text, Decoded, "skill or agent named as the answer"),
        col("invoke_via", Text, Decoded, "skill or subagent"),
        col("predicted_skills", Text, Decoded, "comma-separated names, where more than a route was said"),
        col("workflow", Text, Decoded, "chain named instead of its skills; the route tables resolve it"),
        col(
            "action",
            Text,
            Decoded,
            "what is to be done: skill, llm, proceed_direct, verify, ask_user …; RLM: sub-command or agent",
        ),
        col("threshold", Float, Decoded, "confidence that was asked for"),
        col("is_escalated", Bool, Decoded, "a person is to be asked"),
        col("criteria_passed", Int, Decoded, "verification: criteria that hold"),
        col("criteria_total", Int, Decoded, "verification: criteria"),
        col(
            "verdict",
            Text,
            Decoded,
            "PASS, FAIL, NEEDS_REVISION or ESCALATE; NULL where what was printed does not tell",
        ),
        col("rubric_verdict", Text, Decoded, "pass, fail, needs_revision or cant_evaluate"),
        col("gvr_verdict", Text, Decoded, "pass, fail or uncertain"),
        col("iterations", Int, Decoded, "attempts, as printed"),
        col("chunk_id", Text, Decoded, "RLM: name of the chunk"),
        col("relevant_count", Int, Decoded, "RLM: findings in the chunk's result"),
        col("chunk_count", Int, Decoded, "RLM: chunks made or processed"),
        col("chunk_size", Int, Decoded, "RLM: size of a chunk, in chunk_unit"),
        col("chunk_unit", Text, Decoded, "chars or tokens"),
        col("waves", Int, Decoded, "RLM: rounds, as printed"),
        col("ok_chunks", Int, Decoded, "RLM: chunks that succeeded, as printed"),
        col("is_early_termination", Bool, Decoded, "RLM: stopped before the last chunk"),
        col("tokens", Int, Decoded, "RLM: tokens, as printed (a count of words)"),
        col("duration_ms", Int, Decoded, "as printed"),
        col("model", Text, Decoded, "edit choice: the model; NULL where it was unknown"),
        col("format", Text, Decoded, "edit choice: the format"),
        col("generation", Text, Decoded, "v1 or v2"),
        col(
            "last_seen_at",
            Int,
            Decoded,
            "when the source was last read while it held the row, epoch ms UTC; NULL = it holds it still",
        ),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// What each intent is routed to.
pub const ROUTE: TableDef = TableDef {
    name: "route",
    doc: "one row per intent or chain of the route tables that hold, by era: the user's own where found, else the shipped ones",
    columns: &[
        col(
            "project_id",
            Text,
            Decoded,
            "project for which the row holds; NULL = all that have none of their own for the era",
        ),
        col("era", Text, Decoded, "e1, e2 or e3"),
        col("kind", Text, Decoded, "intent, or the name of a chain: workflow, bulk or composite"),
        col("name", Text, Decoded, "intent or chain, in lower case"),
        col("skills", Text, Decoded, "comma-separated skills or agents; NULL = none"),
        col("invoke_via", Text, Decoded, "skill, subagent, direct (no skill) or ask"),
        col("threshold", Float, Decoded, "confidence that the route asks for"),
        col("strategy", Text, Decoded, "direct, single_skill, skill_chain, rlm …"),
        col("origin", Text, Decoded, "shipped, or the file"),
        col("is_fallback", Bool, Decoded, "shipped, beside a table of the user's that lacks the name"),
    ],
};

/// Which edit format is recommended for which models.
pub const MODEL_FORMAT: TableDef = TableDef {
    name: "model_format",
    doc: "one row per name that decides on the recommended edit format: the user's own where found, else the shipped ones",
    columns: &[
        col("project_id", Text, Decoded, "project for which the row holds; NULL = all that have none of their own"),
        col("place", Int, Decoded, "order: the first that fits a model decides"),
        col("name_part", Text, Decoded, "name, in lower case"),
        col("is_exact", Bool, Decoded, "the model's whole id, not a part of it"),
        col("format", Text, Decoded, "as written: str_replace, str_replace_fuzzy, apply_patch, hashline …"),
        col("origin", Text, Decoded, "shipped, or the file"),
    ],
};
