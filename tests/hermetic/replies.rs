//! From bytes to values: however the bytes are split, and whatever the protocol version.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use redis_client::commands::*;
use redis_client::kind::*;
use redis_client::prelude::{Config, Connection, ErrorKind, Executor, Outcome, Raw, Request, Utf8};
use redis_client::{Error, ReplyKind, Result, Value as Tree};

use crate::peer::{
    Peer, aggregate, bulk, connected, connected_as, connected_resp2, push, resp, settle, started,
};

/// What a command that replies these bytes gives.
async fn reply<K: ReplyKind<Utf8>>(bytes: impl AsRef<[u8]>) -> Result<K::Value> {
    let (client, mut peer) = connected().await;
    let call = started(client.command("ANY").reply::<K>()).await;
    peer.answer(&["ANY"], &bytes).await;
    let value = call.await;
    // Whatever came of it, the next reply is in its place.
    let next = started(client.get("next")).await;
    peer.answer(&["GET", "next"], bulk("v")).await;
    assert_eq!(
        next.await?.as_deref(),
        Some("v"),
        "after {}",
        bytes.as_ref().escape_ascii()
    );
    value
}

/// Each of these forms is the same value.
async fn same<K: ReplyKind<Utf8>>(value: K::Value, forms: &[&str])
where
    K::Value: PartialEq + Debug,
{
    for form in forms {
        match reply::<K>(resp(form)).await {
            Ok(decoded) => assert_eq!(decoded, value, "{form}"),
            Err(error) => panic!("{form}: {error}"),
        }
    }
}

/// None of these forms is a value of the kind.
async fn none<K: ReplyKind<Utf8>>(forms: &[&str]) -> String
where
    K::Value: Debug,
{
    let mut text = String::new();
    for form in forms {
        let error = reply::<K>(resp(form)).await.expect_err(form);
        assert_eq!(error.kind(), ErrorKind::Decode, "{form}");
        // The server did its part.
        assert_eq!(error.outcome(), Outcome::Executed, "{form}");
        text = error.to_string();
    }
    text
}

