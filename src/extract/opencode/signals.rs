//! Signals into their columns. Input: a decoded part. Output: rows of the table `signal`.

use super::columns::PartRow;
use super::decode::PartFields;
use crate::store::batch::Batch;

/// Adds what a part says; most say nothing.
pub(super) fn push_signals(batch: &mut Batch, part: &PartRow<'_>, fields: &PartFields<'_>) {
    for (position, signal) in fields.signals.iter().enumerate() {
        batch
            .row()
            .text(Some(part.id))
            .text(Some(part.message_id))
            .text(Some(part.session_id))
            .int(i64::try_from(position).ok())
            .int(fields.started_at.or(part.time_created))
            .text(Some(signal.kind))
            .text(signal.era)
            .text(signal.program)
            .text(Some(signal.rule))
            .text(Some(signal.evidence))
            .text(Some(signal.origin))
            .text(signal.query_hash.as_deref())
            .text(signal.predicted_intent.as_deref())
            .float(signal.confidence)
            .text(signal.confidence_scale)
            .text(signal.complexity.as_deref())
            .float(signal.complexity_score)
            .text(signal.strategy.as_deref())
            .text(signal.route.as_deref())
            .text(signal.invoke_via.as_deref())
            .text(signal.predicted_skills.as_deref())
            .text(signal.workflow.as_deref())
            .text(signal.action.as_deref())
            .float(signal.threshold)
            .bool(signal.is_escalated)
            .int(signal.criteria_passed)
            .int(signal.criteria_total)
            .text(signal.verdict)
            .text(signal.rubric_verdict.as_deref())
            .text(signal.gvr_verdict.as_deref())
            .int(signal.iterations)
            .text(signal.chunk_id.as_deref())
            .int(signal.relevant_count)
            .int(signal.chunk_count)
            .int(signal.chunk_size)
            .text(signal.chunk_unit)
            .int(signal.waves)
            .int(signal.ok_chunks)
            .bool(signal.is_early_termination)
            .int(signal.tokens)
            .int(signal.duration_ms)
            .text(signal.model.as_deref())
            .text(signal.format.as_deref())
            .text(Some(part.generation))
            .int(None);
    }
}
