//! How the program is linked. Input: nothing. Output: an instruction to cargo.
//!
//! A position-independent executable of this size is relocated at every start: a quarter of a million addresses, 4 MB of pages
//! touched, about half of the time that `logicoma emit` takes. Placed at a fixed address it starts at once. Only on Linux,
//! whose linkers all know the option; code of libraries stays as it is.

#![allow(clippy::print_stdout, reason = "it is how a build script speaks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=.ci/link.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
