//! The server harness itself, against real servers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use redis_test_support::{Availability, Error, Fork, Reply, Server, ServerKind, Version, Wire};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[test]
fn every_kind_answers_in_both_protocols() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        assert_eq!(server.fork(), kind.fork());
        assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));

        let mut wire = connect(server.addr());
        assert_pong(&mut wire);
        let Reply::Array(hello) = ok(wire.command(&["HELLO", "3"])) else {
            panic!("no map")
        };
        let proto = hello
            .iter()
            .position(|key| key.text() == Some("proto"))
            .expect("HELLO tells the protocol");
        assert_eq!(hello[proto + 1], Reply::Integer(3));
        assert_pong(&mut wire);
    }
}

#[test]
fn version_is_what_was_asked_for() {
    for kind in ServerKind::available() {
        let version = Server::shared(kind).version();
        match kind {
            ServerKind::Redis70 => assert_eq!((version.major, version.minor), (7, 0)),
            ServerKind::Redis8 => assert!(
                version >= Version::new(8, 6, 0) && version.major == 8,
                "{version}"
            ),
            ServerKind::Valkey9 => assert!(
                version >= Version::new(9, 1, 0) && version.major == 9,
                "{version}"
            ),
        }
    }
}

#[test]
fn pid_is_the_server_itself() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        let info = server.command(&["INFO", "server"]);
        let expected = format!("process_id:{}\r\n", server.pid());
        assert!(
            info.text().is_some_and(|info| info.contains(&expected)),
            "{info:?}"
        );
    }
}

#[test]
fn answers_on_a_unix_socket() {
    for kind in ServerKind::available() {
        let server = Server::builder(kind).unix_socket(true).start();
        assert_eq!(
            server.url(),
            format!("unix://{}", server.unix_path().display())
        );
        assert_pong(&mut Wire::new(ok(UnixStream::connect(server.unix_path()))));
    }
}

#[test]
fn tls_needs_no_client_certificate() {
    for kind in ServerKind::available_with_tls() {
        let server = Server::builder(kind).tls(true).start();
        assert_eq!(
            server.url(),
            format!("rediss://127.0.0.1:{}", server.port())
        );
        for host in ["localhost", "127.0.0.1"] {
            assert_pong(&mut connect_tls(&server, host, false));
        }
        assert!(
            connect(server.addr()).command(&["PING"]).is_err(),
            "the port is for TLS only"
        );
    }
}

#[test]
fn mutual_tls_needs_a_client_certificate() {
    for kind in ServerKind::available_with_tls() {
        let server = Server::builder(kind).mutual_tls(true).start();
        assert_pong(&mut connect_tls(&server, "localhost", true));
        assert!(
            connect_tls(&server, "localhost", false)
                .command(&["PING"])
                .is_err()
        );
    }
}

#[test]
fn password_is_asked_for_and_in_the_url() {
    for kind in ServerKind::available() {
        let server = Server::builder(kind).password("p@ss/w%rd").start();
        assert_eq!(
            server.url(),
            format!("redis://:p%40ss%2Fw%25rd@127.0.0.1:{}", server.port())
        );
        let mut wire = connect(server.addr());
        assert!(
            matches!(ok(wire.command(&["PING"])), Reply::Error(error) if error.starts_with("NOAUTH"))
        );
        assert_eq!(
            ok(wire.command(&["AUTH", "p@ss/w%rd"])),
            Reply::Text("OK".to_owned())
        );
        assert_eq!(server.command(&["DBSIZE"]), Reply::Integer(0));
    }
}

#[test]
fn arguments_reach_the_server() {
    for kind in ServerKind::available() {
        let server = Server::builder(kind)
            .args(["--maxmemory", "64mb"])
            .arg("--databases")
            .arg("3")
            .start();
        let config = |name| server.command(&["CONFIG", "GET", name]);
        let pair = |name: &str, value: &str| {
            Reply::Array(
                [name, value]
                    .map(|text| Reply::Text(text.to_owned()))
                    .into(),
            )
        };
        assert_eq!(config("maxmemory"), pair("maxmemory", "67108864"));
        assert_eq!(config("databases"), pair("databases", "3"));
        assert_eq!(config("save"), pair("save", ""));
        assert_eq!(
            server.command(&["DEBUG", "SLEEP", "0"]),
            Reply::Text("OK".to_owned())
        );
    }
}

