//! From methods and arguments to bytes.

#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "what is borrowed is another type of argument"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use redis_client::prelude::*;
use redis_client::{Command, Flags, ReplyKind, Result, ToArg};
use serde::Serialize;

use crate::peer::{array, connected, started};

/// Makes calls that are never sent: what they would send is looked at instead.
struct Paper<E = Utf8>(E);

const PAPER: Paper = Paper(Utf8);

impl<E: Encoder> Executor for Paper<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = ();

    fn encoder(&self) -> E {
        self.0
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        _: &mut Command<'_>,
        (): &mut (),
        _: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        Poll::Pending
    }

    fn cancel(&self, (): &mut ()) {}
}

fn bytes<'a>(call: impl Request<'a> + 'a) -> BytesMut {
    let mut bytes = BytesMut::new();
    call.into_call().into_command().encode(&mut bytes);
    bytes
}

/// The call is these bytes: an array of these bulk strings.
#[track_caller]
fn assert_words<'a>(call: impl Request<'a> + 'a, words: &[impl AsRef<[u8]>]) {
    let (sent, expected) = (bytes(call), array(words));
    assert_eq!(
        sent.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

/// The same for words without blanks.
#[track_caller]
fn assert_line<'a>(call: impl Request<'a> + 'a, line: &str) {
    assert_words(call, &line.split(' ').collect::<Vec<_>>());
}

#[track_caller]
fn assert_echo<'a>(value: impl ToArg<'a, Utf8>, text: &str) {
    assert_words(PAPER.echo(value), &["ECHO", text]);
}

#[test]
fn the_bytes_of_a_command() {
    assert_eq!(
        bytes(PAPER.get("k")),
        &b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"[..]
    );
    // The words of a name are words on the wire.
    assert_eq!(
        bytes(PAPER.config_get("maxmemory")),
        &b"*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$9\r\nmaxmemory\r\n"[..]
    );
    assert_eq!(bytes(PAPER.ping()), &b"*1\r\n$4\r\nPING\r\n"[..]);
}

#[test]
fn strings() {
    let text = String::from("text");
    assert_echo("text", "text");
    assert_echo(&"text", "text");
    assert_echo(&text, "text");
    assert_echo(&&text, "text");
    assert_echo(text.clone(), "text");
    assert_echo(Box::<str>::from("text"), "text");
    assert_echo(&Box::<str>::from("text"), "text");
    assert_echo(Arc::<str>::from("text"), "text");
    assert_echo(&Arc::<str>::from("text"), "text");
    assert_echo(Cow::Borrowed("text"), "text");
    assert_echo(Cow::<str>::Owned(text), "text");
    assert_echo('ß', "ß");
    assert_echo("", "");
    assert_echo("blank and \r\n $5 \0", "blank and \r\n $5 \0");
    let large = "x".repeat(100_000);
    assert_echo(&large, &large);
}

#[test]
fn numbers_at_their_limits() {
    assert_echo(i8::MIN, "-128");
    assert_echo(u8::MAX, "255");
    assert_echo(i16::MIN, "-32768");
    assert_echo(u16::MAX, "65535");
    assert_echo(i32::MIN, "-2147483648");
    assert_echo(u32::MAX, "4294967295");
    assert_echo(i64::MIN, "-9223372036854775808");
    assert_echo(i64::MAX, "9223372036854775807");
    assert_echo(u64::MAX, "18446744073709551615");
    assert_echo(usize::MAX, &usize::MAX.to_string());
    assert_echo(isize::MIN, &isize::MIN.to_string());
    assert_echo(0, "0");
    assert_echo(&-7, "-7");
    assert_words(
        PAPER.incrby("n", i64::MIN),
        &["INCRBY", "n", "-9223372036854775808"],
    );
    assert_line(
        PAPER.setbit("b", 4_294_967_295, true),
        "SETBIT b 4294967295 1",
    );
    assert_line(PAPER.setbit("b", 0, false), "SETBIT b 0 0");
}

