use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use redis_client::PoolBuilder;
use redis_client::prelude::*;
use redis_test_support::ServerKind;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::{Failure, Place, eventually, for_each_place, for_each_server};
use crate::{blocked_clients, kill_others, what};

const BUSY: (ErrorKind, Outcome) = (ErrorKind::NoAvailableConnectionsInPool, Outcome::NotSent);

#[test]
fn it_begins_small_and_grows_to_its_size() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 4).min_size(2).connect().await?;
        assert_eq!(
            (
                pool.poolsize(),
                pool.connections_connected(),
                pool.connections_in_use()
            ),
            (4, 2, 0)
        );
        let mut held = Vec::new();
        for leased in 1..=3 {
            held.push(pool.watch(["key"]).await?);
            let stats = pool.stats();
            assert_eq!(
                (stats.leased, stats.in_use, stats.waiting),
                (leased, leased, 0),
                "{stats:?}"
            );
        }
        eventually("it has grown", async || pool.connections_connected() == 4).await;
        // The last one is for everybody.
        pool.set("other", "value").await?;
        let all = client.client_list().await?.len();
        assert_eq!(all, 4 + 1);
        drop(held);
        let stats = pool.stats();
        assert_eq!(
            (stats.leased, stats.connected, stats.poolsize),
            (0, 4, 4),
            "{stats:?}"
        );
        eventually("nothing is under way", async || pool.stats().in_flight == 0).await;
        Ok(())
    });
}

/// More commands than one connection should have in front of it.
#[test]
fn it_grows_under_load_and_spreads_the_load() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 4).connect().await?;
        let done = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for task in 0..2_000 {
            let (pool, done) = (pool.clone(), Arc::clone(&done));
            tasks.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(pool.echo(task).await?, task.to_string());
                }
                Ok::<_, Error>(())
            });
        }
        eventually("it has grown", async || pool.connections_connected() == 4).await;
        let commands = async || -> Result<Vec<u64>, Failure> {
            let own = u64::try_from(client.client_id().await?)?;
            let clients = client.client_list().await?;
            let of_pool = clients.iter().filter(|one| one.id() != Some(own));
            Ok(of_pool.filter_map(|one| one.parse("tot-cmds")).collect())
        };
        // Redis 7.0 does not count them.
        eventually("each has its share", async || {
            let all = commands().await;
            all.is_ok_and(|all| all.iter().all(|count| *count > 1_000))
        })
        .await;
        done.store(true, Ordering::Relaxed);
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        assert_eq!(pool.stats().in_flight, 0);
        Ok(())
    });
}

/// All connections but one wait on the server, and nobody notices.
#[test]
fn commands_go_on_beside_blocking_ones() {
    const SIZE: usize = 8;
    for_each_server(async |client, place| {
        let pool = of_size(place, SIZE).connect().await?;
        let mut waiting = JoinSet::new();
        for i in 1..SIZE {
            let pool = pool.clone();
            waiting.spawn(async move { pool.blpop([format!("list {i}")]).await });
        }
        eventually("all wait", async || {
            blocked_clients(client)
                .await
                .is_ok_and(|count| count == SIZE - 1)
        })
        .await;
        pool.set("key", "value").await?;
        let mut slowest = Duration::ZERO;
        let started = Instant::now();
        for _ in 0..200 {
            let asked = Instant::now();
            assert_eq!(pool.get("key").await?.as_deref(), Some("value"));
            slowest = slowest.max(asked.elapsed());
        }
        println!(
            "{place}: GET {:?} on average, {slowest:?} at most",
            started.elapsed() / 200
        );
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        for i in 1..SIZE {
            pool.rpush(format!("list {i}"), [i]).await?;
        }
        while let Some(popped) = waiting.join_next().await {
            let popped = popped??;
            assert_eq!(popped.list_name, format!("list {}", popped.value));
        }
        assert_eq!(pool.stats().leased, 0);
        Ok(())
    });
}

