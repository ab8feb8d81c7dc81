//! One file a verb.

pub mod check;
pub mod config;
pub mod doctor;
pub mod emit;
pub mod extract;
pub mod findings;
pub mod ingest;
pub mod metrics;
pub mod queries;
pub mod query;
pub mod report;
pub mod schema;
pub mod skills;
pub mod snapshot;
