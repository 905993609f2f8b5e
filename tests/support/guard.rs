use std::env;
use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::{self, PipeWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A temporary folder and a server in it, neither of which outlives this process, however it ends.
///
/// A destructor does not run when the process is killed, nor for a `static`. So the cleaning is
/// left to a small shell that waits for the end of a pipe whose only writer is this process: the
/// kernel closes it in every case. (The death signal of `prctl` would not do: it comes when the
/// *thread* that started the server ends, that is, a test.)
#[derive(Debug)]
pub(crate) struct Guard {
    folder: PathBuf,
    shell: Child,
    /// Each line is the server's process ID from then on; an empty one says that there is none.
    pipe: Option<PipeWriter>,
}

/// Ignores what Ctrl-C sends to all processes of a terminal, as it has to act after that.
const CLEAN_UP: &str = r#"
trap '' HUP INT TERM
server=
while read -r line; do server=$line; done
[ -z "$server" ] || kill -KILL "$server"
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// Announces its own process ID, which stays the same over the exec: the server is guarded before
/// it exists.
const ANNOUNCE_AND_EXEC: &str = r#"echo $$; exec "$@" >>"$0" 2>&1"#;

impl Guard {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = unused_name();
        let (reader, pipe) = io::pipe()?;
        let shell = Command::new("sh")
            .args(["-c", CLEAN_UP, "redis-tests-guard"])
            .arg(&folder)
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let guard = Self {
            folder,
            shell,
            pipe: Some(pipe),
        };
        DirBuilder::new().mode(0o700).create(&guard.folder)?;
        Ok(guard)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Starts the server, which must be the process started, not a child of it. Its output is
    /// appended to the log.
    pub(crate) fn start<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> io::Result<Child> {
        let pipe = self.pipe.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        Command::new("sh")
            .args(["-c", ANNOUNCE_AND_EXEC])
            .arg(self.log())
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(pipe.try_clone()?)
            .current_dir(&self.folder)
            .spawn()
    }

    /// The server has ended, its process ID may soon be another's.
    pub(crate) fn forget(&self) {
        if let Some(mut pipe) = self.pipe.as_ref() {
            // If the shell is gone, there is nobody to tell.
            let _ = pipe.write_all(b"\n");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.shell.wait();
    }
}

/// In the system's folder for temporary files, if a Unix socket in it has a path that is short
/// enough.
fn unused_name() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let parent = Some(env::temp_dir())
        .filter(|parent| parent.as_os_str().len() < 50)
        .unwrap_or_else(|| "/tmp".into());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    parent.join(format!(
        "redis-tests-{}-{count}-{:x}",
        process::id(),
        now as u32
    ))
}
