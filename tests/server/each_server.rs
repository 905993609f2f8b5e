//! One test, on every server that can be had and in both protocols.

use std::fmt;
use std::panic::Location;
use std::thread;
use std::time::Duration;

use redis_client::{Config, Connection, Protocol};
use redis_test_support::{Builder, Server, ServerKind};
use tokio::runtime::{self, Runtime};
use tokio::time::{Instant, sleep, timeout};

/// Runs a test with a connection to an empty server, on each server in both protocols.
///
/// Every server is started for this test alone, and there is one connection to it: further ones come from the [`Place`].
/// A failure names server and protocol: they are the name of the thread that panics.
pub(crate) fn for_each_server(test: impl AsyncFn(&Connection, &Place) -> Outcome + Sync) {
    for_each_server_with(|builder| builder, test);
}

/// [`for_each_server`] with other settings of the servers.
pub(crate) fn for_each_server_with(
    settings: impl Fn(Builder) -> Builder + Sync,
    test: impl AsyncFn(&Connection, &Place) -> Outcome + Sync,
) {
    for_each_place(&ServerKind::available(), settings, async |place: &Place| {
        test(&place.connect().await?, place).await
    });
}

/// Runs a test on these servers in both protocols.
pub(crate) fn for_each_place(
    kinds: &[ServerKind],
    settings: impl Fn(Builder) -> Builder + Sync,
    test: impl AsyncFn(&Place) -> Outcome + Sync,
) {
    let failed: Vec<String> = thread::scope(|scope| {
        let (settings, test) = (&settings, &test);
        let threads: Vec<_> = kinds
            .iter()
            .map(|&kind| scope.spawn(move || on_kind(kind, settings, test)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .flat_map(|failed| {
                failed.unwrap_or_else(|_| vec!["a server that did not start".to_owned()])
            })
            .collect()
    });
    assert!(failed.is_empty(), "failed on {}", failed.join(", "));
}

/// The places of this kind where the test failed.
fn on_kind(
    kind: ServerKind,
    settings: impl Fn(Builder) -> Builder,
    test: &(impl AsyncFn(&Place) -> Outcome + Sync),
) -> Vec<String> {
    let mut place = Place {
        kind,
        server: settings(Server::builder(kind)).start(),
        protocol: Protocol::Resp2,
    };
    let mut failed = Vec::new();
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        place.protocol = protocol;
        place.server.command(&["FLUSHALL"]);
        place.wait_until_alone();
        let result = thread::scope(|scope| {
            let thread = thread::Builder::new().name(place.to_string());
            let place = &place;
            let thread = thread
                .spawn_scoped(scope, move || run(place, test))
                .expect("a thread");
            thread.join()
        });
        if result.is_err() {
            failed.push(place.to_string());
            // It may have been left stopped, or with a password.
            place.server.restart();
        }
    }
    failed
}

fn run(place: &Place, test: &impl AsyncFn(&Place) -> Outcome) {
    match place
        .runtime()
        .block_on(async { timeout(LIMIT, test(place)).await })
    {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => panic!("{failure:?}"),
        Err(_) => panic!("not done within {LIMIT:?}"),
    }
}

/// Where a test runs: a server that it has for itself, and a protocol.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: ServerKind,
    pub(crate) server: Server,
    pub(crate) protocol: Protocol,
}

impl Place {
    /// How to connect to it: address, password and protocol are set, everything else is as by default.
    pub(crate) fn config(&self) -> Config {
        let config: Config = self
            .server
            .url()
            .parse()
            .expect("the URL of the harness is right");
        config.protocol(self.protocol)
    }

    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        Ok(self.config().connect().await?)
    }

    /// Waits until the server knows that the clients of the test before are gone.
    fn wait_until_alone(&self) {
        let is_alone = || {
            let clients = self.server.command(&["CLIENT", "LIST"]);
            clients
                .text()
                .is_some_and(|clients| clients.lines().count() == 1)
        };
        let started = std::time::Instant::now();
        while !is_alone() {
            assert!(
                started.elapsed() < LIMIT,
                "clients of the test before are still there"
            );
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Tests in RESP2 run on one thread, those in RESP3 on several, so that both kinds of runtime are tested.
    fn runtime(&self) -> Runtime {
        let mut builder = match self.protocol {
            Protocol::Resp2 => runtime::Builder::new_current_thread(),
            Protocol::Resp3 => runtime::Builder::new_multi_thread(),
        };
        builder
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Resp2 => "RESP2",
            Protocol::Resp3 => "RESP3",
        };
        write!(f, "{} in {protocol}", self.kind)
    }
}

/// What a test returns.
pub(crate) type Outcome = Result<(), Failure>;

/// Any error, with the line of the test that it ended.
pub(crate) struct Failure {
    message: String,
    at: &'static Location<'static>,
}

impl<E: fmt::Display> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self {
            message: error.to_string(),
            at: Location::caller(),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// Waits until something is true.
///
/// # Panics
///
/// If that takes too long.
pub(crate) async fn eventually(what: &str, is_true: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_true().await {
        assert!(
            started.elapsed() < LIMIT / 4,
            "it does not come true: {what}"
        );
        sleep(Duration::from_millis(2)).await;
    }
}

/// Far more than any test needs, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
