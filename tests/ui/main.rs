//! What does not compile, and what the compiler says about it.
//!
//! `TRYBUILD=overwrite cargo test -p redis-tests --test ui` writes the `.stderr` files anew.

use std::process::Command;

/// The messages are ours, the words around them the compiler's, which change from version to version.
const RUSTC: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match version {
        Ok(version) if version.starts_with(RUSTC) => {
            trybuild::TestCases::new().compile_fail("ui/*_*.rs");
        }
        other => {
            eprintln!("skipped: the expected messages are those of {RUSTC}x, this is {other:?}")
        }
    }
}
