//! A pool of connections, the recommended way to talk to a server.

use std::time::Duration;

use futures_util::future::try_join_all;
use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;

    // Up to ten connections. What can be done with a connection can be done with a pool.
    let pool = Pool::connect(&url).await?;
    pool.set("example:pool", "value").expire(60).await?;
    assert_eq!(pool.get("example:pool").await?.as_deref(), Some("value"));

    // Or with sizes of one's own.
    let pool = Pool::builder(url.parse()?)
        .poolsize(3)
        .min_size(2)
        .acquire_timeout(Duration::from_millis(500))
        .connect()
        .await?;
    assert_eq!((pool.poolsize(), pool.connections_connected()), (3, 2));

    // A clone is the same pool. Commands of all tasks are spread over its connections.
    pool.delete(["example:hits", "example:mail"]).await?;
    let hits = (0..1000).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.incr("example:hits").await })
    });
    for hit in try_join_all(hits).await? {
        hit?;
    }
    assert_eq!(pool.get("example:hits").await?.as_deref(), Some("1000"));

    // A blocking command is given a connection for itself; the others are there for everybody else.
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.blpop(["example:mail"]).timeout(10).await })
        })
        .collect();
    while pool.stats().leased < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("{:?}", pool.stats());
    assert_eq!(pool.incr("example:hits").await?, 1001);

    // The last one is never given away, so a third reader finds none within `acquire_timeout`.
    let error = pool
        .blpop(["example:mail"])
        .await
        .expect_err("none is free");
    assert_eq!(error.kind(), ErrorKind::NoAvailableConnectionsInPool);
    println!("{error}");

    pool.rpush("example:mail", ["one", "two"]).await?;
    for reader in readers {
        println!("read: {}", reader.await??.value);
    }
    assert_eq!(pool.stats().leased, 0);

    // Which of the connections should this select a database on? That belongs into the configuration:
    // `Pool::builder(url.parse::<Config>()?.db(1))`.
    let error = pool
        .select(1)
        .await
        .expect_err("a pool has many connections");
    assert_eq!(error.kind(), ErrorKind::Argument);

    pool.close();
    Ok(())
}
