//! Large replies, element by element and piece by piece, in bounded memory.

use futures_util::TryStreamExt;
use redis_client::prelude::*;
use tokio::io::AsyncBufReadExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let client = Connection::connect(&url).await?;

    client.delete(["example:numbers"]).await?;
    for start in (0..200_000).step_by(20_000) {
        client
            .rpush("example:numbers", start..start + 20_000)
            .await?;
    }

    // The reply is here with its first elements; the others are read as they are taken.
    let mut numbers = client.lrange("example:numbers").await?;
    assert_eq!(numbers.remaining(), 200_000);
    assert!(!numbers.is_complete());
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number?.parse::<u64>()?;
    }
    assert_eq!(sum, (0..200_000).sum::<u64>());
    println!("the sum of them all: {sum}");

    // It is a stream, so it can do what streams can.
    let short = client
        .lrange("example:numbers")
        .await?
        .try_filter(|number| std::future::ready(number.len() < 3))
        .try_collect::<Vec<_>>()
        .await?;
    assert_eq!(short.len(), 100);

    // Enough seen? Drop it. The rest is skipped, and the connection goes on.
    let mut numbers = client.lrange("example:numbers").await?;
    assert_eq!(numbers.next().await.transpose()?.as_deref(), Some("0"));
    drop(numbers);
    assert_eq!(client.llen("example:numbers").await?, 200_000);

    // Small? Then take it as a whole.
    let last = client.lrange_aslist("example:numbers").start(-2).await?;
    assert_eq!(last, ["199998", "199999"]);

    // One large value, as an `AsyncRead` and `AsyncBufRead`.
    let text = "Twinkle, twinkle, little bat!\n".repeat(200_000);
    client.set("example:text", &text).expire(60).await?;
    let reader = client.get("example:text").reader().await?;
    let reader = reader.expect("it was just set");
    println!("{} bytes to be read", reader.remaining());
    let mut lines = reader.lines();
    let mut bats = 0;
    while let Some(line) = lines.next_line().await? {
        bats += u32::from(line.ends_with("bat!"));
    }
    assert_eq!(bats, 200_000);

    client.unlink(["example:numbers", "example:text"]).await?;
    Ok(())
}
