use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_client::bytes::Bytes;
use redis_client::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::{eventually, for_each_server};
use crate::{kill_others, what};

const ABORTED: (ErrorKind, Outcome) = (ErrorKind::Transaction, Outcome::Rejected);
const NOT_SENT: (ErrorKind, Outcome) = (ErrorKind::Transaction, Outcome::NotSent);

#[test]
fn every_reply_has_the_type_of_its_command() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        client.rpush("list", ["a", "b"]).await?;
        client.zadd("board", [("x", 1.5)]).await?;
        for multi in [
            client.multi(),
            pool.multi(),
            client.multi().watch(["key"]),
            pool.multi().watch(["list"]),
        ] {
            let transaction = multi.await?;
            let status = transaction.set("key", 1).await?;
            let integer = transaction.incrby("key", 4).await?;
            let text = transaction.get("key").await?;
            let nothing = transaction.get("unknown").await?;
            let list = transaction.lrange_aslist("list").await?;
            let expires = transaction.expire("key", 100).await?;
            let double = transaction.zscore("board", "x").await?;
            let scores = transaction.zrange_asdict("board").await?;
            let bytes = transaction.get("key").decode::<kind::Blob>().await?;
            let script = transaction.eval("return {1, 'two'}").await?;
            assert_eq!(transaction.len(), 10);
            transaction.exec().await?;
            assert!(status.await?.is_some_and(|status| status == "OK"));
            assert_eq!(integer.await?, 5);
            assert_eq!(text.await?.as_deref(), Some("5"));
            assert_eq!(nothing.await?, None);
            assert_eq!(list.await?, ["a", "b"]);
            assert_eq!(expires.await?, 1);
            assert_eq!(double.await?, Some(1.5));
            assert_eq!(scores.await?, HashMap::from([("x".to_owned(), 1.5)]));
            assert_eq!(bytes.await?, &b"5"[..]);
            assert_eq!(
                script.await?.return_value(),
                Value::Array(vec![1.into(), "two".into()])
            );
        }
        assert_eq!(pool.stats().leased, 0);
        Ok(())
    });
}

#[test]
fn a_transaction_without_commands() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).poolsize(2).connect().await?;
        client.multi().await?.exec().await?;
        pool.multi().await?.exec().await?;
        pool.multi().watch(["key"]).await?.exec().await?;
        // Whether a watched key has changed is a result too.
        let transaction = pool.multi().watch(["key"]).await?;
        client.set("key", "theirs").await?;
        let error = transaction.exec().await.expect_err("it was changed");
        assert_eq!(
            (what(&error), error.command()),
            (ABORTED, Some("EXEC")),
            "{error}"
        );
        assert!(error.to_string().contains("watched key"), "{error}");
        assert_eq!(pool.stats().leased, 0);
        Ok(())
    });
}

#[test]
fn what_the_server_does_not_queue_stops_all_of_it() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).poolsize(2).connect().await?;
        for watched in [false, true] {
            let multi = if watched {
                pool.multi().watch(["key"])
            } else {
                pool.multi()
            };
            let transaction = multi.await?;
            let before = transaction.set("key", "value").await?;
            let wrong = transaction.command("SADD").arg("only a key").await?;
            let after = transaction.incr("counter").await?;
            let error = transaction.exec().await.expect_err("one is wrong");
            assert_eq!(
                (what(&error), error.command()),
                (ABORTED, Some("EXEC")),
                "{error}"
            );
            assert!(
                error.message().contains("SADD") && error.message().contains("wrong number"),
                "{error}"
            );
            for (name, error) in [
                (
                    "SET",
                    before.await.map(drop).expect_err("nothing was executed"),
                ),
                (
                    "SADD",
                    wrong.await.map(drop).expect_err("nothing was executed"),
                ),
                (
                    "INCR",
                    after.await.map(drop).expect_err("nothing was executed"),
                ),
            ] {
                assert_eq!(what(&error), ABORTED, "{name}: {error}");
                assert!(error.message().contains("SADD"), "{name}: {error}");
            }
            assert_eq!(client.mget_aslist(["key", "counter"]).await?, [None, None]);
        }
        // The connections are as before.
        pool.set("key", "value").await?;
        assert!(pool.watch(["key"]).await.is_ok());
        Ok(())
    });
}

