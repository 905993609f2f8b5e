//! Who gets which messages: channels, patterns and shard channels, of one subscription or several.

use std::time::Duration;

use redis_client::PubSubReply;
use redis_client::prelude::*;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::each_server::{Failure, eventually, for_each_server};

#[test]
fn several_channels() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.subscribe(["one", "two"]).await?;
        subscription.subscribe(["three"]).await?;
        assert_eq!(other.publish("one", "1").await?, 1);
        assert_eq!(other.publish("four", "4").await?, 0);
        assert_eq!(other.publish("three", "3").await?, 1);
        assert_eq!(
            next(&mut subscription).await?,
            ("one".into(), "1".into(), None)
        );
        assert_eq!(
            next(&mut subscription).await?,
            ("three".into(), "3".into(), None)
        );

        subscription.unsubscribe(["one"]).await?;
        assert_eq!(other.publish("one", "1").await?, 0);
        assert_eq!(other.publish("two", "2").await?, 1);
        assert_eq!(
            next(&mut subscription).await?,
            ("two".into(), "2".into(), None)
        );
        // What is not subscribed can be unsubscribed, and subscribed again.
        subscription.unsubscribe(["one", "unknown"]).await?;
        subscription.subscribe(["one", "one"]).await?;
        assert_eq!(other.publish("one", "again").await?, 1);
        assert_eq!(next(&mut subscription).await?.1, "again");
        subscription.unsubscribe([""; 0]).await?;
        for channel in ["one", "two", "three"] {
            assert_eq!(other.publish(channel, "nobody").await?, 0);
        }
        Ok(())
    });
}

#[test]
fn patterns() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.psubscribe(["news.*", "weather.?"]).await?;
        assert_eq!(other.publish("news.today", "sun").await?, 1);
        assert_eq!(other.publish("weather.10", "rain").await?, 0);
        assert_eq!(other.publish("weather.1", "snow").await?, 1);
        assert_eq!(
            next(&mut subscription).await?,
            ("news.today".into(), "sun".into(), Some("news.*".into()))
        );
        assert_eq!(
            next(&mut subscription).await?,
            ("weather.1".into(), "snow".into(), Some("weather.?".into()))
        );

        // A channel and a pattern that match are two messages.
        subscription.subscribe(["news.today"]).await?;
        assert_eq!(other.publish("news.today", "twice").await?, 2);
        let both = [
            next(&mut subscription).await?,
            next(&mut subscription).await?,
        ];
        assert_eq!(
            both.map(|message| (message.1, message.2)),
            [
                ("twice".into(), None),
                ("twice".into(), Some("news.*".into()))
            ]
        );

        subscription.punsubscribe(["news.*"]).await?;
        assert_eq!(other.publish("news.today", "once").await?, 1);
        assert_eq!(next(&mut subscription).await?.2, None);
        assert_eq!(other.pubsub_numpat().await?, 1);
        Ok(())
    });
}

#[test]
fn shard_channels() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.ssubscribe(["shard"]).await?;
        subscription.subscribe(["shard"]).await?;
        assert_eq!(other.spublish("shard", "sharded").await?, 1);
        assert_eq!(other.publish("shard", "plain").await?, 1);
        assert_eq!(next(&mut subscription).await?.1, "sharded");
        assert_eq!(next(&mut subscription).await?.1, "plain");
        subscription.sunsubscribe(["shard"]).await?;
        assert_eq!(other.spublish("shard", "nobody").await?, 0);
        assert_eq!(other.publish("shard", "somebody").await?, 1);
        assert_eq!(next(&mut subscription).await?.1, "somebody");
        Ok(())
    });
}

/// Each gets what it listens to, and what one no longer wants the other still gets.
#[test]
fn two_subscriptions_with_channels_in_common() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let mut first = client.start_subscribe().await?;
        let mut second = client.start_subscribe().await?;
        first.subscribe(["common", "first"]).await?;
        second.subscribe(["common", "second"]).await?;
        second.psubscribe(["fir*"]).await?;
        // In RESP3 both are on the client's connection, which the server knows once.
        let connections = if client_speaks_resp3(place) { 1 } else { 2 };
        assert_eq!(other.publish("common", "1").await?, connections);
        assert_eq!(other.publish("first", "2").await?, 2);
        assert_eq!(other.publish("second", "3").await?, 1);
        assert_eq!(next(&mut first).await?.1, "1");
        assert_eq!(next(&mut first).await?, ("first".into(), "2".into(), None));
        assert_eq!(next(&mut second).await?.1, "1");
        assert_eq!(
            next(&mut second).await?,
            ("first".into(), "2".into(), Some("fir*".into()))
        );
        assert_eq!(next(&mut second).await?.1, "3");

        first.unsubscribe(["common"]).await?;
        assert_eq!(other.publish("common", "4").await?, 1);
        assert_eq!(next(&mut second).await?.1, "4");
        first.subscribe(["common"]).await?;
        drop(second);
        eventually("it is dropped", async || {
            other
                .publish("second", "nobody")
                .await
                .is_ok_and(|count| count == 0)
        })
        .await;
        assert_eq!(other.pubsub_numpat().await?, 0);
        assert_eq!(other.publish("common", "5").await?, 1);
        assert_eq!(next(&mut first).await?.1, "5");
        assert!(
            timeout(Duration::from_millis(20), first.next_event())
                .await
                .is_err()
        );

        drop(first);
        eventually("it is dropped", async || {
            other
                .pubsub_channels_aslist()
                .await
                .is_ok_and(|channels| channels.is_empty())
        })
        .await;
        assert_eq!(client.ping().await?, "PONG");
        Ok(())
    });
}

