//! How often a command allocates memory, once the buffers of its connection have grown to what it needs.
//!
//! A process of its own, as the allocator that counts is for all of it. It counts what this thread allocates, and everything
//! runs on this thread; to grow what was allocated before counts as well.

use std::time::Duration;

use allocation_counter::measure;
use redis_client::Result;
use redis_client::prelude::*;
use redis_test_support::{Server, ServerKind};
use tokio::runtime::{Builder, Runtime};

const CALLS: u64 = 1_000;

#[test]
fn a_command_allocates_its_reply_at_most() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            println!("allocations of a call, {kind} in {protocol:?}:");
            let config: Config = server
                .url()
                .parse()
                .expect("the URL of the harness is right");
            check(config.protocol(protocol))
                .unwrap_or_else(|error| panic!("{kind} in {protocol:?}: {error}"));
        }
    }
}

fn check(config: Config) -> Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = runtime.block_on(config.connect())?;
    let raw = client.with_encoder(Raw);
    let value = "x".repeat(64);
    let count = Counter { runtime };

    count.at_most(0, "SET of 64 B", async || {
        client.set("key", &value).await.map(drop)
    })?;
    count.at_most(0, "SET with EX", async || {
        client.set("key", &value).expire(60).await.map(drop)
    })?;
    // More than four arguments have no room in the call itself.
    count.at_most(1, "SET with EX and XX", async || {
        client
            .set("key", &value)
            .expire(60)
            .only_if_exists()
            .await
            .map(drop)
    })?;
    count.at_most(1, "GET of 64 B as Bytes", async || {
        raw.get("key").await.map(drop)
    })?;
    count.at_most(1, "GET of 64 B as String", async || {
        client.get("key").await.map(drop)
    })?;
    count.at_most(0, "GET of no value", async || {
        client.get("unknown").await.map(drop)
    })?;
    count.at_most(0, "HSET of 64 B", async || {
        client.hset("hash", "field", &value).await.map(drop)
    })?;
    count.at_most(1, "HGET of 64 B as String", async || {
        client.hget("hash", "field").await.map(drop)
    })?;
    count.at_most(0, "INCR", async || client.incr("counter").await.map(drop))?;
    count.at_most(0, "EXPIRE", async || {
        client.expire("key", 60).await.map(drop)
    })?;
    count.at_most(0, "PING", async || client.ping().await.map(drop))?;
    count.at_most(0, "4 SETs at once", async || {
        let calls = tokio::join!(
            client.set("a", 1),
            client.set("b", 2),
            client.set("c", 3),
            client.set("d", 4)
        );
        calls.0.and(calls.1).and(calls.2).and(calls.3).map(drop)
    })?;
    count.at_most(0, "PING with a timeout", async || {
        client
            .ping()
            .reply_timeout(Duration::from_secs(9))
            .await
            .map(drop)
    })?;
    Ok(())
}

struct Counter {
    runtime: Runtime,
}

impl Counter {
    /// Calls it often, and fails if it allocates more than `limit` times on average.
    fn at_most(&self, limit: u64, what: &str, call: impl AsyncFn() -> Result<()>) -> Result<()> {
        let run = |calls| {
            self.runtime.block_on(async {
                for _ in 0..calls {
                    call().await?;
                }
                Ok(())
            })
        };
        // Buffers grow.
        run(CALLS / 10)?;
        let mut result = Ok(());
        let allocations = measure(|| result = run(CALLS)).count_total;
        println!("  {what:<22} {:.3}", allocations as f64 / CALLS as f64);
        assert!(
            allocations <= limit * CALLS,
            "{what}: {allocations} allocations in {CALLS} calls"
        );
        result
    }
}
