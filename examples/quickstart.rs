//! The first example: a real server, a connection, some commands.
//!
//! `cargo run --example quickstart` uses the server at `REDIS_URL`, or starts one that is gone
//! afterwards. So do the others:
//!
//! - the clients: `connection`, `pool`, `low_level`;
//! - several commands: `pipeline`, `transaction`, `lua_scripting`;
//! - waiting for others: `blocking`, `pubsub`;
//! - large data: `scanning`, `streaming_replies`;
//! - your own types and commands: `bytes`, `own_commands`;
//! - lost connections: `reconnect`;
//! - put together: `job_queue`, `rate_limiter`, `leaderboard` (a web service).

use std::collections::HashMap;

use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let client = Connection::connect(&url).await?;

    // Options are chained. Nothing is sent before `.await`.
    client.set("greeting", "hello").expire(60).await?;
    let greeting = client.get("greeting").await?;
    println!(
        "greeting: {greeting:?}, for {} s",
        client.ttl("greeting").await?
    );

    // The command decides the type of its reply. This one is a stream that can also be collected.
    client
        .zadd("board", [("ada", 36.5), ("bob", 12.0), ("cleo", 99.0)])
        .await?;
    let mut scores = client.zrange("board").rev().await?;
    while let Some(entry) = scores.next().await {
        let (member, score) = entry?;
        println!("{member}: {score}");
    }
    let scores: HashMap<String, f64> = client.zrange_asdict("board").await?;
    assert_eq!(scores["cleo"], 99.0);

    // Calls are futures: these two go out together.
    let (visits, hits) = tokio::join!(client.incr("visits"), client.incrby("hits", 10));
    println!("visits: {}, hits: {}", visits?, hits?);

    // The same connection, bytes in and out.
    let raw = client.with_encoder(Raw);
    raw.set("blob", b"\xff\x00\xfe").await?;
    println!("blob: {:?}", raw.get("blob").await?);

    // An error says which command it was, what the server said, and whether anything was executed.
    if let Err(error) = client.incr("greeting").await {
        println!(
            "{error} (code {:?}, outcome {:?})",
            error.code(),
            error.outcome()
        );
    }
    Ok(())
}