/// No plain command is behind a blocking one, not even if both take the same connection at the same moment.
#[test]
fn no_command_waits_behind_a_blocking_one() {
    for_each_server(async |_, place| {
        let pool = of_size(place, 3)
            .min_size(3)
            .acquire_timeout(Duration::from_secs(20))
            .connect()
            .await?;
        let done = Arc::new(AtomicBool::new(false));
        let slowest = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (pool, done, slowest) = (pool.clone(), Arc::clone(&done), Arc::clone(&slowest));
            tasks.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    pool.get("key").await?;
                    slowest.fetch_max(millis(asked.elapsed()), Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
                Ok::<_, Error>(())
            });
        }
        for i in 0..4 {
            let (pool, done) = (pool.clone(), Arc::clone(&done));
            tasks.spawn(async move {
                let list = format!("list {i}");
                while !done.load(Ordering::Relaxed) {
                    // Mostly there is something at once, so that connections change hands often.
                    pool.rpush(&list, ["element"]).await?;
                    pool.blpop([&list]).timeout(15).await?;
                }
                Ok(())
            });
        }
        sleep(Duration::from_millis(500)).await;
        // From now on whatever is behind a blocking command stays there.
        let mut empty = JoinSet::new();
        for _ in 0..20 {
            let pool = pool.clone();
            empty.spawn(async move {
                timeout(Duration::from_millis(20), pool.blpop(["empty"]))
                    .await
                    .is_err()
            });
            sleep(Duration::from_millis(5)).await;
        }
        empty.join_all().await;
        done.store(true, Ordering::Relaxed);
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        let slowest = slowest.load(Ordering::Relaxed);
        println!("{place}: GET took {slowest} ms at most");
        assert!(slowest < 5_000, "{slowest} ms");
        Ok(())
    });
}

/// Whoever reads a large reply element by element may ask for something else meanwhile.
#[test]
fn commands_go_on_beside_streams() {
    for_each_server(async |_, place| {
        let pool = of_size(place, 3).connect().await?;
        fill(&pool, "list", 200_000).await?;
        let mut first = pool.lrange("list").await?;
        assert!(!first.is_complete(), "a larger list is needed");
        let mut elements = 0;
        while let Some(element) = first.next().await.transpose()? {
            if elements % 20_000 == 0 {
                assert_eq!(pool.echo(&element).await?, element);
            }
            elements += 1;
        }
        assert_eq!(elements, 200_000);

        let mut first = pool.lrange("list").await?;
        let mut second = pool.lrange("list").await?;
        first.next().await.transpose()?;
        second.next().await.transpose()?;
        assert_eq!(
            timeout(Duration::from_secs(10), pool.echo("text")).await??,
            "text"
        );
        drop(first);
        assert_eq!(second.aslist().await?.len(), 199_999);
        eventually("nothing is under way", async || {
            pool.connections_in_use() == 0
        })
        .await;
        Ok(())
    });
}

#[test]
fn callers_wait_for_a_connection_but_not_for_ever() {
    for_each_server(async |client, place| {
        for size in [1, 2] {
            let pool = of_size(place, size)
                .acquire_timeout(Duration::from_millis(80))
                .connect()
                .await?;
            let holder = tokio::spawn({
                let pool = pool.clone();
                async move { pool.blpop(["list"]).await }
            });
            eventually("it waits", async || {
                blocked_clients(client).await.is_ok_and(|count| count == 1)
            })
            .await;
            let asked = Instant::now();
            let error = pool
                .blpop(["other"])
                .await
                .map(drop)
                .expect_err("there is none");
            assert_eq!(what(&error), BUSY, "{error}");
            assert!(
                asked.elapsed() >= Duration::from_millis(80),
                "{:?}",
                asked.elapsed()
            );
            let stats = pool.stats();
            assert_eq!((stats.waiting, stats.waited >= 1), (0, true), "{stats:?}");
            for part in ["80ms", "poolsize", "BLPOP", &format!("1 of {size}")] {
                assert!(
                    error.to_string().contains(part),
                    "{error} does not say {part}"
                );
            }
            if size == 1 {
                let error = pool.get("key").await.expect_err("there is none");
                assert_eq!((what(&error), error.command()), (BUSY, Some("GET")));
                let error = pool.pipeline_of_one().await.expect_err("there is none");
                assert_eq!(what(&error), BUSY);
            } else {
                pool.get("key").await?;
            }

            // One that comes back in time.
            let pool_of_waiter = pool.clone();
            let waiter = tokio::spawn(async move { pool_of_waiter.watch(["key"]).await.map(drop) });
            eventually("it waits", async || {
                pool.stats().waiting == 1 || waiter.is_finished()
            })
            .await;
            client.rpush("list", ["value"]).await?;
            assert_eq!(holder.await??.value, "value");
            waiter.await??;
        }
        Ok(())
    });
}

