//! What a new connection has of the one that was lost, and what becomes of calls meanwhile.

use std::time::Duration;

use redis_client::prelude::*;
use redis_client::{ClientListReply, ConnectionEvent, Gap, ReconnectPolicy};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::eventually;
use crate::proxy::{End, Held};
use crate::{behind_a_proxy, behind_a_proxy_with};

/// User, name, database, tracking and subscriptions: those of the configuration and those that came later.
#[test]
fn a_new_connection_is_in_the_state_of_the_old_one() {
    behind_a_proxy_with(
        |server| server.password("first"),
        async |place, behind| {
            let other = place.connect().await?;
            other
                .acl_setuser("app", ["on", ">second", "~*", "&*", "+@all"])
                .await?;
            let client = behind
                .config(place)
                .db(3)
                .client_name("worker")
                .connect()
                .await?;
            let subscription = client.start_subscribe().await?;
            subscription.subscribe(["news"]).await?;
            let mut subscription = subscription;

            let mut expected = [("db", "3"), ("name", "worker"), ("user", "default")];
            for round in 0..6 {
                match round {
                    // At run time, what the connection is changes.
                    2 => {
                        client.select(5).await?;
                        client.client_setname("renamed").await?;
                        client.auth("second").username("app").await?;
                        expected = [("db", "5"), ("name", "renamed"), ("user", "app")];
                    }
                    4 => {
                        client.select(6).await?;
                        expected[0].1 = "6";
                        if place.protocol == Protocol::Resp3 {
                            client
                                .client_tracking(OnOff::On)
                                .bcast()
                                .prefix(["tracked:"])
                                .await?;
                        }
                    }
                    _ => {}
                }
                let id = client.client_id().await?;
                match round % 3 {
                    0 => behind.proxy.cut(End::Fin),
                    1 => behind.proxy.cut(End::Rst),
                    _ => drop(other.client_kill_filter().skipme(YesNo::Yes).await?),
                }
                eventually("there is another connection", async || {
                    client.client_id().await.is_ok_and(|new| new != id)
                })
                .await;
                let info = client.client_info().await?;
                for (field, value) in expected {
                    assert_eq!(text(&info, field), value, "{field} in round {round}");
                }
                if place.protocol == Protocol::Resp3 && round >= 4 {
                    let tracking = client.command("CLIENT TRACKINGINFO").await?;
                    assert!(format!("{tracking:?}").contains("tracked:"), "{tracking:?}");
                }
                let mut events = Vec::new();
                while !matches!(events.last(), Some(PubSubEvent::Restored)) {
                    events
                        .push(timeout(Duration::from_secs(15), subscription.next_event()).await??);
                }
                assert!(
                    matches!(
                        events.as_slice(),
                        [PubSubEvent::Gap(Gap::ConnectionLost), PubSubEvent::Restored]
                    ),
                    "{events:?}"
                );
                other.publish("news", format!("round {round}")).await?;
                let message =
                    timeout(Duration::from_secs(15), subscription.next_published()).await??;
                assert_eq!(message.value, format!("round {round}"));
            }
            client.set("key", "in 6").await?;
            other.select(6).await?;
            assert_eq!(other.get("key").await?.as_deref(), Some("in 6"));
            Ok(())
        },
    );
}

/// Written, executed, and the reply lost: a write is not repeated and says so, a read is.
#[test]
fn only_what_does_no_harm_is_repeated() {
    behind_a_proxy(async |place, behind| {
        let other = place.connect().await?;
        let client = behind.config(place).connect().await?;
        behind.proxy.hold(Held::Replies);
        let mut calls = JoinSet::new();
        for call in 0..3 {
            let client = client.clone();
            calls.spawn(async move {
                match call {
                    0 => client
                        .incr("counter")
                        .await
                        .map(|_| "incremented".to_owned()),
                    1 => client.get("counter").await.map(Option::unwrap_or_default),
                    _ => client.set("key", "value").await.map(|_| "OK".to_owned()),
                }
            });
        }
        eventually("they are executed", async || {
            other.get("key").await.is_ok_and(|key| key.is_some())
        })
        .await;
        eventually("they are executed", async || {
            other
                .get("counter")
                .await
                .is_ok_and(|counter| counter.is_some())
        })
        .await;
        behind.proxy.cut(End::Rst);
        behind.proxy.hold(Held::Nothing);
        let (mut replies, mut errors) = (Vec::new(), Vec::new());
        for result in calls.join_all().await {
            match result {
                Ok(reply) => replies.push(reply),
                Err(error) => errors.push((
                    error.kind(),
                    error.outcome(),
                    error.command().map(str::to_owned),
                )),
            }
        }
        replies.sort();
        assert_eq!(replies, ["1", "OK"]);
        assert_eq!(
            errors,
            [(
                ErrorKind::ConnectionLost,
                Outcome::Unknown,
                Some("INCR".to_owned())
            )]
        );
        assert_eq!(other.get("counter").await?.as_deref(), Some("1"));
        Ok(())
    });
}

/// Sent once, and then nobody is there for the repetition: that the last attempt was not sent does not mean that none was.
#[test]
fn what_may_have_been_executed_is_never_called_unsent() {
    behind_a_proxy(async |place, behind| {
        let other = place.connect().await?;
        let builder = Pool::builder(behind.config(place).auto_reconnect(false)).poolsize(1);
        let pool = builder
            .acquire_timeout(Duration::from_millis(200))
            .connect()
            .await?;
        behind.proxy.hold(Held::Replies);
        let setting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.set("key", "value").await }
        });
        eventually("it is executed", async || {
            other.get("key").await.is_ok_and(|key| key.is_some())
        })
        .await;
        behind.proxy.listen(false);
        eventually("the port is closed", async || {
            TcpStream::connect(behind.addr).await.is_err()
        })
        .await;
        behind.proxy.cut(End::Rst);
        behind.proxy.hold(Held::Nothing);
        let error = timeout(Duration::from_secs(15), setting)
            .await??
            .expect_err("nobody is there");
        assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
        assert_eq!(
            error.kind(),
            ErrorKind::NoAvailableConnectionsInPool,
            "{error}"
        );
        Ok(())
    });
}