/// A subscription has a connection of its own where it cannot share one, and where it is told to.
#[test]
fn whose_connection() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let pool = Pool::builder(place.config()).connect().await?;
        let at_first = other.client_list().await?.len();
        let subscription = client.start_subscribe().await?;
        subscription.subscribe(["news"]).await?;
        let own = if client_speaks_resp3(place) { 0 } else { 1 };
        assert_eq!(other.client_list().await?.len(), at_first + own);
        let mut on_its_own = client.start_subscribe().own_connection().await?;
        on_its_own.subscribe(["news"]).await?;
        let mut pooled = pool.start_subscribe().await?;
        pooled.subscribe(["news"]).await?;
        assert_eq!(other.client_list().await?.len(), at_first + own + 2);
        // Commands go on, on the client's and the pool's connections.
        assert_eq!(client.publish("news", "1").await?, 3);
        assert_eq!(pool.publish("news", "2").await?, 3);
        for subscription in [&mut on_its_own, &mut pooled] {
            assert_eq!(next(subscription).await?.1, "1");
            assert_eq!(next(subscription).await?.1, "2");
        }
        drop((subscription, on_its_own, pooled));
        eventually("their connections are closed", async || {
            other
                .client_list()
                .await
                .is_ok_and(|clients| clients.len() == at_first)
        })
        .await;
        Ok(())
    });
}

/// What the server refuses does not end what it allowed before.
#[test]
fn a_channel_that_is_not_allowed() {
    for_each_server(async |client, place| {
        client
            .acl_setuser(
                "app",
                ["on", ">secret", "~*", "resetchannels", "&open*", "+@all"],
            )
            .await?;
        let app = place
            .config()
            .username("app")
            .password("secret")
            .connect()
            .await?;
        let mut subscription = app.start_subscribe().await?;
        subscription.subscribe(["open"]).await?;
        let error = subscription
            .subscribe(["open", "closed"])
            .await
            .expect_err("it is not allowed");
        assert_eq!(
            (error.code(), error.outcome(), error.command()),
            (Some("NOPERM"), Outcome::Rejected, Some("SUBSCRIBE")),
            "{error}"
        );
        assert_eq!(client.publish("open", "message").await?, 1);
        assert_eq!(next(&mut subscription).await?.1, "message");
        subscription.subscribe(["open 2"]).await?;
        assert_eq!(client.publish("open 2", "message").await?, 1);
        assert_eq!(next(&mut subscription).await?.0, "open 2");
        Ok(())
    });
}

/// A call to subscribe or unsubscribe that is dropped at any moment leaves nothing behind.
#[test]
fn subscribing_is_cancelled() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        let mut subscription = client.start_subscribe().await?;
        let mut dropped = 0;
        for round in 0..200 {
            let channel = format!("dropped {round}");
            let is_done = is_done_within(round % 7, subscription.subscribe([&channel])).await?
                && is_done_within(round % 5, subscription.unsubscribe([&channel])).await?;
            dropped += u32::from(!is_done);
            let channel = format!("channel {round}");
            subscription.subscribe([&channel]).await?;
            assert_eq!(
                other.publish(&channel, "message").await?,
                1,
                "round {round}"
            );
            assert_eq!(next(&mut subscription).await?.0, channel);
            subscription.unsubscribe([&channel]).await?;
        }
        assert!(dropped > 0);
        // Nothing is in force on the server any more, whatever was sent of it.
        eventually("nothing is subscribed", async || {
            other
                .pubsub_channels_aslist()
                .await
                .is_ok_and(|channels| channels.is_empty())
        })
        .await;
        assert_eq!(client.ping().await?, "PONG");
        Ok(())
    });
}

/// Drops a call after so many turns of the scheduler, if it is not done before.
async fn is_done_within(
    turns: u32,
    call: impl Future<Output = Result<(), Error>>,
) -> Result<bool, Error> {
    tokio::select! {
        biased;
        done = call => done.map(|()| true),
        () = async { for _ in 0..turns { yield_now().await } } => Ok(false),
    }
}

fn client_speaks_resp3(place: &crate::each_server::Place) -> bool {
    place.protocol == Protocol::Resp3
}

/// Channel, message and pattern.
async fn next(
    subscription: &mut Subscription,
) -> Result<(String, String, Option<String>), Failure> {
    let PubSubReply {
        channel,
        value,
        pattern,
        ..
    } = timeout(Duration::from_secs(15), subscription.next_published()).await??;
    Ok((channel, value, pattern))
}