#[test]
fn without_patience_callers_do_not_wait() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 2)
            .min_size(2)
            .acquire_timeout(Duration::ZERO)
            .connect()
            .await?;
        let watch = pool.watch(["key"]).await?;
        let asked = Instant::now();
        for error in [
            pool.watch(["key"])
                .await
                .map(drop)
                .expect_err("there is none"),
            pool.blpop(["list"])
                .await
                .map(drop)
                .expect_err("there is none"),
            pool.transaction(["key"], async |_| Ok(()))
                .await
                .expect_err("there is none"),
        ] {
            assert_eq!(what(&error), BUSY, "{error}");
        }
        assert!(asked.elapsed() < Duration::from_secs(1));
        // What has to be connected first is worth waiting for.
        drop(watch);
        let pool = of_size(place, 3)
            .acquire_timeout(Duration::ZERO)
            .connect()
            .await?;
        let first = pool.watch(["key"]).await?;
        let second = pool.watch(["key"]).await?;
        let error = pool
            .watch(["key"])
            .await
            .map(drop)
            .expect_err("there is none");
        assert_eq!(what(&error), BUSY, "{error}");
        drop((first, second));
        client.ping().await?;
        Ok(())
    });
}

#[test]
fn the_connection_of_a_dropped_blocking_call_is_replaced() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 2).min_size(2).connect().await?;
        for round in 0..20 {
            let dropped = timeout(Duration::from_millis(5), pool.blpop(["list"])).await;
            assert!(dropped.is_err());
            assert_eq!(pool.stats().leased, 0);
            eventually("it is gone", async || {
                blocked_clients(client).await.is_ok_and(|count| count == 0)
            })
            .await;
            pool.rpush("list", [round]).await?;
            assert_eq!(
                pool.lpop("list").await?,
                Some(round.to_string()),
                "the call has taken it"
            );
        }
        eventually("both are connected", async || {
            pool.connections_connected() == 2
        })
        .await;
        assert_eq!(client.client_list().await?.len(), 2 + 1);
        Ok(())
    });
}

#[test]
fn lost_connections_come_back() {
    for_each_server(async |killer, place| {
        for reconnect in [true, false] {
            let config = place.config().auto_reconnect(reconnect);
            let pool = Pool::builder(config)
                .poolsize(3)
                .min_size(3)
                .connect()
                .await?;
            for round in 0..5 {
                let blocked = tokio::spawn({
                    let pool = pool.clone();
                    async move { pool.blpop(["list"]).await }
                });
                eventually("it waits", async || {
                    blocked_clients(killer).await.is_ok_and(|count| count == 1)
                })
                .await;
                assert!(kill_others(killer).await? >= 2);
                let error = blocked.await?.expect_err("its connection was killed");
                assert_eq!(
                    what(&error),
                    (ErrorKind::ConnectionLost, Outcome::Unknown),
                    "{error}"
                );
                pool.set("key", round).await?;
                assert_eq!(pool.get("key").await?, Some(round.to_string()));
                assert!(pool.watch(["key"]).await.is_ok());
                assert!(pool.connections_connected() >= 1);
            }
            assert_eq!(pool.stats().leased, 0);
            pool.close();
        }
        Ok(())
    });
}

