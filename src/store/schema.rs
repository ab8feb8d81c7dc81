//! The only list of columns: every table that the store keeps, each column with type, unit and meaning.
//!
//! Input: nothing. Output: [`TABLES`], from which come the Arrow schemas, the views, `logicoma schema` and the
//! documentation. The first columns of a table are the source's own (same names as in OpenCode's database, so that
//! SQL written for OpenCode runs unchanged); the columns after them are decoded, once, by extract.

mod telemetry;

pub use telemetry::{TELEMETRY, TELEMETRY_FILE, TELEMETRY_TOTAL};

/// What a column holds. Times are `Int` columns in epoch milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A 64-bit signed integer.
    Int,
    /// A 64-bit float.
    Float,
    /// True or false; NULL means unknown.
    Bool,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A column of OpenCode's own table: part of the view of the same name.
    Source,
    /// The raw JSON and other text at length: NULL after `--no-content`.
    Content,
    /// Decoded by extract.
    Decoded,
    /// Told by the file's path, not by a column in it. Such columns stand last.
    Path,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnDef {
    /// Name in Parquet and in SQL.
    pub name: &'static str,
    /// Value type.
    pub kind: Kind,
    /// Source, content or decoded.
    pub origin: Origin,
    /// What it means, with its unit.
    pub doc: &'static str,
}

/// One table of the store.
#[derive(Debug, Clone, Copy)]
pub struct TableDef {
    /// Name of the Parquet folder and of the view.
    pub name: &'static str,
    /// One sentence: what a row is.
    pub doc: &'static str,
    /// All columns in the order in which they are written.
    pub columns: &'static [ColumnDef],
}