/// What is called while nobody listens is sent when somebody does, in order, once; unless its time is over or it was dropped.
#[test]
fn calls_are_queued_while_there_is_no_server() {
    behind_a_proxy(async |place, behind| {
        let client = behind.config(place).connect().await?;
        let pool = Pool::connect(&format!("redis://{}", behind.addr)).await?;
        let mut events = client.events();
        behind.proxy.listen(false);
        // Only the port is closed now.
        eventually("the port is closed", async || {
            behind.config(place).connect().await.is_err()
        })
        .await;
        behind.proxy.cut(End::Fin);
        eventually("the loss is noticed", async || {
            !client.is_connected() && pool.connections_connected() == 0
        })
        .await;

        let late = client
            .incr("counter")
            .reply_timeout(Duration::from_millis(100))
            .await
            .expect_err("nobody is there");
        assert_eq!(
            (late.kind(), late.outcome()),
            (ErrorKind::Timeout, Outcome::NotSent),
            "{late}"
        );
        assert!(
            timeout(Duration::from_millis(5), client.incr("counter"))
                .await
                .is_err()
        );
        assert!(
            timeout(Duration::from_millis(5), pool.incr("counter"))
                .await
                .is_err()
        );
        let mut calls = Vec::new();
        for _ in 0..100 {
            let client = client.clone();
            calls.push(tokio::spawn(async move { client.incr("counter").await }));
        }
        let pipeline = client.pipeline();
        let queued = pipeline.incr("pipelined").await?;
        let pipelined = tokio::spawn(pipeline.execute());
        let pooled = tokio::spawn({
            let pool = pool.clone();
            async move { pool.incr("pooled").await }
        });
        eventually("they wait", async || {
            client.in_use() && pool.stats().in_flight > 0
        })
        .await;
        sleep(Duration::from_millis(20)).await;
        assert!(calls.iter().all(|call| !call.is_finished()));
        behind.proxy.listen(true);
        let mut replies = Vec::new();
        for call in calls {
            replies.push(timeout(Duration::from_secs(20), call).await???);
        }
        replies.sort_unstable();
        assert_eq!(replies, (1..=100).collect::<Vec<_>>());
        pipelined.await??;
        assert_eq!((queued.await?, pooled.await??), (1, 1));

        assert!(matches!(
            events.next().await,
            Some(ConnectionEvent::Lost(_))
        ));
        let mut attempts = 0;
        while let Some(ConnectionEvent::Reconnecting(attempt)) = events.next().await {
            attempts += 1;
            assert_eq!(attempt, attempts);
        }
        assert!(attempts > 1 && client.is_connected());
        Ok(())
    });
}

#[test]
fn without_auto_reconnect_what_is_lost_stays_lost() {
    behind_a_proxy(async |place, behind| {
        let client = behind.config(place).auto_reconnect(false).connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.subscribe(["news"]).await?;
        behind.proxy.hold(Held::Replies);
        let pending = tokio::spawn({
            let client = client.clone();
            async move { client.get("key").await }
        });
        eventually("it is under way", async || client.in_use()).await;
        sleep(Duration::from_millis(20)).await;
        behind.proxy.cut(End::Rst);
        behind.proxy.hold(Held::Nothing);
        let error = pending.await?.expect_err("it was lost");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::ConnectionLost, Outcome::Unknown),
            "{error}"
        );
        eventually("it is closed", async || {
            client
                .get("key")
                .await
                .is_err_and(|error| error.kind() == ErrorKind::NotConnected)
        })
        .await;
        let error = client.get("key").await.expect_err("it stays lost");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        // The subscriber learns of the gap, and that there will be no more.
        assert!(matches!(
            subscription.next_event().await?,
            PubSubEvent::Gap(Gap::ConnectionLost)
        ));
        let error = timeout(Duration::from_secs(15), subscription.next_event())
            .await?
            .expect_err("it is closed");
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        Ok(())
    });
}

#[test]
fn the_policy_limits_attempts_and_pauses() {
    behind_a_proxy(async |place, behind| {
        let mut policy = ReconnectPolicy::default();
        policy.attempts = Some(4);
        policy.first_pause = Duration::from_millis(40);
        let client = behind
            .config(place)
            .reconnect_policy(policy)
            .connect()
            .await?;
        behind.proxy.listen(false);
        eventually("the port is closed", async || {
            behind.config(place).connect().await.is_err()
        })
        .await;
        let started = Instant::now();
        behind.proxy.cut(End::Fin);
        eventually("the loss is noticed", async || !client.is_connected()).await;
        let error = client.get("key").await.expect_err("nobody is there");
        // At once, and after pauses of 40, 80 and 160 ms, of which half is random.
        assert!(
            started.elapsed() >= Duration::from_millis(140),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        assert!(
            error
                .message()
                .starts_with("gave up reconnecting after 4 attempts"),
            "{error}"
        );
        behind.proxy.listen(true);
        let error = client.get("key").await.expect_err("it was given up");
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        Ok(())
    });
}

fn text(info: &ClientListReply, field: &str) -> String {
    info.iter()
        .next()
        .and_then(|client| client.text(field))
        .unwrap_or_default()
        .to_owned()
}
