use std::time::Duration;

use redis_client::prelude::*;
use tokio::time::{Instant, sleep};

use crate::each_server::{Place, eventually, for_each_server};

#[test]
fn nothing_in_time_is_a_timeout() {
    for_each_server(async |client, _| {
        let errors = [
            client
                .blpop(["list"])
                .timeout(0.01)
                .await
                .expect_err("nothing is pushed"),
            client
                .brpop(["list", "other"])
                .timeout(Duration::from_millis(10))
                .await
                .expect_err("nothing is pushed"),
            client
                .brpoplpush("list", "other")
                .timeout(0.01)
                .await
                .expect_err("nothing is pushed"),
            client
                .blmove("list", "other", ListEnd::Left, ListEnd::Left)
                .timeout(0.01)
                .await
                .expect_err("nothing"),
            client
                .blmpop(["list"], ListEnd::Left)
                .timeout(0.01)
                .await
                .map(drop)
                .expect_err("nothing is pushed"),
            client
                .bzpopmin(["board"])
                .timeout(0.01)
                .await
                .map(drop)
                .expect_err("nothing is added"),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            assert!(error.is_timeout());
            // The server did wait; it is not the connection that is slow.
            assert_eq!(error.outcome(), Outcome::Executed);
            assert!(error.message().contains("timeout"), "{error}");
        }
        let started = Instant::now();
        client
            .blpop(["list"])
            .timeout(0.2)
            .await
            .expect_err("nothing is pushed");
        assert!(started.elapsed() >= Duration::from_millis(180));
        assert_eq!(client.ping().await?, "PONG");
        Ok(())
    });
}

#[test]
fn a_value_that_is_there_is_popped_at_once() {
    for_each_server(async |client, _| {
        client.rpush("second", ["a", "b", "c"]).await?;
        let popped = client.blpop(["first", "second"]).await?;
        assert_eq!(
            (popped.list_name.as_str(), popped.value.as_str()),
            ("second", "a")
        );
        let popped = client.brpop(["first", "second"]).timeout(1).await?;
        assert_eq!(
            (popped.list_name.as_str(), popped.value.as_str()),
            ("second", "c")
        );
        assert_eq!(client.brpoplpush("second", "third").await?, "b");
        assert_eq!(client.lrange_aslist("third").await?, ["b"]);
        Ok(())
    });
}

#[test]
fn a_value_pushed_by_another_connection() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;

        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.blpop(["list"]).await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        assert_eq!(other.rpush("list", ["value"]).await?, 1);
        let popped = waiting.await??;
        assert_eq!(
            (popped.list_name.as_str(), popped.value.as_str()),
            ("list", "value")
        );
        assert_eq!(other.llen("list").await?, 0);

        // The key that comes first does not matter, if the other one gets a value.
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.brpop(["list", "other"]).timeout(20).await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        other.rpush("other", ["1", "2"]).await?;
        let popped = waiting.await??;
        assert_eq!(
            (popped.list_name.as_str(), popped.value.as_str()),
            ("other", "2")
        );

        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.brpoplpush("from", "to").await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        other.rpush("from", ["my_value"]).await?;
        assert_eq!(waiting.await??, "my_value");
        assert_eq!(other.lrange_aslist("to").await?, ["my_value"]);

        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.bzpopmax(["board"]).await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        other.zadd("board", [("low", 1), ("high", 2)]).await?;
        let popped = waiting.await??;
        assert_eq!(
            (popped.key.as_str(), popped.member.as_str(), popped.score),
            ("board", "high", 2.0)
        );

        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.xread([("stream", "$")]).block(20_000).await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        let id = other.xadd("stream", [("field", "value")]).await?;
        let streams = waiting.await??.unwrap_or_default();
        assert_eq!(
            (streams[0].0.as_str(), &streams[0].1[0].id),
            ("stream", &id)
        );
        Ok(())
    });
}

/// A consumer and a producer with a list between them.
#[test]
fn a_queue() {
    for_each_server(async |client, place| {
        let source = place.connect().await?;
        let (items, ()) = tokio::try_join!(
            async {
                let mut items = Vec::new();
                while items.len() < 200 {
                    items.push(client.blpop(["queue"]).await?.value);
                }
                Ok::<_, Error>(items)
            },
            async {
                for i in 0..200 {
                    source.rpush("queue", [i]).await?;
                }
                Ok(())
            },
        )?;
        assert_eq!(items, (0..200).map(|i| i.to_string()).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn flags_tell_what_is_under_way() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        assert!(client.is_connected());
        assert_eq!((client.in_use(), client.in_blocking_call()), (false, false));

        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.blpop(["list"]).await }
        });
        eventually("it waits", async || is_blocked(place)).await;
        assert_eq!((client.in_use(), client.in_blocking_call()), (true, true));
        assert_eq!((other.in_use(), other.in_blocking_call()), (false, false));

        // A command behind it has to wait.
        let behind = tokio::spawn({
            let client = client.clone();
            async move { client.set("key", "value").await }
        });
        sleep(Duration::from_millis(20)).await;
        assert!(!behind.is_finished());
        other.rpush("list", ["value"]).await?;
        waiting.await??;
        behind.await??;
        assert_eq!((client.in_use(), client.in_blocking_call()), (false, false));

        let (slept, ()) = tokio::join!(client.command("DEBUG SLEEP").arg(0.1), async {
            assert_eq!((client.in_use(), client.in_blocking_call()), (true, false));
        });
        slept?;
        assert!(!client.in_use());
        Ok(())
    });
}

#[test]
fn a_blocked_client_can_be_unblocked() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let id = client.client_id().await?;
        for with_error in [false, true] {
            let waiting = tokio::spawn({
                let client = client.clone();
                async move { client.blpop(["list"]).await }
            });
            eventually("it waits", async || is_blocked(place)).await;
            let unblock = other.client_unblock(id);
            assert!(if with_error {
                unblock.error().await?
            } else {
                unblock.await?
            });
            let error = waiting.await?.expect_err("nothing was pushed");
            if with_error {
                assert_eq!(
                    (error.code(), error.outcome()),
                    (Some("UNBLOCKED"), Outcome::Rejected),
                    "{error}"
                );
            } else {
                assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            }
        }
        assert!(!other.client_unblock(id).await?);
        Ok(())
    });
}

/// The server may take its time for as long as it was told to, and the usual time for a reply after that.
#[test]
fn the_reply_timeout_starts_after_the_commands_own() {
    for_each_server(async |_, place| {
        let client = place
            .config()
            .reply_timeout(Duration::from_secs(1))
            .connect()
            .await?;
        let other = place.connect().await?;
        let started = Instant::now();
        let error = client
            .blpop(["list"])
            .timeout(1.3)
            .await
            .expect_err("nothing is pushed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Timeout, Outcome::Executed),
            "{error}"
        );
        assert!(started.elapsed() >= Duration::from_millis(1_280));

        let forever = tokio::spawn(async move { client.blpop(["list"]).timeout(0).await });
        sleep(Duration::from_millis(1_300)).await;
        other.rpush("list", ["value"]).await?;
        assert_eq!(forever.await??.value, "value");
        Ok(())
    });
}

/// Whether the server has a client that waits.
fn is_blocked(place: &Place) -> bool {
    let info = place.server.command(&["INFO", "clients"]);
    info.text()
        .is_some_and(|info| info.contains("blocked_clients:1\r\n"))
}
