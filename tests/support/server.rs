use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::binary::Binary;
use crate::certs::Certs;
use crate::error::Error;
use crate::guard::Guard;
use crate::kind::ServerKind;
use crate::release::{Fork, Release, Version};
use crate::wire::{Reply, Wire};

/// A running server that keeps nothing on disk, on a free port of `127.0.0.1` and a Unix socket.
///
/// Dropping it kills it and removes its folder. The same happens when this process ends without
/// dropping it.
#[derive(Debug)]
pub struct Server {
    process: Mutex<Process>,
    settings: Settings,
    port: u16,
    certs: Option<Certs>,
    release: Release,
    guard: Guard,
}

impl Server {
    /// Starts a server of this kind.
    ///
    /// # Panics
    ///
    /// If there is none ([`ServerKind::availability`] asks first) or it does not start.
    #[track_caller]
    pub fn start(kind: ServerKind) -> Self {
        Self::builder(kind).start()
    }

    /// A server of this kind with other settings.
    pub fn builder(kind: ServerKind) -> Builder {
        Builder::new(kind.binary())
    }

    /// The one server of this kind that the tests of this process share, started by the first who
    /// asks.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    #[track_caller]
    pub fn shared(kind: ServerKind) -> &'static Self {
        static SHARED: [OnceLock<Server>; 3] = [const { OnceLock::new() }; 3];
        SHARED[kind as usize].get_or_init(|| Self::start(kind))
    }

    /// Redis or Valkey, as it says itself.
    pub fn fork(&self) -> Fork {
        self.release.fork
    }

    /// Its version, as it says itself. (That of Valkey, not the version of Redis that it is
    /// compatible with.)
    pub fn version(&self) -> Version {
        self.release.version
    }

    /// Where it listens. With TLS, everything on this port is TLS.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The port of [`Self::addr`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket where it listens too, always without TLS.
    pub fn unix_path(&self) -> PathBuf {
        unix_path(&self.guard)
    }

    /// The URL for a client: `redis://127.0.0.1:port`, `rediss://…` with TLS or `unix:///path` if
    /// the builder said so; with the password if there is one.
    pub fn url(&self) -> String {
        let user = match &self.settings.password {
            Some(password) => format!(":{}@", percent_encoded(password)),
            None => String::new(),
        };
        if self.settings.unix_socket {
            return format!("unix://{user}{}", self.unix_path().display());
        }
        let scheme = if self.certs.is_some() {
            "rediss"
        } else {
            "redis"
        };
        format!("{scheme}://{user}{}", self.addr())
    }

    /// The certificates of a server with TLS.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[track_caller]
    pub fn certs(&self) -> &Certs {
        self.certs
            .as_ref()
            .expect("the server was built without tls(true)")
    }

    /// Its folder, which is its working directory.
    pub fn folder(&self) -> &Path {
        self.guard.folder()
    }

    /// What it wrote so far, over all its restarts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.guard.log()).unwrap_or_default()).into_owned()
    }

    /// Sends one command over a connection of its own, beside the client under test.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> Reply {
        let reply = self
            .settings
            .connect(&self.guard)
            .and_then(|mut wire| wire.command(words));
        reply.unwrap_or_else(|error| panic!("{words:?}: {error}\n{}", self.log()))
    }

    /// The process ID; another one after [`Self::restart`].
    pub fn pid(&self) -> u32 {
        self.process().child.id()
    }

    /// Kills it as `kill -9` does, and waits until it has ended.
    pub fn kill(&self) {
        self.process().kill(&self.guard);
    }

    /// Kills it if it runs and starts it again on the same port, with the same settings and without
    /// data.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[track_caller]
    pub fn restart(&self) {
        let mut process = self.process();
        process.kill(&self.guard);
        let patience = Instant::now() + Duration::from_secs(5);
        loop {
            match self
                .settings
                .launch(&self.guard, self.port, self.certs.as_ref())
            {
                Ok((new, _)) => break *process = new,
                // Meanwhile the port may have been given to somebody's outgoing connection.
                Err(Failure::PortTaken) if Instant::now() < patience => {
                    thread::sleep(Duration::from_millis(20))
                }
                Err(failure) => panic!(
                    "restart on port {}: {}",
                    self.port,
                    failure.into_error(&self.guard)
                ),
            }
        }
    }

    /// Stops it as `kill -STOP` does: its sockets stay open and accept, but nothing is read or
    /// answered.
    ///
    /// # Panics
    ///
    /// If it does not run.
    #[track_caller]
    pub fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Self::stop`].
    ///
    /// # Panics
    ///
    /// If it does not run.
    #[track_caller]
    pub fn cont(&self) {
        self.signal("CONT");
    }

    #[track_caller]
    fn signal(&self, signal: &str) {
        let process = self.process();
        assert!(process.alive, "the server does not run");
        // A builtin of the shell: the program `kill` is not installed everywhere.
        let status = Command::new("sh")
            .args(["-c", r#"kill -"$0" "$1""#, signal])
            .arg(process.child.id().to_string())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "kill -{signal} failed"
        );
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        // A test that panicked while holding it did so between two valid states.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Before the guard, dropped after this, removes the folder.
        self.kill();
    }
}

/// How to start a [`Server`].
#[derive(Debug)]
#[must_use = "nothing runs until it is started"]
pub struct Builder {
    binary: Result<Binary, Error>,
    args: Vec<OsString>,
    password: Option<String>,
    unix_socket: bool,
    tls: bool,
    mutual_tls: bool,
}

impl Builder {
    pub(crate) fn new(binary: Result<Binary, Error>) -> Self {
        Self {
            binary,
            args: Vec::new(),
            password: None,
            unix_socket: false,
            tls: false,
            mutual_tls: false,
        }
    }

    /// Adds a word to the command line: `.arg("--maxmemory").arg("10mb")`.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds words to the command line.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Clients have to give this password (`requirepass`).
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The port is for TLS, with [`Server::certs`]; clients need no certificate.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// The port is for TLS, and clients need a certificate.
    pub fn mutual_tls(mut self, mutual_tls: bool) -> Self {
        self.mutual_tls = mutual_tls;
        self
    }

    /// [`Server::url`] names the Unix socket. (There is one in any case.)
    pub fn unix_socket(mut self, unix_socket: bool) -> Self {
        self.unix_socket = unix_socket;
        self
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    ///
    /// If [`Self::try_start`] fails.
    #[track_caller]
    pub fn start(self) -> Server {
        self.try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts it and waits until it answers.
    pub fn try_start(self) -> Result<Server, Error> {
        let binary = self.binary?;
        let tls = self.tls || self.mutual_tls;
        if tls {
            binary.require_tls()?;
        }
        let guard = Guard::new().map_err(Error::io("making a folder and its guard"))?;
        let certs = if tls {
            Some(Certs::write(guard.folder())?)
        } else {
            None
        };
        let settings = Settings {
            binary,
            args: self.args,
            password: self.password,
            unix_socket: self.unix_socket,
            mutual_tls: self.mutual_tls,
        };
        let mut attempts = 0;
        loop {
            let port = free_port().map_err(Error::io("finding a free port"))?;
            match settings.launch(&guard, port, certs.as_ref()) {
                Ok((process, release)) => {
                    return Ok(Server {
                        process: Mutex::new(process),
                        settings,
                        port,
                        certs,
                        release,
                        guard,
                    });
                }
                Err(Failure::PortTaken) if attempts < 20 => attempts += 1,
                Err(failure) => return Err(failure.into_error(&guard)),
            }
        }
    }
}

/// What stays the same over restarts.
#[derive(Debug)]
struct Settings {
    binary: Binary,
    args: Vec<OsString>,
    password: Option<String>,
    unix_socket: bool,
    mutual_tls: bool,
}

impl Settings {
    fn launch(
        &self,
        guard: &Guard,
        port: u16,
        certs: Option<&Certs>,
    ) -> Result<(Process, Release), Failure> {
        let logged_before = fs::metadata(guard.log()).map_or(0, |log| log.len() as usize);
        let child = guard
            .start(&self.binary.path, self.command_line(guard, port, certs))
            .map_err(Failure::Spawn)?;
        let mut process = Process { child, alive: true };
        let patience = Instant::now() + START_TIMEOUT;
        loop {
            let failure = match self.greet(guard) {
                Ok(Some(release)) => return Ok((process, release)),
                Ok(None) => None,
                Err(strange) => Some(Failure::Other(strange)),
            };
            let failure = failure
                .or_else(|| {
                    process
                        .check(guard)
                        .map(|ended| ended_with(&ended, guard, logged_before))
                })
                .or_else(|| {
                    (Instant::now() > patience)
                        .then(|| Failure::Other(format!("no answer in {START_TIMEOUT:?}")))
                });
            if let Some(failure) = failure {
                process.kill(guard);
                return Err(failure);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn command_line(&self, guard: &Guard, port: u16, certs: Option<&Certs>) -> Vec<OsString> {
        let mut line: Vec<OsString> = Vec::new();
        let mut set = |name: &str, value: &dyn AsRef<OsStr>| {
            line.extend([name.into(), value.as_ref().into()])
        };
        set("--bind", &"127.0.0.1");
        set("--unixsocket", &unix_path(guard));
        set("--dir", &guard.folder());
        set("--save", &"");
        set("--appendonly", &"no");
        let port = port.to_string();
        if let Some(certs) = certs {
            set("--port", &"0");
            set("--tls-port", &port);
            set("--tls-ca-cert-file", &certs.ca);
            set("--tls-cert-file", &certs.server);
            set("--tls-key-file", &certs.server_key);
            set(
                "--tls-auth-clients",
                &if self.mutual_tls { "yes" } else { "no" },
            );
        } else {
            set("--port", &port);
        }
        if self.binary.release.version.major >= 7 {
            set("--enable-debug-command", &"yes");
        }
        if let Some(password) = &self.password {
            set("--requirepass", password);
        }
        line.extend(self.args.iter().cloned());
        line
    }

    /// Asks a server that has just been started who it is; nothing if it does not answer yet.
    ///
    /// Over the Unix socket, as the port may in fact be another process's. A server serves the one
    /// when it listens on both.
    fn greet(&self, guard: &Guard) -> Result<Option<Release>, String> {
        let Ok(mut wire) = self.connect(guard) else {
            return Ok(None);
        };
        match wire.command(&["PING"]) {
            Ok(Reply::Text(pong)) if pong == "PONG" => {}
            Ok(Reply::Error(error)) if !error.starts_with("LOADING") => {
                return Err(format!("PING: {error}"));
            }
            _ => return Ok(None),
        }
        let info = wire
            .command(&["INFO", "server"])
            .map_err(|error| format!("INFO: {error}"))?;
        let release = info.text().and_then(Release::from_info);
        release
            .map(Some)
            .ok_or_else(|| format!("INFO tells no version: {info:?}"))
    }

    fn connect(&self, guard: &Guard) -> io::Result<Wire<UnixStream>> {
        let stream = UnixStream::connect(unix_path(guard))?;
        stream.set_read_timeout(Some(START_TIMEOUT))?;
        let mut wire = Wire::new(stream);
        if let Some(password) = &self.password {
            wire.command(&["AUTH", password])?;
        }
        Ok(wire)
    }
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Not waited for yet, so that its process ID is still its own.
    alive: bool,
}

impl Process {
    /// How it ended, if it did.
    fn check(&mut self, guard: &Guard) -> Option<String> {
        let ended = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.alive = false;
        guard.forget();
        Some(ended)
    }

    fn kill(&mut self, guard: &Guard) {
        if self.alive {
            // Neither can fail for a child that was not waited for.
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.alive = false;
            guard.forget();
        }
    }
}

enum Failure {
    PortTaken,
    Spawn(io::Error),
    Other(String),
}

impl Failure {
    fn into_error(self, guard: &Guard) -> Error {
        let reason = match self {
            Self::PortTaken => "its port is taken".to_owned(),
            Self::Spawn(error) => error.to_string(),
            Self::Other(reason) => reason,
        };
        Error::Start {
            reason,
            log: fs::read_to_string(guard.log()).unwrap_or_default(),
        }
    }
}

fn ended_with(status: &str, guard: &Guard, logged_before: usize) -> Failure {
    let log = fs::read(guard.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(log.get(logged_before..).unwrap_or_default());
    if log.contains("Address already in use") {
        Failure::PortTaken
    } else {
        Failure::Other(format!("it ended, {status}"))
    }
}

fn unix_path(guard: &Guard) -> PathBuf {
    guard.folder().join("socket")
}

/// A port that was free a moment ago. Whoever uses it has to be ready to find it taken.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Far more than a server needs, even on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(20);
