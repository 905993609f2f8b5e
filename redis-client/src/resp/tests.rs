//! Any tree of RESP2 and RESP3, and anything else that a socket may bring.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a check that fails ends the test"
)]

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::{Decoder, Frame, ReplyLimits, Scanner, Shape, Value, probe};
use crate::encoder::Raw;
use crate::kind;

/// A reply as the server means it.
#[derive(Debug, Clone)]
enum Tree {
    /// As RESP2 has it in place of a string, in place of an array, and as RESP3 has it.
    Null(&'static str),
    Status(String),
    Error(String),
    BulkError(String),
    Integer(i64),
    Double(f64),
    Bool(bool),
    BigNumber(String),
    String(Vec<u8>),
    Verbatim(String),
    Array(Vec<Tree>),
    Push(Vec<Tree>),
    Set(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    Attribute(Vec<(Tree, Tree)>, Box<Tree>),
}

impl Tree {
    fn encode(&self, out: &mut Vec<u8>) {
        fn bulk(out: &mut Vec<u8>, tag: char, bytes: &[u8]) {
            out.extend_from_slice(format!("{tag}{}\r\n", bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        let mut line = |text: String| out.extend_from_slice((text + "\r\n").as_bytes());
        match self {
            Self::Null(text) => line((*text).to_owned()),
            Self::Status(text) => line(format!("+{text}")),
            Self::Error(text) => line(format!("-{text}")),
            Self::Integer(value) => line(format!(":{value}")),
            Self::Double(value) => line(format!(",{value}")),
            Self::Bool(value) => line(format!("#{}", if *value { 't' } else { 'f' })),
            Self::BigNumber(text) => line(format!("({text}")),
            Self::BulkError(text) => bulk(out, '!', text.as_bytes()),
            Self::String(bytes) => bulk(out, '$', bytes),
            Self::Verbatim(text) => bulk(out, '=', format!("txt:{text}").as_bytes()),
            Self::Array(items) | Self::Push(items) | Self::Set(items) => {
                let tag = match self {
                    Self::Array(_) => '*',
                    Self::Push(_) => '>',
                    _ => '~',
                };
                line(format!("{tag}{}", items.len()));
                items.iter().for_each(|item| item.encode(out));
            }
            Self::Map(pairs) => {
                line(format!("%{}", pairs.len()));
                encode_pairs(pairs, out);
            }
            Self::Attribute(pairs, of) => {
                line(format!("|{}", pairs.len()));
                encode_pairs(pairs, out);
                of.encode(out);
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }

    fn value(&self) -> Value {
        let values = |items: &[Tree]| items.iter().map(Self::value).collect();
        match self {
            Self::Null(_) => Value::Null,
            Self::Status(text) => Value::Status(text.clone()),
            Self::Error(text) | Self::BulkError(text) => Value::Error(text.clone()),
            Self::Integer(value) => Value::Integer(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Bool(value) => Value::Bool(*value),
            Self::BigNumber(text) => Value::BigNumber(text.clone()),
            Self::String(bytes) => match str::from_utf8(bytes) {
                Ok(text) => Value::from(text),
                Err(_) => Value::Blob(Bytes::copy_from_slice(bytes)),
            },
            Self::Verbatim(text) => Value::from(text.as_str()),
            Self::Array(items) | Self::Push(items) => Value::Array(values(items)),
            Self::Set(items) => Value::Set(values(items)),
            Self::Map(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| (key.value(), value.value()));
                Value::Map(pairs.collect())
            }
            Self::Attribute(_, of) => of.value(),
        }
    }

    /// The elements of an aggregate, after its attributes.
    fn elements(&self) -> Option<Vec<Value>> {
        match self.value() {
            Value::Array(items) | Value::Set(items) => Some(items),
            Value::Map(pairs) => Some(pairs.into_iter().flat_map(<[Value; 2]>::from).collect()),
            _ => None,
        }
    }
}

fn encode_pairs(pairs: &[(Tree, Tree)], out: &mut Vec<u8>) {
    for (key, value) in pairs {
        key.encode(out);
        value.encode(out);
    }
}

fn leaf() -> impl Strategy<Value = Tree> {
    let line = || "[^\r\n]{0,12}";
    prop_oneof![
        prop::sample::select(&["$-1", "*-1", "_"][..]).prop_map(Tree::Null),
        line().prop_map(Tree::Status),
        line().prop_map(Tree::Error),
        "\\PC{0,12}".prop_map(Tree::BulkError),
        any::<i64>().prop_map(Tree::Integer),
        any::<f64>().prop_map(Tree::Double),
        prop::sample::select(&[f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.0][..])
            .prop_map(Tree::Double),
        any::<bool>().prop_map(Tree::Bool),
        "-?[1-9][0-9]{19,40}".prop_map(Tree::BigNumber),
        ".{0,12}".prop_map(|text| Tree::String(text.into_bytes())),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Tree::String),
        // Long enough to stay a slice of what was received.
        prop::collection::vec(any::<u8>(), 4090..4100).prop_map(Tree::String),
        ".{0,12}".prop_map(Tree::Verbatim),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..6);
        let pairs = || prop::collection::vec((inner.clone(), inner.clone()), 0..4);
        prop_oneof![
            3 => list().prop_map(Tree::Array),
            1 => list().prop_map(Tree::Set),
            2 => pairs().prop_map(Tree::Map),
            1 => (pairs(), inner.clone()).prop_map(|(pairs, of)| Tree::Attribute(pairs, Box::new(of))),
        ]
    })
}

/// A frame: a reply or a push message.
fn message() -> impl Strategy<Value = Tree> {
    prop_oneof![
        5 => tree(),
        1 => prop::collection::vec(tree(), 1..4).prop_map(Tree::Push),
    ]
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        prop::collection::vec(1..5usize, 0..200),
        prop::collection::vec(1..300usize, 0..30),
    ]
}

/// What no server sends, but looks like it.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(
        &[
            "*",
            "$",
            "%",
            "~",
            ">",
            "|",
            "+",
            "-",
            ":",
            "_",
            ",",
            "#",
            "(",
            "=",
            "!",
            "0",
            "1",
            "2",
            "3",
            "-1",
            "?",
            "\r\n",
            "\r\n",
            "\r\n",
            "\r",
            "\n",
            "OK",
            "t",
            "_\r\n",
            ":1\r\n",
            "*1\r\n",
            "*2\r\n",
            "$1\r\na\r\n",
            "|1\r\n",
            "%1\r\n",
            "~1\r\n",
            "inf",
            "nan",
            "99999",
            "4294967296",
            "9223372036854775807",
        ][..],
    );
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

/// A frame with a few bytes changed, or without its end.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (message(), changes, any::<prop::sample::Index>()).prop_map(|(tree, changes, end)| {
        let mut bytes = tree.bytes();
        for (index, byte) in changes {
            let len = bytes.len();
            bytes[index.index(len)] = byte;
        }
        bytes.truncate(end.index(2 * bytes.len()));
        bytes
    })
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100),
        soup(),
        damaged(),
    ]
}