#[test]
fn a_watched_key_that_changes_between_reading_and_writing() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).poolsize(3).connect().await?;
        client.set("balance", 10).await?;

        let watch = pool.watch(["balance", "other"]).await?;
        let balance: i64 = watch
            .get("balance")
            .await?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let transaction = watch.multi();
        let queued = transaction.set("balance", balance + 1).await?;
        transaction.exec().await?;
        assert!(queued.await?.is_some());

        let watch = pool.watch(["balance"]).await?;
        watch.get("balance").await?;
        pool.set("balance", "theirs").await?;
        let transaction = watch.multi();
        let queued = transaction.set("balance", "mine").await?;
        assert!(queued.take().is_none());
        let error = transaction.exec().await.expect_err("it was changed");
        assert_eq!(what(&error), ABORTED, "{error}");
        assert_eq!(
            what(&queued.await.map(drop).expect_err("nothing was executed")),
            ABORTED
        );
        assert_eq!(pool.get("balance").await?.as_deref(), Some("theirs"));

        // A change that the transaction's own connection makes counts as well.
        let watch = client.watch(["balance"]).await?;
        watch.set("balance", "own").await?;
        let transaction = watch.multi();
        let queued = transaction.set("balance", "mine").await?;
        assert!(transaction.exec().await.is_err() && queued.await.is_err());

        // Those who do not care any more.
        let transaction = pool.multi().watch(["balance"]).await?;
        pool.set("balance", "again").await?;
        transaction.unwatch().await?;
        let queued = transaction.set("balance", "mine").await?;
        transaction.exec().await?;
        assert!(queued.await?.is_some());
        assert_eq!(pool.stats().leased, 0);
        Ok(())
    });
}

/// A connection goes back to its pool without watched keys, however the transaction ends.
#[test]
fn connections_go_back_as_they_were() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config())
            .poolsize(2)
            .min_size(2)
            .connect()
            .await?;
        for how in 0..6 {
            let watch = pool.watch(["key"]).await?;
            assert_eq!(pool.stats().leased, 1);
            match how {
                0 => drop(watch),
                1 => drop(watch.multi()),
                2 => watch.multi().discard().await?,
                3 => {
                    let transaction = watch.multi();
                    let queued = transaction.set("key", "mine").await?;
                    transaction.discard().await?;
                    let error = queued.await.map(drop).expect_err("it was discarded");
                    assert_eq!(what(&error), NOT_SENT, "{error}");
                    assert!(error.to_string().contains("discarded"), "{error}");
                }
                4 => {
                    let transaction = watch.multi();
                    let queued = transaction.set("key", "mine").await?;
                    drop(transaction);
                    let error = queued.await.map(drop).expect_err("it was dropped");
                    assert_eq!(what(&error), NOT_SENT, "{error}");
                }
                _ => {
                    // Midway: whether it is executed or not, the keys are forgotten.
                    let transaction = watch.multi();
                    transaction.set("key", "mine").await?;
                    drop(timeout(Duration::ZERO, transaction.exec()).await);
                }
            }
            eventually("it is back", async || pool.stats().leased == 0).await;
            // Every connection of the pool has its turn; none of them has a changed key on watch.
            client.set("key", how).await?;
            for _ in 0..2 {
                let first = pool.watch(["unrelated"]).await?.multi();
                let executed = first.incr("counter").await?;
                first.exec().await?;
                executed.await?;
            }
        }
        assert_eq!(client.get("counter").await?.as_deref(), Some("12"));
        Ok(())
    });
}

