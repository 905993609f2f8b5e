//! Editing a table triggers a rebuild of what depends on it, and of nothing else.
//!
//! Cargo runs on a copy of the client and of `user-crate`, in `target/rebuild-test`.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages that are copied; others are never edited.
const PACKAGES: [&str; 3] = ["redis-macros", "redis-client", "redis-user-crate"];

#[test]
fn editing_a_table_triggers_a_rebuild() {
    let copy = Copy::new();
    assert_eq!(copy.check(&["--lib"]), Ok(PACKAGES.to_vec()));
    assert_eq!(copy.check(&["--lib"]), Ok(vec![]));

    let of_user = copy.add_example("of_user", "redis_user_crate::NewCommands", "shout");
    copy.assert_no_method(&of_user, "shout");
    copy.add_command("tests/user-crate/commands.json", "SHOUT", "new");
    assert_eq!(copy.check(&of_user), Ok(vec!["redis-user-crate"]));
    assert_eq!(copy.check(&of_user), Ok(vec![]));

    let of_client = copy.add_example("of_client", "redis_client::StringCommands", "whisper");
    copy.assert_no_method(&of_client, "whisper");
    copy.add_command("commands.json", "WHISPER", "string");
    assert_eq!(
        copy.check(&of_client),
        Ok(vec!["redis-client", "redis-user-crate"])
    );
    assert_eq!(copy.check(&of_client), Ok(vec![]));
}

/// A workspace of nothing but [`PACKAGES`].
struct Copy {
    folder: PathBuf,
    target: PathBuf,
    /// Held while it is there, as all runs of this test use the same folder.
    _lock: File,
}

impl Copy {
    fn new() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../rebuild-test");
        fs::create_dir_all(&target).expect("the target folder is writable");
        let lock = File::create(target.join("lock")).expect("the target folder is writable");
        lock.lock().expect("the lock works");
        let folder = target.join("workspace");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
        for path in [
            "Cargo.lock",
            "Cargo.toml",
            "commands.json",
            "redis-client/Cargo.toml",
            "redis-client/commands.json",
            "redis-client/src",
            "redis-macros/Cargo.toml",
            "redis-macros/src",
            "tests/user-crate/Cargo.toml",
            "tests/user-crate/commands.json",
            "tests/user-crate/src",
        ] {
            copy(&source.join(path), &folder.join(path));
        }
        let copy = Self {
            folder,
            target,
            _lock: lock,
        };
        copy.edit("Cargo.toml", |manifest| {
            let (before, rest) = manifest
                .split_once("members = [")
                .expect("it is a workspace");
            let (_, after) = rest.split_once(']').expect("members are a list");
            format!("{before}members = [\"tests/user-crate\"]{after}")
        });
        copy.edit("tests/user-crate/Cargo.toml", |manifest| {
            let (used, _) = manifest
                .split_once("[dev-dependencies]")
                .expect("they come last");
            used.to_owned()
        });
        copy
    }

    /// Which of the packages cargo checks anew, or what it says against them.
    fn check(&self, what: &[&str]) -> Result<Vec<&'static str>, String> {
        let output = Command::new(env!("CARGO"))
            .args([
                "check",
                "--offline",
                "--color=never",
                "--package=redis-user-crate",
            ])
            .args(what)
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.folder)
            .output()
            .expect("cargo runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(text);
        }
        let is_checked = |package: &&str| {
            let line = |verb| text.contains(&format!("{verb} {package} v"));
            line("Checking") || line("Compiling")
        };
        Ok(PACKAGES.into_iter().filter(is_checked).collect())
    }

    /// Adds a file that calls a method of a trait, and returns how to check it.
    fn add_example<'n>(&self, name: &'n str, of: &str, method: &str) -> [&'n str; 2] {
        let code = format!(
            "#![allow(unused_imports)]
            use redis_client::Connection;
            use {of} as _;
            async fn example(client: &Connection) {{
                let _: redis_client::Result<String> = client.{method}(\"hello\").await;
            }}
            fn main() {{}}"
        );
        let folder = self.folder.join("tests/user-crate/examples");
        fs::create_dir_all(&folder).expect("the copy is writable");
        fs::write(folder.join(format!("{name}.rs")), code).expect("the copy is writable");
        ["--example", name]
    }

    fn assert_no_method(&self, example: &[&str], method: &str) {
        let message = format!("no method named `{method}`");
        let checked = self.check(example);
        assert!(
            checked.as_ref().is_err_and(|text| text.contains(&message)),
            "{checked:?}"
        );
    }

    fn add_command(&self, table: &str, name: &str, group: &str) {
        let method = name.to_lowercase();
        let command = format!(
            r#""{name}": {{
                "summary": "Returns its argument.",
                "since": "1.0.0",
                "group": "{group}",
                "flags": ["fast"],
                "arguments": [{{"name": "message", "type": "string"}}],
                "reply": "Native",
                "example": ["assert_eq!(client.{method}(\"hello\").await?, \"hello\");"]
            }},"#
        );
        let start = "\"commands\": {";
        self.edit(table, |table| {
            table.replacen(start, &format!("{start}\n{command}"), 1)
        });
    }

    fn edit(&self, path: &str, edited: impl FnOnce(&str) -> String) {
        let path = self.folder.join(path);
        let text = fs::read_to_string(&path).expect("it was copied");
        let edited = edited(&text);
        assert_ne!(edited, text, "{}", path.display());
        fs::write(&path, edited).expect("the copy is writable");
    }
}

/// A file, a folder, or a link.
fn copy(from: &Path, to: &Path) {
    let parent = to.parent().expect("it is in a folder");
    fs::create_dir_all(parent).expect("the copy is writable");
    if let Ok(target) = fs::read_link(from) {
        symlink(target, to).expect("the copy is writable");
    } else if from.is_dir() {
        for entry in fs::read_dir(from).expect("the source is readable") {
            let name = entry.expect("the source is readable").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}
