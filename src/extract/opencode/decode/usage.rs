//! Tokens, money and times: the numbers that messages and parts of both generations share. Input: a reader before the
//! value. Output: [`Usage`], [`Times`].

use super::PartFields;
use super::Reason;
use super::json::Reader;

/// `tokens`, and the `cost` beside it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Usage {
    pub(super) cost: Option<f64>,
    pub(super) input: Option<i64>,
    pub(super) output: Option<i64>,
    pub(super) reasoning: Option<i64>,
    pub(super) cache_read: Option<i64>,
    pub(super) cache_write: Option<i64>,
}

impl Usage {
    /// Reads `tokens`.
    pub(super) fn read_tokens(&mut self, reader: &mut Reader<'_>) -> Result<(), Reason> {
        let usage = self;
        reader.object(|reader, key| {
            match key {
                "input" => usage.input = reader.int()?,
                "output" => usage.output = reader.int()?,
                "reasoning" => usage.reasoning = reader.int()?,
                "cache" => {
                    reader.object(|reader, key| {
                        match key {
                            "read" => usage.cache_read = reader.int()?,
                            "write" => usage.cache_write = reader.int()?,
                            _ => reader.skip()?,
                        }
                        Ok(())
                    })?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Whether anything is known.
    pub(super) fn is_known(&self) -> bool {
        let tokens = [self.input, self.output, self.reasoning, self.cache_read, self.cache_write];
        self.cost.is_some() || tokens.iter().any(Option::is_some)
    }

    /// Puts it into a step-finish part.
    pub(super) fn fill(self, fields: &mut PartFields<'_>) {
        fields.cost = self.cost;
        fields.tokens_input = self.input;
        fields.tokens_output = self.output;
        fields.tokens_reasoning = self.reasoning;
        fields.tokens_cache_read = self.cache_read;
        fields.tokens_cache_write = self.cache_write;
    }
}

/// `time` of a part: start, end, and when the output was pruned. v2's names are understood as well.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Times {
    created: Option<i64>,
    started: Option<i64>,
    ended: Option<i64>,
    compacted: Option<i64>,
}

impl Times {
    /// Reads `time`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let mut times = Self::default();
        reader.object(|reader, key| {
            match key {
                "start" | "ran" => times.started = reader.int()?,
                "end" | "completed" => times.ended = reader.int()?,
                "compacted" => times.compacted = reader.int()?,
                "created" => times.created = reader.int()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(times)
    }

    /// Puts it into a part.
    pub(super) fn fill(self, fields: &mut PartFields<'_>) {
        fields.started_at = self.started.or(self.created);
        fields.ended_at = self.ended;
        fields.compacted_at = self.compacted;
    }
}
