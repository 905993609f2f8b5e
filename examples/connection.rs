//! One connection: connect, set its options, share it between tasks, close it. For most programs a
//! pool is the better choice; see `pool.rs`.

use std::time::Duration;

use futures_util::future::try_join_all;
use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;

    let connection = Connection::connect(&url).await?;
    connection.set("example:my_key", "my_value").await?;
    let value = connection.get("example:my_key").await?;
    assert_eq!(value.as_deref(), Some("my_value"));

    // Options are set one by one, on what a URL says or from scratch:
    // `Connection::builder().host("localhost").port(6379)`.
    let config: Config = url.parse()?;
    let reporting = config
        .client_name("reporting")
        .db(1)
        .reply_timeout(Duration::from_secs(2))
        .connect()
        .await?;
    assert_eq!(
        reporting.client_getname().await?.as_deref(),
        Some("reporting")
    );
    // Another database, so there is no such key.
    assert_eq!(reporting.get("example:my_key").await?, None);

    // A clone is the same connection. Commands of all tasks are pipelined on it by themselves.
    connection.delete(["example:visits"]).await?;
    let visits = (0..100).map(|_| {
        let connection = connection.clone();
        tokio::spawn(async move { connection.incr("example:visits").await })
    });
    for visit in try_join_all(visits).await? {
        assert!((1..=100).contains(&visit?));
    }
    let visits = connection.get("example:visits").await?;
    assert_eq!(visits.as_deref(), Some("100"));

    // It ends with its last clone, or for all of them like this.
    connection.close();
    let error = connection
        .get("example:my_key")
        .await
        .expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert_eq!(error.outcome(), Outcome::NotSent);
    println!("{error}");
    Ok(())
}
