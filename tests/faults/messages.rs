//! Subscriptions under load: every message once, in order, or in a gap that is reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis_client::prelude::*;
use redis_client::{Gap, PubSubReply};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::{Failure, Place, eventually, for_each_place};
use crate::proxy::{End, Held};
use crate::{Behind, behind_a_proxy, newest};

const PUBLISHERS: usize = 4;
const BATCH: u64 = 500;

/// A million messages on each server, half of them in each protocol, over five lost connections.
#[test]
fn a_million_messages_over_lost_connections() {
    behind_a_proxy(async |place, behind| {
        const MESSAGES: u64 = 500_000;
        let client = behind.config(place).connect().await?;
        let mut subscription = client
            .start_subscribe()
            .backlog(Backlog::DropOldest(4 * 1024 * 1024))
            .await?;
        subscription.subscribe(["news"]).await?;

        let seen: Arc<[AtomicU64; PUBLISHERS]> = Arc::default();
        let mut publishers = JoinSet::new();
        for publisher in 0..PUBLISHERS {
            let (own, seen) = (place.connect().await?, Arc::clone(&seen));
            let share = MESSAGES / PUBLISHERS as u64;
            publishers
                .spawn(async move { publish(&own, publisher, share, &seen[publisher]).await });
        }
        // Commands go on over the same connection (in RESP2, beside it) meanwhile.
        let (done, commands) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let commanding = tokio::spawn(command(
            client.clone(),
            Arc::clone(&done),
            Arc::clone(&commands),
        ));

        let other = place.connect().await?;
        let breaking = {
            let seen = Arc::clone(&seen);
            async move {
                for cut in 1..=5 {
                    let at = cut * MESSAGES / PUBLISHERS as u64 / 7;
                    eventually("messages come", async || {
                        seen[0].load(Ordering::Relaxed) >= at
                    })
                    .await;
                    match cut {
                        1 | 4 => behind.proxy.cut(End::Rst),
                        2 => behind.proxy.cut(End::Fin),
                        // It may be subscribing anew just now.
                        _ => {
                            eventually("it is killed", async || {
                                other
                                    .client_kill_filter()
                                    .type_(ClientType::PubSub)
                                    .await
                                    .is_ok_and(|killed| killed > 0)
                            })
                            .await
                        }
                    }
                }
                while let Some(published) = publishers.join_next().await {
                    published??;
                }
                // The last word, until it is heard.
                while other.publish("news", "end").await? == 0 {
                    sleep(Duration::from_millis(10)).await;
                }
                Ok::<_, Failure>(())
            }
        };
        let started = Instant::now();
        let listening = tokio::spawn(async move {
            let mut account = Account::default();
            while account.take(
                timeout(Duration::from_secs(30), subscription.next_event()).await??,
                &seen,
            )? {}
            Ok::<_, Failure>(account)
        });
        breaking.await?;
        let account = listening.await??;
        done.store(true, Ordering::Relaxed);
        commanding.await??;
        println!(
            "{place}: {MESSAGES} messages in {:?}: {account:?}; {} commands meanwhile",
            started.elapsed(),
            commands.load(Ordering::Relaxed)
        );
        assert_eq!((account.gaps, account.restored), (5, 5));
        assert!(account.delivered + account.missed <= MESSAGES && account.delivered > MESSAGES / 2);
        assert!(account.missed >= account.dropped);
        assert!(commands.load(Ordering::Relaxed) > 10);
        Ok(())
    });
}

