//! Connections that are lost, servers that end or fall silent: no write is lost or done twice without the caller being told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use redis_client::prelude::*;
use redis_client::{ClientListReply, ReconnectPolicy};
use redis_test_support::ServerKind;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::each_server::{Failure, eventually, for_each_place, for_each_server};

/// Connections are killed under load: every increment is done once if it was acknowledged, and at most once if not.
#[test]
fn increments_over_killed_connections() {
    for_each_server(async |killer, place| {
        let client = place.connect().await?;
        let load = Load::start(&client);
        let mut kills = 0;
        let mut rng = Rng::with_seed(1);
        while kills < 30 {
            sleep(Duration::from_micros(rng.u64(..20_000))).await;
            kills += kill_others(killer).await?;
        }
        let tally = load.stop().await?;
        tally.check(killer).await?;
        println!("{place}: {kills} connections killed, {tally:?}");
        assert!(tally.acknowledged > 100, "{tally:?}");
        Ok(())
    });
}

/// The same with a server that is killed and comes back with what it had acknowledged.
#[test]
fn increments_over_killed_servers() {
    for_each_place(
        &ServerKind::available(),
        |server| server.args(["--appendonly", "yes", "--appendfsync", "no"]),
        async |place| {
            let client = place.connect().await?;
            let load = Load::start(&client);
            for _ in 0..3 {
                let before = load.acknowledged();
                eventually("the load goes on", async || {
                    load.acknowledged() > before + 50
                })
                .await;
                place.server.kill();
                sleep(Duration::from_millis(20)).await;
                place.server.restart();
            }
            let before = load.acknowledged();
            eventually("the load goes on", async || {
                load.acknowledged() > before + 50
            })
            .await;
            let tally = load.stop().await?;
            tally.check(&client).await?;
            println!("{place}: {tally:?}");
            Ok(())
        },
    );
}

/// What does no harm when it is done twice does not fail because a connection is lost.
#[test]
fn reads_and_idempotent_writes_survive_killed_connections() {
    for_each_server(async |killer, place| {
        let client = place.connect().await?;
        let (done, rounds) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicI64::new(0)),
        );
        let mut tasks = JoinSet::new();
        for task in 0..16 {
            let (client, done, rounds) = (client.clone(), Arc::clone(&done), Arc::clone(&rounds));
            tasks.spawn(async move {
                let key = format!("key {task}");
                let mut round = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    client.set(&key, round).await?;
                    assert_eq!(client.get(&key).await?, Some(round.to_string()));
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, Error>(())
            });
        }
        for _ in 0..20 {
            // A call is repeated three times at most, so each has to have its chance.
            let before = rounds.load(Ordering::Relaxed);
            eventually("they go on", async || {
                rounds.load(Ordering::Relaxed) > before + 50
            })
            .await;
            kill_others(killer).await?;
        }
        done.store(true, Ordering::Relaxed);
        for result in tasks.join_all().await {
            result?;
        }
        Ok(())
    });
}

#[test]
fn a_call_that_must_not_be_repeated_fails_with_an_unknown_outcome() {
    for_each_server(async |killer, place| {
        let client = place.connect().await?;
        let id = client.client_id().await?;
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.blpop(["list"]).await }
        });
        eventually("it waits", async || client.in_blocking_call()).await;
        sleep(Duration::from_millis(20)).await;
        assert_eq!(kill_others(killer).await?, 1);
        let error = waiting.await?.expect_err("the connection was killed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::ConnectionLost, Outcome::Unknown),
            "{error}"
        );
        assert_eq!(error.command(), Some("BLPOP"));
        assert!(
            error.to_string().contains("may have been executed"),
            "{error}"
        );
        assert_ne!(client.client_id().await?, id);
        Ok(())
    });
}

#[test]
fn without_auto_reconnect_a_lost_connection_stays_lost() {
    for_each_server(async |killer, place| {
        let client = place.config().auto_reconnect(false).connect().await?;
        let id = client.client_id().await?;
        assert_eq!(killer.client_kill_filter().id([id]).await?, 1);
        eventually("it is lost", async || !client.is_connected()).await;
        let error = client.get("key").await.expect_err("there is no connection");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        Ok(())
    });
}