/// WATCH is lost with the connection, so the transaction is not executed on another one.
#[test]
fn nothing_is_executed_when_the_watch_is_lost() {
    for_each_server(async |killer, place| {
        let client = place.connect().await?;
        let pool = Pool::builder(place.config())
            .poolsize(3)
            .min_size(2)
            .connect()
            .await?;
        for by_pool in [true, false] {
            for empty in [false, true] {
                let watch = if by_pool {
                    pool.watch(["key"]).await?
                } else {
                    client.watch(["key"]).await?
                };
                watch.get("key").await?;
                assert!(kill_others(killer).await? >= 1);
                killer.set("key", "theirs").await?;
                let transaction = watch.multi();
                let queued = transaction.set("key", "mine").await?;
                if empty {
                    sleep(Duration::from_millis(20)).await;
                }
                let error = transaction
                    .exec()
                    .await
                    .expect_err("its connection was killed");
                assert!(error.is_disconnected(), "{error:?}");
                assert_eq!(error.command(), Some("EXEC"), "{error}");
                assert!(
                    matches!(error.outcome(), Outcome::NotSent | Outcome::Unknown),
                    "{error:?}"
                );
                let of_command = queued.await.map(drop).expect_err("it was not executed");
                assert_eq!(what(&of_command), what(&error), "{of_command}");
                assert_eq!(killer.get("key").await?.as_deref(), Some("theirs"));
                // Reading says so too.
                let watch = if by_pool {
                    pool.watch(["key"]).await?
                } else {
                    client.watch(["key"]).await?
                };
                kill_others(killer).await?;
                eventually("it is lost", async || {
                    watch
                        .get("key")
                        .await
                        .is_err_and(|error| error.is_disconnected())
                })
                .await;
            }
        }
        assert_eq!(pool.stats().leased, 0);
        pool.set("key", "value").await?;
        Ok(())
    });
}

/// A transaction without WATCH that was on its way may have been executed, and is not repeated.
#[test]
fn a_transaction_that_is_lost_midway_is_not_repeated() {
    for_each_server(async |killer, place| {
        let client = place.connect().await?;
        let id = client.client_id().await?;
        let transaction = client.multi().await?;
        let queued = transaction.incr("counter").await?;
        // The server works on something else until the connection is killed.
        let busy = tokio::spawn({
            let client = client.clone();
            async move { client.blpop(["list"]).await }
        });
        eventually("it waits", async || client.in_blocking_call()).await;
        let exec = tokio::spawn(transaction.exec());
        sleep(Duration::from_millis(20)).await;
        assert_eq!(killer.client_kill_filter().id([id]).await?, 1);
        let error = exec.await?.expect_err("its connection was killed");
        assert_eq!(
            what(&error),
            (ErrorKind::ConnectionLost, Outcome::Unknown),
            "{error}"
        );
        let error = queued.await.expect_err("its connection was killed");
        assert_eq!(
            (what(&error), error.command()),
            ((ErrorKind::ConnectionLost, Outcome::Unknown), Some("EXEC")),
            "{error}"
        );
        assert!(busy.await?.is_err());
        assert_eq!(client.get("counter").await?, None);
        Ok(())
    });
}

