//! Servers in trouble, and what each call ends with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use redis_client::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::{Place, eventually, for_each_place, for_each_server};
use crate::newest;

/// Killed and started again, three times, with its data: a pool goes on, and nothing is counted twice or lost unnoticed.
#[test]
fn killed_and_restarted_under_load() {
    for_each_place(
        &newest(),
        |server| server.args(["--appendonly", "yes", "--appendfsync", "no"]),
        async |place| {
            let pool = Pool::builder(place.config())
                .poolsize(4)
                .min_size(4)
                .connect()
                .await?;
            let done = Arc::new(AtomicBool::new(false));
            let (acknowledged, unknown) =
                (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
            let mut tasks = JoinSet::new();
            for task in 0..16 {
                let (pool, done) = (pool.clone(), Arc::clone(&done));
                let (acknowledged, unknown) = (Arc::clone(&acknowledged), Arc::clone(&unknown));
                tasks.spawn(async move {
                    while !done.load(Ordering::Relaxed) {
                        let result = match task % 2 {
                            0 => pool.incr("counter").await,
                            _ => {
                                let pipeline = pool.pipeline();
                                let queued = pipeline.incr("counter").await?;
                                let _ = pipeline.execute().await;
                                queued.await
                            }
                        };
                        match result {
                            Ok(_) => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
                            // Killed before it was sent, or (seen once it is back) still reading its data.
                            Err(error) => match error.outcome() {
                                Outcome::Unknown => drop(unknown.fetch_add(1, Ordering::Relaxed)),
                                Outcome::NotSent => {}
                                _ if error.code() == Some("LOADING") => {}
                                _ => return Err(error),
                            },
                        }
                    }
                    Ok(())
                });
            }
            let goes_on = async || {
                let before = acknowledged.load(Ordering::Relaxed);
                eventually("the load goes on", async || {
                    acknowledged.load(Ordering::Relaxed) > before + 200
                })
                .await;
            };
            for _ in 0..3 {
                goes_on().await;
                place.server.kill();
                sleep(Duration::from_millis(20)).await;
                place.server.restart();
            }
            goes_on().await;
            done.store(true, Ordering::Relaxed);
            for task in tasks.join_all().await {
                task?;
            }
            let counter = pool.get("counter").decode::<kind::Integer>().await?;
            let (acknowledged, unknown) = (
                acknowledged.load(Ordering::Relaxed),
                unknown.load(Ordering::Relaxed),
            );
            println!(
                "{place}: {acknowledged} acknowledged, {unknown} unknown, the counter is {counter}"
            );
            assert!((acknowledged..=acknowledged + unknown).contains(&counter));
            Ok(())
        },
    );
}

/// Stopped: what is under way is a timeout, of unknown outcome, also in the pool; when the server goes on, so do the connections.
#[test]
fn stopped_and_continued() {
    for_each_server(async |client, place| {
        client.select(1).await?;
        let config = place
            .config()
            .reply_timeout(Duration::from_millis(200))
            .connect_timeout(Duration::from_millis(300));
        let pool = Pool::builder(config.clone())
            .poolsize(2)
            .min_size(2)
            .connect()
            .await?;
        place.server.stop();
        let started = Instant::now();
        let mut calls = JoinSet::new();
        for call in 0..20 {
            let pool = pool.clone();
            calls.spawn(async move {
                match call {
                    0 => pool
                        .blpop(["list"])
                        .timeout(Duration::from_millis(100))
                        .await
                        .map(|_| ()),
                    1 => {
                        let pipeline = pool.pipeline();
                        drop(pipeline.get("key").await?);
                        pipeline.execute().await
                    }
                    _ => pool.incr("counter").await.map(|_| ()),
                }
            });
        }
        for result in calls.join_all().await {
            let error = result.expect_err("the server is stopped");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Timeout, Outcome::Unknown),
                "{error}"
            );
        }
        let waited = started.elapsed();
        assert!((200..5_000).contains(&waited.as_millis()), "{waited:?}");
        let error = config
            .db(1)
            .connect()
            .await
            .expect_err("the server is stopped");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Connect, Outcome::NotSent),
            "{error}"
        );
        place.server.cont();
        for round in 0..20 {
            let unique = format!("after it {round}");
            // A connection that waited for an element was closed, and is made anew.
            assert_eq!(
                pool.echo(&unique)
                    .reply_timeout(Duration::from_secs(10))
                    .await?,
                unique
            );
        }
        // The increments were not cancelled on the server: their outcome was unknown.
        eventually("they are all done", async || {
            pool.get("counter")
                .await
                .is_ok_and(|counter| counter.as_deref() == Some("18"))
        })
        .await;
        println!("{place}: calls to a stopped server ended after {waited:?} at the latest");
        Ok(())
    });
}