fn texts<C: FromIterator<String>>(texts: &[&str]) -> C {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn strings() {
    same::<Native>(
        "v".to_owned(),
        &["$1 v", "+v", "=5 txt:v", "|1 +ttl :3 $1 v"],
    )
    .await;
    same::<Native>(String::new(), &["$0 ", "+", "=4 txt:"]).await;
    same::<Text>("12".to_owned(), &["$2 12", ":12", "(12", ",12"]).await;
    same::<Blob>(Bytes::from("v"), &["$1 v", "+v", "=5 mkd:v"]).await;
    let text = none::<Native>(&["_", "#t", "~0", "%0", "*-1", "$-1", "*1 $1 v"]).await;
    assert_eq!(text, "ANY: the reply is an array, which is no string");
    none::<Text>(&["_", "*0"]).await;
    none::<Blob>(&["_", "*0"]).await;
}

#[tokio::test]
async fn statuses() -> Result<()> {
    for text in ["OK", "PONG", "Background saving started"] {
        for bytes in [format!("+{text}\r\n").into_bytes(), bulk(text)] {
            let status = reply::<StatusReply>(bytes).await?;
            assert_eq!(status, text);
            assert_eq!(status.to_string(), text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn numbers() {
    same::<Integer>(5, &[":5", "$1 5", "+5", "(5", ",5", ":+5"]).await;
    same::<Integer>(1, &["#t", ":1"]).await;
    for limit in [i64::MIN, i64::MAX] {
        same::<Integer>(limit, &[&format!(":{limit}"), &format!("({limit}")]).await;
    }
    none::<Integer>(&["$1 x", ",1.5", "(9223372036854775808", "$0 ", "*1 :1", "_"]).await;

    same::<Float>(1.5, &[",1.5", "$3 1.5", "+1.5", ",15e-1"]).await;
    same::<Float>(10.0, &[",10", "$2 10", ":10"]).await;
    same::<Float>(f64::INFINITY, &[",inf", "$3 inf", ",+inf"]).await;
    same::<Float>(f64::NEG_INFINITY, &[",-inf", "$4 -inf"]).await;
    none::<Float>(&["$1 x", "_", "*0", "#t"]).await;
    let nan = reply::<Float>(",nan\r\n").await;
    assert!(nan.is_ok_and(f64::is_nan));

    same::<Bool>(true, &["#t", ":1", "$1 1"]).await;
    same::<Bool>(false, &["#f", ":0", "$1 0"]).await;
    none::<Bool>(&[":2", "_", "$4 true"]).await;
}

#[tokio::test]
async fn nothing() {
    let nulls = ["_", "$-1", "*-1"];
    same::<Nullable<Native>>(None, &nulls).await;
    same::<Nullable<Integer>>(None, &nulls).await;
    same::<Nullable<List<Native>>>(None, &nulls).await;
    same::<List<Nullable<Native>>>(vec![None, None, None], &["*3 _ $-1 *-1"]).await;
    same::<Nullable<Native>>(Some("v".to_owned()), &["$1 v", "+v"]).await;
    same::<()>((), &["_", "$-1", "+OK", ":1", "*2 :1 *1 :2", "%1 :1 :2"]).await;

    // What a blocking command says when its timeout is over.
    for null in nulls {
        let errors = [
            reply::<BlockingPopReply>(resp(null)).await.err(),
            reply::<OrTimeout<Native>>(resp(null)).await.err(),
        ];
        for error in errors {
            let error = error.expect("nothing came");
            assert!(error.is_timeout());
            assert_eq!(error.outcome(), Outcome::Executed);
        }
    }
    same::<OrTimeout<Native>>("v".to_owned(), &["$1 v"]).await;
}

#[tokio::test]
async fn lists_and_sets() {
    let forms = [
        "*3 $1 a $1 b $1 c",
        "~3 $1 a $1 b $1 c",
        "*3 +a =5 txt:b $1 c",
    ];
    same::<List<Native>>(texts(&["a", "b", "c"]), &forms).await;
    same::<AsList<Native>>(texts(&["a", "b", "c"]), &forms).await;
    same::<Set<Native>>(texts(&["a", "b", "c"]), &forms).await;
    same::<AsSet<Native>>(texts(&["a", "b", "c"]), &forms).await;
    same::<List<Native>>(Vec::new(), &["*0", "~0"]).await;
    same::<List<List<Integer>>>(vec![vec![1], vec![], vec![2, 3]], &["*3 *1 :1 *0 ~2 :2 :3"]).await;
    none::<List<Native>>(&["$1 a", "_", ":1", "*1 *0"]).await;
    same::<Pair<Native, Integer>>(("a".to_owned(), 1), &["*2 $1 a :1", "*2 +a $1 1"]).await;
    none::<Pair<Native, Integer>>(&["*1 $1 a", "*0", "_"]).await;
}

#[tokio::test]
async fn maps() {
    let forms = [
        "%2 $1 a :1 $1 b :2",
        "*4 $1 a :1 $1 b :2",
        "*4 +a $1 1 +b $1 2",
        "*2 *2 $1 a :1 *2 $1 b :2",
    ];
    let pairs = vec![("a".to_owned(), 1), ("b".to_owned(), 2)];
    same::<Pairs<Native, Integer>>(pairs.clone(), &forms).await;
    same::<Dict<Native, Integer>>(pairs.clone().into_iter().collect(), &forms).await;
    same::<AsDict<Native, Integer>>(pairs.into_iter().collect(), &forms).await;
    same::<Dict<Native, Native>>(HashMap::new(), &["%0", "*0"]).await;
    // The values are arrays here: the shape of the keys decides.
    let lists = vec![("a".to_owned(), vec![1, 2])];
    let forms = [
        "%1 $1 a *2 :1 :2",
        "*2 $1 a *2 :1 :2",
        "*1 *2 $1 a *2 :1 :2",
    ];
    same::<Pairs<Native, List<Integer>>>(lists, &forms).await;
    none::<Dict<Native, Native>>(&["$1 a", ":1", "_"]).await;
}

#[tokio::test]
async fn small_streaming_replies() -> Result<()> {
    for form in ["*3 $1 a $1 b $1 c", "~3 $1 a $1 b $1 c"] {
        let list = reply::<ListReply>(resp(form)).await?;
        assert!(list.is_complete());
        assert_eq!(list.remaining(), 3);
        assert_eq!(list.aslist().await?, ["a", "b", "c"]);
        let mut set = reply::<SetReply>(resp(form)).await?;
        assert_eq!(set.next().await.transpose()?.as_deref(), Some("a"));
        assert_eq!(set.asset().await?, texts(&["b", "c"]));
    }
    for form in [
        "%2 $1 a $1 1 $1 b $1 2",
        "*4 $1 a $1 1 $1 b $1 2",
        "*2 *2 $1 a $1 1 *2 $1 b $1 2",
    ] {
        let mut dict = reply::<DictReply<Native, Integer>>(resp(form)).await?;
        assert_eq!(dict.next().await.transpose()?, Some(("a".to_owned(), 1)));
        assert_eq!(dict.next().await.transpose()?, Some(("b".to_owned(), 2)));
        assert!(dict.next().await.is_none());
        assert!(dict.next().await.is_none());
    }
    for form in [
        "*4 $1 a $3 1.5 $1 b $3 inf",
        "*2 *2 $1 a ,1.5 *2 $1 b ,inf",
        "%2 $1 a ,1.5 $1 b ,inf",
    ] {
        let scores = reply::<ZRangeReply>(resp(form)).await?;
        let expected = HashMap::from([("a".to_owned(), 1.5), ("b".to_owned(), f64::INFINITY)]);
        assert_eq!(scores.asdict().await?, expected);
        assert_eq!(
            reply::<ZRangeReply>(resp(form)).await?.aslist().await?,
            ["a", "b"]
        );
    }
    for form in ["*0", "~0", "%0"] {
        assert!(reply::<ListReply>(resp(form)).await?.next().await.is_none());
        assert!(
            reply::<DictReply>(resp(form))
                .await?
                .asdict()
                .await?
                .is_empty()
        );
    }
    // Half a pair is an error, and the end.
    let mut dict = reply::<DictReply>(resp("*3 $1 a $1 b $1 c")).await?;
    assert!(dict.next().await.is_some_and(|pair| pair.is_ok()));
    assert!(dict.next().await.is_some_and(|pair| pair.is_err()));
    assert!(dict.next().await.is_none());
    // Nothing is no empty list.
    none::<ListReply>(&["$1 a", "_", "*-1"]).await;
    same_none::<ListReply>(&["_", "*-1"]).await
}

async fn same_none<K: ReplyKind<Utf8>>(forms: &[&str]) -> Result<()> {
    for form in forms {
        assert!(reply::<Nullable<K>>(resp(form)).await?.is_none(), "{form}");
    }
    Ok(())
}

#[tokio::test]
async fn parsed_texts() -> Result<()> {
    let info = "# Server\r\nredis_version:8.6.0\r\n\r\n# Clients\r\nconnected_clients:3\r\n";
    for bytes in [bulk(info), verbatim(info)] {
        let reply = reply::<InfoReply>(bytes).await?;
        assert_eq!(reply.text("redis_version"), Some("8.6.0"));
        assert_eq!(reply.parse::<u32>("connected_clients"), Some(3));
        assert_eq!(reply.text("Server"), None);
        assert_eq!(reply.iter().count(), 2);
    }
    let list = "id=3 addr=127.0.0.1:5 name= cmd=get\nid=4 addr=[::1]:6 name=web cmd=client|list\n";
    for bytes in [bulk(list), verbatim(list)] {
        let clients = reply::<ClientListReply>(bytes).await?;
        assert_eq!(clients.len(), 2);
        let ids: Vec<_> = clients.iter().map(|client| client.id()).collect();
        assert_eq!(ids, [Some(3), Some(4)]);
        let names: Vec<_> = clients.iter().map(|client| client.text("name")).collect();
        assert_eq!(names, [Some(""), Some("web")]);
    }
    for form in ["%1 $4 save $0 ", "*2 $4 save $0 "] {
        let config = reply::<ConfigPairReply>(resp(form)).await?;
        assert_eq!(
            (config.parameter.as_str(), config.value.as_str()),
            ("save", "")
        );
        assert_eq!(config.get("save"), Some(""));
        assert_eq!(config.get("other"), None);
    }
    none::<ConfigPairReply>(&["*0", "%0"]).await;
    Ok(())
}

fn verbatim(text: &str) -> Vec<u8> {
    format!("={}\r\ntxt:{text}\r\n", text.len() + 4).into_bytes()
}

#[tokio::test]
async fn popped_and_scanned() -> Result<()> {
    let popped = reply::<BlockingPopReply>(resp("*2 $1 l $1 v")).await?;
    assert_eq!(
        (popped.list_name.as_str(), popped.value.as_str()),
        ("l", "v")
    );

    let part =
        reply::<ScanPart<List<Native>>>(resp("*2 $20 18446744073709551615 *2 $1 a $1 b")).await?;
    assert_eq!((part.cursor, part.items), (u64::MAX, texts(&["a", "b"])));
    for form in ["*2 $1 0 %1 $1 f $1 v", "*2 $1 0 *2 $1 f $1 v"] {
        let part = reply::<ScanPart<Dict<Native, Native>>>(resp(form)).await?;
        assert_eq!((part.cursor, part.items.len()), (0, 1));
    }
    Ok(())
}

#[tokio::test]
async fn scripts_return_what_they_like() -> Result<()> {
    let eval = reply::<EvalScriptReply>(resp("*2 $1 a :5")).await?;
    let tree = Tree::Array(vec![Tree::from("a"), Tree::from(5)]);
    assert_eq!(eval.return_value(), tree);
    assert_eq!(eval.list()?, ["a", "5"]);
    assert_eq!(eval.integer().map_err(|e| e.kind()), Err(ErrorKind::Decode));
    assert_eq!(reply::<EvalScriptReply>(":7\r\n").await?.integer()?, 7);
    assert!(
        reply::<EvalScriptReply>("_\r\n")
            .await?
            .return_value()
            .is_null()
    );
    let error = reply::<EvalScriptReply>("-ERR my own words\r\n").await;
    assert_eq!(
        error.expect_err("the script failed").message(),
        "ERR my own words"
    );
    Ok(())
}

#[tokio::test]
async fn trees() {
    let forms = [
        ("_", Tree::Null),
        ("$-1", Tree::Null),
        ("*-1", Tree::Null),
        ("+OK", Tree::Status("OK".to_owned())),
        (":-3", Tree::Integer(-3)),
        (",2.5", Tree::Double(2.5)),
        ("#f", Tree::Bool(false)),
        (
            "(123456789012345678901",
            Tree::BigNumber("123456789012345678901".to_owned()),
        ),
        ("=7 txt:abc", Tree::from("abc")),
        ("~1 :1", Tree::Set(vec![Tree::Integer(1)])),
        (
            "%1 +a *0",
            Tree::Map(vec![(Tree::Status("a".to_owned()), Tree::Array(vec![]))]),
        ),
        (
            "*2 -ERR|x :1",
            Tree::Array(vec![Tree::Error("ERR|x".to_owned()), Tree::Integer(1)]),
        ),
        ("*1 |1 +a :1 $1 v", Tree::Array(vec![Tree::from("v")])),
    ];
    for (form, value) in forms {
        same::<Value>(value, &[form]).await;
    }
    let bytes = Tree::Blob(Bytes::from_static(b"\xff\x00"));
    assert_eq!(reply::<Value>(bulk(b"\xff\x00")).await.ok(), Some(bytes));
}

#[tokio::test]
async fn replies_of_the_table() -> Result<()> {
    // HELLO: a map in RESP3, a flat array in RESP2, with a field that this version does not know.
    let fields = "$6 server $5 redis $7 version $5 8.6.0 $5 proto :3 $2 id :7 $4 mode $10 standalone $4 role \
                  $6 master $7 modules *0 $3 new *1 :1";
    for head in ["%8", "*16"] {
        let (client, mut peer) = connected().await;
        let call = started(client.hello()).await;
        peer.answer(&["HELLO"], resp(&format!("{head} {fields}")))
            .await;
        let hello = call.await?;
        assert_eq!(
            (hello.server.as_str(), hello.proto, hello.id),
            ("redis", 3, 7)
        );
        assert!(hello.modules.is_empty());
        assert_eq!(hello.availability_zone, None);
        assert_eq!(hello.other.len(), 1);
    }

    // XREAD: a map of streams in RESP3, an array of pairs in RESP2; the entries are arrays in both.
    let entries = "*2 *2 $3 1-1 *4 $1 f $1 1 $1 f $1 2 *2 $3 1-2 *-1";
    for head in ["%1 $1 s", "*1 *2 $1 s"] {
        let (client, mut peer) = connected().await;
        let call = started(client.xread([("s", "0")])).await;
        peer.answer(
            &["XREAD", "STREAMS", "s", "0"],
            resp(&format!("{head} {entries}")),
        )
        .await;
        let streams = call.await?.expect("there are entries");
        let (name, entries) = &streams[0];
        assert_eq!((name.as_str(), entries.len()), ("s", 2));
        assert_eq!(entries[0].id, "1-1");
        // A field may come twice, and a deleted entry has none.
        let pair = |value: &str| ("f".to_owned(), value.to_owned());
        assert_eq!(entries[0].fields, Some(vec![pair("1"), pair("2")]));
        assert_eq!(entries[1].fields, None);
    }
    Ok(())
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error_of_that_reply_alone() -> Result<()> {
    let (client, mut peer) = connected().await;
    let raw = client.with_encoder(Raw);
    let before = started(client.get("good")).await;
    let bad = started(client.get("bad")).await;
    let among_others = started(client.mget(["good", "bad"])).await;
    let bytes = started(raw.get("bad")).await;
    let after = started(client.get("good")).await;
    let replies = [
        bulk("v"),
        bulk(b"\xff\xfe"),
        aggregate('*', [bulk("v"), bulk(b"\xff\xfe"), bulk("w")]),
        bulk(b"\xff\xfe"),
        bulk("v"),
    ];
    for _ in &replies {
        peer.command().await;
    }
    peer.send(replies.concat()).await;

    assert_eq!(before.await?.as_deref(), Some("v"));
    let error = bad.await.expect_err("this is no text");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.outcome(), Outcome::Executed);
    assert_eq!(
        error.to_string(),
        "GET: the reply is not valid UTF-8; `with_encoder(Raw)` gives bytes"
    );
    let mut list = among_others.await?;
    assert_eq!(list.next().await.transpose()?, Some(Some("v".to_owned())));
    let error = list.next().await.transpose().expect_err("this is no text");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(list.next().await.transpose()?, Some(Some("w".to_owned())));
    assert!(list.next().await.is_none());
    assert_eq!(bytes.await?.as_deref(), Some(&b"\xff\xfe"[..]));
    assert_eq!(after.await?.as_deref(), Some("v"));
    assert!(client.is_connected());
    Ok(())
}

#[tokio::test]
async fn error_replies_keep_code_and_text() {
    let wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let killed = "ERR Error running script (call to f_1): @user_script:1: Script killed by user with SCRIPT KILL...";
    for (text, code, kind) in [
        (wrong_type, Some("WRONGTYPE"), ErrorKind::Server),
        ("ERR syntax error", Some("ERR"), ErrorKind::Server),
        (
            "MOVED 3999 127.0.0.1:6381",
            Some("MOVED"),
            ErrorKind::Server,
        ),
        (
            "NOSCRIPT No matching script.",
            Some("NOSCRIPT"),
            ErrorKind::Server,
        ),
        (
            "EXECABORT Transaction discarded",
            Some("EXECABORT"),
            ErrorKind::Transaction,
        ),
        (
            "NOTBUSY No scripts in execution right now.",
            Some("NOTBUSY"),
            ErrorKind::NoRunningScript,
        ),
        (
            "NOAUTH Authentication required.",
            Some("NOAUTH"),
            ErrorKind::Authentication,
        ),
        (killed, Some("ERR"), ErrorKind::ScriptKilled),
        ("my script's own words", None, ErrorKind::Server),
        ("CODE", Some("CODE"), ErrorKind::Server),
        ("", None, ErrorKind::Server),
    ] {
        let simple = format!("-{text}\r\n");
        let blob = format!("!{}\r\n{text}\r\n", text.len());
        let attribute = format!("|1\r\n+a\r\n:1\r\n-{text}\r\n");
        for bytes in [simple, blob, attribute] {
            for error in [
                reply::<Native>(&bytes).await.expect_err(text),
                reply::<Integer>(&bytes).await.expect_err(text),
                reply::<ListReply>(&bytes).await.map(drop).expect_err(text),
                reply::<Nullable<Native>>(&bytes).await.expect_err(text),
                reply::<Value>(&bytes).await.expect_err(text),
                reply::<()>(&bytes).await.expect_err(text),
            ] {
                assert_eq!(
                    (error.message(), error.code(), error.kind()),
                    (text, code, kind)
                );
                assert_eq!(error.outcome(), Outcome::Rejected);
                assert_eq!(error.to_string(), format!("ANY: {text}"));
                assert_eq!(error.command(), Some("ANY"));
            }
        }
    }
    // Not UTF-8, as a script can have it.
    let error = reply::<Native>(b"-ERR \xff\r\n")
        .await
        .expect_err("an error");
    assert_eq!(error.message(), "ERR \u{fffd}");
}

#[tokio::test]
async fn errors_within_replies() -> Result<()> {
    let bytes = "*3\r\n$1\r\na\r\n-WRONGTYPE no\r\n$1\r\nb\r\n";
    for error in [
        reply::<List<Native>>(bytes)
            .await
            .expect_err("an element is an error"),
        reply::<AsList<Nullable<Native>>>(bytes)
            .await
            .expect_err("an element is an error"),
        collected(reply::<ListReply>(bytes).await?)
            .await
            .expect_err("an element is an error"),
    ] {
        assert_eq!(
            (error.code(), error.message()),
            (Some("WRONGTYPE"), "WRONGTYPE no")
        );
        assert_eq!(error.kind(), ErrorKind::Server);
    }
    // One by one, the others are there.
    let mut list = reply::<ListReply>(bytes).await?;
    assert_eq!(list.next().await.transpose()?.as_deref(), Some("a"));
    let error = list
        .next()
        .await
        .transpose()
        .expect_err("an element is an error");
    assert_eq!(error.code(), Some("WRONGTYPE"));
    assert_eq!(list.next().await.transpose()?.as_deref(), Some("b"));
    assert!(list.next().await.is_none());

    let bytes = "%2\r\n$1\r\na\r\n!6\r\nERR no\r\n$1\r\nb\r\n:2\r\n";
    let mut dict = reply::<DictReply<Native, Integer>>(bytes).await?;
    let error = dict
        .next()
        .await
        .transpose()
        .expect_err("a value is an error");
    assert_eq!(error.message(), "ERR no");
    assert_eq!(dict.next().await.transpose()?, Some(("b".to_owned(), 2)));
    assert!(dict.next().await.is_none());
    Ok(())
}

async fn collected(list: redis_client::ListReply<String>) -> Result<Vec<String>, Error> {
    list.aslist().await
}

/// Calls of many kinds, all under way at once, and the bytes that answer them.
struct Mixture {
    client: Connection,
    peer: Peer,
    resp3: bool,
}

impl Mixture {
    async fn new(resp3: bool) -> Self {
        let (client, peer) = if resp3 {
            connected().await
        } else {
            connected_resp2().await
        };
        Self {
            client,
            peer,
            resp3,
        }
    }

    fn replies(&self) -> Vec<Vec<u8>> {
        let forms = if self.resp3 {
            [
                "+PONG",
                "$5 value",
                "_",
                ":-12",
                "~2 $1 a $0 ",
                "%1 $1 f *1 $1 v",
                "*1 *2 $1 m ,1.5",
                "-ERR|no",
            ]
        } else {
            [
                "+PONG",
                "$5 value",
                "$-1",
                ":-12",
                "*2 $1 a $0 ",
                "*2 $1 f *1 $1 v",
                "*2 $1 m $3 1.5",
                "-ERR|no",
            ]
        };
        forms.map(resp).to_vec()
    }

    /// Makes the calls, has them answered, and checks what they give.
    async fn run(mut self, answer: impl AsyncFnOnce(&mut Peer)) -> Result<()> {
        let client = &self.client;
        let ping = started(client.ping()).await;
        let value = started(client.get("k")).await;
        let nothing = started(client.get("none")).await;
        let number = started(client.decr("n")).await;
        let members = started(client.smembers_asset("s")).await;
        let fields = started(client.command("ANY").reply::<Dict<Native, List<Native>>>()).await;
        let scores = started(client.zrange("z")).await;
        let error = started(client.incr("k")).await;
        for _ in 0..8 {
            self.peer.command().await;
        }
        answer(&mut self.peer).await;
        assert_eq!(ping.await?, "PONG");
        assert_eq!(value.await?.as_deref(), Some("value"));
        assert_eq!(nothing.await?, None);
        assert_eq!(number.await?, -12);
        assert_eq!(members.await?, texts(&["a", ""]));
        assert_eq!(fields.await?.remove("f"), Some(texts(&["v"])));
        assert_eq!(
            scores.await?.asdict().await?,
            HashMap::from([("m".to_owned(), 1.5)])
        );
        assert_eq!(
            error.await.expect_err("the server said no").message(),
            "ERR|no"
        );
        assert!(!client.in_use());
        Ok(())
    }
}

#[tokio::test]
async fn replies_may_be_split_anywhere() -> Result<()> {
    for resp3 in [false, true] {
        let bytes = Mixture::new(resp3).await.replies().concat();
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let answer = async |peer: &mut Peer| {
                peer.send(first).await;
                settle().await;
                peer.send(second).await;
            };
            Mixture::new(resp3).await.run(answer).await?;
        }
        let one_by_one = async |peer: &mut Peer| {
            for byte in bytes {
                peer.send([byte]).await;
                settle().await;
            }
        };
        Mixture::new(resp3).await.run(one_by_one).await?;
    }
    Ok(())
}

#[tokio::test]
async fn pushes_may_come_between_any_replies() -> Result<()> {
    let large = "x".repeat(100_000);
    for message in [
        push(&[]),
        push(&["invalidate", "k"]),
        push(&["message", "channel", &large]),
        resp("|1 +a :1 >2 +server *2 $1 a _"),
    ] {
        let replies = Mixture::new(true).await.replies();
        let between = replies.iter().flat_map(|reply| [&message, reply]);
        let bytes: Vec<u8> = between.chain([&message]).flatten().copied().collect();
        let at_once = async |peer: &mut Peer| peer.send(&bytes).await;
        Mixture::new(true).await.run(at_once).await?;
        let in_pieces = async |peer: &mut Peer| {
            for piece in bytes.chunks(bytes.len() / 97 + 1) {
                peer.send(piece).await;
                settle().await;
            }
        };
        Mixture::new(true).await.run(in_pieces).await?;
    }
    Ok(())
}

#[tokio::test]
async fn pushes_come_while_nothing_is_asked() -> Result<()> {
    let (client, mut peer) = connected().await;
    for _ in 0..3 {
        peer.send(push(&["invalidate", "k"])).await;
        settle().await;
        let call = started(client.get("k")).await;
        peer.answer(&["GET", "k"], bulk("v")).await;
        assert_eq!(call.await?.as_deref(), Some("v"));
    }
    Ok(())
}

#[tokio::test]
async fn a_command_without_a_reply_takes_no_others() -> Result<()> {
    let (client, mut peer) = connected().await;
    let _subscribe = started(client.command("SUBSCRIBE").arg("channel")).await;
    let call = started(client.get("k").reply_timeout(Duration::from_millis(300))).await;
    let serving = async {
        let mut command = peer.command().await.unwrap_or_default();
        if command == [b"SUBSCRIBE".as_slice(), b"channel"] {
            peer.push(&["subscribe", "channel"]).await;
            command = peer.command().await.unwrap_or_default();
        }
        assert_eq!(command, [b"GET".as_slice(), b"k"]);
        peer.send(bulk("v")).await;
    };
    let (value, ()) = tokio::join!(call, serving);
    assert_eq!(value?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn large_writes_do_not_wait_for_large_reads() -> Result<()> {
    let (client, mut peer) = connected().await;
    let large = "x".repeat(1_000_000);
    let mut echoes = Vec::new();
    for _ in 0..4 {
        echoes.push(started(client.echo(large.as_str())).await);
    }
    // The peer writes all of its first answer before it reads on.
    let echoing = async {
        for _ in 0..4 {
            peer.answer(&["ECHO", &large], bulk(&large)).await;
        }
    };
    let (values, ()) = tokio::join!(futures_util::future::try_join_all(echoes), echoing);
    assert!(values?.iter().all(|value| *value == large));
    Ok(())
}

/// A peer that answers every ECHO, until its client is gone.
async fn echo(mut peer: Peer) {
    while let Some(command) = peer.command().await {
        peer.send(bulk(&command[1])).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_of_many_threads_get_their_own_replies() {
    // Few may be under way at once, so that there is waiting and granting as well.
    let (client, peer) = connected_as(Config::new().max_in_flight(7)).await;
    let peer = tokio::spawn(echo(peer));
    let tasks = (0..32).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for number in 0..100 {
                let text = format!("{task}-{number}");
                // Some are dropped: at once, after a poll, or when the reply may be on its way.
                let mut call = started(client.echo(text.as_str())).await;
                match number % 5 {
                    0 => drop(call),
                    1 => {
                        settle().await;
                        call.is_ready().await;
                        drop(call);
                    }
                    _ => assert_eq!(call.await.ok(), Some(text)),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every task got its own replies");
    }
    drop(client);
    peer.await.expect("the client sent whole commands");
}

#[tokio::test]
async fn calls_of_many_tasks_get_their_own_replies() -> Result<()> {
    let (client, mut peer) = connected().await;
    let calls = (0..500).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            client
                .echo(number)
                .await
                .map(|echo| echo == number.to_string())
        })
    });
    let calls: Vec<_> = calls.collect();
    let echoing = async {
        for _ in 0..calls.len() {
            let command = peer.command().await.expect("a command");
            peer.send(bulk(&command[1])).await;
        }
    };
    echoing.await;
    for call in calls {
        assert!(call.await.expect("no panic")?);
    }
    Ok(())
}
