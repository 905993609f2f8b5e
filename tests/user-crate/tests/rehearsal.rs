//! What is sent, which keys it has, and what is made of the replies: without a server.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use redis_client::bytes::{Bytes, BytesMut};
use redis_client::prelude::*;
use redis_client::resp::Frame;
use redis_client::{Command, Decoder, Flags, ReplyKind, Result};
use redis_user_crate::{
    ComparisonCommands, LifeTimeCommands, SearchCommands, StreamRepairCommands, args::Distance,
    replies::Alignment,
};

/// Notes down commands, and gives to each the same reply.
struct Rehearsal {
    reply: &'static str,
    sent: Mutex<Vec<Sent>>,
}

/// A command as one line, and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    line: String,
    keys: Vec<String>,
    is_repeatable: bool,
}

impl Executor for Rehearsal {
    type Encoder = Utf8;
    type Output<T> = T;
    type Ticket = ();

    fn encoder(&self) -> Utf8 {
        Utf8
    }

    fn poll_call<R: ReplyKind<Utf8>>(
        &self,
        command: &mut Command<'_>,
        (): &mut (),
        _: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        let mut bytes = BytesMut::new();
        command.encode(&mut bytes);
        // Every second line is a length.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let words: Vec<&str> = text.lines().skip(2).step_by(2).collect();
        let mut keys = Vec::new();
        command.for_each_key(|key| keys.push(String::from_utf8_lossy(key).into_owned()));
        self.sent.lock().expect("one thread").push(Sent {
            line: words.join(" "),
            keys,
            is_repeatable: command
                .flags()
                .intersects(Flags::READONLY.union(Flags::IDEMPOTENT)),
        });
        let frame = Frame::from(Bytes::from_static(self.reply.as_bytes()));
        let value = R::decode(&mut Decoder::new(&frame), Utf8);
        Poll::Ready(Ok(value.expect("the reply is of this kind")))
    }

    fn cancel(&self, (): &mut ()) {}
}

fn replying(reply: &'static str) -> Rehearsal {
    Rehearsal {
        reply,
        sent: Mutex::new(Vec::new()),
    }
}

/// The value of a call that is done at once.
fn value<T>(call: impl Future<Output = Result<T>>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Ready(Err(error)) => panic!("{error}"),
        Poll::Pending => panic!("a rehearsal never waits"),
    }
}

impl Rehearsal {
    /// The last command: words, keys in brackets, and whether it may be repeated.
    fn sent(&self) -> String {
        let sent = self.sent.lock().expect("one thread");
        let Sent {
            line,
            keys,
            is_repeatable,
        } = sent.last().expect("a command");
        let mut text = format!("{line} {keys:?}");
        if *is_repeatable {
            write!(text, " repeatable").expect("it fits");
        }
        text
    }
}

#[test]
fn keys() {
    let client = replying("$6\r\nmytext\r\n");
    assert_eq!(value(client.lcs("a", "b")), "mytext");
    assert_eq!(client.sent(), r#"LCS a b ["a", "b"] repeatable"#);
}

#[test]
fn a_counted_list_of_keys() {
    let client = replying(":2\r\n");
    assert_eq!(value(client.zintercard(["a", "b"]).limit(5)), 2);
    assert_eq!(
        client.sent(),
        r#"ZINTERCARD 2 a b LIMIT 5 ["a", "b"] repeatable"#
    );
    value(client.zintercard(vec![String::from("x")]));
    assert_eq!(client.sent(), r#"ZINTERCARD 1 x ["x"] repeatable"#);
}

#[test]
fn counted_pairs_and_flags() {
    let client = replying(":1\r\n");
    assert!(value(client.msetex([("a", "1"), ("b", "2")]).expire(60)));
    assert_eq!(
        client.sent(),
        r#"MSETEX 2 a 1 b 2 EX 60 ["a", "b"] repeatable"#
    );
    value(client.msetex([("a", 1)]).only_if_none_exists());
    assert_eq!(client.sent(), r#"MSETEX 1 a 1 NX ["a"]"#);
}

#[test]
fn alternatives_exclude_each_other() {
    let client = replying("*1\r\n:1\r\n");
    let call = client
        .hpexpire("h", 5, ["f", "g"])
        .only_if_none()
        .only_if_longer();
    assert_eq!(value(call), [1]);
    assert_eq!(client.sent(), r#"HPEXPIRE h 5 GT FIELDS 2 f g ["h"]"#);
}

#[test]
fn an_enum() {
    let client = replying("*1\r\n$7\r\nCatania\r\n");
    let near = value(client.georadius_ro("sicily", 15, 37.5, 100, Distance::Kilometres));
    assert_eq!(near, ["Catania"]);
    assert_eq!(
        client.sent(),
        r#"GEORADIUS_RO sicily 15 37.5 100 km ["sicily"] repeatable"#
    );
}

#[test]
fn the_collected_variant_of_a_streaming_reply() {
    let client = replying("*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    assert_eq!(
        value(client.sort_ro_aslist("l").alpha().limit(0, 2)),
        ["a", "b"]
    );
    assert_eq!(
        client.sent(),
        r#"SORT_RO l LIMIT 0 2 ALPHA ["l"] repeatable"#
    );
}

#[test]
fn an_option_changes_the_reply() {
    let client = replying(":6\r\n");
    assert_eq!(value(client.lcs("a", "b").length()), 6);
    assert_eq!(client.sent(), r#"LCS a b LEN ["a", "b"] repeatable"#);
}

/// By position and by name, in both protocols.
#[test]
fn reply_structs() {
    for reply in [
        "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
        "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
    ] {
        let client = replying(reply);
        let alignment: Alignment = value(client.lcs("a", "b").with_lengths().alignment());
        assert_eq!((alignment.length, alignment.other.len()), (6, 0));
        let [part] = &alignment.matches[..] else {
            panic!("{alignment:?}")
        };
        assert_eq!(
            (part.first, part.second, part.length),
            ((4, 7), (5, 8), Some(4))
        );
        assert_eq!(
            client.sent(),
            r#"LCS a b IDX WITHMATCHLEN ["a", "b"] repeatable"#
        );
    }
}

#[test]
fn text_and_a_status() {
    let client = replying("+OK\r\n");
    assert_eq!(value(client.xsetid("s", "7-0").max_deleted_id("6-0")), "OK");
    assert_eq!(client.sent(), r#"XSETID s 7-0 MAXDELETEDID 6-0 ["s"]"#);
}

/// The same traits are on what the client itself can call commands on.
#[test]
fn everything_with_commands_has_these_too() {
    fn has_all<X: redis_user_crate::Commands>() {}
    has_all::<Rehearsal>();
    has_all::<Connection>();
    has_all::<Pool>();
    has_all::<Pipeline>();
    has_all::<Transaction>();
}
