//! Blocking calls that are dropped at any moment: what is pushed after that is not taken for the caller who has gone.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use redis_client::prelude::*;
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::each_server::{Failure, Place, for_each_place};
use crate::{newest, seed};

const ROUNDS: u64 = 1_000;

#[test]
fn what_is_pushed_after_the_drop_stays_on_a_connection() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            let client = place.connect().await?;
            push_after_the_drop(place, &Client::Connection(client)).await
        },
    );
}

#[test]
fn what_is_pushed_after_the_drop_stays_on_a_pool() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            let pool = Pool::builder(place.config())
                .poolsize(POOL)
                .min_size(POOL)
                .connect()
                .await?;
            push_after_the_drop(place, &Client::Pool(pool)).await
        },
    );
}

#[test]
fn a_push_that_races_with_the_drop_on_a_connection() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            let orphans = Orphans::default();
            let client = place.config().on_orphan(orphans.hook()).connect().await?;
            push_beside_the_drop(place, &Client::Connection(client), &orphans).await
        },
    );
}

#[test]
fn a_push_that_races_with_the_drop_on_a_pool() {
    for_each_place(
        &newest(),
        |server| server,
        async |place| {
            let orphans = Orphans::default();
            let config = place.config().on_orphan(orphans.hook());
            let pool = Pool::builder(config)
                .poolsize(POOL)
                .min_size(POOL)
                .connect()
                .await?;
            push_beside_the_drop(place, &Client::Pool(pool), &orphans).await
        },
    );
}

const POOL: usize = 4;

enum Client {
    Connection(Connection),
    Pool(Pool),
}

impl Client {
    async fn pop(&self) -> Result<String, Error> {
        Ok(match self {
            Self::Connection(client) => client.blpop(["q"]).await?.value,
            Self::Pool(pool) => pool.blpop(["q"]).await?.value,
        })
    }

    /// The connections that there are. Each has answered, so that it knows what happened before on it.
    async fn connections(&self) -> Result<HashSet<i64>, Error> {
        match self {
            Self::Connection(client) => Ok([client.client_id().await?].into()),
            Self::Pool(pool) => {
                let mut ids = HashSet::new();
                let mut leases = Vec::new();
                for _ in 1..POOL {
                    let lease = pool.watch(["nothing"]).await?;
                    ids.insert(lease.client_id().await?);
                    leases.push(lease);
                }
                ids.insert(pool.client_id().await?);
                assert_eq!(ids.len(), POOL);
                Ok(ids)
            }
        }
    }
}

async fn push_after_the_drop(place: &Place, client: &Client) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed(place));
    let other = place.connect().await?;
    let observer = other.client_id().await?;
    let (mut closed, mut slowest) = (0, Duration::ZERO);
    let mut before = client.connections().await?;
    for round in 0..ROUNDS {
        let popped = for_a_while(client.pop(), any_time(&mut rng)).await;
        assert!(popped.is_none(), "round {round}: there was nothing to pop");
        let dropped = Instant::now();
        let now = client.connections().await?;
        closed += before.difference(&now).count();
        wait_until_gone(&other, observer, &now).await?;
        slowest = slowest.max(dropped.elapsed());
        before = now;

        let job = format!("job {round}");
        assert_eq!(other.lpush("q", [&job]).await?, 1);
        assert_eq!(other.llen("q").await?, 1, "round {round}");
        assert_eq!(other.rpop("q").await?, Some(job));
    }
    println!(
        "{place}: {closed} of {ROUNDS} calls had been written; their connections were gone after {slowest:?} at the latest"
    );
    assert!(
        closed > 0,
        "some calls have to be written before they are dropped"
    );
    Ok(())
}