#[test]
fn floats_are_short_and_read_back_the_same() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-12.0, "-12"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.0 / 3.0, "0.3333333333333333"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (9_007_199_254_740_993.0, "9007199254740992"),
    ] {
        assert_echo(value, text);
        assert_words(PAPER.incrbyfloat("n", value), &["INCRBYFLOAT", "n", text]);
    }
    assert_echo(1.5f32, "1.5");
    // However an exponent is written, C and Rust read it.
    for value in [
        1e300,
        -1e300,
        1e16,
        1e21,
        1e-7,
        1.5e-300,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
    ] {
        let bytes = bytes(PAPER.echo(value));
        let text = String::from_utf8_lossy(&bytes);
        let word = text.lines().last().unwrap_or_default();
        assert_eq!(word.parse(), Ok(value), "{word}");
        assert!(word.len() <= 24, "{word}");
        let known = word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-+.e".contains(&byte));
        assert!(known, "{word}");
    }
}

#[test]
fn anything_with_bytes_for_a_raw_client() {
    let raw = Paper(Raw);
    let binary = *b"\xff\0\r\n";
    let expected = [&b"ECHO"[..], &binary];
    assert_words(raw.echo(&binary[..]), &expected);
    assert_words(raw.echo(&&binary[..]), &expected);
    assert_words(raw.echo(binary), &expected);
    assert_words(raw.echo(&binary), &expected);
    assert_words(raw.echo(b"\xff\0\r\n"), &expected);
    assert_words(raw.echo(binary.to_vec()), &expected);
    assert_words(raw.echo(&binary.to_vec()), &expected);
    assert_words(raw.echo(Box::<[u8]>::from(binary)), &expected);
    assert_words(raw.echo(Bytes::copy_from_slice(&binary)), &expected);
    assert_words(raw.echo(&Bytes::copy_from_slice(&binary)), &expected);
    assert_words(raw.echo(BytesMut::from(&binary[..])), &expected);
    assert_words(raw.echo(&BytesMut::from(&binary[..])), &expected);
    assert_words(raw.echo(Cow::Borrowed(&binary[..])), &expected);
    // And all that a text client takes.
    assert_words(raw.echo("text"), &["ECHO", "text"]);
    assert_words(raw.echo(String::new()), &["ECHO", ""]);
    assert_words(raw.echo(-1.5), &["ECHO", "-1.5"]);
    assert_words(raw.echo(Json([1, 2])), &["ECHO", "[1,2]"]);
    assert_words(raw.mset([(b"k", b"\xff")]), &[&b"MSET"[..], b"k", b"\xff"]);
    // What is text whatever the encoder is text here too.
    assert_words(raw.config_set("save", ""), &["CONFIG", "SET", "save", ""]);
}

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    age: u8,
}

#[test]
fn serde_types_as_json() {
    let ada = User {
        name: "Ada \"ö\"",
        age: 36,
    };
    let text = r#"{"name":"Ada \"ö\"","age":36}"#;
    assert_words(PAPER.set("u", Json(&ada)), &["SET", "u", text]);
    assert_words(
        Paper(JsonEncoder::<Vec<u8>>::new()).set("u", Json(&ada)),
        &["SET", "u", text],
    );
    assert_words(
        PAPER.rpush("l", [Json(1), Json(2)]),
        &["RPUSH", "l", "1", "2"],
    );
    assert_words(PAPER.mset([("a", Json(&ada))]), &["MSET", "a", text]);
    assert_echo(Json(()), "null");
    // What JSON has no words for.
    assert_echo(Json(HashMap::from([((1, 2), 3)])), "null");
}

