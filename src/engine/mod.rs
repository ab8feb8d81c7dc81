//! Measuring: DuckDB over the store's Parquet, polars over what DuckDB selects, both into [`table::Table`]s.
//!
//! Input: a store's manifest, the registry, a [`scope::Scope`] (period, zone, filters). Output: tables, in the order in
//! which they were asked for, whatever the order in which they were done.

pub mod asker;
pub mod diff;
pub mod duck;
pub mod fanout;
pub mod findings;
pub mod lazy;
mod macros;
pub mod marts;
pub mod memo;
pub mod sandbox;
pub mod scope;
mod spill;
pub mod table;
mod union;
mod views;
mod wanted;

pub use views::{body, scoped, tables};
pub use wanted::Wanted;
