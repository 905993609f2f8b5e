use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn ping_and_echo() {
    for_each_server(async |client, _| {
        assert_eq!(client.ping().await?, "PONG");
        assert_eq!(
            format!("{:?}", client.ping().await?),
            "StatusReply(\"PONG\")"
        );
        assert_eq!(client.ping().message("hi").await?, "hi");
        assert_eq!(client.echo("my string").await?, "my string");
        Ok(())
    });
}

#[test]
fn set_get_and_getset() {
    for_each_server(async |client, _| {
        assert!(
            client
                .set("key", "value")
                .await?
                .is_some_and(|status| status == "OK")
        );
        assert_eq!(client.get("key").await?.as_deref(), Some("value"));
        assert_eq!(client.getset("key", "new").await?.as_deref(), Some("value"));
        assert_eq!(client.get("key").await?.as_deref(), Some("new"));
        assert_eq!(client.getset("other", "first").await?, None);
        assert_eq!(client.get("unknown").await?, None);
        Ok(())
    });
}

#[test]
fn set_with_options() {
    for_each_server(async |client, _| {
        let is_set = |status: Option<_>| status.is_some();
        assert!(is_set(
            client
                .set("key", "value")
                .expire(10)
                .only_if_not_exists()
                .await?
        ));
        assert!((5..=10).contains(&client.ttl("key").await?));
        assert!(!is_set(
            client
                .set("key", "other")
                .expire(10)
                .only_if_not_exists()
                .await?
        ));
        assert!(!is_set(
            client.set("unknown", "value").only_if_exists().await?
        ));
        assert!(!client.exists("unknown").await?);

        assert!(is_set(
            client
                .set("key", "other")
                .pexpire(20_000)
                .only_if_exists()
                .await?
        ));
        assert_eq!(client.get("key").await?.as_deref(), Some("other"));
        assert!((15..=20).contains(&client.ttl("key").await?));

        assert!(is_set(client.set("key", "third").keep_ttl().await?));
        assert!(client.ttl("key").await? > 0);
        assert!(is_set(client.set("key", "fourth").await?));
        assert_eq!(client.ttl("key").await?, -1);

        assert_eq!(
            client.set("key", "fifth").get().await?.as_deref(),
            Some("fourth")
        );
        assert_eq!(client.set("unknown", "value").get().await?, None);
        Ok(())
    });
}

#[test]
fn the_last_of_two_options_that_exclude_each_other_counts() {
    for_each_server(async |client, _| {
        client
            .set("key", "value")
            .only_if_exists()
            .only_if_not_exists()
            .await?;
        client.set("key", "value").pexpire(1).expire(100).await?;
        assert!((95..=100).contains(&client.ttl("key").await?));
        Ok(())
    });
}

#[test]
fn setex_psetex_and_setnx() {
    for_each_server(async |client, _| {
        assert_eq!(client.setex("key", 10, "value").await?, "OK");
        assert!((5..=10).contains(&client.ttl("key").await?));
        assert_eq!(client.psetex("key", 20_000, "value").await?, "OK");
        assert!((15..=20).contains(&client.ttl("key").await?));
        assert_eq!(client.get("key").await?.as_deref(), Some("value"));

        assert!(client.setnx("once", "first").await?);
        assert!(!client.setnx("once", "second").await?);
        assert_eq!(client.get("once").await?.as_deref(), Some("first"));
        Ok(())
    });
}

#[test]
fn special_characters_in_keys_and_values() {
    const TEXTS: [&str; 11] = [
        "my value with spaces ",
        "quotes \" ' ` and # $ % \\",
        "éçåø´¨åø´h",
        "ab\ncd\ref\r\ngh",
        "\r\n$5\r\nhello\r\n",
        "nul \0 in between",
        "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}",
        "日本語 العربية עברית हिन्दी",
        "👩‍👩‍👧‍👦🇪🇺",
        "*1\r\n",
        "nil",
    ];
    for_each_server(async |client, _| {
        for text in TEXTS {
            client.set(text, text).await?;
            assert_eq!(client.get(text).await?.as_deref(), Some(text));
            client.hset("hash", text, text).await?;
        }
        let keys: Vec<String> = client.keys("*").await?.aslist().await?;
        assert!(
            TEXTS.iter().all(|text| keys.iter().any(|key| key == text)),
            "{keys:?}"
        );
        let hash = client.hgetall_asdict("hash").await?;
        assert_eq!(hash.len(), TEXTS.len());
        assert!(hash.iter().all(|(field, value)| field == value));
        Ok(())
    });
}

