//! Pipelines: many commands in one write. Mostly you need none, because calls that are under way at
//! the same time are pipelined by themselves.

use std::time::Instant;

use futures_util::future::try_join_all;
use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let client = Connection::connect(&url).await?;
    client.delete(["example:views", "example:title"]).await?;

    // Each command gives a promise of its reply. Nothing is sent before `execute`.
    let pipeline = client.pipeline();
    let title = pipeline.set("example:title", "Pipelines").await?;
    let views = pipeline.incr("example:views").await?;
    let wrong = pipeline.incr("example:title").await?;
    let more_views = pipeline.incr("example:views").await?;
    assert_eq!(pipeline.len(), 4);
    pipeline.execute().await?;

    // An error of one command leaves the others alone.
    assert_eq!(title.await?.expect("set without a condition"), "OK");
    assert_eq!((views.await?, more_views.await?), (1, 2));
    println!("{}", wrong.await.expect_err("no number"));

    // Loading a lot: one write instead of ten thousand.
    let started = Instant::now();
    let pipeline = client.pipeline();
    let mut promises = Vec::new();
    for number in 0..10_000 {
        promises.push(pipeline.incrby("example:views", number).await?);
    }
    pipeline.execute().await?;
    let last = try_join_all(promises).await?.pop();
    assert_eq!(last, Some(2 + (0..10_000).sum::<i64>()));
    println!("10,000 commands in a pipeline: {:?}", started.elapsed());

    // The same without a pipeline object: all calls are under way together, so they share writes.
    let started = Instant::now();
    let calls = (0..10_000).map(|number| client.decrby("example:views", number));
    let last = try_join_all(calls).await?.pop();
    assert_eq!(last, Some(2));
    println!("10,000 calls at once: {:?}", started.elapsed());
    Ok(())
}
