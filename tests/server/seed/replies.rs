//! Replies that are read while they arrive, replies read as something else, and commands that are in no table.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use redis_client::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::each_server::{Failure, for_each_server};

const SIZE: usize = 50_000;

#[test]
fn lists_are_streamed_in_order() {
    for_each_server(async |client, _| {
        client
            .rpush("list", (0..SIZE).map(|i| format!("element {i}")))
            .await?;
        let mut list = client.lrange("list").await?;
        assert!(!list.is_complete());
        let mut count = 0;
        while let Some(element) = list.next().await {
            assert_eq!(element?, format!("element {count}"));
            count += 1;
            assert_eq!(list.remaining(), (SIZE - count) as u64);
        }
        assert_eq!(count, SIZE);
        assert!(list.next().await.is_none());
        assert!(list.is_complete());

        // A part by hand, and the rest at once.
        let mut list = client.lrange("list").await?;
        for i in 0..1_000 {
            assert_eq!(list.next().await.transpose()?, Some(format!("element {i}")));
        }
        let rest = list.aslist().await?;
        assert_eq!(
            (rest.len(), rest[0].as_str()),
            (SIZE - 1_000, "element 1000")
        );
        let all = client.lrange_aslist("list").await?;
        assert!(
            all.iter()
                .enumerate()
                .all(|(i, element)| *element == format!("element {i}"))
        );
        Ok(())
    });
}

#[test]
fn sets_and_hashes_are_streamed() {
    for_each_server(async |client, _| {
        let members: BTreeSet<String> = (0..SIZE).map(|i| format!("member {i}")).collect();
        client.sadd("set", &members).await?;
        let mut set = client.smembers("set").await?;
        assert!(!set.is_complete());
        let mut found = BTreeSet::new();
        while let Some(member) = set.next().await {
            assert!(found.insert(member?));
        }
        assert_eq!(found, members);
        assert_eq!(client.smembers_asset("set").await?.len(), SIZE);

        client
            .hset_multiple("hash", members.iter().map(|member| (member, member)))
            .await?;
        let mut hash = client.hgetall("hash").await?;
        assert!(!hash.is_complete());
        let mut found = BTreeSet::new();
        while let Some(pair) = hash.next().await {
            let (field, value) = pair?;
            assert_eq!(field, value);
            assert!(found.insert(field));
        }
        assert_eq!(found, members);
        assert_eq!(client.hgetall_asdict("hash").await?.len(), SIZE);
        assert_eq!(client.hkeys("hash").await?.asset().await?.len(), SIZE);
        Ok(())
    });
}

#[test]
fn sorted_sets_are_streamed_in_order() {
    for_each_server(async |client, _| {
        client
            .zadd("board", (0..SIZE).map(|i| (format!("member {i}"), i)))
            .await?;
        let mut board = client.zrange("board").await?;
        assert!(!board.is_complete());
        let mut count = 0;
        while let Some(pair) = board.next().await {
            assert_eq!(pair?, (format!("member {count}"), count as f64));
            count += 1;
        }
        assert_eq!(count, SIZE);
        assert_eq!(client.zrange("board").await?.aslist().await?.len(), SIZE);
        assert_eq!(client.zrevrange_asdict("board").await?["member 7"], 7.0);
        Ok(())
    });
}

/// Elements of all sizes, so that pieces end everywhere: in a length, in a payload, between CR and LF.
#[test]
fn streams_with_elements_of_all_sizes() {
    for_each_server(async |client, _| {
        let sizes = || (0..2_000).chain([60_000, 0, 65_536, 1, 300_000, 0, 1_000_000, 5]);
        for size in sizes() {
            client.rpush("list", ["x".repeat(size)]).await?;
        }
        let mut list = client.lrange("list").await?;
        for size in sizes() {
            assert_eq!(
                list.next().await.transpose()?.map(|element| element.len()),
                Some(size)
            );
        }
        assert!(list.next().await.is_none());
        Ok(())
    });
}

#[test]
fn a_string_is_read_in_pieces() {
    for_each_server(async |client, _| {
        let text: String = (0..200_000).map(|i| format!("line {i}\n")).collect();
        client.set("text", &text).await?;
        let mut reader = client
            .get("text")
            .reader()
            .await?
            .ok_or("there is a value")?;
        assert_eq!(reader.remaining(), text.len() as u64);
        let mut read = String::new();
        reader.read_to_string(&mut read).await?;
        assert!(read == text);

        let reader = client
            .get("text")
            .reader()
            .await?
            .ok_or("there is a value")?;
        let mut lines = reader.lines();
        let mut count = 0;
        while let Some(line) = lines.next_line().await? {
            assert_eq!(line, format!("line {count}"));
            count += 1;
        }
        assert_eq!(count, 200_000);

        let mut reader = client
            .get("text")
            .reader()
            .await?
            .ok_or("there is a value")?;
        let mut length = 0;
        while let Some(piece) = reader.next().await {
            length += piece?.len();
        }
        assert_eq!(length, text.len());

        client.set("short", "value").await?;
        let mut reader = client
            .get("short")
            .reader()
            .await?
            .ok_or("there is a value")?;
        assert_eq!(
            reader.next().await.transpose()?.as_deref(),
            Some(&b"value"[..])
        );
        assert!(client.get("unknown").reader().await?.is_none());
        Ok(())
    });
}

