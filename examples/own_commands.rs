//! A table of commands of your own: for a module, or for what this library does not have yet.
//! `own_commands.json` has LCS, the longest common subsequence of two strings.

use redis_client::prelude::*;

/// One extension trait for each group in the table. There is only one here, `TextCommands`.
mod own {
    redis_client::commands!("own_commands.json");
}
use own::TextCommands;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    pool.mset([("example:a", "ohmytext"), ("example:b", "mynewtext")])
        .await?;

    // They are methods like the built-in ones, of everything that commands can be called on …
    let common = pool.longest_common("example:a", "example:b").await?;
    assert_eq!(common, "mytext");
    let transaction = pool.multi().await?;
    let length = transaction
        .longest_common_len("example:a", "example:b")
        .await?;
    transaction.exec().await?;
    assert_eq!(length.await?, 6);

    // … with options, and with structs as replies.
    let found = pool
        .longest_common_parts("example:a", "example:b")
        .minmatchlen(3)
        .withmatchlen()
        .await?;
    for part in &found.matches {
        println!("{part:?}");
    }
    assert_eq!(found.matches[0].first, (4, 7));
    assert_eq!(found.matches[0].second, (5, 8));

    // They come with their documentation, and with examples to be run in a test.
    for example in redis_client::examples!("own_commands.json") {
        println!("{} has an example of {}", example.command, example.method);
    }
    Ok(())
}
