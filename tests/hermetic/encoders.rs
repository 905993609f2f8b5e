//! Native types: those of the client, serde types, and a user's own.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use redis_client::prelude::*;
use redis_client::{Arg, Blob, DecodeError, ReplyKind, Result, ToArg};
use serde::{Deserialize, Serialize};

use crate::peer::{array, bulk, connected, connected_as, resp, started};

/// Text in capitals, which knows one type of the user's.
#[derive(Debug, Clone, Copy, Default)]
struct Loud;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shout(String);

impl Encoder for Loud {
    type Native = Shout;

    fn decode(self, data: Blob<'_>) -> Result<Shout, DecodeError> {
        let text = data.to_text()?;
        if text.contains('?') {
            return Err(DecodeError::Encoder("one does not shout questions".into()));
        }
        Ok(Shout(text.to_uppercase()))
    }
}

impl<'a> ToArg<'a, Loud> for &'a str {
    fn to_arg(self, _: Loud) -> Arg<'a> {
        Arg::from(self)
    }
}

impl<'a> ToArg<'a, Loud> for &'a Shout {
    fn to_arg(self, _: Loud) -> Arg<'a> {
        Arg::from(self.0.to_lowercase())
    }
}

fn shout(text: &str) -> Shout {
    Shout(text.to_owned())
}

#[tokio::test]
async fn a_users_own_encoder() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new().encoder(Loud)).await;
    let hello = shout("HELLO");
    let (set, ()) = tokio::join!(
        client.set("k", &hello),
        peer.answer(&["SET", "k", "hello"], "+OK\r\n")
    );
    // Statuses and numbers are none of its business.
    assert!(set?.is_some_and(|status| status == "OK"));
    let (value, ()) = tokio::join!(client.get("k"), peer.answer(&["GET", "k"], bulk("hello")));
    assert_eq!(value?, Some(hello.clone()));
    let (length, ()) = tokio::join!(client.strlen("k"), peer.answer(&["STRLEN", "k"], ":5\r\n"));
    assert_eq!(length?, 5);
    let (members, ()) = tokio::join!(
        client.smembers_asset("s"),
        peer.answer(&["SMEMBERS", "s"], array(&["a", "b"]))
    );
    assert_eq!(members?, HashSet::from([shout("A"), shout("B")]));
    let (scores, ()) = tokio::join!(
        client.zrange_asdict("z"),
        peer.answer(
            &["ZRANGE", "z", "0", "-1", "WITHSCORES"],
            resp("*1 *2 $1 m ,1.5")
        )
    );
    assert_eq!(scores?, HashMap::from([(shout("M"), 1.5)]));
    let (stored, ()) = tokio::join!(
        client.hset_multiple("h", [("f", &hello)]),
        peer.answer(&["HSET", "h", "f", "hello"], ":1\r\n")
    );
    assert_eq!(stored?, 1);
    Ok(())
}

#[tokio::test]
async fn what_an_encoder_refuses_is_an_error_of_that_reply() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new().encoder(Loud)).await;
    let (value, ()) = tokio::join!(client.get("k"), peer.answer(&["GET", "k"], bulk("why?")));
    let error = value.expect_err("it is a question");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.outcome(), Outcome::Executed);
    assert_eq!(
        error.to_string(),
        "GET: the encoder refuses the reply: one does not shout questions"
    );
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("one does not shout questions"));
    let (value, ()) = tokio::join!(client.get("k"), peer.answer(&["GET", "k"], bulk("yes")));
    assert_eq!(value?, Some(shout("YES")));
    Ok(())
}

#[tokio::test]
async fn one_connection_many_encoders() -> Result<()> {
    let (client, mut peer) = connected().await;
    let (raw, loud) = (client.with_encoder(Raw), client.with_encoder(Loud));
    let text = started(client.get("k")).await;
    let bytes = started(raw.get("k")).await;
    let shouted = started(loud.get("k")).await;
    for _ in 0..3 {
        peer.answer(&["GET", "k"], bulk("v")).await;
    }
    assert_eq!(text.await?.as_deref(), Some("v"));
    assert_eq!(bytes.await?, Some(Bytes::from("v")));
    assert_eq!(shouted.await?, Some(shout("V")));
    Ok(())
}

#[tokio::test]
async fn raw_replies_are_bytes() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new().encoder(Raw)).await;
    let large = vec![0xff; 100_000];
    for value in [&b""[..], b"\0\r\n\xff", &large] {
        let (reply, ()) = tokio::join!(client.get(b"\xff"), async {
            peer.expect(&[&b"GET"[..], b"\xff"]).await;
            peer.send(bulk(value)).await;
        });
        assert_eq!(reply?.as_deref(), Some(value));
    }
    let (fields, ()) = tokio::join!(
        client.hgetall_asdict("h"),
        peer.answer(&["HGETALL", "h"], array(&[b"\xfe", b"\xff"]))
    );
    let expected = HashMap::from([(Bytes::from_static(b"\xfe"), Bytes::from_static(b"\xff"))]);
    assert_eq!(fields?, expected);
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
}

fn ada() -> User {
    User {
        name: "Ada".to_owned(),
        age: 36,
    }
}

const ADA: &str = r#"{"name":"Ada","age":36}"#;

