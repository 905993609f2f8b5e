use std::collections::HashSet;

use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn members() {
    for_each_server(async |client, _| {
        assert_eq!(client.sadd("set", ["a", "b"]).await?, 2);
        assert_eq!(client.sadd("set", ["b", "c"]).await?, 1);
        assert_eq!(client.scard("set").await?, 3);
        let members = client.smembers("set").await?;
        assert_eq!(members.remaining(), 3);
        assert_eq!(members.asset().await?, set(["a", "b", "c"]));
        assert_eq!(client.smembers_asset("set").await?, set(["a", "b", "c"]));
        assert!(client.smembers_asset("unknown").await?.is_empty());
        assert!(client.sismember("set", "a").await?);
        assert!(!client.sismember("set", "d").await?);
        assert_eq!(client.smismember("set", ["a", "d"]).await?, [true, false]);
        assert_eq!(client.srem("set", ["b", "c", "unknown"]).await?, 2);
        assert_eq!(client.smembers_asset("set").await?, set(["a"]));
        assert_eq!(client.smove("set", "other", "a").await?, 1);
        assert_eq!(client.smove("set", "other", "a").await?, 0);
        Ok(())
    });
}

#[test]
fn operations() {
    for_each_server(async |client, _| {
        client.sadd("ours", ["a", "b", "c"]).await?;
        client.sadd("theirs", ["b", "c", "d", "e"]).await?;
        let (both, swapped) = (["ours", "theirs"], ["theirs", "ours"]);
        assert_eq!(
            client.sunion(both).await?.asset().await?,
            set(["a", "b", "c", "d", "e"])
        );
        assert_eq!(client.sinter(both).await?.asset().await?, set(["b", "c"]));
        assert_eq!(client.sdiff(both).await?.asset().await?, set(["a"]));
        assert_eq!(client.sdiff_asset(swapped).await?, set(["d", "e"]));
        assert!(client.sinter_asset(["ours", "unknown"]).await?.is_empty());

        assert_eq!(client.sinterstore("result", both).await?, 2);
        assert_eq!(client.smembers_asset("result").await?, set(["b", "c"]));
        assert_eq!(client.sunionstore("result", both).await?, 5);
        assert_eq!(
            client.smembers_asset("result").await?,
            set(["a", "b", "c", "d", "e"])
        );
        assert_eq!(client.sdiffstore("result", swapped).await?, 2);
        assert_eq!(client.smembers_asset("result").await?, set(["d", "e"]));
        Ok(())
    });
}

#[test]
fn random_members() {
    for_each_server(async |client, _| {
        client.sadd("set", ["a", "b"]).await?;
        let random = client.srandmember("set").await?.asset().await?;
        assert!(random == set(["a"]) || random == set(["b"]), "{random:?}");
        assert_eq!(
            client.srandmember_asset("set").count(5).await?,
            set(["a", "b"])
        );
        assert!(client.srandmember_asset("unknown").await?.is_empty());
        assert_eq!(client.scard("set").await?, 2);

        let popped = client.spop("set").await?.unwrap_or_default();
        assert!(["a", "b"].contains(&popped.as_str()), "{popped}");
        assert_eq!(client.scard("set").await?, 1);
        assert_eq!(client.spop_count_asset("set", 5).await?.len(), 1);
        assert_eq!(client.spop("set").await?, None);
        assert!(client.spop_count_asset("set", 5).await?.is_empty());
        Ok(())
    });
}

fn set<const N: usize>(members: [&str; N]) -> HashSet<String> {
    members.map(str::to_owned).into()
}
