//! Many calls at once, and calls that are dropped: no reply goes to the wrong caller, and nothing is taken for a caller who
//! has gone.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use redis_client::prelude::*;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, timeout};

use crate::each_server::{Failure, eventually, for_each_server};

/// 64 tasks check every reply they get, while others drop 1,000 calls at any point of their way.
#[test]
fn dropped_calls_do_not_disturb_others() {
    for_each_server(async |client, _| {
        client
            .rpush("list", (0..5_000).map(|i| format!("some element {i}")))
            .await?;
        let done = Arc::new(AtomicBool::new(false));
        let mut checking = JoinSet::new();
        for task in 0..64 {
            let (client, done) = (client.clone(), Arc::clone(&done));
            checking.spawn(async move {
                let mut round = 0;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    let unique = format!("task {task}, round {round}");
                    assert_eq!(client.echo(&unique).await?, unique);
                    let key = format!("key {task}");
                    client.set(&key, &unique).await?;
                    assert_eq!(client.get(&key).await?, Some(unique));
                }
                Ok::<_, Error>(round)
            });
        }
        let mut dropping = JoinSet::new();
        for seed in 0..10 {
            let client = client.clone();
            dropping.spawn(async move {
                let mut rng = Rng::with_seed(seed);
                for _ in 0..100 {
                    match rng.u8(..6) {
                        0 => drop_somewhere(client.echo("dropped"), &mut rng).await,
                        1 => drop_somewhere(client.get("key 1"), &mut rng).await,
                        2 => drop_somewhere(client.set("dropped", "value").get(), &mut rng).await,
                        3 => drop_somewhere(client.incr("dropped counter"), &mut rng).await,
                        4 => drop_somewhere(client.lrange("list"), &mut rng).await,
                        _ => {
                            drop_somewhere(client.lrange_aslist("list").stop(1_000), &mut rng).await
                        }
                    }
                }
            });
        }
        dropping.join_all().await;
        done.store(true, Ordering::Relaxed);
        for rounds in checking.join_all().await {
            assert!(rounds? > 0);
        }
        eventually("all replies have come", async || !client.in_use()).await;
        Ok(())
    });
}

/// What has not been polled or not been written yet is never sent.
#[test]
fn calls_dropped_before_they_are_written_are_never_sent() {
    for_each_server(async |client, _| {
        drop(client.incr("counter"));
        for _ in 0..100 {
            let mut call = pin!(client.incr("counter"));
            // The task that writes has had no chance to run on a runtime of one thread.
            poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        }
        let sent = client
            .get("counter")
            .decode::<kind::Nullable<kind::Integer>>()
            .await?
            .unwrap_or(0);
        let is_one_thread = tokio::runtime::Handle::current().runtime_flavor()
            == tokio::runtime::RuntimeFlavor::CurrentThread;
        assert!(
            sent <= if is_one_thread { 0 } else { 100 },
            "{sent} were sent"
        );
        Ok(())
    });
}

/// A value that is pushed after a blocking call was dropped is not taken by that call.
#[test]
fn a_dropped_blpop_takes_nothing() {
    for_each_server(async |other, place| {
        let client = place.connect().await?;
        let mut rng = Rng::with_seed(7);
        let (mut closed, mut slowest) = (0, Duration::ZERO);
        for round in 0..1_000 {
            let id = client.client_id().await?;
            drop_somewhere(client.blpop(["list"]), &mut rng).await;
            let dropped = Instant::now();
            if client.client_id().await? != id {
                closed += 1;
                // The end of a connection is not faster than the next value on another one.
                while !other.client_list().id([id]).await?.is_empty() {
                    assert!(
                        dropped.elapsed() < Duration::from_secs(20),
                        "round {round}: it is not closed"
                    );
                }
                slowest = slowest.max(dropped.elapsed());
            }
            assert_eq!(other.lpush("list", [round]).await?, 1, "round {round}");
            assert_eq!(other.llen("list").await?, 1, "round {round}");
            assert_eq!(other.rpop("list").await?, Some(round.to_string()));
        }
        println!(
            "{place}: {closed} of 1000 calls were closed, {slowest:?} after they were dropped at the latest"
        );
        // It is connected anew whenever it had to be closed.
        other.lpush("list", ["last"]).await?;
        assert_eq!(client.blpop(["list"]).timeout(10).await?.value, "last");
        Ok(())
    });
}