#[tokio::test]
async fn one_call_decodes_json() -> Result<()> {
    let (client, mut peer) = connected().await;
    let get = || client.get("u").decode::<kind::Nullable<Json<User>>>();
    for (reply, expected) in [
        (bulk(ADA), Some(ada())),
        (resp("_"), None),
        (resp("$-1"), None),
    ] {
        let (user, ()) = tokio::join!(get(), peer.answer(&["GET", "u"], reply));
        assert_eq!(user?, expected);
    }
    let (list, ()) = tokio::join!(
        client.lrange("l").decode::<kind::List<Json<User>>>(),
        peer.answer(&["LRANGE", "l", "0", "-1"], array(&[ADA, ADA]))
    );
    assert_eq!(list?, [ada(), ada()]);
    let (user, ()) = tokio::join!(get(), peer.answer(&["GET", "u"], bulk(r#"{"name":"Ada"}"#)));
    let error = user.expect_err("a field is missing");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("missing field `age`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn json_as_the_native_type() -> Result<()> {
    let config = Config::new().encoder(JsonEncoder::<User>::new());
    let (client, mut peer) = connected_as(config).await;
    let (set, ()) = tokio::join!(
        client.set("u", Json(&ada())),
        peer.answer(&["SET", "u", ADA], "+OK\r\n")
    );
    assert!(set?.is_some());
    let (user, ()) = tokio::join!(client.get("u"), peer.answer(&["GET", "u"], bulk(ADA)));
    assert_eq!(user?, Some(ada()));
    let (users, ()) = tokio::join!(
        client.mget_aslist(["u", "v"]),
        peer.answer(
            &["MGET", "u", "v"],
            [&b"*2\r\n"[..], &bulk(ADA), b"_\r\n"].concat()
        )
    );
    assert_eq!(users?, [Some(ada()), None]);
    // Text where the table says text.
    let (id, ()) = tokio::join!(
        client.xadd("s", [("f", Json(&ada()))]),
        peer.answer(&["XADD", "s", "*", "f", ADA], bulk("1-1"))
    );
    assert_eq!(id?, "1-1");
    Ok(())
}

#[tokio::test]
async fn a_call_may_have_another_reply_than_the_table_says() -> Result<()> {
    let (client, mut peer) = connected().await;
    let (bytes, ()) = tokio::join!(
        client.get("k").decode::<kind::Blob>(),
        peer.answer(&["GET", "k"], bulk(b"\xff"))
    );
    assert_eq!(bytes?, &b"\xff"[..]);
    let (number, ()) = tokio::join!(
        client.get("k").decode::<kind::Integer>(),
        peer.answer(&["GET", "k"], bulk("12"))
    );
    assert_eq!(number?, 12);
    let (tree, ()) = tokio::join!(
        client.lrange("l").decode::<kind::Value>(),
        peer.answer(&["LRANGE", "l", "0", "-1"], array(&["a"]))
    );
    assert_eq!(tree?, Value::Array(vec![Value::from("a")]));
    Ok(())
}

#[tokio::test]
async fn commands_that_are_in_no_table() -> Result<()> {
    let (client, mut peer) = connected().await;
    let custom = client.command("MY.SUM").key("k").arg(1.5).args(["a", "b"]);
    let (sum, ()) = tokio::join!(
        custom.readonly().reply::<kind::Float>(),
        peer.answer(&["MY.SUM", "k", "1.5", "a", "b"], ",2.5\r\n")
    );
    assert_eq!(sum?.to_string(), "2.5");
    // Without a kind it is a tree.
    let (tree, ()) = tokio::join!(
        client.command("MY INFO"),
        peer.answer(&["MY", "INFO"], resp("%1 +a :1"))
    );
    let pair = (Value::Status("a".to_owned()), Value::Integer(1));
    assert_eq!(tree?, Value::Map(vec![pair]));
    let (error, ()) = tokio::join!(
        client.command("MY INFO").reply::<kind::Native>(),
        peer.answer(&["MY", "INFO"], "-ERR unknown command 'MY'\r\n")
    );
    let error = error.expect_err("there is no such command");
    assert_eq!(error.to_string(), "MY: ERR unknown command 'MY'");
    let loud = client.with_encoder(Loud);
    let (number, ()) = tokio::join!(
        loud.command_of_its_own(),
        peer.answer(&["MY.CMD"], ":1\r\n")
    );
    assert_eq!(number?, 1);
    Ok(())
}

/// Commands of a user for everything that has commands.
trait OwnCommands: Executor {
    fn command_of_its_own(&self) -> impl Future<Output = Result<Self::Output<i64>>> {
        self.command("MY.CMD").reply::<kind::Integer>()
    }
}

impl<X: Executor> OwnCommands for X {}

/// A kind of a user: a number that says how many seconds it is.
struct Seconds;

impl<E: Encoder> ReplyKind<E> for Seconds {
    type Value = std::time::Duration;

    fn decode(reply: &mut redis_client::Decoder<'_>, _: E) -> Result<Self::Value, DecodeError> {
        let seconds = reply.integer()?;
        let seconds = u64::try_from(seconds).map_err(|error| DecodeError::Encoder(error.into()))?;
        Ok(std::time::Duration::from_secs(seconds))
    }
}

#[tokio::test]
async fn a_users_own_kind() -> Result<()> {
    let (client, mut peer) = connected().await;
    let (ttl, ()) = tokio::join!(
        client.ttl("k").decode::<Seconds>(),
        peer.answer(&["TTL", "k"], ":90\r\n")
    );
    assert_eq!(ttl?.as_secs(), 90);
    let (ttl, ()) = tokio::join!(
        client.ttl("k").decode::<Seconds>(),
        peer.answer(&["TTL", "k"], ":-1\r\n")
    );
    assert_eq!(ttl.map_err(|e| e.kind()), Err(ErrorKind::Decode));
    let (all, ()) = tokio::join!(
        client
            .command("ANY")
            .reply::<kind::Dict<kind::Text, kind::Nullable<Seconds>>>(),
        peer.answer(&["ANY"], resp("%2 $1 a :1 $1 b _"))
    );
    assert_eq!(all?.values().flatten().count(), 1);
    Ok(())
}