/// A replica: writes are rejected with its code, reads go on, and so does everything once it is a master again.
#[test]
fn made_a_replica() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        client.set("key", "value").await?;
        client.replicaof("127.0.0.1", 1).await?;
        let id = client.client_id().await?;
        for error in [
            client
                .set("key", "other")
                .await
                .expect_err("it is a replica"),
            pool.incr("counter").await.expect_err("it is a replica"),
            client
                .blpop(["list"])
                .timeout(1)
                .await
                .expect_err("it is a replica"),
        ] {
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Server, Outcome::Rejected),
                "{error}"
            );
            assert_eq!(error.code(), Some("READONLY"));
        }
        assert_eq!(client.get("key").await?.as_deref(), Some("value"));
        client.replicaof_no_one().await?;
        assert_eq!(pool.incr("counter").await?, 1);
        assert_eq!(client.client_id().await?, id);
        Ok(())
    });
}

/// Out of memory: what needs more is rejected, alone; nothing else is.
#[test]
fn out_of_memory() {
    for_each_server(async |client, _| {
        client.set("key", "value").await?;
        client.config_set("maxmemory", "1").await?;
        let error = client.set("key", "other").await.expect_err("it is full");
        assert_eq!(
            (error.kind(), error.outcome(), error.code()),
            (ErrorKind::Server, Outcome::Rejected, Some("OOM")),
            "{error}"
        );
        let pipeline = client.pipeline();
        let (written, read) = (pipeline.incr("counter").await?, pipeline.get("key").await?);
        pipeline.execute().await?;
        assert_eq!(written.await.expect_err("it is full").code(), Some("OOM"));
        assert_eq!(read.await?.as_deref(), Some("value"));

        let transaction = client.multi().await?;
        let (read, written) = (
            transaction.get("key").await?,
            transaction.incr("counter").await?,
        );
        let error = transaction.exec().await.expect_err("it is full");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Transaction, Outcome::Rejected),
            "{error}"
        );
        assert!(error.message().contains("OOM"), "{error}");
        assert!(read.await.is_err() && written.await.is_err());

        assert_eq!(client.delete(["key"]).await?, 1);
        client.config_set("maxmemory", "0").await?;
        assert_eq!(client.incr("counter").await?, 1);
        Ok(())
    });
}

/// While it reads its data, the server rejects what needs them. Connecting works.
#[test]
fn loading() {
    for_each_server(async |client, place| {
        const KEYS: usize = 1_000;
        for (name, value) in [
            ("key-load-delay", "2000"),
            ("loading-process-events-interval-bytes", "1024"),
        ] {
            place.server.command(&["CONFIG", "SET", name, value]);
        }
        place
            .server
            .command(&["DEBUG", "POPULATE", &KEYS.to_string()]);
        let reload = async { client.command("DEBUG RELOAD").await };
        let meanwhile = async {
            let other = place.config().connect().await?;
            let pool = Pool::builder(place.config()).connect().await?;
            let started = Instant::now();
            loop {
                match other.get("key:1").await {
                    Err(error) => break assert_loading(&error),
                    Ok(_) => assert!(
                        started.elapsed() < Duration::from_secs(15),
                        "it does not load"
                    ),
                }
            }
            assert_loading(&pool.incr("counter").await.expect_err("it loads"));
            let newcomer = place
                .config()
                .client_name("newcomer")
                .db(2)
                .connect()
                .await?;
            assert_loading(&newcomer.set("key", "value").await.expect_err("it loads"));
            // The same connections serve when it is done.
            eventually("it is loaded", async || {
                newcomer.set("key", "value").await.is_ok()
            })
            .await;
            pool.incr("counter").await
        };
        let (reloaded, counter) = tokio::join!(reload, meanwhile);
        reloaded?;
        assert_eq!(counter?, 1);
        assert!(client.dbsize().await? >= i64::try_from(KEYS)?);
        Ok(())
    });
}

