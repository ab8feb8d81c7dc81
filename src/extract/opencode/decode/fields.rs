//! What is decoded from one row: one field per decoded column of the store's schema, in the schema's order and with its
//! names (`generation` and `source` are known to the caller only).
//!
//! Texts borrow from the row's JSON wherever they hold no escapes.

use super::signal::Signal;
use std::borrow::Cow;

/// A text that borrows from the row where it can.
pub(super) type Words<'a> = Option<Cow<'a, str>>;

/// Columns of table `message`; their meaning stands in the schema.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the schema documents every column")]
pub struct MessageFields<'a> {
    pub kind: Words<'a>,
    pub role: Words<'a>,
    /// Always `None`: it is a column of the row.
    pub seq: Option<i64>,
    pub agent: Words<'a>,
    pub provider_id: Words<'a>,
    pub model_id: Words<'a>,
    pub variant: Words<'a>,
    pub parent_message_id: Words<'a>,
    pub cost: Option<f64>,
    pub tokens_input: Option<i64>,
    pub tokens_output: Option<i64>,
    pub tokens_reasoning: Option<i64>,
    pub tokens_cache_read: Option<i64>,
    pub tokens_cache_write: Option<i64>,
    /// `data.time.created`; the caller falls back to the row's column.
    pub created_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub finish: Words<'a>,
    pub error_name: Words<'a>,
    pub error_message: Words<'a>,
    pub error_status: Option<i64>,
    pub is_summary: Option<bool>,
    /// First generation: `None`, because it depends on the parts (see [`super::PromptEvidence`]).
    pub is_prompt: Option<bool>,
    pub cwd: Words<'a>,
    pub diff_file_count: Option<i64>,
    pub diff_additions: Option<i64>,
    pub diff_deletions: Option<i64>,
    pub data_chars: Option<i64>,
}

/// Columns of table `part`; their meaning stands in the schema.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the schema documents every column")]
pub struct PartFields<'a> {
    pub r#type: Words<'a>,
    pub tool: Words<'a>,
    pub call_id: Words<'a>,
    pub status: Words<'a>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub compacted_at: Option<i64>,
    pub title: Words<'a>,
    pub error: Words<'a>,
    pub input_chars: Option<i64>,
    pub output_chars: Option<i64>,
    pub is_truncated: Option<bool>,
    pub is_interrupted: Option<bool>,
    pub skill_name: Words<'a>,
    pub skill_via: Words<'a>,
    pub skill_dir: Words<'a>,
    pub available_skills: Words<'a>,
    pub target_path: Words<'a>,
    pub command: Words<'a>,
    pub program: Words<'a>,
    pub exit_code: Option<i64>,
    pub edit_format: Words<'a>,
    pub edit_outcome: Words<'a>,
    pub edit_error_class: Words<'a>,
    pub additions: Option<i64>,
    pub deletions: Option<i64>,
    pub file_count: Option<i64>,
    pub has_lsp_errors: Option<bool>,
    pub subagent_type: Words<'a>,
    pub child_session_id: Words<'a>,
    pub subagent_model: Words<'a>,
    pub asked_tool: Words<'a>,
    pub text_chars: Option<i64>,
    /// `synthetic` or `ignored`: neither was written by a person for the model.
    pub is_synthetic: Option<bool>,
    /// Set for every text that a person may have written; the role, which the part does not know, decides.
    pub is_correction: Option<bool>,
    pub cost: Option<f64>,
    pub tokens_input: Option<i64>,
    pub tokens_output: Option<i64>,
    pub tokens_reasoning: Option<i64>,
    pub tokens_cache_read: Option<i64>,
    pub tokens_cache_write: Option<i64>,
    pub finish: Words<'a>,
    pub data_chars: Option<i64>,
    /// Rows of the table `signal`, not a column.
    pub signals: Vec<Signal>,
}

/// One row of `session_message`, in the shape of the first generation.
#[derive(Debug, Clone, PartialEq)]
pub struct V2Row<'a> {
    /// The row as a message.
    pub message: MessageFields<'a>,
    /// Its content, in order.
    pub parts: Vec<V2Part<'a>>,
}

/// One piece of a v2 row's content.
#[derive(Debug, Clone, PartialEq)]
pub struct V2Part<'a> {
    /// JSON of the piece as recorded, or as it would stand in the first generation where v2 has no such piece.
    pub raw: Cow<'a, [u8]>,
    /// Its columns.
    pub fields: PartFields<'a>,
}
