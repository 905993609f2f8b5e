use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, path};

use crate::error::Error;
use crate::release::{Fork, Release};
use crate::run::{capture, run};

/// A server's executable that is known to run.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) release: Release,
}

/// One way to get a server: the executable, or why it has none.
pub(crate) type Source<'a> = &'a dyn Fn() -> Result<Binary, String>;

impl Binary {
    /// From the first source that has one, or what all of them said.
    pub(crate) fn first_of(sources: &[Source<'_>]) -> Result<Self, Vec<String>> {
        let mut tried = Vec::new();
        for source in sources {
            match source() {
                Ok(binary) => return Ok(binary),
                Err(reason) => tried.push(reason),
            }
        }
        Err(tried)
    }

    /// Asks an executable for its version.
    pub(crate) fn probe(path: &Path) -> Result<Self, String> {
        // The server will run in another folder.
        let path = path::absolute(path).map_err(|error| error.to_string())?;
        let banner = run(Command::new(&path).arg("--version"))?;
        let release = Release::from_banner(&banner)
            .ok_or_else(|| format!("{} is no server: {}", path.display(), banner.trim()))?;
        Ok(Self { path, release })
    }

    /// The first on `PATH` that fits.
    pub(crate) fn on_path(fork: Fork, fits: impl Fn(Release) -> bool) -> Result<Self, String> {
        let name = format!("{}-server", fork.name());
        let mut others = Vec::new();
        for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
            let path = folder.join(&name);
            if !path.is_file() {
                continue;
            }
            match Self::probe(&path) {
                Ok(binary) if fits(binary.release) => return Ok(binary),
                Ok(binary) => others.push(format!("{} is {}", path.display(), binary.release)),
                Err(reason) => others.push(reason),
            }
        }
        if others.is_empty() {
            Err(format!("{name} is not on PATH"))
        } else {
            Err(others.join(", "))
        }
    }

    /// Fails if the server was built without TLS.
    pub(crate) fn require_tls(&self) -> Result<(), Error> {
        // With TLS it looks for the certificate before it opens the port, and ends as there is
        // none.
        let (_, stdout, stderr) =
            capture(Command::new(&self.path).args(["--port", "0", "--tls-port", "1"]))
                .map_err(|reason| Error::NoTls { reason })?;
        if (stdout + &stderr).contains("Failed to configure TLS") {
            Ok(())
        } else {
            Err(Error::NoTls {
                reason: format!(
                    "{} ({}) was built without it",
                    self.path.display(),
                    self.release
                ),
            })
        }
    }
}
