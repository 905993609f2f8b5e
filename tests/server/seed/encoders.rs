use std::collections::{HashMap, HashSet};

use redis_client::bytes::Bytes;
use redis_client::prelude::*;
use redis_client::{Arg, Blob, DecodeError, ToArg};
use serde::{Deserialize, Serialize};

use crate::each_server::for_each_server;

#[test]
fn raw_is_bytes_in_and_out() {
    for_each_server(async |client, _| {
        let raw = client.with_encoder(Raw);
        let every_byte: Vec<u8> = (0..=255).collect();
        assert!(raw.set(&every_byte, &every_byte).await?.is_some());
        assert_eq!(
            raw.get(&every_byte).await?.as_deref(),
            Some(&every_byte[..])
        );
        assert_eq!(
            raw.keys("*").await?.aslist().await?,
            [Bytes::from(every_byte.clone())]
        );
        raw.rpush("list", [&b"\xff\xfe"[..], b"", b"text", b"\r\n"])
            .await?;
        assert_eq!(
            raw.lrange_aslist("list").await?,
            [&b"\xff\xfe"[..], b"", b"text", b"\r\n"]
        );
        raw.hset("hash", b"\x00", b"\x01").await?;
        let hash = raw.hgetall("hash").await?.asdict().await?;
        assert_eq!(
            hash,
            HashMap::from([(Bytes::from_static(b"\x00"), Bytes::from_static(b"\x01"))])
        );
        raw.sadd("set", [vec![1, 2], vec![3]]).await?;
        let set = raw.smembers_asset("set").await?;
        assert_eq!(
            set,
            HashSet::from([Bytes::from_static(b"\x01\x02"), Bytes::from_static(b"\x03")])
        );
        let popped = raw.blpop(["list"]).await?;
        assert_eq!(
            (&popped.list_name[..], &popped.value[..]),
            (&b"list"[..], &b"\xff\xfe"[..])
        );
        // Text and numbers are bytes, too.
        raw.set("text", 17).await?;
        assert_eq!(raw.get("text").await?.as_deref(), Some(&b"17"[..]));
        Ok(())
    });
}

#[test]
fn all_encoders_share_one_connection() {
    for_each_server(async |client, _| {
        let raw = client.with_encoder(Raw);
        assert_eq!(raw.client_id().await?, client.client_id().await?);
        drop(raw);
        assert!(client.is_connected());
        // What the table calls text is text, whatever the encoder.
        assert_eq!(client.with_encoder(Raw).acl_whoami().await?, "default");
        assert_eq!(client.with_encoder(Raw).ping().await?, "PONG");
        Ok(())
    });
}

/// What is no text is an error for the value that it is, not for the connection.
#[test]
fn utf8_refuses_only_what_is_no_text() {
    for_each_server(async |client, _| {
        let raw = client.with_encoder(Raw);
        raw.set("bytes", b"\xff").await?;
        let error = client.get("bytes").await.expect_err("that is no text");
        assert_eq!(
            (error.kind(), error.outcome(), error.command()),
            (ErrorKind::Decode, Outcome::Executed, Some("GET"))
        );

        raw.rpush("list", [&b"a"[..], b"\xff", b"c"]).await?;
        let error = client
            .lrange_aslist("list")
            .await
            .expect_err("one element is no text");
        assert_eq!(error.kind(), ErrorKind::Decode);
        let mut list = client.lrange("list").await?;
        assert_eq!(list.next().await.transpose()?.as_deref(), Some("a"));
        let error = list
            .next()
            .await
            .expect("an element")
            .expect_err("it is no text");
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(list.next().await.transpose()?.as_deref(), Some("c"));
        assert!(list.next().await.is_none());
        assert_eq!(client.ping().await?, "PONG");
        Ok(())
    });
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
}

#[test]
fn serde_types_as_json() {
    for_each_server(async |client, _| {
        let ann = User {
            name: "Ann \"A.\" Ö".to_owned(),
            age: 36,
        };
        client.set("user", Json(&ann)).await?;
        assert_eq!(
            client.get("user").await?.as_deref(),
            Some(r#"{"name":"Ann \"A.\" Ö","age":36}"#)
        );
        assert_eq!(client.get("user").decode::<Json<User>>().await?, ann);
        assert_eq!(
            client
                .get("unknown")
                .decode::<kind::Nullable<Json<User>>>()
                .await?,
            None
        );

        let users = client.with_encoder(JsonEncoder::<User>::new());
        assert_eq!(users.get("user").await?, Some(ann.clone()));
        users.hset("users", "ann", Json(&ann)).await?;
        assert_eq!(users.hvals_aslist("users").await?, [ann]);

        client.set("broken", "{").await?;
        let error = users.get("broken").await.expect_err("that is no JSON");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Decode, Outcome::Executed),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
        Ok(())
    });
}

/// Text in capitals on the wire, and small letters for the user.
#[derive(Debug, Clone, Copy)]
struct Shouting;

impl Encoder for Shouting {
    type Native = String;

    fn decode(self, data: Blob<'_>) -> Result<String, DecodeError> {
        Ok(data.to_text()?.to_lowercase())
    }
}

impl<'a> ToArg<'a, Shouting> for &'a str {
    fn to_arg(self, _: Shouting) -> Arg<'a> {
        Arg::from(self.to_uppercase())
    }
}

#[test]
fn an_encoder_of_the_users_own() {
    for_each_server(async |client, place| {
        let shouting = place.config().encoder(Shouting).connect().await?;
        shouting.set("key", "value").await?;
        assert_eq!(client.get("KEY").await?.as_deref(), Some("VALUE"));
        assert_eq!(shouting.get("key").await?.as_deref(), Some("value"));
        assert_eq!(
            shouting.mget_aslist(["key", "unknown"]).await?,
            [Some("value".to_owned()), None]
        );
        Ok(())
    });
}