/// Replies come in the order of the commands: one behind a large reply that nobody reads has to wait.
#[test]
fn a_stream_that_is_not_read_makes_others_wait() {
    for_each_server(async |client, _| {
        client
            .rpush("list", (0..SIZE).map(|i| format!("element {i}")))
            .await?;
        let mut list = client.lrange("list").await?;
        let error = client
            .get("key")
            .reply_timeout(Duration::from_millis(200))
            .await
            .map(drop)
            .expect_err("the list is before it");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Timeout, Outcome::Unknown),
            "{error}"
        );
        // The stream is not affected: its consumer sets the pace.
        assert_eq!(list.next().await.transpose()?.as_deref(), Some("element 0"));
        assert_eq!(list.aslist().await?.len(), SIZE - 1);

        // A task of its own for one of them is enough.
        let list = client.lrange("list").await?;
        let (list, value) = tokio::join!(list.aslist(), client.echo("behind"));
        assert_eq!((list?.len(), value?.as_str()), (SIZE, "behind"));
        Ok(())
    });
}

#[test]
fn replies_read_as_something_else() {
    for_each_server(async |client, _| {
        client.set("number", 42).await?;
        assert_eq!(client.get("number").decode::<kind::Integer>().await?, 42);
        assert_eq!(client.get("number").decode::<kind::Float>().await?, 42.0);
        assert_eq!(
            client.get("number").decode::<kind::Value>().await?,
            Value::from("42")
        );
        assert_eq!(
            client.get("number").decode::<kind::Blob>().await?,
            &b"42"[..]
        );
        assert_eq!(
            client
                .get("unknown")
                .decode::<kind::Nullable<kind::Integer>>()
                .await?,
            None
        );
        client.get("number").decode::<()>().await?;

        client.rpush("list", [1, 2, 3]).await?;
        assert_eq!(
            client
                .lrange("list")
                .decode::<kind::List<kind::Integer>>()
                .await?,
            [1, 2, 3]
        );
        client.hset_multiple("hash", [("a", 1), ("b", 2)]).await?;
        let hash = client
            .hgetall("hash")
            .decode::<kind::Pairs<kind::Text, kind::Integer>>()
            .await?;
        assert_eq!(hash, [("a".to_owned(), 1), ("b".to_owned(), 2)]);

        for error in [
            client
                .get("unknown")
                .decode::<kind::Integer>()
                .await
                .expect_err("there is none"),
            client
                .ping()
                .decode::<kind::Integer>()
                .await
                .expect_err("that is no number"),
            client
                .lrange("list")
                .decode::<kind::Text>()
                .await
                .expect_err("that is no text"),
            client
                .get("number")
                .decode::<kind::List<kind::Text>>()
                .await
                .expect_err("that is no list"),
        ] {
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Decode, Outcome::Executed),
                "{error}"
            );
        }
        assert_eq!(client.ping().await?, "PONG");
        Ok(())
    });
}

#[test]
fn commands_that_are_in_no_table() {
    for_each_server(async |client, _| {
        let status = client
            .command("SET")
            .key("key")
            .arg("value")
            .write()
            .await?;
        assert_eq!(status, Value::Status("OK".to_owned()));
        assert_eq!(
            client.command("GET").key("key").readonly().await?,
            Value::from("value")
        );
        assert_eq!(
            client
                .command("STRLEN")
                .key("key")
                .reply::<kind::Integer>()
                .await?,
            5
        );
        assert_eq!(client.command("get").key("unknown").await?, Value::Null);
        let id = client.command("CLIENT ID").reply::<kind::Integer>().await?;
        assert_eq!(id, client.client_id().await?);

        client.command("RPUSH").key("list").args(["a", "b"]).await?;
        let list = client
            .command("LRANGE")
            .key("list")
            .arg(0)
            .arg(-1)
            .reply::<kind::ListReply>()
            .await?;
        assert_eq!(list.aslist().await?, ["a", "b"]);
        let popped = client
            .command("BLPOP")
            .key("list")
            .arg(1)
            .blocking(1)
            .reply::<kind::BlockingPopReply>()
            .await?;
        assert_eq!(popped.value, "a");

        client
            .with_encoder(Raw)
            .command("SET")
            .key(b"bytes")
            .arg(b"\xff")
            .await?;
        assert_eq!(
            client.command("GET").key("bytes").await?.as_bytes(),
            Some(&b"\xff"[..])
        );
        let error = client
            .command("NOPE now")
            .await
            .expect_err("there is no such command");
        assert_eq!((error.command(), error.code()), (Some("NOPE"), Some("ERR")));
        Ok(())
    });
}

/// The same value in both protocols, although the bytes differ.
#[test]
fn shapes_of_both_protocols() {
    for_each_server(async |client, _| {
        client.hset("hash", "a", 1).await?;
        client.zadd("board", [("a", 1.5)]).await?;
        client.sadd("set", ["a"]).await?;
        assert_eq!(
            hash(client).await?,
            HashMap::from([("a".to_owned(), "1".to_owned())])
        );
        assert_eq!(client.zscore("board", "a").await?, Some(1.5));
        assert_eq!(client.zpopmin("board").await?, [("a".to_owned(), 1.5)]);
        assert!(client.sismember("set", "a").await?);
        assert_eq!(client.get("unknown").await?, None);
        assert_eq!(client.lpop_count("unknown", 2).await?, None);
        Ok(())
    });
}

async fn hash(client: &Connection) -> Result<HashMap<String, String>, Failure> {
    Ok(client.hgetall("hash").await?.asdict().await?)
}