/// 32 tasks add to one number, none of them in vain.
#[test]
fn increments_by_reading_and_writing() {
    const TASKS: u32 = 32;
    const ROUNDS: u32 = 4;
    for_each_server(async |client, place| {
        for size in [2, 10] {
            let pool = Pool::builder(place.config())
                .poolsize(size)
                .acquire_timeout(Duration::from_secs(40))
                .connect()
                .await?;
            let attempts = std::sync::Arc::new(AtomicU32::new(0));
            let started = Instant::now();
            let mut tasks = JoinSet::new();
            for _ in 0..TASKS {
                let (pool, attempts) = (pool.clone(), std::sync::Arc::clone(&attempts));
                tasks.spawn(async move {
                    for _ in 0..ROUNDS {
                        pool.transaction(["total"], async |tx| {
                            attempts.fetch_add(1, Ordering::Relaxed);
                            let total: u32 = tx
                                .get("total")
                                .await?
                                .and_then(|text| text.parse().ok())
                                .unwrap_or(0);
                            tx.queue().set("total", total + 1).await?;
                            Ok(total)
                        })
                        .await?;
                    }
                    Ok::<_, Error>(())
                });
            }
            while let Some(task) = tasks.join_next().await {
                task??;
            }
            let total = client.get("total").decode::<kind::Integer>().await?;
            println!(
                "{place}: {total} increments over {size} connections in {:?}, {attempts:?} attempts",
                started.elapsed()
            );
            assert_eq!(total, i64::from(TASKS * ROUNDS));
            assert_eq!(pool.stats().leased, 0);
            client.delete(["total"]).await?;
        }
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let client = client.clone();
            tasks.spawn(async move {
                for _ in 0..5 {
                    client
                        .transaction(["total"], async |tx| {
                            let total: u32 = tx
                                .get("total")
                                .await?
                                .and_then(|text| text.parse().ok())
                                .unwrap_or(0);
                            tx.queue().set("total", total + 1).await?;
                            Ok(())
                        })
                        .await?;
                }
                Ok::<_, Error>(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        assert_eq!(client.get("total").await?.as_deref(), Some("40"));
        Ok(())
    });
}

#[test]
fn a_body_that_fails_executes_nothing() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).poolsize(2).connect().await?;
        client.set("text", "value").await?;
        let error = pool
            .transaction(["key"], async |tx| {
                tx.queue().set("key", "mine").await?;
                tx.incr("text").await
            })
            .await
            .expect_err("it is no number");
        assert_eq!(
            (error.command(), error.kind()),
            (Some("INCR"), ErrorKind::Server),
            "{error}"
        );
        assert_eq!(client.get("key").await?, None);
        assert_eq!(pool.stats().leased, 0);
        // What it queued can be read afterwards.
        let queued = pool
            .transaction(["key"], async |tx| tx.queue().incr("key").await)
            .await?;
        assert_eq!(queued.await?, 1);
        Ok(())
    });
}

#[test]
fn optimism_ends_some_time() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).poolsize(2).connect().await?;
        let attempts = AtomicU32::new(0);
        let started = Instant::now();
        let error = pool
            .transaction(["key"], async |tx| {
                let attempt = attempts.fetch_add(1, Ordering::Relaxed);
                client.set("key", attempt).await?;
                tx.queue().set("key", "mine").await?;
                Ok(())
            })
            .await
            .expect_err("it is changed every time");
        assert_eq!(what(&error), ABORTED, "{error}");
        println!(
            "{place}: gave up after {attempts:?} attempts in {:?}",
            started.elapsed()
        );
        assert!((100..=101).contains(&attempts.into_inner()));
        assert_eq!(client.get("key").await?.as_deref(), Some("100"));
        assert_eq!(pool.stats().leased, 0);
        Ok(())
    });
}

#[test]
fn blocking_commands_do_not_block_in_it() {
    for_each_server(async |client, _| {
        client.rpush("full", ["value"]).await?;
        let transaction = client.multi().await?;
        let nothing = transaction.blpop(["empty"]).await?;
        let value = transaction.blpop(["full"]).await?;
        let moved = transaction.brpoplpush("empty", "full").await?;
        timeout(Duration::from_secs(10), transaction.exec()).await??;
        let error = nothing.await.map(drop).expect_err("there is nothing");
        assert_eq!(
            (error.kind(), error.command()),
            (ErrorKind::Timeout, Some("BLPOP")),
            "{error}"
        );
        assert_eq!(value.await?.value, "value");
        assert_eq!(
            moved.await.map(drop).expect_err("there is nothing").kind(),
            ErrorKind::Timeout
        );
        Ok(())
    });
}

