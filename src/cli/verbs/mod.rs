//! One file a verb.

pub mod config;
pub mod doctor;
pub mod extract;
pub mod findings;
pub mod metrics;
pub mod queries;
pub mod query;
pub mod report;
pub mod schema;
pub mod skills;
pub mod snapshot;
