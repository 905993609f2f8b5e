//! Where fetched servers are kept: a folder for each, with an executable `server` in it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io, path};

use crate::binary::Binary;
use crate::release::Release;

/// The server `name` from the cache, put there by `fetch` if this is the first process to want it.
///
/// What `fetch` makes moves into place only if its `server` runs and fits, so that a failed or
/// interrupted fetch leaves nothing behind that looks like a server.
pub(crate) fn obtain(
    name: &str,
    fits: impl Fn(Release) -> bool,
    fetch: impl FnOnce(&Staging) -> Result<(), String>,
) -> Result<Binary, String> {
    let cache = folder();
    let home = cache.join(name);
    if !home.join("server").is_file() {
        let told = |error: io::Error| format!("{}: {error}", cache.display());
        fs::create_dir_all(&cache).map_err(told)?;
        let lock = File::create(cache.join("lock")).map_err(told)?;
        lock.lock().map_err(told)?;
        // Another process may have fetched it meanwhile.
        if !home.join("server").is_file() {
            let staging = Staging {
                folder: cache.join(format!("{name}.partial")),
                lock,
            };
            staging.fill(name, fits, fetch)?;
            remove(&home)
                .and_then(|()| fs::rename(&staging.folder, &home))
                .map_err(told)?;
        }
    }
    Binary::probe(&home.join("server"))
}

/// Where a server is put together, by one process at a time.
pub(crate) struct Staging {
    folder: PathBuf,
    lock: File,
}

impl Staging {
    /// Empty at first.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command to help with it.
    ///
    /// It has the lock too, as its standard input: should this process be killed, the next one has
    /// to wait until the command, which lives on, has ended.
    pub(crate) fn command(&self, program: &str) -> Result<Command, String> {
        let lock = self.lock.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.stdin(lock);
        Ok(command)
    }

    fn fill(
        &self,
        name: &str,
        fits: impl Fn(Release) -> bool,
        fetch: impl FnOnce(&Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let told = |error: io::Error| format!("{}: {error}", self.folder.display());
        remove(&self.folder).map_err(told)?;
        fs::create_dir(&self.folder).map_err(told)?;
        // Said at once: the first run of the tests waits here for some seconds.
        let home = self.folder.with_file_name(name);
        let line = format!("fetching {}\n", home.display());
        let _ = io::stderr().write_all(line.as_bytes());

        let fetched = fetch(self)
            .and_then(|()| Binary::probe(&self.folder.join("server")))
            .and_then(|binary| match binary.release {
                release if fits(release) => Ok(()),
                other => Err(format!("what came is {other}")),
            });
        fetched.or_else(|reason| {
            remove(&self.folder).map_err(told)?;
            Err(format!("{name} could not be fetched: {reason}"))
        })
    }
}

/// `servers` in cargo's target folder, or what `REDIS_TESTS_CACHE` names.
pub(crate) fn folder() -> PathBuf {
    if let Some(folder) = env::var_os("REDIS_TESTS_CACHE") {
        // Absolute, as servers and programs run in other folders.
        return path::absolute(&folder).unwrap_or(folder.into());
    }
    // Cargo writes these into its target folder, wherever it was told to have it.
    let is_target = |folder: &&Path| {
        [".rustc_info.json", "CACHEDIR.TAG"]
            .iter()
            .any(|name| folder.join(name).is_file())
    };
    let executable = env::current_exe().unwrap_or_default();
    let target = executable.ancestors().find(is_target);
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    target.map_or_else(default, Path::to_owned).join("servers")
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