#[test]
fn commands_that_change_a_connection_are_refused() {
    for_each_server(async |client, _| {
        let transaction = client.multi().await?;
        for (name, error) in [
            (
                "SELECT",
                transaction.select(1).await.map(drop).expect_err("refused"),
            ),
            (
                "CLIENT SETNAME",
                transaction
                    .client_setname("name")
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
            (
                "SHUTDOWN",
                transaction.shutdown().await.map(drop).expect_err("refused"),
            ),
        ] {
            assert_eq!(
                (what(&error), error.command()),
                ((ErrorKind::Argument, Outcome::NotSent), Some(name)),
                "{error}"
            );
            assert!(error.to_string().contains("transaction"), "{error}");
        }
        // The others are not affected.
        let queued = transaction.incr("counter").await?;
        transaction.exec().await?;
        assert_eq!(queued.await?, 1);
        Ok(())
    });
}

#[test]
fn ten_thousand_commands() {
    const COMMANDS: i64 = 10_000;
    for_each_server(async |client, _| {
        let transaction = client.multi().await?;
        let mut queued = Vec::new();
        for _ in 0..COMMANDS {
            queued.push(transaction.incr("counter").await?);
        }
        transaction.exec().await?;
        for (expected, queued) in (1..).zip(queued) {
            assert_eq!(queued.await?, expected);
        }
        assert_eq!(
            client.get("counter").decode::<kind::Integer>().await?,
            COMMANDS
        );
        Ok(())
    });
}

/// They come in one piece here, and are read like those that come in many.
#[test]
fn streaming_replies() {
    for_each_server(async |client, _| {
        client
            .hset_multiple("hash", (0..1_000).map(|i| (i, i)))
            .await?;
        client.rpush("list", 0..1_000).await?;
        client.zadd("board", (0..1_000).map(|i| (i, i))).await?;
        client.set("text", "x".repeat(100_000)).await?;
        let transaction = client.multi().await?;
        let hash = transaction.hgetall("hash").await?;
        let list = transaction.lrange("list").await?;
        let board = transaction.zrange("board").await?;
        let reader = transaction.get("text").reader().await?;
        transaction.exec().await?;
        let mut hash = hash.await?;
        let mut fields = 0;
        while let Some(entry) = hash.next().await {
            let (field, value) = entry?;
            assert_eq!(field, value);
            fields += 1;
        }
        assert_eq!(fields, 1_000);
        assert_eq!(list.await?.aslist().await?.len(), 1_000);
        assert_eq!(board.await?.asdict().await?.get("7"), Some(&7.0));
        let mut reader = reader.await?.ok_or("there is a value")?;
        let mut length = 0;
        while let Some(bytes) = reader.next().await {
            length += bytes?.len();
        }
        assert_eq!(length, 100_000);
        Ok(())
    });
}

#[test]
fn bytes() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config().encoder(Raw)).connect().await?;
        let raw = client.with_encoder(Raw);
        for multi in [raw.multi(), pool.multi().watch([b"\xff"])] {
            let transaction = multi.await?;
            let set = transaction.set(b"\xff", b"\x00\xfe").await?;
            let get = transaction.get(b"\xff").await?;
            transaction.exec().await?;
            assert!(set.await?.is_some());
            assert_eq!(get.await?, Some(Bytes::from_static(b"\x00\xfe")));
        }
        // A key that is watched by its bytes.
        let transaction = raw.multi().watch([b"\xff"]).await?;
        raw.set(b"\xff", "theirs").await?;
        let error = transaction.exec().await.expect_err("it was changed");
        assert_eq!(what(&error), ABORTED, "{error}");
        Ok(())
    });
}

/// The replies of a transaction that nobody waits for any more are thrown away; the connection goes on.
#[test]
fn exec_is_dropped_midway() {
    for_each_server(async |client, _| {
        for turns in 0..20 {
            let before = client.get("first").await?;
            let transaction = client.multi().await?;
            let first = transaction.incr("first").await?;
            let second = transaction.incr("second").await?;
            tokio::select! {
                biased;
                result = transaction.exec() => result?,
                () = async { for _ in 0..turns { tokio::task::yield_now().await } } => {}
            }
            match (first.await, second.await) {
                (Ok(first), Ok(second)) => assert_eq!(first, second),
                (Err(first), Err(second)) => {
                    assert_eq!(what(&first), what(&second));
                    // A promise must not say that nothing was sent when something was.
                    let unchanged = client.get("first").await? == before;
                    assert!(
                        unchanged || first.outcome() == Outcome::Unknown,
                        "{first:?}"
                    );
                }
                (first, second) => panic!("{first:?} and {second:?}"),
            }
            assert_eq!(client.echo(turns).await?, turns.to_string());
        }
        // All or nothing.
        assert_eq!(client.get("first").await?, client.get("second").await?);
        Ok(())
    });
}