#[test]
fn wrong_argument_is_an_error_with_the_log() {
    for kind in ServerKind::available() {
        let error = Server::builder(kind)
            .args(["--maxmemory", "much"])
            .try_start()
            .expect_err("much is no number");
        assert!(
            matches!(&error, Error::Start { log, .. } if log.contains("maxmemory")),
            "{error}"
        );
    }
}

#[test]
fn restarts_on_the_same_port_without_data() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        let (addr, pid) = (server.addr(), server.pid());
        let mut wire = connect(addr);
        assert_eq!(
            ok(wire.command(&["SET", "key", "value"])),
            Reply::Text("OK".to_owned())
        );

        server.kill();
        assert!(TcpStream::connect(addr).is_err());
        assert!(wire.command(&["PING"]).is_err());

        server.restart();
        assert_eq!(server.addr(), addr);
        assert_ne!(server.pid(), pid);
        assert_eq!(ok(connect(addr).command(&["GET", "key"])), Reply::Null);

        server.restart();
        assert_pong(&mut connect(addr));
    }
}

#[test]
fn restart_waits_for_its_port() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        server.kill();
        let other = ok(TcpListener::bind(server.addr()));
        let free_it = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(other);
        });
        server.restart();
        assert_pong(&mut connect(server.addr()));
        free_it.join().expect("it does not panic");
    }
}

#[test]
fn stopped_server_accepts_but_is_silent_until_it_goes_on() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        server.stop();
        let stream = ok(TcpStream::connect(server.addr()));
        ok(stream.set_read_timeout(Some(Duration::from_millis(50))));
        let mut wire = Wire::new(&stream);
        let error = wire.command(&["PING"]).expect_err("it is stopped");
        assert!(
            matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ),
            "{error}"
        );

        server.cont();
        ok(stream.set_read_timeout(Some(PATIENCE)));
        assert_eq!(ok(wire.reply()), Reply::Text("PONG".to_owned()));
    }
}

#[test]
fn shared_server_is_one() {
    for kind in ServerKind::available() {
        let other = thread::spawn(move || Server::shared(kind).pid()).join();
        assert_eq!(
            Server::shared(kind).pid(),
            other.expect("the thread does not panic")
        );
    }
}

#[test]
fn eight_start_in_parallel() {
    for kind in ServerKind::available() {
        let threads: Vec<_> = (0..8)
            .map(|_| thread::spawn(move || Server::start(kind)))
            .collect();
        let servers: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().expect("it starts"))
            .collect();
        for server in &servers {
            assert_pong(&mut connect(server.addr()));
        }
    }
}

#[test]
fn starts_at_once() {
    for kind in ServerKind::available() {
        let started = Instant::now();
        let server = Server::start(kind);
        let took = started.elapsed();
        let stopped = Instant::now();
        drop(server);
        println!("{kind}: start {took:?}, drop {:?}", stopped.elapsed());
        assert!(took < Duration::from_secs(5));
    }
}

#[test]
fn drop_leaves_nothing_behind() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        let traces = Traces::of(&server);
        drop(server);
        traces.assert_gone(Duration::ZERO);
    }
}

#[test]
fn panicking_test_leaves_nothing_behind() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        let traces = Traces::of(&server);
        let test = panic::catch_unwind(AssertUnwindSafe(move || {
            let _server = server;
            panic!("as a failing test does");
        }));
        assert!(test.is_err());
        traces.assert_gone(Duration::ZERO);
    }
}

#[test]
fn killed_owner_leaves_nothing_behind() {
    for kind in ServerKind::available() {
        let mut owner = Owner::start(kind, "wait");
        let traces = owner.servers();
        assert_eq!(traces.len(), 3);
        for server in &traces {
            // One of them is stopped, but connections to it are accepted.
            ok(TcpStream::connect(server.addr));
        }
        owner.kill();
        for server in traces {
            server.assert_gone(PATIENCE);
        }
    }
}

