//! A reliable job queue: workers may be killed at any moment, and no job is lost or done twice.
//!
//! A worker moves a job from the queue to a list of its own. When the job is done, its result is
//! stored and the job is removed from that list, both or none. What a worker finds in its list when it
//! starts is from an earlier life: it puts it back into the queue.

use std::time::{Duration, Instant};

use redis_client::{Script, prelude::*};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

const JOBS: &str = "example:queue";
const RESULTS: &str = "example:results";
const COUNT: i64 = 300;

/// Stores the result of a job, if the job is (still) in the list of this worker.
const FINISH: &str = "
    local removed = redis.call('LREM', KEYS[1], 1, ARGV[1])
    if removed == 1 then
        redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[2])
    end
    return removed
";

struct Worker {
    name: &'static str,
    /// The jobs that it has begun.
    begun: String,
    pool: Pool,
    finish: Script,
}

impl Worker {
    async fn start(name: &'static str, pool: &Pool) -> redis_client::Result<JoinHandle<()>> {
        let worker = Self {
            name,
            begun: format!("example:queue:{name}"),
            pool: pool.clone(),
            finish: pool.register_script(FINISH).await?,
        };
        Ok(tokio::spawn(worker.run()))
    }

    async fn run(self) {
        loop {
            match self.work().await {
                Err(error) if error.is_timeout() => {} // There is no job at the moment.
                Err(error) => {
                    println!("{}: {error}", self.name);
                    sleep(Duration::from_millis(20)).await;
                }
                Ok(()) => {}
            }
        }
    }

    async fn work(&self) -> redis_client::Result<()> {
        let (begun, pool) = (&self.begun, &self.pool);
        while let Some(job) = pool
            .lmove(begun, JOBS, ListEnd::Left, ListEnd::Left)
            .await?
        {
            println!("{}: {job} goes back into the queue", self.name);
        }
        loop {
            let call = pool.blmove(JOBS, begun, ListEnd::Left, ListEnd::Right);
            let job = call.timeout(0.5).await?;
            sleep(Duration::from_millis(1)).await; // The work.
            self.finish
                .run([begun.as_str(), RESULTS], [&*job, "1"])
                .await?;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    const NAMES: [&str; 3] = ["ada", "bob", "cleo"];
    pool.delete(NAMES.map(|name| format!("example:queue:{name}")))
        .await?;
    pool.delete([JOBS, RESULTS]).await?;
    pool.rpush(JOBS, (0..COUNT).map(|number| format!("job {number}")))
        .await?;

    let mut workers = Vec::new();
    for name in NAMES {
        workers.push(Worker::start(name, &pool).await?);
    }

    // A worker dies in the middle of whatever it is doing, and a new one takes its place.
    for round in 0..20 {
        sleep(Duration::from_millis(5)).await;
        let place = round % NAMES.len();
        workers[place].abort();
        workers[place] = Worker::start(NAMES[place], &pool).await?;
    }

    // So does the server, if it is ours. What it comes back with is of a moment ago.
    if let Some(server) = &server {
        pool.save().await?;
        block_in_place(|| server.restart());
    }

    // Nothing is lost …
    let patience = Instant::now() + Duration::from_secs(30);
    while pool.hlen(RESULTS).await? < COUNT {
        assert!(Instant::now() < patience, "a job was lost");
        sleep(Duration::from_millis(5)).await;
    }
    // … and nothing was done twice.
    let times = pool.hvals_aslist(RESULTS).await?;
    assert!(times.iter().all(|times| times == "1"), "{times:?}");
    assert_eq!(pool.llen(JOBS).await?, 0);
    println!("{COUNT} jobs, each done once");

    workers.iter().for_each(JoinHandle::abort);
    Ok(())
}