#[test]
fn the_rest_of_a_dropped_stream_is_skipped_or_the_connection_closed() {
    const ELEMENTS: u64 = 1_000_000;
    for_each_server(async |client, place| {
        fill(client, "list", ELEMENTS, 16).await?;
        for (max_skip, is_closed) in [(64 * 1024 * 1024, false), (1024 * 1024, true)] {
            let client = place.config().max_skip(max_skip).connect().await?;
            let id = client.client_id().await?;
            let mut list = client.lrange("list").await?;
            for _ in 0..1_000 {
                assert_eq!(
                    list.next().await.transpose()?.map(|element| element.len()),
                    Some(16)
                );
            }
            assert_eq!(list.remaining(), ELEMENTS - 1_000);
            // Others wait behind it already.
            let others: Vec<_> = (0..10)
                .map(|i| {
                    let client = client.clone();
                    tokio::spawn(async move { client.echo(format!("{i}")).await })
                })
                .collect();
            yield_now().await;
            drop(list);
            for (i, other) in others.into_iter().enumerate() {
                assert_eq!(other.await??, i.to_string());
            }
            assert_eq!(
                client.client_id().await? != id,
                is_closed,
                "with {max_skip} bytes to skip"
            );
        }
        Ok(())
    });
}

#[test]
fn a_dropped_reader_is_skipped_or_the_connection_closed() {
    for_each_server(async |client, _| {
        client.set("large", "x".repeat(20_000_000)).await?;
        client.set("small", "x".repeat(2_000_000)).await?;
        let id = client.client_id().await?;
        let mut reader = client
            .get("small")
            .reader()
            .await?
            .ok_or("there is a value")?;
        reader.next().await.transpose()?;
        drop(reader);
        assert_eq!(client.client_id().await?, id);

        let mut reader = client
            .get("large")
            .reader()
            .await?
            .ok_or("there is a value")?;
        reader.next().await.transpose()?;
        drop(reader);
        assert_ne!(client.client_id().await?, id);
        Ok(())
    });
}

/// A value that is pushed at the same moment may be taken all the same: then it is handed to the user.
#[test]
fn what_a_dropped_blpop_took_is_an_orphan() {
    for_each_server(async |other, place| {
        let orphans = Arc::new(Mutex::new(Vec::new()));
        let keep = {
            let orphans = Arc::clone(&orphans);
            move |reply| orphans.lock().expect("nothing panics with it").push(reply)
        };
        let client = place.config().on_orphan(keep).connect().await?;
        let mut rng = Rng::with_seed(11);
        let mut taken = Vec::new();
        for round in 0..1_000_i64 {
            drop_somewhere(client.blpop(["list"]), &mut rng).await;
            other.lpush("list", [round]).await?;
            if other.lpop("list").await?.is_none() {
                taken.push(Value::Array(vec![
                    "list".into(),
                    round.to_string().as_str().into(),
                ]));
            }
        }
        let count = || orphans.lock().expect("nothing panics with it").len();
        let all = async || count() == taken.len();
        // A server that reads the end of the connection and the push in one go may throw the value away by itself.
        let _ = timeout(Duration::from_millis(500), eventually("all are there", all)).await;
        let orphans = orphans.lock().expect("nothing panics with it");
        println!(
            "{place}: {} of 1000 values were taken, {} of them orphans",
            taken.len(),
            orphans.len()
        );
        assert!(
            orphans.iter().all(|orphan| taken.contains(orphan)),
            "{orphans:?}"
        );
        assert!(
            taken.len() - orphans.len() <= 3,
            "{} of {}",
            orphans.len(),
            taken.len()
        );
        Ok(())
    });
}

/// A call that does not wait for as long as the server does is like one that was dropped.
#[test]
fn a_blpop_that_was_given_up_takes_nothing() {
    for_each_server(async |other, place| {
        let client = place.connect().await?;
        let id = client.client_id().await?;
        let call = client
            .blpop(["list"])
            .reply_timeout(Duration::from_millis(50));
        let error = call.await.expect_err("it is not for long");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Timeout, Outcome::Unknown),
            "{error}"
        );
        eventually("the server knows", async || {
            blocked_clients(other).await.is_ok_and(|count| count == 0)
        })
        .await;
        other.lpush("list", ["value"]).await?;
        assert_eq!(other.llen("list").await?, 1);
        assert_ne!(client.client_id().await?, id);
        Ok(())
    });
}

