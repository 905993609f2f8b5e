//! Servers out of Debian's packages, unpacked with their libraries into a folder: nothing is
//! installed, root is not needed, and the suites need not be among those that the machine uses.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{self, Staging};
use crate::release::Fork;
use crate::run::run;

/// Suites to take packages from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suites {
    names: &'static [&'static str],
    /// apt preferences.
    preferences: &'static str,
}

/// Debian 12.
pub(crate) const BOOKWORM: Suites = Suites {
    names: &["bookworm"],
    preferences: "",
};

/// Whatever is newest. A new Redis is in experimental first; apt prefers sid unless told.
pub(crate) const NEWEST: Suites = Suites {
    names: &["sid", "experimental"],
    preferences: "Package: redis-server redis-tools valkey-server valkey-tools\n\
                  Pin: release a=experimental\n\
                  Pin-Priority: 500\n",
};

/// Unpacks a server into the folder `root` and writes scripts beside it, `server` and `cli`, that
/// run it.
pub(crate) fn unpack(suites: Suites, fork: Fork, staging: &Staging) -> Result<(), String> {
    let state = cache::folder().join("apt").join(suites.names.join("-"));
    let fetched = Apt::new(suites, &state, staging).and_then(|apt| apt.unpack(fork));
    if fetched.is_err() {
        // The lists are kept for the next server, but not if they may be what is wrong.
        let _ = fs::remove_dir_all(&state);
    }
    fetched?;
    for program in ["server", "cli"] {
        write_wrapper(staging.folder(), program, fork)?;
    }
    Ok(())
}

/// apt with its own configuration and state, beside those of the system.
struct Apt<'a> {
    configuration: PathBuf,
    staging: &'a Staging,
}

impl<'a> Apt<'a> {
    fn new(suites: Suites, state: &Path, staging: &'a Staging) -> Result<Self, String> {
        let archive = archive()?;
        let architecture = run(Command::new("dpkg").arg("--print-architecture"))?;
        let keyring = ["debian-archive-keyring.gpg", "debian-archive-keyring.pgp"]
            .map(|name| Path::new("/usr/share/keyrings").join(name))
            .into_iter()
            .find(|path| path.is_file())
            .ok_or("the package debian-archive-keyring is not installed")?;
        let options = format!(
            "target=Packages arch={} signed-by={}",
            architecture.trim(),
            keyring.display()
        );
        let sources = suites
            .names
            .iter()
            .map(|suite| format!("deb [{options}] {archive} {suite} main\n"));

        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(state.join(folder)).map_err(told(state))?;
        }
        let write = |name: &str, text: &str| fs::write(state.join(name), text).map_err(told(state));
        write("status", "")?;
        write("sources.list", &sources.collect::<String>())?;
        write("preferences", suites.preferences)?;
        write("apt.conf", &configuration(state))?;

