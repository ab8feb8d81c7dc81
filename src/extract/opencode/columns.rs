//! Decoded messages and parts into their columns.
//!
//! Input: what the row holds and what its JSON says. Output: one row of a [`Batch`], in the order of the table's columns.

use super::decode::{MessageFields, PartFields};
use crate::store::batch::Batch;

/// The columns that a part takes from its row rather than from its JSON.
pub(super) struct PartRow<'a> {
    pub id: &'a str,
    pub message_id: &'a str,
    pub session_id: &'a str,
    pub time_created: Option<i64>,
    pub time_updated: Option<i64>,
    /// Empty where no content is kept.
    pub data: &'a str,
    /// Of the whole JSON.
    pub data_bytes: usize,
    pub generation: &'static str,
}

/// The columns that a message takes from its row.
pub(super) struct MessageRow<'a> {
    pub id: &'a str,
    pub session_id: &'a str,
    pub time_created: Option<i64>,
    pub time_updated: Option<i64>,
    pub seq: Option<i64>,
    /// Empty where no content is kept.
    pub data: &'a str,
    /// Of the whole JSON.
    pub data_bytes: usize,
    pub generation: &'static str,
}

/// Adds a message.
pub(super) fn push_message(batch: &mut Batch, row: &MessageRow<'_>, fields: &MessageFields<'_>) {
    batch
        .row()
        .text(Some(row.id))
        .text(Some(row.session_id))
        .int(row.time_created)
        .int(row.time_updated)
        .text(Some(row.data))
        .text(fields.kind.as_deref())
        .text(fields.role.as_deref())
        .int(row.seq.or(fields.seq))
        .text(fields.agent.as_deref())
        .text(fields.provider_id.as_deref())
        .text(fields.model_id.as_deref())
        .text(fields.variant.as_deref())
        .text(fields.parent_message_id.as_deref())
        .float(fields.cost)
        .int(fields.tokens_input)
        .int(fields.tokens_output)
        .int(fields.tokens_reasoning)
        .int(fields.tokens_cache_read)
        .int(fields.tokens_cache_write)
        .int(fields.created_at.or(row.time_created))
        .int(fields.completed_at)
        .text(fields.finish.as_deref())
        .text(fields.error_name.as_deref())
        .text(fields.error_message.as_deref())
        .int(fields.error_status)
        .bool(fields.is_summary)
        .bool(fields.is_prompt)
        .text(fields.cwd.as_deref())
        .int(fields.diff_file_count)
        .int(fields.diff_additions)
        .int(fields.diff_deletions)
        .int(i64::try_from(row.data_bytes).ok())
        .text(Some(row.generation))
        .int(None);
}

/// Adds a part.
pub(super) fn push_part(batch: &mut Batch, part: &PartRow<'_>, fields: &PartFields<'_>) {
    batch
        .row()
        .text(Some(part.id))
        .text(Some(part.message_id))
        .text(Some(part.session_id))
        .int(part.time_created)
        .int(part.time_updated)
        .text(Some(part.data))
        .text(fields.r#type.as_deref())
        .text(fields.tool.as_deref())
        .text(fields.call_id.as_deref())
        .text(fields.status.as_deref())
        .int(fields.started_at)
        .int(fields.ended_at)
        .int(fields.compacted_at)
        .text(fields.title.as_deref())
        .text(fields.error.as_deref())
        .int(fields.input_chars)
        .int(fields.output_chars)
        .bool(fields.is_truncated)
        .bool(fields.is_interrupted)
        .text(fields.skill_name.as_deref())
        .text(fields.skill_via.as_deref())
        .text(fields.skill_dir.as_deref())
        .text(fields.available_skills.as_deref())
        .text(fields.target_path.as_deref())
        .text(fields.command.as_deref())
        .text(fields.program.as_deref())
        .int(fields.exit_code)
        .text(fields.edit_format.as_deref())
        .text(fields.edit_outcome.as_deref())
        .text(fields.edit_error_class.as_deref())
        .int(fields.additions)
        .int(fields.deletions)
        .int(fields.file_count)
        .bool(fields.has_lsp_errors)
        .text(fields.subagent_type.as_deref())
        .text(fields.child_session_id.as_deref())
        .text(fields.subagent_model.as_deref())
        .text(fields.asked_tool.as_deref())
        .int(fields.text_chars)
        .bool(fields.is_synthetic)
        .bool(fields.is_correction)
        .float(fields.cost)
        .int(fields.tokens_input)
        .int(fields.tokens_output)
        .int(fields.tokens_reasoning)
        .int(fields.tokens_cache_read)
        .int(fields.tokens_cache_write)
        .text(fields.finish.as_deref())
        .int(i64::try_from(part.data_bytes).ok())
        .text(Some(part.generation))
        .int(None);
}
