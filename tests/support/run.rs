//! Running other programs.

use std::io;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Runs it to its end and returns what it wrote to standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let (succeeded, stdout, stderr) = capture(command)?;
    if succeeded {
        return Ok(stdout);
    }
    Err(format!(
        "{} failed: {}",
        name_of(command),
        complaint(&stderr)
    ))
}

/// What went wrong, in one line: apt and pip mark it, and say much else.
fn complaint(stderr: &str) -> String {
    let is_marked = |line: &&str| line.starts_with("E:") || line.starts_with("ERROR:");
    let mut lines: Vec<&str> = stderr.lines().filter(is_marked).collect();
    if lines.is_empty() {
        lines.extend(stderr.lines().rfind(|line| !line.trim().is_empty()));
    }
    lines.join(" ")
}

/// Runs it to its end, whatever that is: whether it succeeded, its standard output and its standard
/// error.
pub(crate) fn capture(command: &mut Command) -> Result<(bool, String, String), String> {
    let mut attempts = 0;
    let output = loop {
        match command.output() {
            // A file just written is busy while a process forked at that moment, by another thread,
            // still has it open.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && attempts < 100 => {
                attempts += 1;
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("{} is not installed", name_of(command)));
            }
            Err(error) => return Err(format!("{}: {error}", name_of(command))),
            Ok(output) => break output,
        }
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    ))
}

fn name_of(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
