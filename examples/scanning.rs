//! Walking through all keys, or all members of a collection, without stopping the server for it.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;

    let pages = (0..1000).map(|number| (format!("example:page:{number}"), number));
    pool.mset(pages).await?;

    // All keys that match a pattern. The cursor asks for the next page by itself.
    let mut found = BTreeSet::new();
    let mut cursor = pool.scan().match_("example:page:*").count(100);
    while let Some(key) = cursor.fetchone().await? {
        found.insert(key); // A set, as a key may come more than once.
    }
    assert_eq!(found.len(), 1000);

    // All at once, each key once.
    let keys = pool
        .scan()
        .match_("example:page:99?")
        .type_("string")
        .fetchall()
        .await?;
    assert_eq!(keys.len(), 10);

    // A cursor is a stream.
    let pages = || pool.scan().match_("example:page:*").count(500);
    pages()
        .try_for_each_concurrent(100, async |key| pool.delete([key]).await.map(drop))
        .await?;
    assert!(pages().fetchall().await?.is_empty());

    // The same for the members of a set …
    pool.delete(["example:tags", "example:user", "example:board"])
        .await?;
    pool.sadd("example:tags", ["red", "green", "blue", "grey"])
        .await?;
    let tags = pool.sscan("example:tags").match_("gre*").fetchall().await?;
    assert_eq!(tags, ["green", "grey"].map(str::to_owned).into());

    // … the fields of a hash …
    pool.hmset("example:user", [("name", "Ada"), ("born", "1815")])
        .await?;
    let fields = pool.hscan("example:user").fetchall().await?;
    assert_eq!(fields["name"], "Ada");

    // … and the members of a sorted set, with their scores.
    pool.zadd("example:board", [("ada", 36.5), ("bob", 12.0)])
        .await?;
    let mut cursor = pool.zscan("example:board");
    while let Some((member, score)) = cursor.fetchone().await? {
        println!("{member}: {score}");
        assert_eq!(score, if member == "ada" { 36.5 } else { 12.0 });
    }
    Ok(())
}