#[test]
fn closing_ends_what_is_under_way() {
    for_each_server(async |other, place| {
        let client = place.connect().await?;
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.blpop(["list"]).await }
        });
        eventually("it waits", async || client.in_blocking_call()).await;
        sleep(Duration::from_millis(20)).await;
        client.close();
        let error = waiting.await?.expect_err("it was closed");
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        // It was sent, so nobody knows.
        assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
        let error = client.ping().await.expect_err("it is closed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        eventually("the server notices", async || {
            other
                .client_list()
                .await
                .is_ok_and(|clients| clients.len() == 1)
        })
        .await;
        Ok(())
    });
}

#[test]
fn a_silent_server_is_a_timeout() {
    for_each_server(async |_, place| {
        let client = place
            .config()
            .reply_timeout(Duration::from_millis(200))
            .connect()
            .await?;
        client.set("key", "value").await?;
        place.server.stop();
        let started = Instant::now();
        let calls: Vec<_> = (0..10)
            .map(|i| {
                let client = client.clone();
                tokio::spawn(async move { client.echo(format!("late {i}")).await })
            })
            .collect();
        for call in calls {
            let error = call.await?.expect_err("the server is silent");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Timeout, Outcome::Unknown),
                "{error}"
            );
            assert_eq!(error.command(), Some("ECHO"));
        }
        assert!(
            (180..20_000).contains(&started.elapsed().as_millis()),
            "{:?}",
            started.elapsed()
        );
        let started = Instant::now();
        let error = client
            .get("key")
            .reply_timeout(Duration::from_millis(50))
            .await
            .expect_err("it is still silent");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(
            started.elapsed() >= Duration::from_millis(45),
            "{:?}",
            started.elapsed()
        );

        // Late replies are nobody's.
        place.server.cont();
        for i in 0..100 {
            let unique = format!("after {i}");
            let echo = client.echo(&unique).reply_timeout(Duration::from_secs(20));
            assert_eq!(echo.await?, unique);
        }
        Ok(())
    });
}

/// What the configuration says, and what commands have changed since, holds for every connection.
#[test]
fn a_new_connection_is_set_up_like_the_first() {
    for_each_server(async |killer, place| {
        killer
            .acl_setuser("app", ["on", ">secret", "~*", "+@all"])
            .await?;
        let asked = Arc::new(AtomicI64::new(0));
        let provider = {
            let asked = Arc::clone(&asked);
            move || {
                asked.fetch_add(1, Ordering::Relaxed);
                async { Ok((Some("app".to_owned()), "secret".to_owned())) }
            }
        };
        let config = place
            .config()
            .db(3)
            .client_name("worker")
            .credential_provider(provider);
        let client = config.connect().await?;
        client.set("key", "in 3").await?;
        for round in 0..3 {
            let before = client.client_info().await?;
            assert!(kill_others(killer).await? >= 1);
            let after = client.client_info().await?;
            for field in ["name", "user", "db", "resp"] {
                let of = |info: &ClientListReply| {
                    info.iter()
                        .next()
                        .and_then(|info| info.text(field).map(str::to_owned))
                };
                assert_eq!(of(&before), of(&after), "{field}");
            }
            assert_eq!(client.get("key").await?.as_deref(), Some("in 3"));
            assert_eq!(asked.load(Ordering::Relaxed), round + 2);
        }
        client.select(5).await?;
        client.client_setname("renamed").await?;
        assert!(kill_others(killer).await? >= 1);
        assert_eq!(client.get("key").await?, None);
        assert_eq!(client.client_getname().await?.as_deref(), Some("renamed"));
        Ok(())
    });
}