/// Publishes numbered messages, not too far ahead of the subscriber.
async fn publish(
    client: &Connection,
    publisher: usize,
    share: u64,
    seen: &AtomicU64,
) -> Result<(), Failure> {
    for batch in 0..share / BATCH {
        let pipeline = client.pipeline();
        for number in batch * BATCH..(batch + 1) * BATCH {
            drop(
                pipeline
                    .publish("news", format!("{publisher} {}", number + 1))
                    .await?,
            );
        }
        pipeline.execute().await?;
        let published = (batch + 1) * BATCH;
        let patience = Instant::now() + Duration::from_millis(100);
        // What was published into a gap is never seen.
        while seen.load(Ordering::Relaxed) + 20_000 < published && Instant::now() < patience {
            sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(())
}

async fn command(
    client: Connection,
    done: Arc<AtomicBool>,
    commands: Arc<AtomicU64>,
) -> Result<(), Failure> {
    while !done.load(Ordering::Relaxed) {
        let unique = commands.fetch_add(1, Ordering::Relaxed).to_string();
        assert_eq!(client.echo(&unique).await?, unique);
    }
    Ok(())
}

/// What a subscriber got.
#[derive(Debug, Default)]
struct Account {
    delivered: u64,
    /// Messages that are missing, all of them in gaps.
    missed: u64,
    /// Those that the subscription says it dropped.
    dropped: u64,
    gaps: u64,
    restored: u64,
    /// The last message of each publisher, and whether there was a gap after it.
    last: [(u64, bool); PUBLISHERS],
    broken: bool,
}

impl Account {
    /// Checks an event; false for the last message.
    fn take(
        &mut self,
        event: PubSubEvent<String>,
        seen: &[AtomicU64; PUBLISHERS],
    ) -> Result<bool, Failure> {
        match event {
            PubSubEvent::Message(message) if message.value == "end" => return Ok(false),
            PubSubEvent::Message(PubSubReply { value, .. }) => {
                let (publisher, number) =
                    value.split_once(' ').ok_or("a message of a publisher")?;
                let (publisher, number) = (publisher.parse::<usize>()?, number.parse::<u64>()?);
                let (last, gap) = &mut self.last[publisher];
                assert!(
                    number > *last,
                    "message {number} of publisher {publisher} after {last}"
                );
                let missed = number - *last - 1;
                assert!(
                    missed == 0 || *gap,
                    "{missed} messages are missing before {number}, and no gap was reported"
                );
                (*last, *gap) = (number, false);
                self.missed += missed;
                self.delivered += 1;
                seen[publisher].store(number, Ordering::Relaxed);
            }
            PubSubEvent::Gap(gap) => {
                match gap {
                    Gap::ConnectionLost => {
                        assert!(
                            !self.broken,
                            "the connection is lost twice without being restored"
                        );
                        self.broken = true;
                        self.gaps += 1;
                    }
                    Gap::Dropped(messages) => self.dropped += messages,
                    other => return Err(format!("an unknown gap: {other:?}").into()),
                }
                self.last.iter_mut().for_each(|(_, gap)| *gap = true);
            }
            PubSubEvent::Restored => {
                assert!(self.broken, "it is restored without having been lost");
                self.broken = false;
                self.restored += 1;
                // A message may have been lost until now.
                self.last.iter_mut().for_each(|(_, gap)| *gap = true);
            }
            other => return Err(format!("an unknown event: {other:?}").into()),
        }
        Ok(true)
    }
}

const SIZE: usize = 200;

/// A consumer that sleeps: memory is bounded, and what was dropped is counted, to the last message.
#[test]
fn a_slow_consumer_learns_how_many_messages_were_dropped() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            const MESSAGES: u64 = 100_000;
            const LIMIT: usize = 1024 * 1024;
            let client = place.connect().await?;
            let mut subscription = client
                .start_subscribe()
                .backlog(Backlog::DropOldest(LIMIT))
                .await?;
            subscription.subscribe(["news"]).await?;
            let other = place.connect().await?;
            let (mut delivered, mut dropped, mut next) = (0, 0, 0);
            for round in 0..2 {
                fill(&other, round * MESSAGES / 2, MESSAGES / 2).await?;
                assert_eq!(other.publish("news", "end").await?, 1);
                let mut kept = 0;
                // All that was published is on its way before anything is taken.
                client.echo("a fence").await?;
                loop {
                    match timeout(Duration::from_secs(20), subscription.next_event()).await?? {
                        PubSubEvent::Message(message) if message.value == "end" => break,
                        PubSubEvent::Message(message) => {
                            let number = number(&message.value)?;
                            assert_eq!(number, next, "all that is missing was reported");
                            next += 1;
                            kept += 1;
                        }
                        PubSubEvent::Gap(Gap::Dropped(messages)) => {
                            dropped += messages;
                            next += messages;
                        }
                        other => panic!("{other:?}"),
                    }
                }
                delivered += kept;
            }
            println!("{place}: {delivered} delivered, {dropped} dropped");
            assert_eq!(delivered + dropped, MESSAGES);
            if place.protocol == Protocol::Resp3 {
                // Nothing was taken while they came, up to the fence on the same connection.
                assert!(
                    delivered as usize <= 2 * LIMIT / SIZE,
                    "{delivered} messages were kept"
                );
                assert!(dropped > 0);
            }
            Ok(())
        },
    );
}

