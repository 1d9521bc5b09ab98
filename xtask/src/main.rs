//! The chores of this workspace as one program: building, running, checking and testing.
//!
//! It needs nothing but a Rust toolchain to start, and says what to install where it needs more. It decides nothing
//! about the product: whoever reads it learns how the workspace is built, not how Skald works.

mod bench;
mod build;
mod cli;
mod faults;
mod lint;
mod process;
mod say;
mod skald;
mod soak;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Xtask::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&error);
            process::exit_code(&error)
        }
    }
}
