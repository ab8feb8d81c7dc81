//! A message of the first generation. Input: the JSON of `message.data`. Output: [`MessageFields`].

use super::fields::Words;
use super::json::{Reader, document};
use super::text::Text;
use super::usage::Usage;
use super::{MessageFields, Reason};
use crate::model::text::ERROR_CHARS;
use std::borrow::Cow;

/// An error without a name, which only old or foreign rows have.
const UNNAMED: &str = "UnknownError";

/// Provider, model and variant, wherever they stand.
#[derive(Default)]
struct Model<'a> {
    provider: Words<'a>,
    id: Words<'a>,
    variant: Words<'a>,
}

impl<'a> Model<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Reason> {
        let mut model = Self::default();
        reader.object(|reader, key| {
            match key {
                "providerID" => model.provider = reader.string()?,
                "modelID" | "id" => model.id = reader.string()?,
                "variant" => model.variant = reader.string()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(model)
    }
}

/// `{name, data: {message, statusCode}}`, `{type, message, status}`, or a string.
fn read_error<'a>(reader: &mut Reader<'a>, fields: &mut MessageFields<'a>) -> Result<(), Reason> {
    let shortened = |text: Option<Text<'a>>| text.map(|text| text.first(ERROR_CHARS));
    if !reader.is_object() {
        if let Some(text) = reader.text()? {
            fields.error_name = Some(UNNAMED.into());
            fields.error_message = shortened(Some(text));
        }
        return Ok(());
    }
    reader.object(|reader, key| {
        match key {
            "name" | "type" => fields.error_name = reader.string()?,
            "message" => fields.error_message = shortened(reader.text()?),
            "status" => fields.error_status = reader.int()?,
            "data" => {
                reader.object(|reader, key| {
                    match key {
                        "message" => fields.error_message = shortened(reader.text()?),
                        "statusCode" => fields.error_status = reader.int()?,
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    fields.error_name.get_or_insert(Cow::Borrowed(UNNAMED));
    Ok(())
}

/// `summary`: of an assistant `true`, of a user what the turn changed by git snapshot.
#[derive(Default)]
struct Summary {
    is_true: bool,
    has_diffs: bool,
    files: i64,
    additions: i64,
    deletions: i64,
}

impl Summary {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let mut summary = Self::default();
        if !reader.is_object() {
            summary.is_true = reader.bool()? == Some(true);
            return Ok(summary);
        }
        reader.object(|reader, key| match key {
            "diffs" => summary.read_diffs(reader),
            _ => reader.skip(),
        })?;
        Ok(summary)
    }

    fn read_diffs(&mut self, reader: &mut Reader<'_>) -> Result<(), Reason> {
        (self.files, self.additions, self.deletions) = (0, 0, 0);
        self.has_diffs = reader.array(|reader| {
            self.files += 1;
            reader.object(|reader, key| {
                match key {
                    "additions" => self.additions = self.additions.saturating_add(reader.int()?.unwrap_or(0)),
                    "deletions" => self.deletions = self.deletions.saturating_add(reader.int()?.unwrap_or(0)),
                    _ => reader.skip()?,
                }
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    }
}

/// Values of a message's JSON that need others, or the role, to be understood. Both generations.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    has_role: bool,
    role: Option<Text<'a>>,
    mode: Words<'a>,
    model: Model<'a>,
    usage: Usage,
    summary: Summary,
}

impl<'a> Gathered<'a> {
    /// Takes one entry of the JSON; what needs no other value goes to its column at once.
    pub(super) fn read(
        &mut self,
        fields: &mut MessageFields<'a>,
        reader: &mut Reader<'a>,
        key: &str,
    ) -> Result<(), Reason> {
        match key {
            "role" => {
                self.has_role = true;
                self.role = reader.text()?;
            }
            "agent" => fields.agent = reader.string()?,
            "mode" => self.mode = reader.string()?,
            "providerID" => fields.provider_id = reader.string()?,
            "modelID" => fields.model_id = reader.string()?,
            "variant" => fields.variant = reader.string()?,
            "model" => self.model = Model::read(reader)?,
            "parentID" => fields.parent_message_id = reader.string()?,
            "cost" => self.usage.cost = reader.float()?,
            "tokens" => self.usage.read_tokens(reader)?,
            "time" => {
                reader.object(|reader, key| {
                    match key {
                        "created" => fields.created_at = reader.int()?,
                        "completed" => fields.completed_at = reader.int()?,
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
            }
            "finish" => fields.finish = reader.string()?,
            "error" => read_error(reader, fields)?,
            "summary" => self.summary = Summary::read(reader)?,
            "path" => {
                reader.object(|reader, key| {
                    match key {
                        "cwd" => fields.cwd = reader.string()?,
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    }

    /// Fills what remains, except what depends on the role; gives tokens and money.
    pub(super) fn settle(&mut self, fields: &mut MessageFields<'a>) -> Usage {
        let Model { provider, id, variant } = std::mem::take(&mut self.model);
        fields.agent = fields.agent.take().or(self.mode.take());
        fields.provider_id = fields.provider_id.take().or(provider);
        fields.model_id = fields.model_id.take().or(id);
        fields.variant = fields.variant.take().or(variant);
        fields.cost = self.usage.cost;
        fields.tokens_input = self.usage.input;
        fields.tokens_output = self.usage.output;
        fields.tokens_reasoning = self.usage.reasoning;
        fields.tokens_cache_read = self.usage.cache_read;
        fields.tokens_cache_write = self.usage.cache_write;
        self.usage
    }
}

/// Decodes one row of `message`.
///
/// # Errors
/// The data is no JSON object, or has no `role` that is a string.
pub fn decode_message(data: &[u8]) -> Result<MessageFields<'_>, Reason> {
    let mut fields = MessageFields { data_chars: i64::try_from(data.len()).ok(), ..MessageFields::default() };
    let mut gathered = Gathered::default();
    document(data, |reader, key| gathered.read(&mut fields, reader, key))?;
    gathered.settle(&mut fields);
    let missing = if gathered.has_role { Reason::RoleNotString } else { Reason::NoRole };
    let role = gathered.role.ok_or(missing)?.decode();
    let summary = gathered.summary;
    match &*role {
        "assistant" => fields.is_summary = Some(summary.is_true),
        "user" if summary.has_diffs => {
            fields.diff_file_count = Some(summary.files);
            fields.diff_additions = Some(summary.additions);
            fields.diff_deletions = Some(summary.deletions);
        }
        _ => {}
    }
    fields.role = matches!(&*role, "user" | "assistant").then(|| role.clone());
    fields.kind = Some(role);
    Ok(fields)
}