/// There is no server for a while: a call waits for it until its time is over.
#[test]
fn calls_wait_for_the_server_to_come_back() {
    for_each_server(async |_, place| {
        let client = place
            .config()
            .reply_timeout(Duration::from_millis(300))
            .connect()
            .await?;
        place.server.kill();
        let started = Instant::now();
        let error = client
            .incr("counter")
            .await
            .expect_err("there is no server");
        // It may have been written before the end of the server was known.
        assert!(
            matches!(error.outcome(), Outcome::NotSent | Outcome::Unknown),
            "{error:?}"
        );
        eventually("the end of the server is known", async || {
            !client.is_connected()
        })
        .await;
        let error = client
            .incr("counter")
            .await
            .expect_err("there is no server");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Timeout, Outcome::NotSent),
            "{error}"
        );
        assert!(started.elapsed() < Duration::from_secs(20));

        let patient = client
            .incr("counter")
            .reply_timeout(Duration::from_secs(20));
        let (counter, ()) = tokio::join!(patient, async { place.server.restart() });
        assert_eq!(counter?, 1);
        Ok(())
    });
}

#[test]
fn reconnecting_can_be_given_up() {
    for_each_server(async |_, place| {
        let mut policy = ReconnectPolicy::default();
        policy.attempts = Some(3);
        let client = place.config().reconnect_policy(policy).connect().await?;
        place.server.kill();
        let error = client.get("key").await.expect_err("there is no server");
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        assert!(
            error
                .message()
                .starts_with("gave up reconnecting after 3 attempts: 127.0.0.1:"),
            "{error}"
        );
        place.server.restart();
        let error = client.get("key").await.expect_err("it was given up");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        Ok(())
    });
}

/// The task that serves a connection belongs to the runtime where it was made.
#[test]
fn calls_fail_when_the_runtime_of_their_connection_has_ended() {
    for_each_server(async |other, place| {
        let config = place.config();
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            Ok::<_, Failure>(runtime.block_on(config.connect())?)
        });
        let client = client
            .join()
            .map_err(|_| "the thread panicked")?
            .map_err(|failure| format!("{failure:?}"))?;
        let error = timeout(Duration::from_secs(20), client.get("key"))
            .await?
            .expect_err("nobody serves it");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        assert!(error.message().contains("runtime"), "{error}");
        assert!(!client.is_connected());
        let is_alone = async || {
            other
                .client_list()
                .await
                .is_ok_and(|clients| clients.len() == 1)
        };
        eventually("the server notices", is_alone).await;
        Ok(())
    });
}

/// Tasks that increment one counter.
struct Load {
    tasks: JoinSet<Result<(), Error>>,
    done: Arc<AtomicBool>,
    acknowledged: Arc<AtomicI64>,
    unknown: Arc<AtomicI64>,
}

/// What became of the increments. Those that were not sent or were rejected do not count.
#[derive(Debug)]
struct Tally {
    acknowledged: i64,
    unknown: i64,
}

impl Load {
    fn start(client: &Connection) -> Self {
        let mut load = Self {
            tasks: JoinSet::new(),
            done: Arc::default(),
            acknowledged: Arc::default(),
            unknown: Arc::default(),
        };
        for _ in 0..16 {
            let client = client.clone();
            let done = Arc::clone(&load.done);
            let (acknowledged, unknown) =
                (Arc::clone(&load.acknowledged), Arc::clone(&load.unknown));
            load.tasks.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    match client.incr("counter").await {
                        Ok(_) => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => match error.outcome() {
                            Outcome::Unknown => drop(unknown.fetch_add(1, Ordering::Relaxed)),
                            Outcome::NotSent | Outcome::Rejected => {}
                            _ => return Err(error),
                        },
                    }
                }
                Ok(())
            });
        }
        load
    }

    fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    async fn stop(mut self) -> Result<Tally, Failure> {
        self.done.store(true, Ordering::Relaxed);
        while let Some(task) = self.tasks.join_next().await {
            task??;
        }
        Ok(Tally {
            acknowledged: self.acknowledged(),
            unknown: self.unknown.load(Ordering::Relaxed),
        })
    }
}

impl Tally {
    async fn check(&self, client: &Connection) -> Result<(), Failure> {
        let counter = client.get("counter").decode::<kind::Integer>().await?;
        let possible = self.acknowledged..=self.acknowledged + self.unknown;
        assert!(
            possible.contains(&counter),
            "the counter is {counter}, and {self:?}"
        );
        Ok(())
    }
}

/// Closes the connections of all other clients, on the server's side.
async fn kill_others(killer: &Connection) -> Result<i64, Error> {
    killer.client_kill_filter().type_(ClientType::Normal).await
}
