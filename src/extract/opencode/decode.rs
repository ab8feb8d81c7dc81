//! The JSON of one row into the store's columns.
//!
//! Input: the bytes of `data` of a part, a message or a v2 row. Output: [`PartFields`], [`MessageFields`], [`V2Row`], or
//! the [`Reason`] why the row is quarantined. Pure functions: no I/O, no state, no panics, whatever the bytes.
//! A row is decoded when its data is a JSON object (as SQLite's `json_valid` understands it) that says what it is;
//! beyond that, a value of an unexpected type is unknown (`None`), never an error.

mod call;
mod edits;
mod fields;
mod json;
mod message;
mod number;
mod part;
mod prompt;
mod reason;
mod scan;
mod signal;
mod text;
mod tool;
mod usage;
mod v2;

pub use fields::{MessageFields, PartFields, V2Part, V2Row};
pub use message::decode_message;
pub use part::decode_part;
pub use prompt::PromptEvidence;
pub use reason::Reason;
pub use signal::Signal;
pub use v2::decode_v2_row;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_edits;
#[cfg(test)]
mod tests_v2;