        let apt = Self {
            configuration: state.join("apt.conf"),
            staging,
        };
        run(apt.command("apt-get")?.args(["--quiet=2", "update"]))?;
        Ok(apt)
    }

    fn unpack(&self, fork: Fork) -> Result<(), String> {
        let folder = self.staging.folder();
        let (debs, root) = (folder.join("debs"), folder.join("root"));
        let programs = ["server", "tools"].map(|part| format!("{}-{part}", fork.name()));
        let libraries = self.libraries(&programs)?;
        fs::create_dir(&debs).map_err(told(&debs))?;
        let mut download = self.command("apt-get")?;
        download
            .args(["--quiet=2", "download"])
            .args(&programs)
            .args(&libraries);
        run(download.current_dir(&debs))?;
        for deb in names(&debs) {
            let mut extract = self.staging.command("dpkg")?;
            run(extract.arg("--extract").arg(debs.join(deb)).arg(&root))?;
        }
        fs::remove_dir_all(&debs).map_err(told(&debs))
    }

    /// The libraries that packages need, with those that these need, down to libc.
    fn libraries(&self, packages: &[String]) -> Result<Vec<String>, String> {
        let is_library = |name: &&str| name.starts_with("lib") || name.starts_with("zlib");
        // Prints what each package depends on in lines such as "  Depends: libc6"…
        let direct = run(self.command("apt-cache")?.arg("depends").args(packages))?;
        let direct = direct
            .lines()
            .filter_map(|line| line.split_once("Depends: "));
        let direct = direct.map(|(_, name)| name).filter(is_library);
        // …and with these options, all packages that are reached, each in a line of its own.
        let mut depends = self.command("apt-cache")?;
        depends.args(["depends", "--recurse"]);
        for relation in [
            "recommends",
            "suggests",
            "conflicts",
            "breaks",
            "replaces",
            "enhances",
        ] {
            depends.arg(format!("--no-{relation}"));
        }
        let all = run(depends.args(direct))?;
        let all: BTreeSet<&str> = all.lines().filter(is_library).collect();
        Ok(all.into_iter().map(str::to_owned).collect())
    }

    fn command(&self, program: &str) -> Result<Command, String> {
        let mut command = self.staging.command(program)?;
        command
            .env("LC_ALL", "C")
            .arg("--config-file")
            .arg(&self.configuration);
        Ok(command)
    }
}

/// Where this machine gets its Debian packages from.
fn archive() -> Result<String, String> {
    // Prints and fetches nothing, without root too. (`apt-get indextargets` is made for this, but
    // is empty until the first update.) A line is 'http://…/debian/dists/bookworm/InRelease' …
    let uris = run(Command::new("apt-get").args(["--print-uris", "update"]))?;
    let mut archives = uris
        .lines()
        .filter_map(|line| Some(line.strip_prefix('\'')?.split_once("/dists/")?.0));
    let archive = archives.find(|archive| archive.ends_with("/debian"));
    archive
        .map(str::to_owned)
        .ok_or_else(|| "apt is not configured for a Debian archive".to_owned())
}

fn configuration(state: &Path) -> String {
    let state = state.display();
    format!(
        r#"Dir::Etc::SourceList "{state}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "{state}/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "{state}/lists";
Dir::State::Status "{state}/status";
Dir::Cache "{state}/cache";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
// A mirror that is behind is good enough; the signatures are still checked.
Acquire::Check-Valid-Until "false";
APT::Update::Error-Mode "any";
// Let root write into folders that the user _apt cannot enter.
APT::Sandbox::User "root";
Debug::NoLocking "true";
// What the system has hooked into its own updates is about its own caches.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#
    )
}

/// A script that runs a program with the C library it came with, however old or new that of this
/// machine is.
fn write_wrapper(folder: &Path, program: &str, fork: Fork) -> Result<(), String> {
    let mut libraries = Vec::new();
    let mut loader = None;
    for parent in ["lib", "usr/lib"] {
        let parent_path = folder.join("root").join(parent);
        for name in names(&parent_path).filter(|name| name.contains("-linux-gnu")) {
            let library = format!("$root/{parent}/{name}");
            let mut files = names(&parent_path.join(name));
            if let Some(file) = files.find(|file| file.starts_with("ld-linux")) {
                loader = Some(format!("{library}/{file}"));
            }
            libraries.push(library);
        }
    }
    let loader = loader.ok_or("libc6 has no ld-linux")?;
    let libraries = libraries.join(":");
    // It ends in exec, so that the process started is the server itself.
    let script = format!(
        r#"#!/bin/sh
root=${{0%/*}}/root
exec "{loader}" --library-path "{libraries}" "$root/usr/bin/{}-{program}" "$@"
"#,
        fork.name(),
    );
    let path = folder.join(program);
    fs::write(&path, script)
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
        .map_err(told(&path))
}

/// The names in a folder; none if there is no folder.
fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
}

fn told(path: &Path) -> impl Fn(io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