#[test]
fn exiting_owner_leaves_nothing_behind() {
    for kind in ServerKind::available() {
        let mut owner = Owner::start(kind, "exit");
        for server in owner.servers() {
            server.assert_gone(PATIENCE);
        }
    }
}

/// The owner is killed at every moment of a server's start.
#[test]
#[cfg(target_os = "linux")]
fn owner_killed_while_starting_leaves_nothing_behind() {
    for kind in ServerKind::available() {
        for delay in (0..60).step_by(3) {
            let mut owner = Owner::start(kind, "start and stop");
            let mark = format!("redis-tests-{}-", owner.process.id());
            owner.line();
            thread::sleep(Duration::from_millis(delay));
            owner.kill();
            eventually(PATIENCE, "no process and no folder", || {
                let folders = names(&env::temp_dir()).filter(|name| name.starts_with(&mark));
                folders.chain(processes(&mark)).next().is_none()
            });
        }
    }
}

#[test]
fn missing_server_is_an_error_that_says_what_to_do() {
    let output = Command::new(ok(env::current_exe()))
        .args(["--exact", "missing", "--nocapture"])
        .env("PATH", "/nonexistent")
        .env("REDIS_TESTS_CACHE", "/dev/null/no-folder")
        .env("REDIS_TESTS_VALKEY_9_SERVER", "/nonexistent/valkey-server")
        .env("HARNESS_MISSING", "1")
        .env_remove("CI")
        .output();
    let output = ok(output);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    for expected in [
        "skipped: redis-8: no redis-8 server:",
        "REDIS_TESTS_REDIS_8_SERVER is not set",
        "redis-server is not on PATH",
        "Install Redis 8.6",
        "REDIS_TESTS_VALKEY_9_SERVER: /nonexistent/valkey-server is not installed",
        "(3 skipped in this process)",
    ] {
        assert!(told.contains(expected), "no {expected:?} in:\n{told}");
    }
}

/// Not a test by itself: `missing_server_is_an_error_that_says_what_to_do` runs it in a process
/// without servers.
#[test]
fn missing() {
    if env::var_os("HARNESS_MISSING").is_some() {
        assert_eq!(ServerKind::available(), []);
        assert_eq!(redis_test_support::skipped(), 3);
    }
}

#[test]
fn ci_does_not_skip() {
    // A variable of this process would be seen by the other tests as well.
    let output = Command::new(ok(env::current_exe()))
        .args(["--exact", "missing"])
        .env("PATH", "/nonexistent")
        .env("REDIS_TESTS_CACHE", "/dev/null/no-folder")
        .env("HARNESS_MISSING", "1")
        .env("CI", "true")
        .output();
    let output = ok(output);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("CI must not skip redis-7.0"), "{told}");
}

#[test]
fn quickstart_has_a_server_of_its_own() {
    if env::var_os("REDIS_URL").is_some() {
        return;
    }
    match redis_test_support::quickstart_url() {
        Ok((server, url)) => {
            let server = server.expect("REDIS_URL is not set");
            assert_eq!(url, server.url());
            assert_pong(&mut connect(server.addr()));
        }
        Err(error) => assert!(!Availability::Missing(error.to_string()).or_skip("quickstart")),
    }
}

#[test]
fn forks_are_told_apart() {
    let versions = ServerKind::available()
        .into_iter()
        .map(|kind| (Server::shared(kind).fork(), Server::shared(kind).version()));
    for (fork, version) in versions {
        // Valkey also tells the version of Redis that it is compatible with, 7.2.4.
        assert_eq!(fork == Fork::Valkey, version.major > 8, "{fork} {version}");
    }
}

/// Not a test by itself: others run it as a process that owns servers, and end that process.
#[test]
fn owner() {
    let Ok(plan) = env::var("HARNESS_OWNER") else {
        return;
    };
    let (kind, end) = plan.split_once(':').expect("kind:end");
    let kind = ServerKind::all()
        .into_iter()
        .find(|known| known.name() == kind)
        .expect("a kind");
    match end {
        "start and stop" => {
            println!("\nowner: starting");
            loop {
                drop(Server::start(kind));
            }
        }
        _ => {
            let own = Server::start(kind);
            let stopped = Server::start(kind);
            for server in [&own, &stopped, Server::shared(kind)] {
                println!("\nowner: {} {}", server.addr(), server.folder().display());
            }
            stopped.stop();
            println!("\nowner: done");
            if end == "wait" {
                thread::sleep(Duration::from_secs(60));
            }
        }
    }
}