/// A job may be lost in one way only: the server gave it to the caller before it knew that the caller had gone.
async fn push_beside_the_drop(
    place: &Place,
    client: &Client,
    orphans: &Orphans,
) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed(place));
    let other = place.connect().await?;
    let observer = place.connect().await?;
    let ids = [other.client_id().await?, observer.client_id().await?];
    let (mut popped, mut left) = (0, 0);
    // Lost jobs, by the time of the push: answered before the drop, under way meanwhile, begun after it.
    let mut lost = [0; 3];
    for round in 0..ROUNDS {
        let job = format!("job {round}");
        let (wait, push) = (any_time(&mut rng), any_time(&mut rng));
        let popping = async {
            let popped = for_a_while(client.pop(), wait).await;
            (popped.transpose(), Instant::now())
        };
        let pushing = async {
            pause(push).await;
            let begun = Instant::now();
            (other.lpush("q", [&job]).await, begun, Instant::now())
        };
        let ((value, dropped), (pushed, begun, answered)) = tokio::join!(popping, pushing);
        pushed?;
        let now = client.connections().await?;
        wait_until_gone(
            &observer,
            ids[1],
            &now.into_iter().chain([ids[0]]).collect(),
        )
        .await?;
        let rest = other.lrange_aslist("q").await?;
        other.delete(["q"]).await?;
        match (value?, rest.as_slice()) {
            (Some(value), []) => {
                assert_eq!(value, job);
                popped += 1;
            }
            (None, [rest]) => {
                assert_eq!(*rest, job);
                left += 1;
            }
            (None, []) if orphans.take(&job).await => {}
            (None, []) if answered <= dropped => lost[0] += 1,
            (None, []) if begun <= dropped => lost[1] += 1,
            (None, []) => lost[2] += 1,
            twice => panic!("round {round}: {twice:?}"),
        }
    }
    let orphaned = orphans.taken();
    println!(
        "{place}: {popped} popped, {left} left, {orphaned} orphaned; lost after the server gave them away: {} pushed before the drop, \
         {} beside it, {} while the end of the connection was on its way",
        lost[0], lost[1], lost[2]
    );
    assert_eq!(popped + left + orphaned + lost.iter().sum::<u64>(), ROUNDS);
    assert!(popped > 0 && left > 0);
    Ok(())
}

/// Waits until the server has no other connections than these.
async fn wait_until_gone(
    other: &Connection,
    observer: i64,
    live: &HashSet<i64>,
) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        let clients = other.client_list().await?;
        let mut ids = clients
            .iter()
            .filter_map(|client| client.text("id")?.parse::<i64>().ok());
        if ids.all(|id| id == observer || live.contains(&id)) {
            return Ok(());
        }
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "connections are not closed: {clients:?}"
        );
    }
}

/// From before a call is written to long after the server has it.
fn any_time(rng: &mut Rng) -> Duration {
    let most = if rng.bool() { 300 } else { 2_000 };
    Duration::from_micros(rng.u64(..most))
}

/// Drops a future after some time; what it gave, if it was faster.
async fn for_a_while<T>(future: impl Future<Output = T>, time: Duration) -> Option<T> {
    tokio::select! {
        output = future => Some(output),
        () = pause(time) => None,
    }
}

/// The clock of the runtime counts milliseconds; this is more precise.
async fn pause(time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        yield_now().await;
    }
}

/// What came for callers who had gone.
#[derive(Default)]
struct Orphans {
    came: Arc<Mutex<Vec<Value>>>,
    taken: Mutex<u64>,
}

impl Orphans {
    fn hook(&self) -> impl Fn(Value) + Send + Sync + 'static {
        let came = Arc::clone(&self.came);
        move |value| {
            came.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(value)
        }
    }

    async fn take(&self, job: &str) -> bool {
        let started = Instant::now();
        // The connection has answered another call after this reply, perhaps before the hook was called.
        while started.elapsed() < Duration::from_millis(5) {
            let came = self
                .came
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            if let Some(value) = came {
                assert!(format!("{value:?}").contains(job), "{value:?} is not {job}");
                *self.taken.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                return true;
            }
            yield_now().await;
        }
        false
    }

    fn taken(&self) -> u64 {
        assert!(
            self.came
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty(),
            "an orphan that was not missing"
        );
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
