//! Parse, run, print what went wrong, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    logicoma::cli::main()
}