/// With back-pressure nothing is lost while the server keeps what is not read; when it does not, that is a gap.
#[test]
fn back_pressure_loses_nothing_or_says_so() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            const MESSAGES: u64 = 60_000;
            let other = place.connect().await?;
            other
                .config_set("client-output-buffer-limit", "pubsub 64mb 64mb 60")
                .await?;
            let client = place.connect().await?;
            let mut subscription = client
                .start_subscribe()
                .backlog(Backlog::BackPressure(64 * 1024))
                .await?;
            subscription.subscribe(["news"]).await?;
            fill(&other, 0, MESSAGES).await?;
            // The connection of the commands is another one.
            assert_eq!(client.echo("text").await?, "text");
            sleep(Duration::from_millis(50)).await;
            for expected in 0..MESSAGES {
                match timeout(Duration::from_secs(20), subscription.next_event()).await?? {
                    PubSubEvent::Message(message) => assert_eq!(number(&message.value)?, expected),
                    other => panic!("{other:?} before message {expected}"),
                }
            }

            // The server gives up a connection that does not read.
            other
                .config_set("client-output-buffer-limit", "pubsub 1mb 1mb 1")
                .await?;
            fill(&other, 0, MESSAGES).await?;
            eventually("the server gives up", async || {
                other
                    .client_list()
                    .type_(ClientType::PubSub)
                    .await
                    .is_ok_and(|clients| clients.is_empty())
            })
            .await;
            let (mut next, mut events) = (0, Vec::new());
            while !matches!(events.last(), Some(PubSubEvent::Restored)) {
                match timeout(Duration::from_secs(20), subscription.next_event()).await?? {
                    PubSubEvent::Message(message) => {
                        assert_eq!(
                            number(&message.value)?,
                            next,
                            "what was read before is whole"
                        );
                        assert!(events.is_empty(), "nothing is published in the gap");
                        next += 1;
                    }
                    event => events.push(event),
                }
            }
            println!("{place}: {next} of {MESSAGES} came before the server gave up");
            assert!(next < MESSAGES);
            assert!(
                matches!(
                    events.as_slice(),
                    [PubSubEvent::Gap(Gap::ConnectionLost), PubSubEvent::Restored]
                ),
                "{events:?}"
            );
            assert_eq!(other.publish("news", "again").await?, 1);
            assert_eq!(
                timeout(Duration::from_secs(20), subscription.next_published())
                    .await??
                    .value,
                "again"
            );
            Ok(())
        },
    );
}

/// Whoever sleeps through many lost connections still finds each gap with its end, in turn.
#[test]
fn a_gap_is_reported_however_late() {
    behind_a_proxy(async |place, behind| {
        let client = behind.config(place).connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.subscribe(["news"]).await?;
        let other = place.connect().await?;
        for round in 0..20 {
            behind
                .proxy
                .cut(if round % 2 == 0 { End::Rst } else { End::Fin });
            let back = async || {
                listeners(&other, "news").await == Some(1) && is_new(behind, place, round).await
            };
            eventually("it listens again", back).await;
        }
        eventually("somebody hears it", async || {
            other
                .publish("news", "end")
                .await
                .is_ok_and(|count| count == 1)
        })
        .await;
        let (mut lost, mut restored) = (0, 0);
        loop {
            match timeout(Duration::from_secs(20), subscription.next_event()).await?? {
                PubSubEvent::Message(message) => break assert_eq!(message.value, "end"),
                PubSubEvent::Gap(_) => lost += 1,
                _ => restored += 1,
            }
            assert!(
                lost - restored == 0 || lost - restored == 1,
                "they take turns"
            );
        }
        println!("{place}: {lost} gaps");
        assert_eq!(lost, restored);
        assert!(lost > 0);
        Ok(())
    });
}

/// A subscription made while there is no connection is in force when there is one.
#[test]
fn subscribing_while_there_is_no_connection() {
    behind_a_proxy(async |place, behind| {
        let client = behind.config(place).connect().await?;
        let mut subscription = client.start_subscribe().await?;
        subscription.subscribe(["first"]).await?;
        let other = place.connect().await?;
        // It is sent, its confirmation is lost with the connection, and it is said again.
        behind.proxy.hold(Held::Replies);
        let mut subscribing = Box::pin(subscription.subscribe(["second"]));
        assert!(
            timeout(Duration::from_millis(50), &mut subscribing)
                .await
                .is_err()
        );
        behind.proxy.cut(End::Rst);
        behind.proxy.hold(Held::Nothing);
        timeout(Duration::from_secs(15), subscribing).await??;
        for channel in ["first", "second"] {
            eventually("it listens", async || {
                listeners(&other, channel).await == Some(1)
            })
            .await;
            assert_eq!(other.publish(channel, "message").await?, 1);
            let message = timeout(Duration::from_secs(15), subscription.next_published()).await??;
            assert_eq!(
                (message.channel.as_str(), message.value.as_str()),
                (channel, "message")
            );
        }
        Ok(())
    });
}

async fn listeners(client: &Connection, channel: &str) -> Option<i64> {
    client
        .pubsub_numsub_asdict([channel])
        .await
        .ok()?
        .get(channel)
        .copied()
}

/// Whether the proxy has served another connection for each that was cut.
async fn is_new(behind: &Behind, place: &Place, cuts: u64) -> bool {
    let at_first = if place.protocol == Protocol::Resp3 {
        1
    } else {
        2
    };
    behind.proxy.connections() >= at_first * (cuts + 2)
}

/// Publishes numbered messages of one size.
async fn fill(client: &Connection, first: u64, messages: u64) -> Result<(), Failure> {
    for batch in 0..messages / BATCH {
        let pipeline = client.pipeline();
        for number in 0..BATCH {
            drop(
                pipeline
                    .publish("news", format!("{:<SIZE$}", first + batch * BATCH + number))
                    .await?,
            );
        }
        pipeline.execute().await?;
    }
    Ok(())
}

fn number(message: &str) -> Result<u64, Failure> {
    Ok(message.trim_end().parse()?)
}
