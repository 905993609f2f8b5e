use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use redis_client::prelude::*;
use tokio::time::{Instant, sleep};

use crate::each_server::{eventually, for_each_server};
use crate::what;

#[test]
fn replies_are_in_order_and_of_their_types() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        client.hset_multiple("hash", [("field", "value")]).await?;
        for pipeline in [client.pipeline(), pool.pipeline()] {
            assert!(pipeline.is_empty());
            let status = pipeline.set("key", "1").await?;
            let wrong = pipeline.lpush("key", ["a"]).await?;
            let integer = pipeline.incr("key").await?;
            let unknown = pipeline.command("NOPE").arg("x").await?;
            let text = pipeline.get("key").await?;
            let nothing = pipeline.get("unknown").await?;
            let hash = pipeline.hgetall("hash").await?;
            assert_eq!((pipeline.len(), text.take().is_none()), (7, true));
            pipeline.execute().await?;
            // In any order.
            assert_eq!(text.await?.as_deref(), Some("2"));
            assert_eq!(nothing.await?, None);
            let error = wrong.await.expect_err("it is no list");
            assert_eq!(
                (error.code(), error.command(), error.outcome()),
                (Some("WRONGTYPE"), Some("LPUSH"), Outcome::Rejected),
                "{error}"
            );
            let error = unknown.await.expect_err("there is no such command");
            assert_eq!(
                (error.code(), error.command()),
                (Some("ERR"), Some("NOPE")),
                "{error}"
            );
            assert_eq!(integer.await?, 2);
            assert!(status.await?.is_some());
            assert_eq!(hash.await?.asdict().await?["field"], "value");
        }
        Ok(())
    });
}

#[test]
fn an_empty_pipeline_and_one_that_is_dropped() {
    for_each_server(async |client, _| {
        client.pipeline().execute().await?;
        let pipeline = client.pipeline();
        let queued = pipeline.incr("counter").await?;
        let waiting = tokio::spawn(pipeline.incr("counter").await?);
        tokio::task::yield_now().await;
        drop(pipeline);
        for error in [
            queued.await.expect_err("it was dropped"),
            waiting.await?.expect_err("it was dropped"),
        ] {
            assert_eq!(
                (error.outcome(), error.command()),
                (Outcome::NotSent, Some("INCR")),
                "{error}"
            );
            assert!(error.to_string().contains("dropped"), "{error}");
        }
        assert_eq!(client.get("counter").await?, None);
        Ok(())
    });
}

