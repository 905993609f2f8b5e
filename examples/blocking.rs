//! Blocking commands: wait for a job while others go on, for not too long, or until you change your
//! mind.

use std::time::{Duration, Instant};

use redis_client::prelude::*;
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    pool.delete(["example:jobs", "example:done"]).await?;

    // It waits on a connection of its own, so that the commands of others do not wait for it.
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.blpop(["example:urgent", "example:jobs"])
                .timeout(10)
                .await
        }
    });
    while pool.stats().leased == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..100 {
        pool.incr("example:done").await?;
    }
    assert!(!waiting.is_finished());
    pool.rpush("example:jobs", ["write an example"]).await?;
    let job = waiting.await??;
    assert_eq!(job.list_name, "example:jobs");
    assert_eq!(job.value, "write an example");

    // Nothing in time is an error. It knows that it is not a lost connection.
    let started = Instant::now();
    let error = pool
        .blpop(["example:jobs"])
        .timeout(0.2)
        .await
        .expect_err("there is none");
    assert!(error.is_timeout() && started.elapsed() >= Duration::from_millis(200));
    println!("{error}");

    // To change one's mind is to drop the call, here by a timeout of the runtime. Its connection is
    // closed, so that the server takes nothing for somebody who has gone. (It takes a moment to notice.
    // For jobs that must not get lost even then, see `job_queue.rs`.)
    let call = pool.blpop(["example:jobs"]);
    assert!(timeout(Duration::from_millis(50), call).await.is_err());
    sleep(Duration::from_millis(50)).await;
    pool.rpush("example:jobs", ["not lost"]).await?;
    assert_eq!(pool.llen("example:jobs").await?, 1);

    // In `select!`, until somebody says that it is time to go home.
    let evening = sleep(Duration::from_millis(100));
    tokio::pin!(evening);
    let mut done = Vec::new();
    loop {
        tokio::select! {
            job = pool.blpop(["example:jobs"]) => done.push(job?.value),
            () = &mut evening => break,
        }
    }
    assert_eq!(done, ["not lost"]);
    Ok(())
}