#[test]
fn numbers_are_values() {
    for_each_server(async |client, _| {
        client
            .mset([("i64", i64::MIN), ("other", i64::MAX)])
            .await?;
        assert_eq!(
            client.get("i64").await?.as_deref(),
            Some("-9223372036854775808")
        );
        client.set("u64", u64::MAX).await?;
        assert_eq!(
            client.get("u64").await?.as_deref(),
            Some("18446744073709551615")
        );
        for (double, text) in [
            (0.1, "0.1"),
            (-2.0, "-2"),
            (1e300, "1e300"),
            (f64::INFINITY, "inf"),
        ] {
            client.set("f64", double).await?;
            let stored = client.get("f64").await?.unwrap_or_default();
            assert_eq!(
                stored.parse::<f64>()?.to_bits(),
                double.to_bits(),
                "{stored} for {text}"
            );
        }
        client.set('c', 'ü').await?;
        assert_eq!(client.get("c").await?.as_deref(), Some("ü"));
        Ok(())
    });
}

#[test]
fn huge_and_empty() {
    const SIZE: usize = 10 * 1024 * 1024;
    for_each_server(async |client, _| {
        let huge: String = ('a'..='z').cycle().take(SIZE).collect();
        client.set("huge", &huge).await?;
        assert_eq!(client.strlen("huge").await?, 10_485_760);
        assert!(client.get("huge").await?.as_deref() == Some(&huge));
        let bytes = client.with_encoder(Raw).get("huge").await?;
        assert!(bytes.as_deref() == Some(huge.as_bytes()));
        assert!(client.echo(&huge).await? == huge);

        // A key may be huge, too.
        client.set(&huge, "value").await?;
        assert_eq!(client.get(&huge).await?.as_deref(), Some("value"));

        client.set("empty", "").await?;
        assert_eq!(client.get("empty").await?.as_deref(), Some(""));
        client.set("", "no key").await?;
        assert_eq!(client.get("").await?.as_deref(), Some("no key"));
        assert_eq!(
            client.with_encoder(Raw).get("empty").await?.as_deref(),
            Some(&b""[..])
        );
        assert_eq!(client.getrange("empty", 0, -1).await?, "");
        Ok(())
    });
}

#[test]
fn mget_and_mset() {
    for_each_server(async |client, _| {
        assert_eq!(client.mset([("a", "1"), ("b", "2")]).await?, "OK");
        let values = client.mget(["a", "b", "unknown"]).await?.aslist().await?;
        assert_eq!(values, [Some("1".to_owned()), Some("2".to_owned()), None]);
        client.lpush("list", ["x"]).await?;
        let values = client.mget_aslist(["unknown", "list", "b"]).await?;
        assert_eq!(values, [None, None, Some("2".to_owned())]);
        assert!(!client.msetnx([("a", "3"), ("c", "4")]).await?);
        assert_eq!(client.get("c").await?, None);
        Ok(())
    });
}

#[test]
fn counters() {
    for_each_server(async |client, _| {
        client.set("key", 3).await?;
        assert_eq!(client.incr("key").await?, 4);
        assert_eq!(client.incr("key").await?, 5);
        assert_eq!(client.incrby("key", 10).await?, 15);
        assert_eq!(client.decr("key").await?, 14);
        assert_eq!(client.decrby("key", 4).await?, 10);
        assert_eq!(client.incrby("key", i64::MIN + 10).await?, i64::MIN + 20);
        assert_eq!(client.incrbyfloat("double", 1.5).await?, 1.5);
        assert_eq!(client.incrbyfloat("double", -3).await?, -1.5);

        let error = client
            .decrby("key", i64::MAX)
            .await
            .expect_err("it overflows");
        assert_eq!(error.code(), Some("ERR"));
        assert!(error.message().contains("overflow"), "{error}");
        Ok(())
    });
}

