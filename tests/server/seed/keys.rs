use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis_client::prelude::*;

use crate::each_server::{eventually, for_each_server};

#[test]
fn exists_and_delete() {
    for_each_server(async |client, _| {
        assert!(!client.exists("a").await?);
        client.mset([("a", "1"), ("b", "2")]).await?;
        assert!(client.exists("a").await?);
        assert_eq!(client.exists_count(["a", "b", "a", "unknown"]).await?, 3);
        assert_eq!(client.delete(["a", "b", "unknown"]).await?, 2);
        assert_eq!(client.delete(["a"]).await?, 0);
        assert!(!client.exists("a").await?);
        Ok(())
    });
}

#[test]
fn rename_and_its_errors() {
    for_each_server(async |client, _| {
        client.set("old", "value").await?;
        assert_eq!(client.rename("old", "new").await?, "OK");
        assert!(!client.exists("old").await?);
        assert_eq!(client.get("old").await?, None);
        assert_eq!(client.get("new").await?.as_deref(), Some("value"));

        assert_eq!(client.renamenx("new", "third").await?, 1);
        client.set("taken", "value").await?;
        assert_eq!(client.renamenx("third", "taken").await?, 0);

        for error in [
            client
                .rename("unknown", "x")
                .await
                .expect_err("there is no such key"),
            client
                .renamenx("unknown", "x")
                .await
                .expect_err("there is no such key"),
        ] {
            assert_eq!(error.message(), "ERR no such key");
            assert_eq!(
                (error.code(), error.kind()),
                (Some("ERR"), ErrorKind::Server)
            );
        }
        Ok(())
    });
}

#[test]
fn expiry() {
    for_each_server(async |client, _| {
        client.set("key", "value").await?;
        assert_eq!(
            (client.ttl("key").await?, client.pttl("key").await?),
            (-1, -1)
        );
        assert_eq!(
            (client.ttl("unknown").await?, client.pttl("unknown").await?),
            (-2, -2)
        );
        assert_eq!(client.expire("key", 10).await?, 1);
        assert_eq!(client.expire("unknown", 10).await?, 0);
        assert!((5..=10).contains(&client.ttl("key").await?));
        assert!((5_000..=10_000).contains(&client.pttl("key").await?));
        assert_eq!(client.pexpire("key", 20_000).await?, 1);
        assert!((15_000..=20_000).contains(&client.pttl("key").await?));
        assert_eq!(client.expire("key", 5).only_if_greater().await?, 0);
        assert_eq!(client.expire("key", 50).only_if_greater().await?, 1);

        assert_eq!(client.persist("key").await?, 1);
        assert_eq!(client.persist("key").await?, 0);
        assert_eq!(client.ttl("key").await?, -1);
        Ok(())
    });
}

#[test]
fn expired_keys_are_gone() {
    for_each_server(async |client, _| {
        client.set("set", "value").pexpire(30).await?;
        client.set("pexpire", "value").await?;
        client.pexpire("pexpire", 30).await?;
        client.set("persisted", "value").expire(10).await?;
        client.persist("persisted").await?;
        for key in ["set", "pexpire"] {
            eventually("it expires", async || {
                client.exists(key).await.is_ok_and(|exists| !exists)
            })
            .await;
            assert_eq!(client.get(key).await?, None);
        }
        assert_eq!(client.ttl("persisted").await?, -1);
        Ok(())
    });
}

#[test]
fn expiry_at_a_time() {
    for_each_server(async |client, _| {
        let in_100_seconds =
            SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(100);
        let seconds = i64::try_from(in_100_seconds.as_secs())?;
        let milliseconds = i64::try_from(in_100_seconds.as_millis())?;
        client.set("key", "value").await?;
        assert_eq!(client.expireat("key", seconds).await?, 1);
        assert_eq!(client.expiretime("key").await?, seconds);
        assert_eq!(client.pexpireat("key", milliseconds).await?, 1);
        assert_eq!(client.pexpiretime("key").await?, milliseconds);
        // A time in the past deletes.
        assert_eq!(client.expireat("key", 1_293_840_000).await?, 1);
        assert!(!client.exists("key").await?);
        assert_eq!(client.pexpireat("key", 1_555_555_555_005).await?, 0);
        Ok(())
    });
}

