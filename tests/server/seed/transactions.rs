use std::collections::{HashMap, HashSet};

use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn replies_come_with_exec() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        client.mset([("a", "1"), ("b", "2"), ("c", "3")]).await?;
        client.hmset("hash", [("x", "1"), ("y", "2")]).await?;
        client.sadd("set", ["m", "n"]).await?;

        let transaction = client.multi().await?;
        assert!(transaction.is_empty());
        let f1 = transaction.get("a").await?;
        let f2 = transaction.mget(["a", "b", "unknown"]).await?;
        let f3 = transaction.incr("counter").await?;
        let f4 = transaction.mget_aslist(["b", "c"]).await?;
        let f5 = transaction.hgetall("hash").await?;
        let f6 = transaction.smembers_asset("set").await?;
        let f7 = transaction.set("a", "new").get().await?;
        assert_eq!(transaction.len(), 7);
        // Nothing has happened so far, and others go on.
        assert_eq!(other.get("counter").await?, None);
        assert_eq!(client.ping().await?, "PONG");
        transaction.exec().await?;
        assert_eq!(other.get("counter").await?.as_deref(), Some("1"));

        // In any order.
        assert_eq!(f3.await?, 1);
        assert_eq!(f1.await?.as_deref(), Some("1"));
        let list = f2.await?.aslist().await?;
        assert_eq!(list, [Some("1".to_owned()), Some("2".to_owned()), None]);
        assert_eq!(f4.await?, [Some("2".to_owned()), Some("3".to_owned())]);
        let hash: HashMap<String, String> = f5.await?.asdict().await?;
        assert_eq!(
            hash,
            [("x", "1"), ("y", "2")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into()
        );
        assert_eq!(f6.await?, HashSet::from(["m".to_owned(), "n".to_owned()]));
        assert_eq!(f7.await?.as_deref(), Some("1"));
        Ok(())
    });
}

#[test]
fn a_discarded_transaction_does_nothing() {
    for_each_server(async |client, _| {
        client.set("key", "a").await?;
        let transaction = client.multi().await?;
        let queued = transaction.set("key", "b").await?;
        transaction.discard().await?;
        let error = queued.await.map(drop).expect_err("it was discarded");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Transaction, Outcome::NotSent),
            "{error}"
        );

        let transaction = client.multi().await?;
        let queued = transaction.set("key", "c").await?;
        drop(transaction);
        let error = queued.await.map(drop).expect_err("it was dropped");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Transaction, Outcome::NotSent),
            "{error}"
        );
        assert_eq!(client.get("key").await?.as_deref(), Some("a"));
        Ok(())
    });
}

#[test]
fn an_error_of_one_command_is_its_own() {
    for_each_server(async |client, _| {
        client.set("text", "value").await?;
        let transaction = client.multi().await?;
        let wrong = transaction.lpush("text", ["a"]).await?;
        let right = transaction.strlen("text").await?;
        transaction.exec().await?;
        assert_eq!(
            wrong.await.expect_err("it is no list").code(),
            Some("WRONGTYPE")
        );
        assert_eq!(right.await?, 5);

        // What the server does not even queue stops all of it.
        let transaction = client.multi().await?;
        let fine = transaction.set("text", "new").await?;
        let wrong = transaction.command("NOPE").await?;
        let error = transaction.exec().await.expect_err("a command is wrong");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Transaction, Outcome::Rejected),
            "{error}"
        );
        assert!(error.message().contains("NOPE"), "{error}");
        assert_eq!(
            fine.await
                .map(drop)
                .expect_err("nothing was executed")
                .kind(),
            ErrorKind::Transaction
        );
        assert_eq!(
            wrong
                .await
                .map(drop)
                .expect_err("nothing was executed")
                .kind(),
            ErrorKind::Transaction
        );
        assert_eq!(client.get("text").await?.as_deref(), Some("value"));
        Ok(())
    });
}

#[test]
fn watched_keys() {
    for_each_server(async |client, place| {
        let other = place.connect().await?;
        client.mset([("key", "0"), ("other", "0")]).await?;

        // Used inside the transaction only.
        let transaction = client.multi().watch(["other"]).await?;
        let queued = transaction.set("other", "mine").await?;
        transaction.exec().await?;
        assert!(queued.await?.is_some());
        assert_eq!(client.get("other").await?.as_deref(), Some("mine"));

        // Changed outside.
        let transaction = client.multi().watch(["key", "other"]).await?;
        other.set("other", "theirs").await?;
        let queued = transaction.set("other", "mine").await?;
        let error = transaction.exec().await.expect_err("it was changed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Transaction, Outcome::Rejected),
            "{error}"
        );
        assert_eq!(
            queued
                .await
                .map(drop)
                .expect_err("nothing was executed")
                .kind(),
            ErrorKind::Transaction
        );
        assert_eq!(client.get("other").await?.as_deref(), Some("theirs"));

        // Watched no more.
        let transaction = client.multi().watch(["other"]).await?;
        other.set("other", "again").await?;
        transaction.unwatch().await?;
        let queued = transaction.set("other", "mine").await?;
        transaction.exec().await?;
        assert!(queued.await?.is_some());

        // Read what is watched.
        let watch = client.watch(["key"]).await?;
        let value = watch.get("key").await?.unwrap_or_default();
        let transaction = watch.multi();
        let queued = transaction.append("key", &value).await?;
        transaction.exec().await?;
        assert_eq!(queued.await?, 2);
        Ok(())
    });
}

/// Ten tasks add to one key without losing anything.
#[test]
fn transactions_in_a_loop() {
    for_each_server(async |client, _| {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let client = client.clone();
            tasks.spawn(async move {
                for _ in 0..5 {
                    client
                        .transaction(["total"], async |tx| {
                            let total: i64 = tx
                                .get("total")
                                .await?
                                .and_then(|text| text.parse().ok())
                                .unwrap_or(0);
                            drop(tx.queue().set("total", total + 1).await?);
                            Ok(())
                        })
                        .await?;
                }
                Ok::<_, Error>(())
            });
        }
        for result in tasks.join_all().await {
            result?;
        }
        assert_eq!(client.get("total").await?.as_deref(), Some("50"));
        Ok(())
    });
}

#[test]
fn pipelines() {
    for_each_server(async |client, _| {
        let pipeline = client.pipeline();
        let mut queued = Vec::new();
        for _ in 0..100 {
            queued.push(pipeline.incr("counter").await?);
        }
        let wrong = pipeline.hget("counter", "field").await?;
        let value = pipeline.get("counter").await?;
        assert_eq!(client.get("counter").await?, None);
        pipeline.execute().await?;
        for (i, queued) in (1..).zip(queued) {
            assert_eq!(queued.await?, i);
        }
        assert_eq!(
            wrong.await.expect_err("it is no hash").code(),
            Some("WRONGTYPE")
        );
        assert_eq!(value.await?.as_deref(), Some("100"));
        Ok(())
    });
}
