//! The integration tests: everything through the public face, on databases that the real OpenCode wrote and on
//! generated ones whose truth is known.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stderr, reason = "the suites of faults print their counts")]

mod alive;
mod architecture;
mod by_hand;
mod catalogue;
mod changes;
mod check;
mod cli;
mod decisions;
mod disk;
mod emit;
mod extract;
mod faults;
#[path = "../../fixtures/generator/mod.rs"]
mod generator;
mod golden;
mod harness;
mod history;
mod honest;
mod kill;
mod mended;
mod pages;
mod parity;
mod query;
mod readme;
mod refresh;
mod report;
mod report_life;
mod report_numbers;
mod report_private;
mod report_shapes;
mod safe;
mod sandbox;
mod skills;
mod small;
mod snapshot;
mod snapshot_diff;
mod snapshot_use;
mod sources;
mod stats;
mod storage;
mod tachikoma;
mod telemetry;
mod telemetry_files;
mod telemetry_foreign;
mod telemetry_tachikoma;
mod telemetry_truth;
mod trends;
mod truth;