#[test]
fn types() {
    for_each_server(async |client, _| {
        client.set("string", "value").await?;
        client.lpush("list", ["value"]).await?;
        client.sadd("set", ["value"]).await?;
        client.zadd("zset", [("member", 1)]).await?;
        client.hset("hash", "field", "value").await?;
        client.xadd("stream", [("field", "value")]).await?;
        for name in ["string", "list", "set", "zset", "hash", "stream"] {
            assert_eq!(client.type_(name).await?, name);
        }
        assert_eq!(client.type_("unknown").await?, "none");
        Ok(())
    });
}

#[test]
fn keys_patterns() {
    for_each_server(async |client, _| {
        client
            .mset(["one", "two", "three", "th[1]", "heello"].map(|key| (key, "value")))
            .await?;
        let patterns: [(&str, &[&str]); 8] = [
            ("*", &["heello", "one", "th[1]", "three", "two"]),
            ("t*", &["th[1]", "three", "two"]),
            ("t?o", &["two"]),
            ("[ot][nw][eo]", &["one", "two"]),
            ("[^t]*", &["heello", "one"]),
            ("th\\[1\\]", &["th[1]"]),
            ("h*llo", &["heello"]),
            ("unknown*", &[]),
        ];
        for (pattern, expected) in patterns {
            let mut keys = client.keys(pattern).await?.aslist().await?;
            keys.sort();
            assert_eq!(keys, expected, "{pattern}");
            let mut keys = client.keys_aslist(pattern).await?;
            keys.sort();
            assert_eq!(keys, expected, "{pattern}");
        }
        Ok(())
    });
}

#[test]
fn randomkey_and_dbsize() {
    for_each_server(async |client, _| {
        assert_eq!(client.randomkey().await?, None);
        assert_eq!(client.dbsize().await?, 0);
        client.set("key", "value").await?;
        assert_eq!(client.randomkey().await?.as_deref(), Some("key"));
        assert_eq!(client.dbsize().await?, 1);
        assert_eq!(client.flushdb().await?, "OK");
        assert_eq!(client.dbsize().await?, 0);
        Ok(())
    });
}

#[test]
fn databases_are_isolated() {
    for_each_server(async |client, place| {
        let first = place.config().db(1).connect().await?;
        let second = place.config().db(2).connect().await?;
        let first_too = place.config().db(1).connect().await?;
        first.set("key", "A").await?;
        second.set("key", "B").await?;
        assert_eq!(first_too.get("key").await?.as_deref(), Some("A"));
        assert_eq!(second.get("key").await?.as_deref(), Some("B"));
        assert_eq!(client.get("key").await?, None);

        assert_eq!(first.select(2).await?, "OK");
        assert_eq!(first.get("key").await?.as_deref(), Some("B"));

        assert_eq!(second.move_("key", 3).await?, 1);
        assert_eq!(second.move_("key", 3).await?, 0);
        assert_eq!(second.select(3).await?, "OK");
        assert_eq!(second.get("key").await?.as_deref(), Some("B"));

        assert_eq!(client.swapdb(0, 3).await?, "OK");
        assert_eq!(client.get("key").await?.as_deref(), Some("B"));
        Ok(())
    });
}

#[test]
fn sort_and_copy() {
    for_each_server(async |client, _| {
        client.rpush("list", [3, 10, 2]).await?;
        let sorted = client
            .sort_aslist("list")
            .await?
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        assert_eq!(sorted, ["2", "3", "10"]);
        let sorted = client
            .sort_aslist("list")
            .alpha()
            .desc()
            .await?
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        assert_eq!(sorted, ["3", "2", "10"]);
        assert_eq!(client.sort("list").store("stored").await?, 3);
        assert!(client.copy("stored", "copied").await?);
        assert_eq!(client.lrange_aslist("copied").await?, ["2", "3", "10"]);
        Ok(())
    });
}