/// A process of this test binary that owns servers.
struct Owner {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Owner {
    fn start(kind: ServerKind, end: &str) -> Self {
        let process = Command::new(ok(env::current_exe()))
            .args(["--exact", "owner", "--nocapture"])
            .env("HARNESS_OWNER", format!("{kind}:{end}"))
            .stdout(Stdio::piped())
            .spawn();
        let mut process = ok(process);
        let output = process
            .stdout
            .take()
            .map(BufReader::new)
            .expect("it is piped");
        Self { process, output }
    }

    /// The next line meant for the test.
    fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                ok(self.output.read_line(&mut line)),
                0,
                "the owner ended early"
            );
            if let Some(line) = line.strip_prefix("owner: ") {
                return line.trim_end().to_owned();
            }
        }
    }

    fn servers(&mut self) -> Vec<Traces> {
        let mut servers = Vec::new();
        loop {
            let line = self.line();
            let Some((addr, folder)) = line.split_once(' ') else {
                return servers;
            };
            servers.push(Traces {
                addr: addr.parse().expect("an address"),
                folder: folder.into(),
            });
        }
    }

    fn kill(&mut self) {
        ok(self.process.kill());
        ok(self.process.wait());
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is left of a server if it was not cleaned up.
struct Traces {
    addr: SocketAddr,
    folder: PathBuf,
}

impl Traces {
    fn of(server: &Server) -> Self {
        assert!(server.folder().is_dir());
        Self {
            addr: server.addr(),
            folder: server.folder().to_owned(),
        }
    }

    fn assert_gone(self, patience: Duration) {
        eventually(patience, "nothing listens", || {
            TcpStream::connect(self.addr).is_err()
        });
        eventually(patience, "the folder is removed", || !self.folder.exists());
    }
}

fn eventually(patience: Duration, what: &str, is_true: impl Fn() -> bool) {
    let until = Instant::now() + patience;
    while !is_true() {
        assert!(Instant::now() < until, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn connect(addr: SocketAddr) -> Wire<TcpStream> {
    let stream = ok(TcpStream::connect(addr));
    ok(stream.set_read_timeout(Some(PATIENCE)));
    Wire::new(stream)
}

fn connect_tls(
    server: &Server,
    host: &'static str,
    with_certificate: bool,
) -> Wire<impl Read + Write + use<>> {
    let certs = server.certs();
    let mut roots = rustls::RootCertStore::empty();
    ok(roots.add(certificate(&certs.ca)));
    let config = rustls::ClientConfig::builder().with_root_certificates(roots);
    let config = if with_certificate {
        let key = ok(PrivateKeyDer::from_pem_file(&certs.client_key));
        ok(config.with_client_auth_cert(vec![certificate(&certs.client)], key))
    } else {
        config.with_no_client_auth()
    };
    let name = host.try_into().expect("a name or address");
    let tls = ok(rustls::ClientConnection::new(Arc::new(config), name));
    let stream = ok(TcpStream::connect(server.addr()));
    ok(stream.set_read_timeout(Some(PATIENCE)));
    Wire::new(rustls::StreamOwned::new(tls, stream))
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    ok(CertificateDer::from_pem_file(path))
}

/// The processes that were started with something in their arguments, or work in a folder named so.
/// (A server overwrites its arguments, but keeps the folder, also when that is removed.)
#[cfg(target_os = "linux")]
fn processes(mark: &str) -> impl Iterator<Item = String> {
    names(Path::new("/proc")).filter(move |process| {
        let process = Path::new("/proc").join(process);
        let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
        let folder = fs::read_link(process.join("cwd")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(mark)
            || folder.to_string_lossy().contains(mark)
    })
}

fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
}

#[track_caller]
fn assert_pong<S: Read + Write>(wire: &mut Wire<S>) {
    assert_eq!(ok(wire.command(&["PING"])), Reply::Text("PONG".to_owned()));
}

#[track_caller]
fn ok<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

const PATIENCE: Duration = Duration::from_secs(10);
