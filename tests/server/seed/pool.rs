use std::time::Duration;

use redis_client::prelude::*;
use tokio::task::JoinSet;

use crate::each_server::{eventually, for_each_server};

#[test]
fn commands_go_through_a_pool() {
    for_each_server(async |_, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        pool.set("key", "value").await?;
        assert_eq!(pool.get("key").await?.as_deref(), Some("value"));
        assert_eq!(
            pool.with_encoder(Raw).get("key").await?.as_deref(),
            Some(&b"value"[..])
        );
        assert_eq!((pool.poolsize(), pool.connections_in_use()), (10, 0));
        assert!(pool.connections_connected() >= 1);
        assert_eq!(
            pool.register_script("return 100")
                .await?
                .run([""; 0], [""; 0])
                .await?
                .integer()?,
            100
        );

        // Which of the connections would it be?
        let error = pool.select(1).await.expect_err("it changes a connection");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Argument, Outcome::NotSent),
            "{error}"
        );
        Ok(())
    });
}

#[test]
fn blocking_calls_leave_the_others_alone() {
    for_each_server(async |_, place| {
        let pool = Pool::builder(place.config()).poolsize(2).connect().await?;
        let (received, sent) = tokio::join!(
            async {
                let mut received = Vec::new();
                while received.len() < 5 {
                    received.push(pool.blpop(["list"]).await?.value);
                }
                Ok::<_, Error>(received)
            },
            async {
                for i in 0..5 {
                    pool.rpush("list", [i]).await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok::<_, Error>(())
            },
        );
        sent?;
        assert_eq!(received?, ["0", "1", "2", "3", "4"]);
        Ok(())
    });
}

/// Each blocking call has a connection, except that the last one is for everybody.
#[test]
fn a_pool_can_be_used_up() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config())
            .poolsize(5)
            .acquire_timeout(Duration::ZERO)
            .connect()
            .await?;
        let mut waiting = JoinSet::new();
        for i in 0..4 {
            assert_eq!(pool.connections_in_use(), i);
            let pool = pool.clone();
            waiting.spawn(async move { pool.blpop([format!("list {i}")]).await });
            let blocked = async || {
                let info = client.info().section("clients").await;
                info.is_ok_and(|info| info.parse("blocked_clients") == Some(i + 1))
            };
            eventually("it waits", async || blocked().await).await;
        }
        for error in [
            pool.blpop(["one more"])
                .await
                .map(drop)
                .expect_err("all connections wait"),
            pool.multi()
                .watch(["key"])
                .await
                .map(drop)
                .expect_err("all connections wait"),
        ] {
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::NoAvailableConnectionsInPool, Outcome::NotSent),
                "{error}"
            );
        }
        pool.set("key", "value").await?;
        pool.close();
        while let Some(result) = waiting.join_next().await {
            let error = result?.expect_err("the pool was closed");
            assert!(error.is_disconnected(), "{error:?}");
        }
        let error = pool.get("key").await.expect_err("the pool was closed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent),
            "{error}"
        );
        Ok(())
    });
}

#[test]
fn a_pool_of_one() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config())
            .poolsize(1)
            .acquire_timeout(Duration::ZERO)
            .connect()
            .await?;
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.blpop(["list"]).await }
        });
        eventually("it waits", async || pool.connections_in_use() == 1).await;
        let error = pool
            .set("key", "value")
            .await
            .expect_err("the only connection waits");
        assert_eq!(
            error.kind(),
            ErrorKind::NoAvailableConnectionsInPool,
            "{error}"
        );
        client.rpush("list", ["value"]).await?;
        assert_eq!(waiting.await??.value, "value");
        assert!(pool.set("key", "value").await?.is_some());
        Ok(())
    });
}

#[test]
fn transactions_side_by_side() {
    for_each_server(async |_, place| {
        let pool = Pool::builder(place.config())
            .poolsize(4)
            .acquire_timeout(Duration::ZERO)
            .connect()
            .await?;
        let first = pool.multi().watch(["a"]).await?;
        let second = pool.multi().watch(["b"]).await?;
        let third = pool.multi().watch(["c"]).await?;
        let error = pool
            .multi()
            .watch(["d"])
            .await
            .map(drop)
            .expect_err("all connections are given away");
        assert_eq!(
            error.kind(),
            ErrorKind::NoAvailableConnectionsInPool,
            "{error}"
        );
        let f1 = first.set("a", "1").await?;
        let f2 = second.set("b", "2").await?;
        first.exec().await?;
        second.exec().await?;
        assert!(f1.await?.is_some() && f2.await?.is_some());
        drop(third);
        let values = pool.mget_aslist(["a", "b"]).await?;
        assert_eq!(values, [Some("1".to_owned()), Some("2".to_owned())]);
        assert!(pool.multi().watch(["c"]).await.is_ok());
        Ok(())
    });
}

#[test]
fn lost_connections_of_a_pool_come_back() {
    for_each_server(async |killer, place| {
        let pool = Pool::builder(place.config())
            .poolsize(3)
            .min_size(3)
            .connect()
            .await?;
        for round in 0..3 {
            assert!(
                killer
                    .client_kill_filter()
                    .type_(ClientType::Normal)
                    .await?
                    >= 3
            );
            let mut calls = JoinSet::new();
            for i in 0..20 {
                let pool = pool.clone();
                calls.spawn(async move { pool.set(format!("key {i}"), round).await });
            }
            for result in calls.join_all().await {
                result?;
            }
            eventually("all are connected", async || {
                pool.connections_connected() == 3
            })
            .await;
        }
        Ok(())
    });
}
