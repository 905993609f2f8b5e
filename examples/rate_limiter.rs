//! A rate limiter: so many calls of everybody within any time of a certain length (a sliding window).
//! A script decides, so that callers on many machines cannot come between each other.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use redis_client::{Script, prelude::*};

/// `KEYS[1]` has the times of the calls that were allowed. `ARGV`: limit, window in milliseconds.
/// It returns how many milliseconds to wait; 0 is "go on". The clock is the server's.
const ALLOW: &str = "
    local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)

    local count = redis.call('ZCARD', KEYS[1])
    if count < limit then
        redis.call('ZADD', KEYS[1], now, time[1] .. '.' .. time[2] .. '/' .. count)
        redis.call('PEXPIRE', KEYS[1], window)
        return 0
    end
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
    return oldest + window - now
";

#[derive(Clone)]
struct RateLimiter {
    script: Script,
    limit: u32,
    window: Duration,
}

impl RateLimiter {
    async fn new(pool: &Pool, limit: u32, window: Duration) -> redis_client::Result<Self> {
        let script = pool.register_script(ALLOW).await?;
        Ok(Self {
            script,
            limit,
            window,
        })
    }

    /// `None` if the caller may go on, else how long to wait before the next attempt.
    async fn check(&self, caller: &str) -> redis_client::Result<Option<Duration>> {
        let key = format!("example:calls:{caller}");
        let args = [u64::from(self.limit), self.window.as_millis() as u64];
        let wait = self.script.run([key], args).await?.integer()?;
        Ok((wait > 0).then(|| Duration::from_millis(wait as u64)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    let callers = ["ada", "bob", "cleo"].map(|caller| format!("example:calls:{caller}"));
    pool.delete(callers).await?;

    // Exactly so many get through, however many ask at the same time.
    let limiter = RateLimiter::new(&pool, 50, Duration::from_secs(60)).await?;
    let calls = (0..500).map(|_| {
        let limiter = limiter.clone();
        tokio::spawn(async move { limiter.check("ada").await })
    });
    let mut allowed = 0;
    for wait in try_join_all(calls).await? {
        match wait? {
            None => allowed += 1,
            Some(wait) => assert!(wait <= Duration::from_secs(60)),
        }
    }
    println!("{allowed} of 500 calls were allowed");
    assert_eq!(allowed, 50);
    // Others are not concerned.
    assert_eq!(limiter.check("bob").await?, None);

    // Whoever waits as long as they are told can go on.
    let limiter = RateLimiter::new(&pool, 2, Duration::from_millis(200)).await?;
    let started = Instant::now();
    for _ in 0..6 {
        while let Some(wait) = limiter.check("cleo").await? {
            tokio::time::sleep(wait).await;
        }
    }
    println!("6 calls of cleo: {:?}", started.elapsed());
    assert!(started.elapsed() > Duration::from_millis(390));
    Ok(())
}