#[test]
fn idle_and_old_connections_go() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 4)
            .min_size(2)
            .max_idle(Duration::from_millis(60))
            .connect()
            .await?;
        let held = [
            pool.watch(["a"]).await?,
            pool.watch(["a"]).await?,
            pool.watch(["a"]).await?,
        ];
        // Those that are in use stay, however long.
        sleep(Duration::from_millis(150)).await;
        assert!(pool.connections_connected() >= 3);
        drop(held);
        eventually("two are left", async || pool.connections_connected() == 2).await;
        eventually("the server sees it", async || {
            client.client_list().await.is_ok_and(|all| all.len() == 3)
        })
        .await;
        sleep(Duration::from_millis(150)).await;
        assert_eq!(pool.connections_connected(), 2);
        pool.close();

        let pool = of_size(place, 2)
            .min_size(1)
            .max_age(Duration::from_millis(60))
            .max_idle(None)
            .connect()
            .await?;
        let ids = async || -> Result<Vec<u64>, Error> {
            Ok(client
                .client_list()
                .await?
                .iter()
                .filter_map(|one| one.id())
                .collect())
        };
        let before = ids().await?;
        let done = Instant::now() + Duration::from_millis(300);
        // A connection in use is not taken away.
        while Instant::now() < done {
            pool.incr("counter").await?;
        }
        eventually("it is a new one", async || {
            ids()
                .await
                .is_ok_and(|now| now.iter().any(|id| !before.contains(id)))
        })
        .await;
        pool.incr("counter").await?;
        Ok(())
    });
}

#[test]
fn a_closed_pool_is_closed_for_everybody() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 2).connect().await?;
        let mut calls = JoinSet::new();
        for _ in 0..3 {
            let pool = pool.clone();
            calls.spawn(async move { pool.blpop(["list"]).await.map(drop) });
        }
        let watching = pool.clone();
        eventually("two wait", async || watching.stats().waiting == 2).await;
        pool.close();
        while let Some(result) = calls.join_next().await {
            let error = result?.expect_err("the pool was closed");
            assert!(error.is_disconnected(), "{error:?}");
            assert_ne!(error.outcome(), Outcome::Rejected);
        }
        for error in [
            pool.get("key").await.map(drop).expect_err("it is closed"),
            pool.watch(["key"])
                .await
                .map(drop)
                .expect_err("it is closed"),
            pool.pipeline_of_one().await.expect_err("it is closed"),
        ] {
            assert_eq!(
                what(&error),
                (ErrorKind::NotConnected, Outcome::NotSent),
                "{error}"
            );
            assert!(error.to_string().contains("the pool was closed"), "{error}");
        }
        assert_eq!(pool.connections_connected(), 0);
        eventually("the server sees it", async || {
            client.client_list().await.is_ok_and(|all| all.len() == 1)
        })
        .await;
        Ok(())
    });
}

#[test]
fn a_dropped_pool_closes_its_connections() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 3).connect().await?;
        let watch = pool.watch(["key"]).await?;
        let call = tokio::spawn({
            let pool = pool.clone();
            async move { pool.blpop(["list"]).await }
        });
        eventually("it waits", async || {
            blocked_clients(client).await.is_ok_and(|count| count == 1)
        })
        .await;
        drop(pool);
        // What is under way goes on.
        client.rpush("list", ["value"]).await?;
        assert_eq!(call.await??.value, "value");
        let transaction = watch.multi();
        let set = transaction.set("key", "value").await?;
        transaction.exec().await?;
        assert!(set.await?.is_some());
        eventually("all are closed", async || {
            client.client_list().await.is_ok_and(|all| all.len() == 1)
        })
        .await;
        Ok(())
    });
}

