//! Why a row cannot be decoded. Input: nothing. Output: [`Reason`], whose text goes into the quarantine.

use thiserror::Error;

/// Why a row is quarantined. Anything less grave becomes NULL in the column concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// `data` is NULL, a number or a BLOB. Made by whoever reads the cell.
    #[error("data is NULL or not text")]
    NotText,
    /// Bytes that are no UTF-8.
    #[error("data is not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Broken, cut off, or followed by something else.
    #[error("data is not valid JSON at byte {at}")]
    NotJson {
        /// Offset of the byte that does not fit; the length of the data when it ends too early.
        at: usize,
    },
    /// SQLite refuses such JSON as well.
    #[error("data is JSON nested deeper than {} levels, at byte {at}", super::scan::MAX_DEPTH)]
    TooDeep {
        /// Offset of the first bracket that is too deep.
        at: usize,
    },
    /// An array, a string, a number …
    #[error("data is JSON but not an object")]
    NotObject,
    /// A part without `type`.
    #[error("data has no type")]
    NoType,
    /// A part whose `type` is no string.
    #[error("type in data is not a string")]
    TypeNotString,
    /// A message without `role`.
    #[error("data has no role")]
    NoRole,
    /// A message whose `role` is no string.
    #[error("role in data is not a string")]
    RoleNotString,
}