#[test]
fn boundaries_of_scores() {
    fn min(boundary: impl Into<ZScoreBoundary>) -> BytesMut {
        bytes(PAPER.zcount("z", boundary, ZScoreBoundary::MAX))
    }
    for (sent, text) in [
        (min(1), "1"),
        (min(-2i8), "-2"),
        (min(u32::MAX), "4294967295"),
        (min(1.5), "1.5"),
        (min(f64::INFINITY), "inf"),
        (min(f64::NEG_INFINITY), "-inf"),
        (min(ZScoreBoundary::new(1.5).excluded()), "(1.5"),
        (min(ZScoreBoundary::new(-3.0).excluded()), "(-3"),
        (min(ZScoreBoundary::MIN), "-inf"),
        (min(ZScoreBoundary::MAX), "inf"),
        (min(ZScoreBoundary::MAX.excluded()), "(inf"),
    ] {
        let expected = array(&["ZCOUNT", "z", text, "inf"]);
        assert_eq!(
            sent.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }
    assert_line(
        PAPER.zrangebyscore("z"),
        "ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 0 -1",
    );
    assert_line(
        PAPER.zrange_byscore("z", 1, ZScoreBoundary::new(2.0).excluded()),
        "ZRANGE z 1 (2 BYSCORE WITHSCORES",
    );
}

#[test]
fn boundaries_of_members() {
    let call = PAPER.zrange_bylex("z", ZLexBoundary::MIN, ZLexBoundary::MAX);
    assert_line(call, "ZRANGE z - + BYLEX");
    let call = PAPER.zrange_bylex(
        "z",
        ZLexBoundary::included("a"),
        ZLexBoundary::excluded("b"),
    );
    assert_line(call, "ZRANGE z [a (b BYLEX");
    let call = PAPER.zrange_bylex("z", ZLexBoundary::included(""), ZLexBoundary::excluded(5));
    assert_line(call, "ZRANGE z [ (5 BYLEX");
    let raw = Paper(Raw);
    let call = raw.zrange_bylex("z", ZLexBoundary::included(b"\xff"), ZLexBoundary::MAX);
    assert_words(call, &[&b"ZRANGE"[..], b"z", b"[\xff", b"+", b"BYLEX"]);
}

#[test]
fn timeouts_of_blocking_commands() {
    let seconds: [(redis_client::options::Blpop<'_, Paper>, &str); 10] = [
        (PAPER.blpop(["l"]), "0"),
        (PAPER.blpop(["l"]).timeout(0), "0"),
        (PAPER.blpop(["l"]).timeout(5u64), "5"),
        (PAPER.blpop(["l"]).timeout(0.25), "0.25"),
        (PAPER.blpop(["l"]).timeout(2.0), "2"),
        (PAPER.blpop(["l"]).timeout(Duration::from_secs(7)), "7"),
        (
            PAPER.blpop(["l"]).timeout(Duration::from_millis(1500)),
            "1.5",
        ),
        (
            PAPER.blpop(["l"]).timeout(Duration::from_millis(1)),
            "0.001",
        ),
        (PAPER.blpop(["l"]).timeout(Duration::ZERO), "0"),
        (PAPER.blpop(["l"]).timeout(u64::MAX), "18446744073709551615"),
    ];
    for (call, text) in seconds {
        assert_words(call, &["BLPOP", "l", text]);
    }
    let milliseconds: [(redis_client::options::Xread<'_, Paper>, &str); 6] = [
        (PAPER.xread([("s", "$")]).block(0), "0"),
        (PAPER.xread([("s", "$")]).block(250), "250"),
        (
            PAPER.xread([("s", "$")]).block(Duration::from_secs(3)),
            "3000",
        ),
        // Never zero, which would be for ever.
        (
            PAPER.xread([("s", "$")]).block(Duration::from_micros(1)),
            "1",
        ),
        (PAPER.xread([("s", "$")]).block(0.5), "1"),
        (PAPER.xread([("s", "$")]).block(1.5), "2"),
    ];
    for (call, text) in milliseconds {
        assert_words(call, &["XREAD", "BLOCK", text, "STREAMS", "s", "$"]);
    }
}

#[test]
fn lists_of_arguments() {
    let expected = "MGET a b c";
    assert_line(PAPER.mget(["a", "b", "c"]), expected);
    assert_line(PAPER.mget(&["a", "b", "c"]), expected);
    assert_line(PAPER.mget(vec!["a", "b", "c"]), expected);
    assert_line(PAPER.mget(["a", "b", "c"].map(str::to_owned)), expected);
    assert_line(PAPER.mget(&["a", "b", "c"].map(str::to_owned)), expected);
    assert_line(PAPER.mget("a b c".split(' ')), expected);
    assert_line(
        PAPER.delete((1..=3).map(|n| format!("k{n}"))),
        "DEL k1 k2 k3",
    );
    // The number of keys comes first where the server wants it.
    assert_line(
        PAPER.sintercard(["a", "b"]).limit(3),
        "SINTERCARD 2 a b LIMIT 3",
    );
    assert_words(PAPER.eval("return 1"), &["EVAL", "return 1", "0"]);
}

#[test]
fn maps_of_arguments() {
    assert_line(PAPER.mset([("a", 1), ("b", 2)]), "MSET a 1 b 2");
    assert_line(PAPER.mset(&[("a", 1), ("b", 2)]), "MSET a 1 b 2");
    assert_line(PAPER.mset(vec![("a".to_owned(), 1.5)]), "MSET a 1.5");
    let map = BTreeMap::from([("a", "1"), ("b", "2")]);
    assert_line(PAPER.mset(&map), "MSET a 1 b 2");
    assert_line(PAPER.mset(map), "MSET a 1 b 2");
    let map = HashMap::from([("a".to_owned(), Json([1]))]);
    assert_line(PAPER.mset(map), "MSET a [1]");
    // The user's order is another one than the wire's.
    assert_line(
        PAPER.zadd("z", [("m", 1.5), ("n", f64::INFINITY)]),
        "ZADD z 1.5 m inf n",
    );
    assert_line(
        PAPER.zadd("z", &BTreeMap::from([("m".to_owned(), 2)])),
        "ZADD z 2 m",
    );
    assert_line(
        PAPER.xread([("a", "1-1"), ("b", "$")]),
        "XREAD STREAMS a b 1-1 $",
    );
}

#[test]
fn options_may_come_in_any_order() {
    let expected = "SET k v EX 60 NX GET";
    assert_line(
        PAPER.set("k", "v").expire(60).only_if_not_exists().get(),
        expected,
    );
    assert_line(
        PAPER.set("k", "v").expire(60).get().only_if_not_exists(),
        expected,
    );
    assert_line(
        PAPER.set("k", "v").only_if_not_exists().expire(60).get(),
        expected,
    );
    assert_line(
        PAPER.set("k", "v").only_if_not_exists().get().expire(60),
        expected,
    );
    assert_line(
        PAPER.set("k", "v").get().expire(60).only_if_not_exists(),
        expected,
    );
    assert_line(
        PAPER.set("k", "v").get().only_if_not_exists().expire(60),
        expected,
    );

    let scan = || PAPER.scan_part("0");
    let expected = "SCAN 0 MATCH a* COUNT 10 TYPE hash";
    assert_line(scan().match_("a*").count(10).type_("hash"), expected);
    assert_line(scan().type_("hash").count(10).match_("a*"), expected);
    assert_line(scan().count(10).type_("hash").match_("a*"), expected);

    let search = || {
        PAPER.geosearch(
            "g",
            GeoFrom::member("m"),
            GeoBy::radius(1.5, GeoUnit::Kilometers),
        )
    };
    let expected = "GEOSEARCH g FROMMEMBER m BYRADIUS 1.5 km ASC COUNT 3 ANY";
    assert_line(search().count(3).any().asc(), expected);
    assert_line(search().any().asc().count(3), expected);
    assert_line(search().asc().any().count(3), expected);

    let zrange = || PAPER.zrange("z");
    assert_line(
        zrange().stop(9).rev().start(2),
        "ZRANGE z 2 9 REV WITHSCORES",
    );
    assert_line(
        zrange().rev().start(2).stop(9),
        "ZRANGE z 2 9 REV WITHSCORES",
    );
    assert_line(zrange(), "ZRANGE z 0 -1 WITHSCORES");
}

#[test]
fn of_alternatives_the_last_one_counts() {
    let set = || PAPER.set("k", "v");
    assert_line(set().expire(60).pexpire(5), "SET k v PX 5");
    assert_line(set().pexpire(5).expire(60), "SET k v EX 60");
    assert_line(set().expire(60).keep_ttl(), "SET k v KEEPTTL");
    assert_line(
        set().keep_ttl().expireat(1_700_000_000),
        "SET k v EXAT 1700000000",
    );
    assert_line(set().only_if_exists().only_if_not_exists(), "SET k v NX");
    assert_line(
        set().only_if_not_exists().only_if_equal("old"),
        "SET k v IFEQ old",
    );
    assert_line(set().only_if_equal("old").only_if_exists(), "SET k v XX");
    // Once is enough, too.
    assert_line(set().expire(1).expire(2).get().get(), "SET k v EX 2 GET");
    let expire = PAPER.expire("k", 9).only_if_greater().only_if_less();
    assert_line(expire, "EXPIRE k 9 LT");
    assert_line(PAPER.sort("l").asc().desc().alpha(), "SORT l DESC ALPHA");
    assert_line(PAPER.shutdown(), "SHUTDOWN NOSAVE");
    assert_line(PAPER.shutdown().save(), "SHUTDOWN SAVE");
    assert_line(PAPER.shutdown().save().nosave(), "SHUTDOWN NOSAVE");
}

#[test]
fn options_that_repeat() {
    let sort = PAPER.sort("l").by("w_*").limit(0, 5).get(["#", "n_*->f"]);
    assert_line(sort, "SORT l BY w_* LIMIT 0 5 GET # GET n_*->f");
    let union = PAPER
        .zunionstore("d", ["a", "b"])
        .weights([1.0, 0.5])
        .aggregate(ZAggregate::Max);
    assert_line(union, "ZUNIONSTORE d 2 a b WEIGHTS 1 0.5 AGGREGATE MAX");
    let union = PAPER
        .zunionstore("d", ["a"])
        .aggregate(ZAggregate::Sum)
        .weights([3]);
    assert_line(union, "ZUNIONSTORE d 1 a WEIGHTS 3 AGGREGATE SUM");
    let eval = PAPER.eval("s").args(["x", "y"]).keys(["k"]);
    assert_line(eval, "EVAL s 1 k x y");
    let operations = [
        BitfieldOp::get("u8", "0"),
        BitfieldOp::incrby("i5", "#1", -3),
    ];
    assert_line(
        PAPER.bitfield("b", operations),
        "BITFIELD b GET u8 0 INCRBY i5 #1 -3",
    );
}

#[test]
fn options_change_what_a_command_is() {
    fn flags<'a>(call: impl Request<'a> + 'a) -> Flags {
        call.into_call().into_command().flags()
    }
    fn repeatable<'a>(call: impl Request<'a> + 'a) -> bool {
        call.into_call().into_command().is_repeatable()
    }
    fn blocks<'a>(call: impl Request<'a> + 'a) -> Option<Duration> {
        call.into_call().into_command().blocks_for()
    }
    assert!(flags(PAPER.get("k")).contains(Flags::READONLY));
    assert!(repeatable(PAPER.get("k")));
    assert!(!repeatable(PAPER.incr("k")));
    assert!(repeatable(PAPER.set("k", "v").expire(5)));
    assert!(!repeatable(PAPER.set("k", "v").only_if_not_exists()));
    assert!(!repeatable(PAPER.set("k", "v").only_if_exists().expire(5)));
    assert!(repeatable(PAPER.incr("k").repeatable()));
    assert!(!repeatable(PAPER.get("k").not_repeatable()));
    assert!(!repeatable(PAPER.command("ANY")));
    assert!(repeatable(PAPER.command("ANY").readonly()));

    assert_eq!(blocks(PAPER.get("k")), None);
    assert_eq!(blocks(PAPER.blpop(["l"])), Some(Duration::ZERO));
    assert_eq!(
        blocks(PAPER.blpop(["l"]).timeout(1.5)),
        Some(Duration::from_millis(1500))
    );
    assert_eq!(blocks(PAPER.xread([("s", "0")])), None);
    assert_eq!(
        blocks(PAPER.xread([("s", "0")]).block(250)),
        Some(Duration::from_millis(250))
    );
    assert_eq!(
        blocks(PAPER.command("ANY").blocking(2)),
        Some(Duration::from_secs(2))
    );
}