fn assert_loading(error: &Error) {
    assert_eq!(
        (error.kind(), error.outcome(), error.code()),
        (ErrorKind::Server, Outcome::Rejected, Some("LOADING")),
        "{error}"
    );
}

/// No more clients: who is connected goes on; a pool that would need another connection says why there is none.
#[test]
fn the_limit_of_clients() {
    for_each_server(async |client, place| {
        let builder = Pool::builder(place.config()).poolsize(3);
        let pool = builder
            .acquire_timeout(Duration::from_millis(300))
            .connect()
            .await?;
        client.config_set("maxclients", "2").await?;
        match (place.config().connect().await, place.protocol) {
            (Err(error), _) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Server),
                    "{error:?}"
                );
                assert!(
                    error.message().contains("max number of clients")
                        || error.kind() == ErrorKind::Connect,
                    "{error}"
                );
            }
            // In RESP2 nothing is said on connecting.
            (Ok(refused), Protocol::Resp2) => {
                let error = refused
                    .get("key")
                    .reply_timeout(Duration::from_millis(300))
                    .await
                    .expect_err("two are enough");
                println!("{place}: {error:?}");
            }
            (Ok(_), Protocol::Resp3) => panic!("two clients are enough"),
        }
        assert_eq!(pool.incr("counter").await?, 1);
        // A blocking call needs a connection for itself, and the last one is for everybody.
        let started = Instant::now();
        let error = pool
            .blpop(["list"])
            .timeout(1)
            .await
            .expect_err("there is no connection for it");
        println!("{place}: {error:?}");
        if place.protocol == Protocol::Resp3 {
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::NoAvailableConnectionsInPool, Outcome::NotSent),
                "{error}"
            );
            assert!(error.message().contains("max number of clients"), "{error}");
        }
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(pool.incr("counter").await?, 2);
        client.config_set("maxclients", "100").await?;
        client.rpush("list", ["element"]).await?;
        assert_eq!(pool.blpop(["list"]).timeout(10).await?.value, "element");
        Ok(())
    });
}

/// A new password: who is connected goes on, whoever connects without it is refused, also when they were connected before.
#[test]
fn the_password_is_changed() {
    for_each_server(async |client, place| {
        let config = place.config().reply_timeout(Duration::from_millis(400));
        let pool = Pool::builder(config.clone()).connect().await?;
        let mut policy = redis_client::ReconnectPolicy::default();
        policy.attempts = Some(2);
        let doomed = config.clone().reconnect_policy(policy).connect().await?;
        client.config_set("requirepass", "new").await?;
        assert_eq!(client.incr("counter").await?, 1);
        assert_eq!(pool.incr("counter").await?, 2);

        for config in [place.config(), place.config().password("wrong")] {
            let error = config.connect().await.expect_err("it has no password");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Authentication, Outcome::Rejected),
                "{error:?}"
            );
            assert!(
                matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
                "{error}"
            );
        }
        assert_eq!(
            place
                .config()
                .password("new")
                .connect()
                .await?
                .incr("counter")
                .await?,
            3
        );

        // Connections that are lost now do not come back; their callers learn why.
        let others = client.client_kill_filter().skipme(YesNo::Yes).await?;
        assert!(others >= 2);
        let error = refusal(place, async || doomed.get("counter").await.map(|_| ())).await;
        // It may have been written before the end of the connection was known.
        assert!(
            matches!(error.outcome(), Outcome::NotSent | Outcome::Unknown),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        assert!(error.message().contains("NOAUTH"), "{error}");
        let error = refusal(place, async || pool.get("counter").await.map(|_| ())).await;
        println!("{place}: {error:?}");
        let kinds = [
            ErrorKind::Authentication,
            ErrorKind::Timeout,
            ErrorKind::NoAvailableConnectionsInPool,
        ];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        // With the old password back, so is the pool.
        client.config_set("requirepass", "").await?;
        eventually("the pool is back", async || {
            pool.get("counter").await.is_ok()
        })
        .await;
        Ok(())
    });
}

/// The error that a call ends with.
async fn refusal(place: &Place, call: impl AsyncFn() -> Result<(), Error>) -> Error {
    match timeout(Duration::from_secs(15), call()).await {
        Ok(result) => result.expect_err("the server refuses"),
        Err(_) => panic!("{place}: the call hangs"),
    }
}