#[test]
fn commands_that_change_a_connection_are_refused() {
    for_each_server(async |_, place| {
        let pool = of_size(place, 2).connect().await?;
        for (name, error) in [
            (
                "SELECT",
                pool.select(1).await.map(drop).expect_err("refused"),
            ),
            (
                "CLIENT SETNAME",
                pool.client_setname("name")
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
            (
                "AUTH",
                pool.auth("password").await.map(drop).expect_err("refused"),
            ),
            (
                "HELLO",
                pool.hello()
                    .protover(3)
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
            (
                "CLIENT NO-EVICT",
                pool.client_no_evict(OnOff::On)
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
        ] {
            assert_eq!(
                what(&error),
                (ErrorKind::Argument, Outcome::NotSent),
                "{error}"
            );
            assert_eq!(error.command(), Some(name));
            for part in [name, "pool", "configuration", "Connection"] {
                assert!(
                    error.to_string().contains(part),
                    "{error} does not say {part}"
                );
            }
        }
        Ok(())
    });
}

#[test]
fn a_server_that_is_down() {
    for_each_place(
        &ServerKind::available(),
        |server| server,
        async |place| {
            place.server.kill();
            let error = of_size(place, 2)
                .connect()
                .await
                .map(drop)
                .expect_err("there is no server");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Connect, Outcome::NotSent),
                "{error}"
            );
            assert!(
                error.to_string().contains(&place.server.port().to_string()),
                "{error}"
            );
            place.server.restart();

            // Later: connections that are made anew wait for the server, and those that are not say why.
            for reconnect in [true, false] {
                let config = place
                    .config()
                    .auto_reconnect(reconnect)
                    .reply_timeout(Duration::from_millis(400));
                let pool = Pool::builder(config)
                    .poolsize(2)
                    .acquire_timeout(Duration::from_millis(300))
                    .connect()
                    .await?;
                pool.set("key", "value").await?;
                place.server.kill();
                eventually("it is noticed", async || pool.connections_connected() == 0).await;
                let asked = Instant::now();
                let error = pool.get("key").await.expect_err("there is no server");
                assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
                println!("{place}, auto_reconnect({reconnect}): {error}");
                if !reconnect {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::NoAvailableConnectionsInPool,
                        "{error}"
                    );
                    assert!(error.to_string().contains("refused"), "{error}");
                }
                let error = pool
                    .watch(["key"])
                    .await
                    .map(drop)
                    .expect_err("there is no server");
                println!("{place}, auto_reconnect({reconnect}): {error}");
                assert!(
                    asked.elapsed() < Duration::from_secs(10),
                    "{:?}",
                    asked.elapsed()
                );
                place.server.restart();
                eventually("it is back", async || pool.set("key", "new").await.is_ok()).await;
                assert_eq!(pool.get("key").await?.as_deref(), Some("new"));
                assert!(pool.watch(["key"]).await.is_ok());
                pool.close();
            }
            Ok(())
        },
    );
}

/// Whoever came first is served first, and those who leave do not hold up the others.
#[test]
fn those_who_wait_are_served_in_turn() {
    for_each_server(async |_, place| {
        let pool = of_size(place, 2)
            .acquire_timeout(Duration::from_secs(30))
            .connect()
            .await?;
        let held = pool.watch(["key"]).await?;
        let mut calls: Vec<_> = (0..200)
            .map(|_| Some(Box::pin(pool.watch(["key"]))))
            .collect();
        poll_fn(|cx| {
            for call in calls.iter_mut().flatten() {
                assert!(call.as_mut().poll(cx).is_pending());
            }
            Poll::Ready(())
        })
        .await;
        assert_eq!(pool.stats().waiting, 200);
        for (_, call) in (0..).zip(&mut calls).filter(|(i, _)| i % 3 == 0) {
            *call = None;
        }
        assert_eq!(pool.stats().waiting, 133);
        drop(held);
        for call in calls.into_iter().flatten() {
            drop(timeout(Duration::from_secs(10), call).await??);
        }
        let stats = pool.stats();
        assert_eq!((stats.waiting, stats.leased), (0, 0), "{stats:?}");
        assert!((200..=201).contains(&stats.waited), "{stats:?}");
        Ok(())
    });
}

/// One who blocks again and again does not keep the only connection from the others.
#[test]
fn blocking_callers_do_not_starve_the_others() {
    for_each_server(async |_, place| {
        let pool = of_size(place, 1)
            .acquire_timeout(Duration::from_secs(20))
            .connect()
            .await?;
        let done = Arc::new(AtomicBool::new(false));
        let blocking = tokio::spawn({
            let (pool, done) = (pool.clone(), Arc::clone(&done));
            async move {
                while !done.load(Ordering::Relaxed) {
                    let error = pool
                        .blpop(["list"])
                        .timeout(0.01)
                        .await
                        .expect_err("nothing comes");
                    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                }
            }
        });
        let mut slowest = Duration::ZERO;
        for _ in 0..10 {
            let asked = Instant::now();
            pool.set("key", "value").await?;
            slowest = slowest.max(asked.elapsed());
            sleep(Duration::from_millis(3)).await;
        }
        done.store(true, Ordering::Relaxed);
        blocking.await?;
        println!("{place}: SET waited {slowest:?} at most");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        Ok(())
    });
}