#[test]
fn keys_are_known() {
    fn keys<'a>(call: impl Request<'a> + 'a) -> Vec<String> {
        let mut keys = Vec::new();
        call.into_call().into_command().for_each_key(|key| {
            keys.push(String::from_utf8_lossy(key).into_owned());
        });
        keys
    }
    assert_eq!(keys(PAPER.ping()), [""; 0]);
    assert_eq!(keys(PAPER.set("k", "v").get()), ["k"]);
    assert_eq!(keys(PAPER.mset([("a", "1"), ("b", "2")])), ["a", "b"]);
    assert_eq!(keys(PAPER.zunionstore("d", ["a", "b"])), ["d", "a", "b"]);
    assert_eq!(
        keys(PAPER.eval("s").args(["x"]).keys(["a", "b"])),
        ["a", "b"]
    );
    assert_eq!(keys(PAPER.xread([("a", "0"), ("b", "0")])), ["a", "b"]);
    assert_eq!(keys(PAPER.sort("l").store("d")), ["l", "d"]);
    assert_eq!(
        keys(PAPER.command("ANY").arg("x").key("a").key(5)),
        ["a", "5"]
    );
}

#[test]
fn commands_that_are_in_no_table() {
    assert_line(PAPER.command("PING"), "PING");
    assert_line(
        PAPER.command("MY.CMD").key("k").arg(1).arg("x"),
        "MY.CMD k 1 x",
    );
    assert_line(PAPER.command("MY.CMD").arg("a").key("k"), "MY.CMD a k");
    assert_line(
        PAPER.command("MY CMD").args(["a", "b"]).arg(2.5),
        "MY CMD a b 2.5",
    );
    assert_line(PAPER.command("  MY   CMD "), "MY CMD");
    let binary = Paper(Raw);
    assert_words(binary.command("X").arg(b"\xff"), &[&b"X"[..], b"\xff"]);
}

