//! 64 tasks over a connection that is cut, stalled, delayed and split all the time: every write is done once if it was
//! acknowledged and at most once if its outcome is unknown, every reply is that of its command, and nobody waits for ever.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis_client::prelude::*;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::behind_a_proxy;
use crate::each_server::{Failure, Place};
use crate::proxy::{Proxy, Weather};

const CALLS: u64 = 100_000;
const TASKS: usize = 64;
const PIPELINE: u64 = 50;
const REPLY_TIMEOUT: Duration = Duration::from_millis(400);
/// A call is sent four times at most; each time has its deadline, looked at sixteen times within it. The rest is for a busy machine.
const LONGEST: Duration = Duration::from_secs(4);

#[test]
fn increments_and_reads_on_a_connection() {
    behind_a_proxy(async |place, behind| {
        let config = behind.config(place).reply_timeout(REPLY_TIMEOUT);
        let client = config.connect().await?;
        weather_the_storm(place, &behind.proxy, client).await
    });
}

#[test]
fn increments_and_reads_on_a_pool() {
    behind_a_proxy(async |place, behind| {
        let config = behind.config(place).reply_timeout(REPLY_TIMEOUT);
        let pool = Pool::builder(config)
            .poolsize(4)
            .min_size(4)
            .connect()
            .await?;
        weather_the_storm(place, &behind.proxy, pool).await
    });
}

/// What is tested is the same for a connection and for a pool.
trait Client: Clone + Send + Sync + 'static {
    fn increment(&self) -> impl Future<Output = Result<i64, Error>> + Send;
    fn echo_text(&self, text: &str) -> impl Future<Output = Result<String, Error>> + Send;
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    fn queue(&self) -> Pipeline;
}

macro_rules! client {
    ($($client:ty),*) => {$(
        impl Client for $client {
            async fn increment(&self) -> Result<i64, Error> {
                self.incr("counter").await
            }

            async fn echo_text(&self, text: &str) -> Result<String, Error> {
                self.echo(text).await
            }

            async fn read(&self, key: &str) -> Result<Option<String>, Error> {
                self.get(key).await
            }

            fn queue(&self) -> Pipeline {
                self.pipeline()
            }
        }
    )*};
}

client!(Connection, Pool);

async fn weather_the_storm(
    place: &Place,
    proxy: &Proxy,
    client: impl Client,
) -> Result<(), Failure> {
    let observer = place.connect().await?;
    for key in 0..16 {
        observer
            .set(format!("key {key}"), format!("value {key}"))
            .await?;
    }
    proxy.weather(Weather {
        stall_time: 80,
        ..Weather::STORM
    });
    let (done, reads) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut readers = JoinSet::new();
    for reader in 0..8 {
        readers.spawn(read(
            client.clone(),
            reader,
            Arc::clone(&done),
            Arc::clone(&reads),
        ));
    }
    let single = increments(&client, false).await?;
    let started = Instant::now();
    // A pipeline is fifty times as large; and now and then everything stands still for longer than a call waits.
    proxy.weather(Weather {
        cut_within: 2_000_000,
        stall_time: 600,
        ..Weather::STORM
    });
    let pipelined = increments(&client, true).await?;
    let pipelining = started.elapsed();
    done.store(true, Ordering::Relaxed);
    let mut worst_read = Duration::ZERO;
    for reader in readers.join_all().await {
        worst_read = worst_read.max(reader?);
    }
    proxy.weather(Weather::default());

    let deeds = proxy.deeds();
    println!(
        "{place}: {:?} reads, the slowest {worst_read:?}; {deeds:?}",
        reads.load(Ordering::Relaxed)
    );
    println!("{place}: single {single}");
    println!("{place}: pipelined in {pipelining:?} {pipelined}");
    let counter = observer.get("counter").decode::<kind::Integer>().await?;
    let acknowledged = single.acknowledged.len() + pipelined.acknowledged.len();
    let least = i64::try_from(acknowledged)?;
    let most = least + i64::try_from(single.unknown + pipelined.unknown)?;
    assert!(
        (least..=most).contains(&counter),
        "the counter is {counter}, not in {least}..={most}"
    );
    let distinct: HashSet<i64> = single
        .acknowledged
        .iter()
        .chain(&pipelined.acknowledged)
        .copied()
        .collect();
    assert_eq!(distinct.len(), acknowledged, "a reply went to two callers");
    assert!(distinct.iter().all(|&reply| (1..=counter).contains(&reply)));
    assert!(acknowledged as u64 > CALLS, "most calls succeed");
    assert!(reads.load(Ordering::Relaxed) > 100);
    for worst in [worst_read, single.slowest, pipelined.slowest] {
        assert!(worst < LONGEST, "a call took {worst:?}");
    }
    // It is as good as new.
    for round in 0..50 {
        let unique = format!("after the storm {round}");
        assert_eq!(client.echo_text(&unique).await?, unique);
    }
    Ok(())
}

