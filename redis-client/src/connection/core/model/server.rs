//! The server of the model: reads commands, and answers each with its own reply.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Buf, BytesMut};

use super::{Answer, Class, Request, What};
use crate::resp::Shape;

/// The channel of the model's subscriber.
pub(super) const CHANNEL: &str = "news";

/// No element of an aggregate reply is longer.
pub(super) const MAX_ELEMENT: usize = 256;

#[derive(Default)]
pub(super) struct Server {
    inbox: BytesMut,
    answers: VecDeque<Step>,
    /// Answered, and not read by the client yet.
    pub(super) transit: BytesMut,
    /// The connection ends when what is in transit has arrived.
    pub(super) hangs_up: bool,
    subscribed: bool,
    /// How many messages were published, on all connections.
    pub(super) published: u64,
    /// Whether one of them was on this connection.
    pub(super) has_published: bool,
}

enum Step {
    Answer(Vec<u8>),
    Subscribe,
    HangUp,
}

impl Server {
    /// A new connection.
    pub(super) fn restart(&mut self) {
        *self = Self {
            published: self.published,
            ..Self::default()
        };
    }

    pub(super) fn read(&mut self, bytes: &[u8], requests: &[Request]) {
        self.inbox.extend_from_slice(bytes);
        while let Some((command, end)) = Sent::parse(&self.inbox) {
            self.inbox.advance(end);
            match command {
                Sent::Subscribe => self.answers.push_back(Step::Subscribe),
                Sent::Call { token, index } => {
                    let request = &requests[token as usize];
                    match request.class {
                        Class::EndsConnection => self.answers.push_back(Step::HangUp),
                        Class::Plain | Class::Blocking => {
                            let answers = replies(token, index, request);
                            self.answers.extend(answers.into_iter().map(Step::Answer));
                        }
                    }
                }
            }
        }
    }

    pub(super) fn has_work(&self) -> bool {
        !self.answers.is_empty() && !self.hangs_up
    }

    /// The next reply or confirmation.
    pub(super) fn answer(&mut self) {
        if self.hangs_up {
            return;
        }
        match self.answers.pop_front() {
            Some(Step::Answer(bytes)) => self.transit.extend_from_slice(&bytes),
            Some(Step::Subscribe) => {
                self.subscribed = true;
                self.push(&["subscribe", CHANNEL, "1"]);
            }
            Some(Step::HangUp) => self.hangs_up = true,
            None => {}
        }
    }

    pub(super) fn invalidate(&mut self) {
        if !self.hangs_up {
            self.push(&["invalidate", "key"]);
        }
    }

    pub(super) fn publish(&mut self, padding: usize) {
        if self.subscribed && !self.hangs_up {
            let message = format!("{:0width$}", self.published, width = padding + 1);
            self.push(&["message", CHANNEL, &message]);
            self.published += 1;
            self.has_published = true;
        }
    }

    fn push(&mut self, words: &[&str]) {
        self.transit.extend_from_slice(&push(words));
    }
}

fn push(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!(">{}\r\n", words.len());
    for word in words {
        bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    bytes.into_bytes()
}

/// A command as the server sees it.
pub(super) enum Sent {
    /// A part of a call.
    Call { token: u64, index: u64 },
    /// What the state machine sends of its own accord on a new connection.
    Subscribe,
}

impl Sent {
    /// The command at the start of `bytes`, and where it ends.
    pub(super) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut at = 0;
        let mut words = Vec::new();
        let count = header(bytes, b'*', &mut at)?;
        for _ in 0..count {
            let len = header(bytes, b'$', &mut at)?;
            words.push(str::from_utf8(bytes.get(at..at + len)?).expect("text"));
            assert_eq!(bytes.get(at + len..at + len + 2)?, b"\r\n");
            at += len + 2;
        }
        let command = match words[..] {
            ["SUBSCRIBE", CHANNEL] => Self::Subscribe,
            ["TEST", token, index, _] => Self::Call {
                token: token.parse().expect("a token"),
                index: index.parse().expect("an index"),
            },
            _ => panic!("{words:?} is no command"),
        };
        Some((command, at))
    }
}

fn header(bytes: &[u8], tag: u8, at: &mut usize) -> Option<usize> {
    let rest = &bytes[*at..];
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    assert_eq!(rest[0], tag);
    *at += end + 2;
    str::from_utf8(&rest[1..end]).ok()?.parse().ok()
}