#[tokio::test]
async fn options_that_need_others_are_checked_before_sending() -> Result<()> {
    let (client, mut peer) = connected().await;
    let mut errors = Vec::new();
    let search = || {
        client.geosearch(
            "g",
            GeoFrom::member("m"),
            GeoBy::radius(1, GeoUnit::Kilometers),
        )
    };
    errors.push((
        search().any().await.map(drop),
        "GEOSEARCH: `any` needs `count`: call `.count(…)` too",
    ));
    let hello = client.hello().auth("user", "hunter2").await.map(drop);
    errors.push((
        hello,
        "HELLO: `auth` needs `protover`: call `.protover(…)` too",
    ));
    let add = client
        .xadd("s", [("f", "v")])
        .approximately()
        .await
        .map(drop);
    errors.push((
        add,
        "XADD: `approximately` needs `trim`: call `.trim(…)` too",
    ));
    let nothing = client.command(" ").await.map(drop);
    errors.push((nothing, "the command has no name"));
    for (result, text) in errors {
        let error = result.expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert_eq!(error.to_string(), text);
    }
    peer.expect_silence().await;
    assert!(!client.in_use());

    let call = started(search().any().count(1)).await;
    let command = [
        "GEOSEARCH",
        "g",
        "FROMMEMBER",
        "m",
        "BYRADIUS",
        "1",
        "km",
        "COUNT",
        "1",
        "ANY",
    ];
    peer.answer(&command, "*0\r\n").await;
    assert!(call.await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn secrets_stay_out_of_debug() {
    let (client, _peer) = connected().await;
    for text in [
        format!("{:?}", client.auth("hunter2").into_call()),
        format!("{:?}", client.command("AUTH").arg("hunter2")),
        format!(
            "{:?}",
            client.set("k", "hunter2").into_call().into_command()
        ),
        format!("{client:?}"),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let text = format!("{:?}", client.get("k"));
    assert!(text.contains("GET"), "{text}");
}