#[test]
fn append_strlen_and_ranges() {
    for_each_server(async |client, _| {
        assert_eq!(client.append("key", "aaa").await?, 3);
        assert_eq!(client.append("key", "bbb").await?, 6);
        assert_eq!(client.get("key").await?.as_deref(), Some("aaabbb"));
        assert_eq!(client.strlen("key").await?, 6);
        assert_eq!(client.strlen("unknown").await?, 0);
        assert_eq!(client.getrange("key", 2, -3).await?, "ab");
        assert_eq!(client.setrange("key", 8, "c").await?, 9);
        assert_eq!(client.get("key").await?.as_deref(), Some("aaabbb\0\0c"));
        Ok(())
    });
}

/// Each with a key that holds something else than the command is for.
#[test]
fn wrong_type_keeps_the_servers_words() {
    for_each_server(async |client, _| {
        client.set("string", "value").await?;
        client.rpush("list", ["a"]).await?;
        client.hset("hash", "field", "value").await?;
        let errors = [
            ("GET", client.get("list").await.expect_err("no string")),
            (
                "STRLEN",
                client.strlen("hash").await.expect_err("no string"),
            ),
            (
                "LRANGE",
                client
                    .lrange("string")
                    .await
                    .map(drop)
                    .expect_err("no list"),
            ),
            (
                "HGETALL",
                client.hgetall("list").await.map(drop).expect_err("no hash"),
            ),
            (
                "SADD",
                client.sadd("string", ["a"]).await.expect_err("no set"),
            ),
            (
                "SMEMBERS",
                client.smembers("hash").await.map(drop).expect_err("no set"),
            ),
            (
                "ZADD",
                client
                    .zadd("list", [("a", 1)])
                    .await
                    .expect_err("no sorted set"),
            ),
            (
                "XADD",
                client
                    .xadd("list", [("a", "b")])
                    .await
                    .expect_err("no stream"),
            ),
        ];
        for (command, error) in errors {
            assert_eq!(error.code(), Some("WRONGTYPE"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Server);
            assert_eq!(error.outcome(), Outcome::Rejected);
            assert_eq!(error.command(), Some(command));
            let message = "WRONGTYPE Operation against a key holding the wrong kind of value";
            assert_eq!(error.message(), message);
            assert_eq!(error.to_string(), format!("{command}: {message}"));
        }
        // The connection goes on.
        assert_eq!(client.get("string").await?.as_deref(), Some("value"));
        Ok(())
    });
}

#[test]
fn wrong_arguments() {
    for_each_server(async |client, _| {
        client.set("text", "no number").await?;
        let errors = [
            (
                client.incr("text").await.expect_err("no number"),
                "value is not an integer",
            ),
            (
                client.incrbyfloat("text", 1).await.expect_err("no number"),
                "not a valid float",
            ),
            (
                client
                    .setex("key", -1, "value")
                    .await
                    .expect_err("in the past"),
                "invalid expire time",
            ),
            (
                client
                    .set("key", "value")
                    .expire(0)
                    .await
                    .map(drop)
                    .expect_err("in the past"),
                "invalid expire time",
            ),
            (
                client.setbit("key", -1, true).await.expect_err("no offset"),
                "bit offset",
            ),
            (
                client
                    .lset("unknown", 0, "value")
                    .await
                    .expect_err("no list"),
                "no such key",
            ),
            (
                client.select(1_000_000).await.expect_err("no database"),
                "out of range",
            ),
            (
                client
                    .mget(None::<&str>)
                    .await
                    .map(drop)
                    .expect_err("no key"),
                "wrong number of arguments",
            ),
            (
                client
                    .command("NO SUCH COMMAND")
                    .await
                    .expect_err("unknown"),
                "unknown command",
            ),
        ];
        for (error, text) in errors {
            assert_eq!(
                (error.code(), error.outcome()),
                (Some("ERR"), Outcome::Rejected),
                "{error}"
            );
            assert!(error.message().contains(text), "{error}");
        }
        let error = client.command("GET").await.expect_err("a key is missing");
        assert_eq!(
            error.message(),
            "ERR wrong number of arguments for 'get' command"
        );
        assert_eq!(error.command(), Some("GET"));
        Ok(())
    });
}
