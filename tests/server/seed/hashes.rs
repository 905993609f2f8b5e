use std::collections::{BTreeMap, HashMap, HashSet};

use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn fields() {
    for_each_server(async |client, _| {
        assert_eq!(client.hset("hash", "a", "1").await?, 1);
        assert_eq!(client.hset("hash", "b", "2").await?, 1);
        assert_eq!(client.hset("hash", "b", "3").await?, 0);
        assert_eq!(client.hlen("hash").await?, 2);
        assert!(client.hexists("hash", "a").await?);
        assert!(!client.hexists("hash", "unknown").await?);
        assert_eq!(client.hget("hash", "b").await?.as_deref(), Some("3"));
        assert_eq!(client.hget("hash", "unknown").await?, None);
        assert_eq!(client.hget("unknown", "a").await?, None);
        assert_eq!(client.hstrlen("hash", "b").await?, 1);

        assert_eq!(client.hsetnx("hash", "a", "4").await?, 0);
        assert_eq!(client.hget("hash", "a").await?.as_deref(), Some("1"));
        assert_eq!(client.hsetnx("hash", "c", "4").await?, 1);

        assert_eq!(client.hdel("hash", ["b", "c", "unknown"]).await?, 2);
        assert_eq!(client.hdel("hash", ["b"]).await?, 0);
        assert_eq!(
            client.hkeys_asset("hash").await?,
            HashSet::from(["a".to_owned()])
        );
        Ok(())
    });
}

#[test]
fn whole_hashes() {
    for_each_server(async |client, _| {
        // Anything that is an iterator of pairs will do.
        let values = BTreeMap::from([("a", "1"), ("b", "2")]);
        assert_eq!(client.hmset("hash", &values).await?, "OK");
        assert_eq!(client.hset_multiple("hash", values).await?, 0);
        assert_eq!(
            client
                .hset_multiple("hash", HashMap::from([("c", 3)]))
                .await?,
            1
        );

        let expected: HashMap<String, String> = [("a", "1"), ("b", "2"), ("c", "3")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(client.hgetall("hash").await?.asdict().await?, expected);
        assert_eq!(client.hgetall_asdict("hash").await?, expected);
        let keys = client.hkeys("hash").await?.asset().await?;
        assert_eq!(keys, expected.keys().cloned().collect());
        let mut values = client.hvals("hash").await?.aslist().await?;
        values.sort();
        assert_eq!(values, ["1", "2", "3"]);
        Ok(())
    });
}

#[test]
fn missing_hashes_and_fields() {
    for_each_server(async |client, _| {
        assert!(client.hgetall("unknown").await?.asdict().await?.is_empty());
        assert!(client.hgetall_asdict("unknown").await?.is_empty());
        assert!(client.hkeys_asset("unknown").await?.is_empty());
        assert!(client.hvals_aslist("unknown").await?.is_empty());
        assert_eq!(client.hlen("unknown").await?, 0);
        assert_eq!(client.hrandfield("unknown").await?, None);

        client.hset("hash", "a", "1").await?;
        let values = client
            .hmget("hash", ["a", "unknown", "a"])
            .await?
            .aslist()
            .await?;
        assert_eq!(values, [Some("1".to_owned()), None, Some("1".to_owned())]);
        assert_eq!(
            client.hmget_aslist("unknown", ["a", "b"]).await?,
            [None, None]
        );
        Ok(())
    });
}

#[test]
fn increments() {
    for_each_server(async |client, _| {
        client.hset("hash", "field", 10).await?;
        assert_eq!(client.hincrby("hash", "field", 2).await?, 12);
        assert_eq!(client.hincrby("hash", "field", -5).await?, 7);
        assert_eq!(client.hincrbyfloat("hash", "field", 3.7).await?, 10.7);
        assert_eq!(client.hincrbyfloat("hash", "field", -10).await?, 0.7);
        let error = client
            .hincrby("hash", "field", 1)
            .await
            .expect_err("it is no integer now");
        assert_eq!(error.message(), "ERR hash value is not an integer");
        Ok(())
    });
}
