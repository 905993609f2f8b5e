use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn push_range_and_pop() {
    for_each_server(async |client, _| {
        assert_eq!(client.lpush("list", ["v1", "v2"]).await?, 2);
        assert_eq!(client.rpush("list", ["v3", "v4"]).await?, 4);
        let list = client.lrange("list").await?;
        assert_eq!(list.remaining(), 4);
        assert_eq!(list.aslist().await?, ["v2", "v1", "v3", "v4"]);
        assert_eq!(
            client.lrange_aslist("list").start(1).stop(-2).await?,
            ["v1", "v3"]
        );
        assert_eq!(client.lrange_aslist("list").start(-1).await?, ["v4"]);
        assert!(client.lrange_aslist("list").start(7).await?.is_empty());
        assert!(client.lrange_aslist("unknown").await?.is_empty());

        assert_eq!(client.lset("list", 3, "new").await?, "OK");
        assert_eq!(client.lindex("list", -1).await?.as_deref(), Some("new"));
        assert_eq!(client.lindex("list", 10).await?, None);
        assert_eq!(client.llen("list").await?, 4);
        assert_eq!(client.llen("unknown").await?, 0);

        assert_eq!(client.rpop("list").await?.as_deref(), Some("new"));
        assert_eq!(client.lpop("list").await?.as_deref(), Some("v2"));
        assert_eq!(
            client.lpop_count("list", 5).await?.unwrap_or_default(),
            ["v1", "v3"]
        );
        assert_eq!(client.lpop("list").await?, None);
        assert_eq!(client.rpop("list").await?, None);
        assert_eq!(client.lpop_count("list", 5).await?, None);

        let error = client
            .lset("list", 0, "value")
            .await
            .expect_err("there is no list");
        assert_eq!(error.message(), "ERR no such key");
        client.rpush("list", ["a"]).await?;
        let error = client
            .lset("list", 1, "value")
            .await
            .expect_err("there is no element 1");
        assert_eq!(error.message(), "ERR index out of range");
        Ok(())
    });
}

#[test]
fn insert_before_and_after() {
    for_each_server(async |client, _| {
        client.rpush("list", [1, 2, 3]).await?;
        assert_eq!(client.linsert("list", 1, "A").await?, 4);
        assert_eq!(client.lrange_aslist("list").await?, ["1", "A", "2", "3"]);
        assert_eq!(client.linsert("list", 3, "B").before().await?, 5);
        assert_eq!(
            client.lrange_aslist("list").await?,
            ["1", "A", "2", "B", "3"]
        );
        assert_eq!(client.linsert("list", "unknown", "C").await?, -1);
        assert_eq!(client.linsert("unknown", "pivot", "C").await?, 0);
        Ok(())
    });
}

#[test]
fn remove_and_trim() {
    for_each_server(async |client, _| {
        client.rpush("list", ["a", "b", "a", "c", "a"]).await?;
        assert_eq!(client.lrem("list", "a").count(-1).await?, 1);
        assert_eq!(client.lrange_aslist("list").await?, ["a", "b", "a", "c"]);
        assert_eq!(client.lrem("list", "a").await?, 2);
        assert_eq!(client.lrem("list", "unknown").await?, 0);
        assert_eq!(client.lrange_aslist("list").await?, ["b", "c"]);

        assert_eq!(client.ltrim("list").await?, "OK");
        assert_eq!(client.llen("list").await?, 2);
        assert_eq!(client.ltrim("list").start(1).await?, "OK");
        assert_eq!(client.lrange_aslist("list").await?, ["c"]);
        assert_eq!(client.ltrim("list").start(5).stop(9).await?, "OK");
        assert!(!client.exists("list").await?);
        Ok(())
    });
}

#[test]
fn push_only_to_a_list_that_exists() {
    for_each_server(async |client, _| {
        assert_eq!(client.rpushx("list", "a").await?, 0);
        assert_eq!(client.lpushx("list", "a").await?, 0);
        client.rpush("list", ["a"]).await?;
        assert_eq!(client.rpushx("list", "c").await?, 2);
        assert_eq!(client.lpushx("list", "b").await?, 3);
        assert_eq!(client.lrange_aslist("list").await?, ["b", "a", "c"]);
        Ok(())
    });
}

#[test]
fn from_list_to_list() {
    for_each_server(async |client, _| {
        client.lpush("from", ["value"]).await?;
        client.lpush("to", ["other"]).await?;
        assert_eq!(
            client.rpoplpush("from", "to").await?.as_deref(),
            Some("value")
        );
        assert_eq!(client.rpoplpush("from", "to").await?, None);
        assert_eq!(
            client
                .lmove("to", "to", ListEnd::Left, ListEnd::Right)
                .await?
                .as_deref(),
            Some("value")
        );
        assert_eq!(client.lrange_aslist("to").await?, ["other", "value"]);
        Ok(())
    });
}