/// The handle may go while its last reply is being read.
#[test]
fn a_stream_outlives_its_connection_handle() {
    for_each_server(async |other, place| {
        fill(other, "list", 10_000, 100).await?;
        let list = {
            let client = place.connect().await?;
            client.lrange("list").await?
        };
        assert!(!list.is_complete());
        assert_eq!(list.aslist().await?.len(), 10_000);
        let is_alone = async || {
            other
                .client_list()
                .await
                .is_ok_and(|clients| clients.len() == 1)
        };
        eventually("the connection is closed", is_alone).await;
        Ok(())
    });
}

/// Calls are written in the order in which they are polled first, and pipelined without being told to.
#[test]
fn ten_thousand_calls_at_once() {
    for_each_server(async |client, _| {
        let mut calls: Vec<_> = (0..10_000)
            .map(|_| Box::pin(client.incr("counter")))
            .collect();
        poll_fn(|cx| {
            for call in &mut calls {
                assert!(call.as_mut().poll(cx).is_pending());
            }
            Poll::Ready(())
        })
        .await;
        for (i, call) in calls.into_iter().enumerate() {
            assert_eq!(usize::try_from(call.await?)?, i + 1);
        }
        Ok(())
    });
}

/// A large write and a large reply at once, more than the buffers of both sides hold.
#[test]
fn writing_and_reading_do_not_wait_for_each_other() {
    for_each_server(async |client, _| {
        client.set("large", "x".repeat(20_000_000)).await?;
        let value = "y".repeat(1_000_000);
        let mut calls = JoinSet::new();
        for i in 0..20 {
            let (client, value) = (client.clone(), value.clone());
            calls.spawn(async move {
                client.set(format!("key {i}"), &value).await?;
                Ok::<_, Error>(client.get("large").await?.map(|large| large.len()))
            });
        }
        for length in timeout(Duration::from_secs(50), calls.join_all()).await? {
            assert_eq!(length?, Some(20_000_000));
        }
        Ok(())
    });
}

/// Few commands may be under way, and many callers want to; some of them give up.
#[test]
fn callers_wait_for_room() {
    for_each_server(async |_, place| {
        let client = place
            .config()
            .max_in_flight(4)
            .max_in_flight_bytes(2_000)
            .connect()
            .await?;
        let mut tasks = JoinSet::new();
        for task in 0..200_u64 {
            let client = client.clone();
            tasks.spawn(async move {
                let mut rng = Rng::with_seed(task);
                for round in 0..10 {
                    let unique = format!(
                        "task {task}, round {round}, {}",
                        "x".repeat(rng.usize(..1_500))
                    );
                    if rng.u8(..4) == 0 {
                        drop_somewhere(client.echo(&unique), &mut rng).await;
                    } else {
                        assert_eq!(client.echo(&unique).await?, unique);
                    }
                }
                Ok::<_, Error>(())
            });
        }
        for result in tasks.join_all().await {
            result?;
        }
        eventually("all replies have come", async || !client.in_use()).await;
        Ok(())
    });
}

/// Polls a future for a random while, from not at all to its end, and drops it.
async fn drop_somewhere<F: Future>(future: F, rng: &mut Rng) {
    match rng.u8(..4) {
        0 => {}
        1 => {
            let mut polls = rng.u8(1..5);
            let mut future = pin!(future);
            poll_fn(|cx| {
                polls -= 1;
                if future.as_mut().poll(cx).is_ready() || polls == 0 {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        // The clock of the runtime counts milliseconds; less is a matter of turns of the scheduler.
        2 => {
            let turns = rng.u8(..20);
            tokio::select! {
                biased;
                _ = future => {}
                () = async { for _ in 0..turns { yield_now().await } } => {}
            }
        }
        _ => drop(timeout(Duration::from_micros(rng.u64(..3_000)), future).await),
    }
}

async fn blocked_clients(client: &Connection) -> Result<u64, Failure> {
    Ok(client
        .info()
        .section("clients")
        .await?
        .parse("blocked_clients")
        .ok_or("INFO tells it")?)
}

/// Makes the server fill a list by itself.
async fn fill(client: &Connection, key: &str, elements: u64, size: usize) -> Result<(), Failure> {
    let script = "local element = string.rep('x', ARGV[2])
        for _ = 1, ARGV[1] / 1000 do
            local elements = {}
            for i = 1, 1000 do elements[i] = element end
            redis.call('RPUSH', KEYS[1], unpack(elements))
        end
        return redis.call('LLEN', KEYS[1])";
    let length = client
        .eval(script)
        .keys([key])
        .args([elements, size as u64])
        .await?
        .integer()?;
    assert_eq!(u64::try_from(length)?, elements);
    Ok(())
}
