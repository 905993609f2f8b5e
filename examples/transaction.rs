//! Transactions: MULTI and EXEC, watched keys, and what a conflict looks like.

use futures_util::future::try_join_all;
use redis_client::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    pool.delete(["example:key", "example:number"]).await?;

    // Commands are queued, and executed all at once by `exec`. Each gives a promise of its reply.
    let transaction = pool.multi().await?;
    let first = transaction.set("example:key", "value").await?;
    let second = transaction.incr("example:number").await?;
    transaction.exec().await?;
    assert_eq!(first.await?.expect("without a condition"), "OK");
    assert_eq!(second.await?, 1);

    // An error of one command is its own: the others were executed.
    let transaction = pool.multi().await?;
    let wrong = transaction.incr("example:key").await?;
    let right = transaction.incr("example:number").await?;
    transaction.exec().await?;
    println!("{}", wrong.await.expect_err("no number"));
    assert_eq!(right.await?, 2);

    // Nothing of what is discarded, or just dropped, was ever sent.
    let transaction = pool.multi().await?;
    let never = transaction.incr("example:number").await?;
    transaction.discard().await?;
    let error = never.await.expect_err("it was discarded");
    assert_eq!(error.outcome(), Outcome::NotSent);

    conflict(&pool).await?;
    transfers(&pool).await?;
    Ok(())
}

/// Read a key, write what follows from it, unless somebody else has changed it meanwhile.
async fn conflict(pool: &Pool) -> redis_client::Result<()> {
    pool.set("example:stock", 5).await?;

    let watch = pool.watch(["example:stock"]).await?;
    let stock = watch.get("example:stock").decode::<kind::Integer>().await?;
    pool.decr("example:stock").await?; // Somebody else.
    let transaction = watch.multi();
    let stored = transaction.set("example:stock", stock - 1).await?;

    let error = transaction.exec().await.expect_err("the key has changed");
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Transaction);
    assert_eq!(error.outcome(), Outcome::Rejected);
    // The promise says the same.
    let error = stored.await.expect_err("it was not executed");
    assert_eq!(error.kind(), ErrorKind::Transaction);
    assert_eq!(pool.get("example:stock").await?.as_deref(), Some("4"));
    Ok(())
}

/// The same in a loop: `transaction` begins anew until nobody else comes between.
async fn transfers(pool: &Pool) -> redis_client::Result<()> {
    pool.mset([("example:ada", 100), ("example:bob", 0)])
        .await?;

    let transfers = (0..20).map(|_| transfer(pool, "example:ada", "example:bob", 7));
    let transfers = try_join_all(transfers).await?;

    // Ada could afford 14 of them.
    let done = transfers.into_iter().filter(|done| *done).count();
    assert_eq!(done, 14);
    assert_eq!(pool.get("example:ada").await?.as_deref(), Some("2"));
    assert_eq!(pool.get("example:bob").await?.as_deref(), Some("98"));
    println!("{done} transfers");
    Ok(())
}

/// Moves money if there is enough of it.
async fn transfer(pool: &Pool, from: &str, to: &str, amount: i64) -> redis_client::Result<bool> {
    pool.transaction([from], async |transaction| {
        // Executed at once, on the watched key …
        let balance = transaction.get(from).decode::<kind::Integer>().await?;
        if balance < amount {
            return Ok(false);
        }
        // … and queued, to be executed if the key is still as it was read.
        let _taken = transaction.queue().decrby(from, amount).await?;
        let _given = transaction.queue().incrby(to, amount).await?;
        Ok(true)
    })
    .await
}