#[test]
fn replies_are_taken_once() {
    for_each_server(async |client, _| {
        let pipeline = client.pipeline();
        let mut first = pipeline.incr("counter").await?;
        let second = pipeline.incr("counter").await?;
        // Those who wait already are woken.
        let waiting = tokio::spawn(pipeline.incr("counter").await?);
        tokio::task::yield_now().await;
        poll_fn(|cx| {
            assert!(pin!(&mut first).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(second.take().is_none());
        pipeline.execute().await?;
        assert_eq!((first.await?, waiting.await??), (1, 3));
        assert_eq!(second.take().transpose()?, Some(2));
        let error = second
            .take()
            .and_then(Result::err)
            .ok_or("it has been taken")?;
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
        let error = second.await.expect_err("it has been taken");
        assert!(error.to_string().contains("taken already"), "{error}");
        Ok(())
    });
}

#[test]
fn ten_thousand_writes_and_reads() {
    const COMMANDS: usize = 10_000;
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        for pipeline in [client.pipeline(), pool.pipeline()] {
            let mut queued = Vec::new();
            let started = Instant::now();
            for i in 0..COMMANDS {
                let key = format!("key {i}");
                queued.push((pipeline.set(&key, i).await?, pipeline.get(&key).await?));
            }
            pipeline.execute().await?;
            println!("{place}: {:?}", started.elapsed());
            for (i, (set, get)) in (0..).zip(queued) {
                assert!(set.await?.is_some());
                assert_eq!(get.await?, Some(i.to_string()));
            }
        }
        Ok(())
    });
}

#[test]
fn what_needs_a_connection_of_its_own_is_refused() {
    for_each_server(async |client, _| {
        let pipeline = client.pipeline();
        for (name, error) in [
            (
                "BLPOP",
                pipeline
                    .blpop(["list"])
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
            (
                "XREAD",
                pipeline
                    .xread([("stream", "$")])
                    .block(10)
                    .await
                    .map(drop)
                    .expect_err("refused"),
            ),
            (
                "SELECT",
                pipeline.select(1).await.map(drop).expect_err("refused"),
            ),
        ] {
            assert_eq!(
                (what(&error), error.command()),
                ((ErrorKind::Argument, Outcome::NotSent), Some(name)),
                "{error}"
            );
            assert!(error.to_string().contains("pipeline"), "{error}");
        }
        assert!(pipeline.is_empty());
        Ok(())
    });
}

/// What was not written is never sent; replies that nobody wants disturb nobody.
#[test]
fn execute_is_dropped_midway() {
    for_each_server(async |client, _| {
        for turns in 0..20 {
            let pipeline = client.pipeline();
            let mut queued = Vec::new();
            for _ in 0..100 {
                queued.push(pipeline.incr("counter").await?);
            }
            let before = client
                .get("counter")
                .decode::<kind::Nullable<kind::Integer>>()
                .await?
                .unwrap_or(0);
            let done = tokio::select! {
                biased;
                result = pipeline.execute() => { result?; true }
                () = async { for _ in 0..turns { tokio::task::yield_now().await } } => false,
            };
            assert_eq!(client.echo(turns).await?, turns.to_string());
            let counter = client
                .get("counter")
                .decode::<kind::Nullable<kind::Integer>>()
                .await?
                .unwrap_or(0);
            assert!(
                counter == before + 100 || (!done && counter == before),
                "{before} and then {counter}"
            );
            for queued in queued {
                match queued.await {
                    Ok(_) => assert!(done),
                    // A promise must not say that nothing was sent when something was.
                    Err(error) => assert!(
                        !done && (counter == before || error.outcome() == Outcome::Unknown),
                        "{error:?}"
                    ),
                }
            }
        }
        Ok(())
    });
}

/// The connection is lost when some replies are there already: the others are told what may have become of them.
#[test]
fn those_with_replies_keep_them() {
    for_each_server(async |other, place| {
        for by_pool in [false, true] {
            let client = place.connect().await?;
            let pool = Pool::builder(place.config()).connect().await?;
            let pipeline = if by_pool {
                pool.pipeline()
            } else {
                client.pipeline()
            };
            other.delete(["before", "after"]).await?;
            let before = pipeline.incr("before").await?;
            // The server does not go on with this client until the pause is over, but has answered what came before.
            let pause = pipeline
                .command("CLIENT PAUSE")
                .arg(400)
                .arg("WRITE")
                .await?;
            let after = pipeline.incr("after").await?;
            let execute = tokio::spawn(pipeline.execute());
            sleep(Duration::from_millis(100)).await;
            let killed = other.client_kill_filter().type_(ClientType::Normal).await?;
            assert!(killed >= 2, "{killed}");
            let error = execute.await?.expect_err("its connection was killed");
            assert_eq!(
                what(&error),
                (ErrorKind::ConnectionLost, Outcome::Unknown),
                "{error}"
            );
            assert_eq!(before.await?, 1);
            assert_eq!(pause.await?, Value::Status("OK".to_owned()));
            let error = after.await.expect_err("its connection was killed");
            assert_eq!(
                (what(&error), error.command()),
                ((ErrorKind::ConnectionLost, Outcome::Unknown), Some("INCR")),
                "{error}"
            );
            other.command("CLIENT UNPAUSE").await?;
            assert_eq!(other.get("after").await?, None);
        }
        Ok(())
    });
}

/// The server falls silent instead.
#[test]
fn those_with_replies_keep_them_when_time_is_up() {
    for_each_server(async |other, place| {
        let config = place.config().reply_timeout(Duration::from_millis(150));
        let client = config.connect().await?;
        let pipeline = client.pipeline();
        let before = pipeline.incr("before").await?;
        let pause = pipeline
            .command("CLIENT PAUSE")
            .arg(20_000)
            .arg("WRITE")
            .await?;
        let after = pipeline.incr("after").await?;
        let error = pipeline
            .execute()
            .await
            .expect_err("there is no reply in time");
        assert_eq!(
            what(&error),
            (ErrorKind::Timeout, Outcome::Unknown),
            "{error}"
        );
        assert_eq!(before.await?, 1);
        assert_eq!(pause.await?, Value::Status("OK".to_owned()));
        let error = after.await.expect_err("there is no reply in time");
        assert_eq!(
            (what(&error), error.command()),
            ((ErrorKind::Timeout, Outcome::Unknown), Some("INCR")),
            "{error}"
        );
        other.command("CLIENT UNPAUSE").await?;
        assert_eq!(client.echo("goes on").await?, "goes on");
        Ok(())
    });
}

#[test]
fn what_was_not_sent_says_so() {
    for_each_server(async |_, place| {
        let client = place.config().auto_reconnect(false).connect().await?;
        place.server.kill();
        eventually("it is noticed", async || !client.is_connected()).await;
        let pipeline = client.pipeline();
        let queued = pipeline.incr("counter").await?;
        let error = pipeline.execute().await.expect_err("there is no server");
        assert_eq!(
            what(&error),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        let error = queued.await.expect_err("there is no server");
        assert_eq!(
            (what(&error), error.command()),
            ((ErrorKind::NotConnected, Outcome::NotSent), Some("INCR")),
            "{error}"
        );
        place.server.restart();

        // With a connection that is made anew it is only a matter of time.
        let client = place.connect().await?;
        place.server.restart();
        let pipeline = client.pipeline();
        let queued = pipeline.get("key").await?;
        pipeline.execute().await?;
        assert_eq!(queued.await?, None);
        Ok(())
    });
}