proptest! {
    #[test]
    fn a_tree_survives_any_split(trees in prop::collection::vec(message(), 1..4), pieces in pieces()) {
        let bytes: Vec<u8> = trees.iter().flat_map(Tree::bytes).collect();
        let mut expected = trees.iter();
        let mut scanner = Scanner::new(ReplyLimits::default());
        let mut buffer = BytesMut::new();
        let mut rest = &bytes[..];
        for piece in pieces.into_iter().chain([usize::MAX]) {
            let (piece, after) = rest.split_at(piece.min(rest.len()));
            rest = after;
            buffer.extend_from_slice(piece);
            while let Some(end) = scanner.scan(&buffer).unwrap() {
                let tree = expected.next().unwrap();
                let frame = Frame::from(buffer.split_to(end).freeze());
                prop_assert_eq!(frame.bytes().escape_ascii().to_string(), tree.bytes().escape_ascii().to_string());
                let mut decoder = Decoder::new(&frame);
                let value = decoder.value().unwrap();
                prop_assert_eq!(decoder.position(), end);
                // Not a number is not equal to itself, but is written the same.
                prop_assert_eq!(format!("{value:?}"), format!("{:?}", tree.value()));
                prop_assert_eq!(decoder.shape(), Shape::End);
                scanner.reset();
            }
        }
        prop_assert!(expected.next().is_none());
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn an_aggregate_is_cut_between_its_elements(tree in message(), pieces in pieces()) {
        let Some(expected) = tree.elements() else { return Ok(()) };
        let bytes = tree.bytes();
        let mut scanner = Scanner::new(ReplyLimits::default());
        let mut buffer = BytesMut::new();
        let mut rest = &bytes[..];
        let mut values = Vec::new();
        let mut begun = false;
        for piece in pieces.into_iter().chain([usize::MAX]) {
            let (piece, after) = rest.split_at(piece.min(rest.len()));
            rest = after;
            buffer.extend_from_slice(piece);
            let mut end = scanner.scan(&buffer).unwrap();
            if let Some(top) = scanner.top().filter(|_| !begun) {
                prop_assert_eq!(top.len, expected.len() as u64);
                let header = buffer.split_to(top.body);
                prop_assert_eq!(header.get(top.at).copied(), Some(top.tag));
                scanner.continue_at(top.body);
                end = end.map(|end| end - top.body);
                begun = true;
            }
            let (boundary, left) = scanner.boundary();
            if begun && boundary > 0 {
                let chunk = Frame::from(buffer.split_to(boundary).freeze());
                scanner.continue_at(boundary);
                let mut decoder = Decoder::new(&chunk);
                while decoder.position() < boundary {
                    values.push(decoder.value().unwrap());
                }
                // Pairs stay together where there are pairs.
                prop_assert_eq!(left % 2, 0);
                prop_assert_eq!(values.len() as u64 + left, expected.len() as u64);
            }
            if end.is_some() {
                break;
            }
        }
        prop_assert_eq!(format!("{values:?}"), format!("{expected:?}"));
        prop_assert!(buffer.is_empty() && rest.is_empty());
    }

    #[test]
    fn every_kind_takes_or_refuses_every_reply(tree in message(), pieces in pieces()) {
        probe::replies(ReplyLimits::default(), &tree.bytes(), pieces.into_iter());
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in anything(),
        pieces in pieces(),
        frame in prop_oneof![Just(1 << 30), 1..200usize],
        depth in prop_oneof![Just(64), 0..4usize],
    ) {
        probe::replies(ReplyLimits { frame, depth }, &bytes, pieces.into_iter());
        probe::garbage(&bytes);
    }

    #[test]
    fn room_is_made_only_for_what_is_there(announced in any::<u64>(), elements in 0..50usize) {
        let bytes = format!("*{announced}\r\n{}", "_\r\n".repeat(elements));
        let frame = Frame::from(Bytes::from(bytes));
        let mut decoder = Decoder::new(&frame);
        prop_assert!(decoder.reserve(usize::MAX) <= elements + 8);
        match decoder.kind::<Raw, kind::List<kind::Value>>(Raw) {
            Ok(list) => prop_assert!(list.capacity() <= elements + 8),
            Err(_) => prop_assert!(announced > elements as u64),
        }
    }
}

#[test]
fn a_tree_deeper_than_the_stack_is_refused() {
    for (depth, fits) in [(255, true), (256, false), (100_000, false)] {
        let mut bytes = b"*1\r\n".repeat(depth);
        bytes.extend_from_slice(b"_\r\n");
        let frame = Frame::from(Bytes::from(bytes));
        assert_eq!(Decoder::new(&frame).value().is_ok(), fits, "{depth} levels");
        // Skipping needs no stack.
        let mut decoder = Decoder::new(&frame);
        decoder.skip();
        assert_eq!(decoder.shape(), Shape::End);
    }
}

#[test]
fn counts_that_nothing_follows_are_no_work() {
    for bytes in [
        &b"*18446744073709551615\r\n"[..],
        b"*18446744073709551615\r\n*18446744073709551615\r\n",
        b"|9223372036854775807\r\n+a\r\n",
        b"%9223372036854775808\r\n_\r\n_\r\n",
        b"*2\r\n:1\r\n",
    ] {
        probe::garbage(bytes);
    }
}