/// Waiting callers are dropped at any point of their way; nothing is lost with them.
#[test]
fn callers_who_leave_take_nothing_along() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 3)
            .acquire_timeout(Duration::from_secs(30))
            .connect()
            .await?;
        let mut tasks = JoinSet::new();
        for seed in 0..40 {
            let pool = pool.clone();
            tasks.spawn(async move {
                let mut rng = Rng::with_seed(seed);
                for _ in 0..25 {
                    let patience = Duration::from_micros(rng.u64(..4_000));
                    match rng.u8(..4) {
                        0 => drop(timeout(patience, pool.blpop(["empty"])).await),
                        1 => drop(timeout(patience, pool.watch(["key"])).await),
                        2 => drop(timeout(patience, add_one(&pool, "unimportant")).await),
                        _ => drop(timeout(patience, pool.incr("counter")).await),
                    }
                }
            });
        }
        tasks.join_all().await;
        let stats = pool.stats();
        assert_eq!((stats.waiting, stats.leased), (0, 0), "{stats:?}");
        eventually("all are connected", async || {
            pool.connections_connected() >= 1 && pool.stats().in_flight == 0
        })
        .await;
        assert!(
            timeout(Duration::from_secs(10), pool.watch(["key"]))
                .await?
                .is_ok()
        );
        eventually("nobody blocks", async || {
            blocked_clients(client).await.is_ok_and(|count| count == 0)
        })
        .await;
        Ok(())
    });
}

