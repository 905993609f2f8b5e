//! What the client does when the network and the server fail it: real servers behind a proxy that breaks connections.
//!
//! - [`proxy`]: cuts, stalls, delays, splits, refuses, by chance or on demand;
//! - [`cancelled`]: dropped blocking calls, and what becomes of the elements of their lists;
//! - [`storm`]: increments, pipelines and reads of many tasks over a connection that is broken all the time;
//! - [`states`]: servers that are killed, stopped, full, loading, replicas, …: what each call ends with;
//! - [`restored`]: what a new connection has of the old one, and what becomes of calls in between;
//! - [`messages`]: subscriptions under load, over lost connections, with slow consumers;
//! - [`channels`]: who gets which messages.
//!
//! Chance has a seed, which every test prints; `FAULTS_SEED` sets it.

mod cancelled;
mod channels;
#[path = "../server/each_server.rs"]
mod each_server;
mod messages;
mod proxy;
mod restored;
mod states;
mod storm;

use std::env;
use std::net::SocketAddr;

use redis_client::Config;
use redis_test_support::{Builder, ServerKind};

use self::each_server::{Failure, Outcome, Place, for_each_place};
use self::proxy::Proxy;

/// Runs a test on the newest servers, in both protocols, with a proxy before each.
fn behind_a_proxy(test: impl AsyncFn(&Place, &Behind) -> Outcome + Sync) {
    behind_a_proxy_with(|builder| builder, test);
}

/// [`behind_a_proxy`] with other settings of the servers.
fn behind_a_proxy_with(
    settings: impl Fn(Builder) -> Builder + Sync,
    test: impl AsyncFn(&Place, &Behind) -> Outcome + Sync,
) {
    for_each_place(&newest(), settings, async |place| {
        test(place, &Behind::start(place).await?).await
    });
}

fn newest() -> Vec<ServerKind> {
    let mut kinds = vec![ServerKind::Valkey9, ServerKind::Redis8];
    kinds.retain(|kind| kind.availability().or_skip(kind.name()));
    kinds
}

/// A proxy before a server.
struct Behind {
    proxy: Proxy,
    addr: SocketAddr,
}

impl Behind {
    async fn start(place: &Place) -> Result<Self, Failure> {
        let (proxy, addr) = Proxy::start(place.server.addr(), seed(place)).await?;
        Ok(Self { proxy, addr })
    }

    /// How to connect to the server through the proxy.
    fn config(&self, place: &Place) -> Config {
        place
            .config()
            .host(self.addr.ip().to_string())
            .port(self.addr.port())
    }
}

/// Seen when the test fails.
fn seed(place: &Place) -> u64 {
    let given = env::var("FAULTS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("{place}: FAULTS_SEED={seed}");
    seed
}