/// What became of increments. What was not sent is not done.
#[derive(Debug, Default)]
struct Tally {
    acknowledged: Vec<i64>,
    unknown: usize,
    not_sent: usize,
    timeouts: usize,
    slowest: Duration,
}

impl Tally {
    fn add(&mut self, result: Result<i64, Error>) -> Result<(), Error> {
        match result {
            Ok(reply) => self.acknowledged.push(reply),
            Err(error) => {
                self.timeouts += usize::from(error.is_timeout());
                match error.outcome() {
                    Outcome::Unknown => self.unknown += 1,
                    Outcome::NotSent => self.not_sent += 1,
                    _ => return Err(error),
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            acknowledged,
            unknown,
            not_sent,
            timeouts,
            slowest,
        } = self;
        let acknowledged = acknowledged.len();
        write!(
            f,
            "{acknowledged} acknowledged, {unknown} unknown, {not_sent} not sent ({timeouts} timed out), the slowest {slowest:?}"
        )
    }
}

async fn increments(client: &impl Client, pipelined: bool) -> Result<Tally, Failure> {
    let left = Arc::new(AtomicU64::new(CALLS / if pipelined { PIPELINE } else { 1 }));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (client, left) = (client.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            let mut tally = Tally::default();
            while left
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
            {
                let started = Instant::now();
                if pipelined {
                    fifty_increments(&client, &mut tally).await?;
                } else {
                    tally.add(client.increment().await)?;
                }
                tally.slowest = tally.slowest.max(started.elapsed());
            }
            Ok::<_, Error>(tally)
        });
    }
    let mut all = Tally::default();
    while let Some(task) = tasks.join_next().await {
        let task = task??;
        all.acknowledged.extend(task.acknowledged);
        all.unknown += task.unknown;
        all.not_sent += task.not_sent;
        all.timeouts += task.timeouts;
        all.slowest = all.slowest.max(task.slowest);
    }
    Ok(all)
}

async fn fifty_increments(client: &impl Client, tally: &mut Tally) -> Result<(), Error> {
    let pipeline = client.queue();
    let mut promises = Vec::new();
    for _ in 0..PIPELINE {
        promises.push(pipeline.incr("counter").await?);
    }
    let executed = pipeline.execute().await;
    let (mut before, mut failed) = (0, false);
    for promise in promises {
        let result = promise.await;
        match &result {
            Ok(reply) => {
                assert!(
                    before < *reply && !failed,
                    "the replies of a pipeline come in order"
                );
                before = *reply;
            }
            Err(_) => failed = true,
        }
        tally.add(result)?;
    }
    assert_eq!(executed.is_err(), failed, "{executed:?}");
    Ok(())
}

/// Checks that every reply is that of its command, until it is done. The longest wait.
async fn read(
    client: impl Client,
    reader: usize,
    done: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
) -> Result<Duration, Failure> {
    let mut longest = Duration::ZERO;
    let mut round = 0;
    while !done.load(Ordering::Relaxed) {
        round += 1;
        let started = Instant::now();
        let (unique, key) = (
            format!("reader {reader}, round {round}"),
            (reader + round) % 16,
        );
        let (echoed, value) = (
            client.echo_text(&unique).await,
            client.read(&format!("key {key}")).await,
        );
        longest = longest.max(started.elapsed() / 2);
        match echoed {
            Ok(echoed) => assert_eq!(echoed, unique),
            // Repeated as often as the policy says, and lost every time.
            Err(error) => assert!(
                matches!(error.outcome(), Outcome::Unknown | Outcome::NotSent),
                "{error:?}"
            ),
        }
        match value {
            Ok(value) => assert_eq!(value, Some(format!("value {key}"))),
            Err(error) => assert!(
                matches!(error.outcome(), Outcome::Unknown | Outcome::NotSent),
                "{error:?}"
            ),
        }
        reads.fetch_add(2, Ordering::Relaxed);
    }
    Ok(longest)
}