/// Everything at once, from many more tasks than there are connections.
#[test]
fn ten_thousand_tasks() {
    const TASKS: usize = 10_000;
    for_each_server(async |client, place| {
        let pool = of_size(place, 8)
            .acquire_timeout(Duration::from_secs(50))
            .connect()
            .await?;
        fill(&pool, "list", 20_000).await?;
        let started = Instant::now();
        let slowest: [Arc<AtomicU64>; 4] = Default::default();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let pool = pool.clone();
            let kind = match task % 50 {
                0 => 0,
                1..4 => 1,
                4 => 2,
                _ => 3,
            };
            let slowest = Arc::clone(&slowest[kind]);
            tasks.spawn(async move {
                let asked = Instant::now();
                match kind {
                    // It is answered by another task of the same kind at the latest.
                    0 => {
                        pool.rpush("queue", [task]).await?;
                        pool.blpop(["queue"]).timeout(45).await?;
                    }
                    1 => add_one(&pool, &format!("total {}", task % 100)).await?,
                    2 => {
                        let mut list = pool.lrange("list").stop(999).await?;
                        let mut elements = 0;
                        while let Some(element) = list.next().await {
                            element?;
                            elements += 1;
                        }
                        assert_eq!(elements, 1_000);
                    }
                    _ => {
                        let key = format!("key {task}");
                        pool.set(&key, task).await?;
                        assert_eq!(pool.get(&key).await?, Some(task.to_string()));
                    }
                }
                slowest.fetch_max(millis(asked.elapsed()), Ordering::Relaxed);
                Ok::<_, Error>(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        let [blocking, transactional, streaming, plain] =
            slowest.map(|slowest| slowest.load(Ordering::Relaxed));
        println!(
            "{place}: {TASKS} tasks in {:?}; the slowest took, in ms: blocking {blocking}, transactional {transactional}, \
             streaming {streaming}, plain {plain}",
            started.elapsed()
        );
        let totals = client
            .mget_aslist((0..100).map(|i| format!("total {i}")))
            .await?;
        let sum: usize = totals
            .into_iter()
            .flatten()
            .filter_map(|total| total.parse::<usize>().ok())
            .sum();
        assert_eq!(
            sum,
            (0..TASKS).filter(|task| matches!(task % 50, 1..4)).count()
        );
        assert_eq!(client.llen("queue").await?, 0);
        let stats = pool.stats();
        assert_eq!(
            (stats.leased, stats.waiting, stats.in_flight),
            (0, 0, 0),
            "{stats:?}"
        );
        Ok(())
    });
}

/// A blocking call whose caller has gone ends its connection, but nobody else's call with it.
#[test]
fn dropped_blocking_calls_disturb_nobody() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 2)
            .acquire_timeout(Duration::from_secs(20))
            .connect()
            .await?;
        let done = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let (pool, done) = (pool.clone(), Arc::clone(&done));
            tasks.spawn(async move {
                let mut increments = 0;
                while !done.load(Ordering::Relaxed) {
                    pool.incr("counter").await?;
                    increments += 1;
                }
                Ok::<_, Error>(increments)
            });
        }
        let mut rng = Rng::with_seed(3);
        for round in 0..150 {
            let call = pool.blpop(["empty"]).timeout(20);
            if round % 2 == 0 {
                drop(timeout(Duration::from_micros(rng.u64(..3_000)), call).await);
            } else {
                let turns = rng.u8(..10);
                tokio::select! {
                    biased;
                    popped = call => drop(popped?),
                    () = async { for _ in 0..turns { tokio::task::yield_now().await } } => {}
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        let mut increments: i64 = 0;
        while let Some(task) = tasks.join_next().await {
            increments += task??;
        }
        assert_eq!(
            client.get("counter").decode::<kind::Integer>().await?,
            increments
        );
        eventually("nobody blocks", async || {
            blocked_clients(client).await.is_ok_and(|count| count == 0)
        })
        .await;
        assert_eq!(pool.stats().leased, 0);
        // Connections that have served their time are gone.
        pool.ping().await?;
        eventually("the others are closed", async || {
            client.client_list().await.is_ok_and(|all| all.len() <= 3)
        })
        .await;
        Ok(())
    });
}

/// What a caller is polled for the first time decides nothing by itself.
#[test]
fn a_call_that_was_polled_once_is_dropped_cleanly() {
    for_each_server(async |client, place| {
        let pool = of_size(place, 2).connect().await?;
        for _ in 0..50 {
            let mut call = pin!(pool.blpop(["list"]));
            poll_fn(|cx| {
                let _ = call.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
        }
        eventually("nobody blocks", async || {
            blocked_clients(client).await.is_ok_and(|count| count == 0)
        })
        .await;
        let stats = pool.stats();
        assert_eq!((stats.waiting, stats.leased), (0, 0), "{stats:?}");
        client.rpush("list", ["value"]).await?;
        assert_eq!(pool.blpop(["list"]).timeout(10).await?.value, "value");
        Ok(())
    });
}

fn of_size(place: &Place, connections: usize) -> PoolBuilder {
    Pool::builder(place.config()).poolsize(connections)
}

trait PipelineOfOne {
    async fn pipeline_of_one(&self) -> Result<(), Error>;
}

impl PipelineOfOne for Pool {
    async fn pipeline_of_one(&self) -> Result<(), Error> {
        let pipeline = self.pipeline();
        let reply = pipeline.get("key").await?;
        pipeline.execute().await?;
        reply.await.map(drop)
    }
}

async fn add_one(pool: &Pool, key: &str) -> Result<(), Error> {
    pool.transaction([key], async |tx| {
        let total: u64 = tx
            .get(key)
            .await?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        tx.queue().set(key, total + 1).await?;
        Ok(())
    })
    .await
}

async fn fill(pool: &Pool, key: &str, elements: u64) -> Result<(), Failure> {
    let script = "for i = 1, ARGV[1] do redis.call('RPUSH', KEYS[1], 'element number ' .. i) end return redis.call('LLEN', KEYS[1])";
    let length = pool
        .eval(script)
        .keys([key])
        .args([elements])
        .await?
        .integer()?;
    assert_eq!(u64::try_from(length)?, elements);
    Ok(())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
