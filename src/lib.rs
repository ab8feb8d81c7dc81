//! Logicoma: columnar analytics and offline reports for people who run coding agents under OpenCode.
//!
//! The data flows in one direction, and each stage is a module:
//!
//! 1. [`extract`] locates OpenCode's databases and the skills on disk, reads each database in one read transaction and
//!    decodes its rows, in parallel, into typed Arrow batches;
//! 2. [`store`] keeps them as Parquet, partitioned, replaced atomically, described by a manifest;
//! 3. [`engine`] shows the tables as DuckDB views, builds marts once per state, and runs every metric of the
//!    [`registry`] in parallel, by DuckDB or by a polars [`pipeline`], each into one neutral table;
//! 4. [`render`] turns tables into pages: HTML, Markdown, JSON;
//! 5. [`cli`] is the only part that reads the environment and the clock, and the only one that prints.
//!
//! [`model`] holds the words of the domain, [`metric`] the contract of a query file, [`error`] what can go wrong.

pub mod cli;
pub mod engine;
pub mod error;
pub mod extract;
pub mod metric;
pub mod model;
pub mod pipeline;
pub mod registry;
pub mod render;
pub mod store;