/// What the server sends for a command: one reply, or the confirmations of a subscription.
fn replies(token: u64, index: u64, request: &Request) -> Vec<Vec<u8>> {
    match (request.what, request.answer) {
        (What::Subscribe(count), answer) if !matches!(answer, Answer::Error) => (0..count)
            .map(|channel| push(&["subscribe", &format!("{token}.{channel}"), "1"]))
            .collect(),
        _ => vec![Expected::new(token, index, request).bytes],
    }
}

/// A reply that the server gives, and what of it a stream hands out.
pub(super) struct Expected {
    pub(super) bytes: Vec<u8>,
    pub(super) body: Range<usize>,
    pub(super) shape: Shape,
    pub(super) len: u64,
}

impl Expected {
    /// The reply to one command of a call.
    pub(super) fn new(token: u64, index: u64, request: &Request) -> Self {
        let token = token * 1000 + index;
        let mut bytes = Vec::new();
        if request.attribute {
            bytes.extend_from_slice(format!("|1\r\n+token\r\n:{token}\r\n").as_bytes());
        }
        let (shape, tag, len) = match request.answer {
            Answer::Status => return Self::line(bytes, Shape::Status, &format!("+T{token}")),
            Answer::Integer => return Self::line(bytes, Shape::Integer, &format!(":{token}")),
            Answer::Null => return Self::line(bytes, Shape::Null, "$-1"),
            Answer::Error => return Self::line(bytes, Shape::Error, &format!("-ERR {token}")),
            Answer::Bulk(len) => {
                bytes.extend_from_slice(format!("${len}\r\n").as_bytes());
                let start = bytes.len();
                // CRLF within, so that nothing but the length can tell where it ends.
                let pattern = format!("{token}\r\n");
                bytes.extend(pattern.bytes().cycle().take(usize::from(len)));
                let body = start..bytes.len();
                bytes.extend_from_slice(b"\r\n");
                return Self {
                    bytes,
                    body,
                    shape: Shape::Bulk,
                    len: u64::from(len),
                };
            }
            Answer::Array(count) => (Shape::Array, '*', u64::from(count)),
            Answer::Set(count) => (Shape::Set, '~', u64::from(count)),
            Answer::Map(count) => (Shape::Map, '%', 2 * u64::from(count)),
        };
        let announced = if shape == Shape::Map { len / 2 } else { len };
        bytes.extend_from_slice(format!("{tag}{announced}\r\n").as_bytes());
        let start = bytes.len();
        for index in 0..len {
            bytes.extend_from_slice(element(token, index).as_bytes());
        }
        let body = start..bytes.len();
        Self {
            bytes,
            body,
            shape,
            len,
        }
    }

    fn line(mut bytes: Vec<u8>, shape: Shape, line: &str) -> Self {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        let body = 0..bytes.len();
        Self {
            bytes,
            body,
            shape,
            len: 0,
        }
    }
}

/// An element that belongs to this reply and to this place in it.
fn element(token: u64, index: u64) -> String {
    let name = format!("{token}.{index}");
    let bulk = format!("${}\r\n{name}\r\n", name.len());
    // By token too, so that attributes come at even and at odd places.
    match (index + token / 1000) % 8 {
        0 => format!(":{token}\r\n"),
        1 => format!("*2\r\n{bulk}:{index}\r\n"),
        2 => format!("|1\r\n+token\r\n:{token}\r\n{bulk}"),
        3 => format!("${}\r\n{name}{:\r<40}\r\n", name.len() + 40, ""),
        4 => "_\r\n".to_owned(),
        5 => format!("%1\r\n{bulk}~2\r\n:{token}\r\n|1\r\n+a\r\n*0\r\n$-1\r\n"),
        _ => bulk,
    }
}

/// The end of the element that begins at `at`, attributes before it included. Knows only what
/// [`element`] makes, and nothing of the scanner.
pub(super) fn element_end(bytes: &[u8], at: usize) -> Option<usize> {
    let line = bytes
        .get(at..)?
        .windows(2)
        .position(|pair| pair == b"\r\n")?
        + at;
    let number: i64 = str::from_utf8(bytes.get(at + 1..line)?)
        .ok()?
        .parse()
        .unwrap_or(0);
    let (children, mut end) = match bytes.get(at)? {
        b'$' if number >= 0 => (0, line + 2 + number as usize + 2),
        b'*' | b'~' => (number, line + 2),
        b'%' => (2 * number, line + 2),
        b'|' => (2 * number + 1, line + 2),
        _ => (0, line + 2),
    };
    for _ in 0..children {
        end = element_end(bytes, end)?;
    }
    (end <= bytes.len()).then_some(end)
}