impl TableDef {
    /// Position of a column by name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

const fn col(name: &'static str, kind: Kind, origin: Origin, doc: &'static str) -> ColumnDef {
    ColumnDef { name, kind, origin, doc }
}

mod tachikoma;

pub use tachikoma::{MODEL_FORMAT, ROUTE, SIGNAL};

use Kind::{Bool, Float, Int, Text};
use Origin::{Content, Decoded, Path, Source};

/// Version of the shape below and of the decoder that fills it. A store of an older version is
/// upgraded by reading the sources again; what they no longer hold is carried over.
pub const SCHEMA_VERSION: u32 = 2;

/// A project as OpenCode knows it.
pub const PROJECT: TableDef = TableDef {
    name: "project",
    doc: "one row per project: a git repository, or the literal project 'global'",
    columns: &[
        col("id", Text, Source, "root commit SHA, or 'global'"),
        col("worktree", Text, Source, "path of the working tree; '/' for 'global'"),
        col("vcs", Text, Source, "'git' or NULL"),
        col("name", Text, Source, "name given by the user"),
        col("time_created", Int, Source, "epoch ms UTC"),
        col("time_updated", Int, Source, "epoch ms UTC"),
        col("time_initialized", Int, Source, "epoch ms UTC"),
        col("sandboxes", Text, Source, "JSON array of worktree paths"),
        col("commands", Text, Source, "JSON"),
        col(
            "last_seen_at",
            Int,
            Decoded,
            "when the source was last read while it held the row, epoch ms UTC; NULL = it holds it still",
        ),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// A conversation.
pub const SESSION: TableDef = TableDef {
    name: "session",
    doc: "one row per session; child sessions (subagents) have parent_id",
    columns: &[
        col("id", Text, Source, "ses_…"),
        col("project_id", Text, Source, "project.id"),
        col("workspace_id", Text, Source, "OpenCode workspace"),
        col("parent_id", Text, Source, "session that started this one as a subagent (not forks)"),
        col("slug", Text, Source, "short name"),
        col("directory", Text, Source, "absolute working directory as recorded"),
        col("path", Text, Source, "directory relative to the worktree"),
        col("title", Text, Source, "title"),
        col("version", Text, Source, "OpenCode version that created it"),
        col("share_url", Text, Source, "public link, when the user shared it"),
        col("summary_additions", Int, Source, "always 0 in 1.18.33"),
        col("summary_deletions", Int, Source, "always 0 in 1.18.33"),
        col("summary_files", Int, Source, "always 0 in 1.18.33"),
        col("summary_diffs", Text, Content, "JSON"),
        col("metadata", Text, Content, "JSON"),
        col("cost", Float, Source, "USD as OpenCode sums it, fork copies included; NULL before 2026-05-10"),
        col("tokens_input", Int, Source, "tokens, not cached"),
        col("tokens_output", Int, Source, "tokens, without reasoning"),
        col("tokens_reasoning", Int, Source, "tokens"),
        col("tokens_cache_read", Int, Source, "tokens"),
        col("tokens_cache_write", Int, Source, "tokens"),
        col("revert", Text, Content, "JSON while a revert is pending, with the text of what it undoes"),
        col("permission", Text, Source, "JSON array"),
        col("agent", Text, Source, "last agent"),
        col("model", Text, Source, "JSON {id, providerID, variant}"),
        col("time_created", Int, Source, "epoch ms UTC"),
        col("time_updated", Int, Source, "epoch ms UTC"),
        col("time_compacting", Int, Source, "epoch ms UTC"),
        col("time_archived", Int, Source, "epoch ms UTC"),
        col("fork_session_id", Text, Decoded, "v2: the session this one was forked from"),
        col("fork_boundary", Text, Decoded, "v2: message id up to which history was inherited"),
        col("idle_outcome", Text, Decoded, "v2: succeeded, failed or interrupted"),
        col("revert_message_id", Text, Decoded, "first undone message while a revert is pending"),
        col("revert_part_id", Text, Decoded, "first undone part while a revert is pending"),
        col("model_id", Text, Decoded, "last model, without provider"),
        col("provider_id", Text, Decoded, "provider of the last model"),
        col("source_row", Int, Decoded, "rowid in the source: order of insertion"),
        col("generation", Text, Decoded, "v1 or v2: which schema held it"),
        col(
            "last_seen_at",
            Int,
            Decoded,
            "when the source was last read while it held the row, epoch ms UTC; NULL = it holds it still",
        ),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// One turn row: a user prompt or one model request.
pub const MESSAGE: TableDef = TableDef {
    name: "message",
    doc: "one row per message: a user prompt, or one request to a model (assistant)",
    columns: &[
        col("id", Text, Source, "msg_…"),
        col("session_id", Text, Source, "session.id"),
        col("time_created", Int, Source, "epoch ms UTC"),
        col("time_updated", Int, Source, "epoch ms UTC"),
        col("data", Text, Content, "the raw JSON"),
        col(
            "kind",
            Text,
            Decoded,
            "user, assistant, or for v2 the row's own type (synthetic, skill, shell, compaction, idle …)",
        ),
        col("role", Text, Decoded, "user or assistant; NULL for rows that are neither (v2 markers)"),
        col("seq", Int, Decoded, "v2: order in the session"),
        col("agent", Text, Decoded, "agent that was asked or that answered"),
        col("provider_id", Text, Decoded, "provider"),
        col("model_id", Text, Decoded, "model without provider"),
        col("variant", Text, Decoded, "model variant"),
        col("parent_message_id", Text, Decoded, "assistant: the user message that it answers"),
        col("cost", Float, Decoded, "USD as recorded"),
        col("tokens_input", Int, Decoded, "tokens, not cached"),
        col("tokens_output", Int, Decoded, "tokens, without reasoning"),
        col("tokens_reasoning", Int, Decoded, "tokens"),
        col("tokens_cache_read", Int, Decoded, "tokens"),
        col("tokens_cache_write", Int, Decoded, "tokens"),
        col("created_at", Int, Decoded, "data.time.created, epoch ms UTC; falls back to time_created"),
        col("completed_at", Int, Decoded, "epoch ms UTC"),
        col("finish", Text, Decoded, "stop, tool-calls, length, unknown, content-filter, error …"),
        col("error_name", Text, Decoded, "APIError, MessageAbortedError …"),
        col("error_message", Text, Decoded, "first 2,000 characters"),
        col("error_status", Int, Decoded, "HTTP status"),
        col("is_summary", Bool, Decoded, "compaction summary"),
        col(
            "is_prompt",
            Bool,
            Decoded,
            "user message that a person wrote (not synthetic, not compaction); NULL for other rows",
        ),
        col("cwd", Text, Decoded, "working directory"),
        col("diff_file_count", Int, Decoded, "user: files changed in the turn, by git snapshot"),
        col("diff_additions", Int, Decoded, "user: lines added in the turn"),
        col("diff_deletions", Int, Decoded, "user: lines deleted in the turn"),
        col("data_chars", Int, Decoded, "size of the raw JSON in bytes"),
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

/// One typed piece of a message.
pub const PART: TableDef = TableDef {
    name: "part",
    doc: "one row per part: text, reasoning, tool call, step-start, step-finish, patch …; ordered by (message, id)",
    columns: &[
        col("id", Text, Source, "prt_…; v2: message id + '.' + position"),
        col("message_id", Text, Source, "message.id"),
        col("session_id", Text, Source, "session.id"),
        col("time_created", Int, Source, "epoch ms UTC; a fork's copy has the time of copying"),
        col("time_updated", Int, Source, "epoch ms UTC"),
        col("data", Text, Content, "the raw JSON"),
        col("type", Text, Decoded, "part type as recorded, also unknown ones"),
        col(
            "tool",
            Text,
            Decoded,
            "tool: name as recorded (v2 names mapped: shell→bash, subagent→task, patch→apply_patch)",
        ),
        col("call_id", Text, Decoded, "tool: call id"),
        col("status", Text, Decoded, "tool: pending, running, completed or error"),
        col("started_at", Int, Decoded, "tool, text, reasoning: epoch ms UTC"),
        col("ended_at", Int, Decoded, "tool, text, reasoning: epoch ms UTC"),
        col("compacted_at", Int, Decoded, "tool: output pruned for the model, epoch ms UTC"),
        col("title", Text, Decoded, "tool: first 500 characters"),
        col("error", Text, Decoded, "tool: error text without the 'Error: ' prefix, first 2,000 characters"),
        col("input_chars", Int, Decoded, "tool: size of the input JSON in bytes"),
        col("output_chars", Int, Decoded, "tool: characters of the output"),
        col("is_truncated", Bool, Decoded, "tool: output was cut for the model"),
        col("is_interrupted", Bool, Decoded, "tool: aborted by the user or timed out"),
        col("skill_name", Text, Decoded, "skill asked for, however it was asked (see skill_via)"),
        col("skill_via", Text, Decoded, "skill_tool, read, bash, bash_router or slash"),
        col("skill_dir", Text, Decoded, "base directory of the skill as recorded"),
        col("available_skills", Text, Decoded, "unknown skill: comma-separated names that the error lists"),
        col("target_path", Text, Decoded, "tool: file or folder worked on, '/' as separator"),
        col("command", Text, Decoded, "bash: first 4,000 characters; other tools: pattern, url, query"),
        col("program", Text, Decoded, "bash: first program of the command, without path"),
        col("exit_code", Int, Decoded, "bash: exit code; NULL when none was recorded"),
        col("edit_format", Text, Decoded, "edit-class calls: str_replace, whole, apply_patch or hashline"),
        col(
            "edit_outcome",
            Text,
            Decoded,
            "applied, format_error, blocked, denied, aborted or other_error; NULL while unfinished",
        ),
        col(
            "edit_error_class",
            Text,
            Decoded,
            "not_found, multiple_matches, identical, patch_context, span_too_large, not_read, stale_read, missing_file, denied, aborted, invalid_arguments, other",
        ),
        col("additions", Int, Decoded, "lines added by the call"),
        col("deletions", Int, Decoded, "lines deleted by the call"),
        col("file_count", Int, Decoded, "files changed by the call"),
        col("has_lsp_errors", Bool, Decoded, "edit: applied, but diagnostics reported errors"),
        col("subagent_type", Text, Decoded, "task: agent asked for"),
        col("child_session_id", Text, Decoded, "task: session of the subagent"),
        col("subagent_model", Text, Decoded, "task: provider/model of the subagent"),
        col("asked_tool", Text, Decoded, "invalid: the tool name that does not exist"),
        col("text_chars", Int, Decoded, "text, reasoning: characters"),
        col("is_synthetic", Bool, Decoded, "text: injected, not written by a person"),
        col("is_correction", Bool, Decoded, "text of a user that starts with no, wrong, instead or actually"),
        col("cost", Float, Decoded, "step-finish: USD"),
        col("tokens_input", Int, Decoded, "step-finish: tokens, not cached"),
        col("tokens_output", Int, Decoded, "step-finish: tokens, without reasoning"),
        col("tokens_reasoning", Int, Decoded, "step-finish: tokens"),
        col("tokens_cache_read", Int, Decoded, "step-finish: tokens"),
        col("tokens_cache_write", Int, Decoded, "step-finish: tokens"),
        col("finish", Text, Decoded, "step-finish: reason"),
        col("data_chars", Int, Decoded, "size of the raw JSON in bytes"),
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

/// The latest todo list of each session.
pub const TODO: TableDef = TableDef {
    name: "todo",
    doc: "one row per todo of a session's latest list",
    columns: &[
        col("session_id", Text, Source, "session.id"),
        col("content", Text, Content, "what is to be done"),
        col("status", Text, Source, "pending, in_progress, completed or cancelled"),
        col("priority", Text, Source, "high, medium or low"),
        col("position", Int, Source, "order in the list"),
        col("time_created", Int, Source, "epoch ms UTC"),
        col("time_updated", Int, Source, "epoch ms UTC"),
        col(
            "last_seen_at",
            Int,
            Decoded,
            "when the source was last read while it held the row, epoch ms UTC; NULL = it holds it still",
        ),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// Rows that could not be decoded.
pub const QUARANTINE: TableDef = TableDef {
    name: "quarantine",
    doc: "one row per source row that could not be decoded, with the reason and the raw bytes",
    columns: &[
        col("table_name", Text, Decoded, "table of the source"),
        col("row_id", Text, Decoded, "id of the row, or its rowid where the id is unusable"),
        col("session_id", Text, Decoded, "session.id where known"),
        col("reason", Text, Decoded, "why the row could not be decoded"),
        col("time_created", Int, Decoded, "epoch ms UTC where known"),
        col("data", Text, Content, "the raw text; bytes that are not UTF-8 are shown as U+FFFD"),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// A skill found on disk.
pub const SKILL: TableDef = TableDef {
    name: "skill",
    doc: "one row per skill file found on disk, by OpenCode's discovery rules",
    columns: &[
        col("skill_name", Text, Decoded, "name in the frontmatter"),
        col("scope", Text, Decoded, "project, global, claude, agents or config"),
        col("path", Text, Decoded, "SKILL.md, as found"),
        col("project_id", Text, Decoded, "project for which it is installed; NULL = all projects"),
        col("directory", Text, Decoded, "recorded directory through which it was found; NULL = all projects"),
        col("description_chars", Int, Decoded, "characters of name and description, as listed to the model"),
        col("body_chars", Int, Decoded, "characters of the file's body, as loaded"),
        col("content_hash", Text, Decoded, "SHA-256 of the file"),
        col("modified_at", Int, Decoded, "epoch ms UTC"),
        col("is_hidden", Bool, Decoded, "denied by permission.skill: not listed to the model"),
        col("is_shadowed", Bool, Decoded, "another file of the same name wins"),
        col("problem", Text, Decoded, "why OpenCode skips the file; NULL when it is valid"),
    ],
};

/// What a refresh compares with the source to find what changed.
pub const SESSION_STATE: TableDef = TableDef {
    name: "session_state",
    doc: "one row per session that was ever seen: signatures of its rows, by which the next refresh finds what changed",
    columns: &[
        col("session_id", Text, Decoded, "session.id; '' stands for rows without one"),
        col("generation", Text, Decoded, "v1 or v2; orphan = rows without a session; gone = history only; project"),
        col("partition", Text, Decoded, "partition in which the session's rows lie"),
        col("head_signature", Text, Decoded, "over the session's own row and its todos"),
        col("rows_signature", Text, Decoded, "over its messages and parts, in any order"),
        col("source", Text, Path, "which database the row came from"),
    ],
};

/// Every table, in the order in which they are documented.
pub const TABLES: &[&TableDef] = &[
    &SESSION,
    &MESSAGE,
    &PART,
    &SIGNAL,
    &TODO,
    &PROJECT,
    &QUARANTINE,
    &SKILL,
    &ROUTE,
    &MODEL_FORMAT,
    &TELEMETRY,
    &TELEMETRY_TOTAL,
    &TELEMETRY_FILE,
    &SESSION_STATE,
];

/// A table by name.
#[must_use]
pub fn table(name: &str) -> Option<&'static TableDef> {
    TABLES.iter().copied().find(|table| table.name == name)
}
