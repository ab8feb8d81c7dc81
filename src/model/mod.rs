//! The words of the domain. Input: texts as OpenCode recorded them. Output: our names for what they mean. No I/O.

pub mod digest;
pub mod edit;
pub mod patch;
pub mod path;
pub mod period;
pub mod shell;
pub mod skill;
pub mod text;
pub mod tool;
pub mod unit;
