//! A part of the first generation. Input: the JSON of `part.data`. Output: [`PartFields`].

use super::json::document;
use super::signal;
use super::text::Text;
use super::tool::{self, Call};
use super::usage::{Times, Usage};
use super::{PartFields, Reason};
use crate::model::skill::{PROMPT_PHRASE, SkillTrace};
use crate::model::text::is_correction;

/// Characters of a text that are read to see whether it is a correction.
const FIRST_WORDS: usize = 40;

/// Facts about a text that a person may have written.
pub(super) fn fill_text<'a>(fields: &mut PartFields<'a>, text: Option<Text<'a>>, is_synthetic: bool) {
    fields.is_synthetic = Some(is_synthetic);
    let Some(text) = text else {
        return;
    };
    fields.text_chars = text.chars();
    if is_synthetic {
        return;
    }
    fields.is_correction = Some(is_correction(&text.first(FIRST_WORDS)));
    if signal::TEXT_HINTS.iter().any(|hint| text.contains(hint)) {
        fields.signals = signal::of_text(&text.decode());
    }
    if text.contains(PROMPT_PHRASE)
        && let Some(trace) = SkillTrace::of_prompt(&text.decode())
    {
        tool::load(fields, Some(trace), "slash");
    }
}

/// Decodes one row of `part`.
///
/// # Errors
/// The data is no JSON object, or has no `type` that is a string.
pub fn decode_part(data: &[u8]) -> Result<PartFields<'_>, Reason> {
    let mut fields = PartFields { data_chars: i64::try_from(data.len()).ok(), ..PartFields::default() };
    let (mut kind, mut tool, mut call_id, mut text, mut reason) = (None, None, None, None, None);
    let (mut times, mut usage, mut call) = (Times::default(), Usage::default(), Call::default());
    let mut is_synthetic = false;
    document(data, |reader, key| {
        match key {
            "type" => kind = Some(reader.text()?),
            "tool" => tool = reader.string()?,
            "callID" => call_id = reader.string()?,
            "state" => call = Call::read(reader)?,
            "text" => text = reader.text()?,
            "time" => times = Times::read(reader)?,
            // An ignored text is shown, but not sent: nobody wrote it for the model.
            "synthetic" | "ignored" => is_synthetic |= reader.bool()? == Some(true),
            "cost" => usage.cost = reader.float()?,
            "tokens" => usage.read_tokens(reader)?,
            "reason" => reason = reader.string()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let kind = kind.ok_or(Reason::NoType)?.ok_or(Reason::TypeNotString)?.decode();
    match &*kind {
        "tool" => {
            fields.call_id = call_id;
            call.tool = tool;
            call.times.fill(&mut fields);
            tool::fill(&mut fields, call);
        }
        "text" => {
            times.fill(&mut fields);
            fill_text(&mut fields, text, is_synthetic);
        }
        "reasoning" => {
            times.fill(&mut fields);
            fields.text_chars = text.and_then(Text::chars);
        }
        "step-finish" => {
            usage.fill(&mut fields);
            fields.finish = reason;
        }
        _ => {}
    }
    fields.r#type = Some(kind);
    Ok(fields)
}
