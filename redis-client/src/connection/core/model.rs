//! A world around a [`Core`]: callers, the connection's task, a socket and a server, all of them
//! simulated and without a clock, so that any order of events can be played, and checked after each
//! of them. The property tests and the fuzzer drive the same world.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check that fails ends the test"
)]

mod caller;
mod checks;
mod server;
mod world;

#[cfg(test)]
pub(super) use self::caller::Alarm;
use self::world::World;
use crate::command::{Flags, Since, Spec};
use crate::pubsub::Backlog;
use crate::reply::Streaming;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// A caller begins a call.
    Submit(Request),
    /// Something is sent for nobody.
    Detach(Request),
    /// A caller looks at its call, woken or not.
    Poll(u8),
    /// A caller drops its call, or its half-read reply.
    Cancel(u8),
    /// The connection's task takes the outbox.
    Take,
    /// The socket accepts some bytes.
    Write(u16),
    /// The server answers a command that it has read.
    Answer,
    /// The server sends a push message that is of no interest.
    Push,
    /// The server sends a message to whoever has subscribed.
    Publish(u8),
    /// The subscriber looks for messages, woken or not.
    Listen,
    /// The socket has some bytes of the server's; zero: all but the last of them.
    Receive(u16),
    /// Time passes.
    Tick(u16),
    /// The connection breaks.
    Disconnect,
    /// There is a connection again.
    Connect,
    /// A handle wants to close the connection when everything is done.
    Drain,
    /// A handle closes the connection for good.
    Close,
    /// Everybody who was woken acts, until nobody is.
    Settle,
}

/// A call, and how the server answers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) what: What,
    pub(crate) answer: Answer,
    /// The answer has an attribute before it.
    pub(crate) attribute: bool,
    pub(crate) class: Class,
    /// Which replies the caller takes in pieces.
    pub(crate) streaming: Streaming,
    /// Milliseconds; zero: for ever.
    pub(crate) patience: u16,
    /// Bytes that make the command larger.
    pub(crate) padding: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Command,
    /// So many commands in one piece, all with the same answer.
    Batch(u8),
    /// A command with so many confirmations, unless the answer is an error.
    Subscribe(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Plain,
    Blocking,
    EndsConnection,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status,
    Integer,
    Null,
    Error,
    /// A string of so many bytes.
    Bulk(u16),
    /// So many elements of all types, nested ones and ones with attributes among them.
    Array(u8),
    Set(u8),
    /// So many pairs.
    Map(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) commands: u8,
    pub(crate) bytes: u16,
    pub(crate) skip: u16,
    pub(crate) stream_from: u16,
    /// There is a subscriber, who lets so many bytes of messages wait.
    pub(crate) backlog: Option<Backlog>,
}

/// Plays the events, lets everybody finish, and checks that nothing is left.
pub(crate) fn run(limits: Limits, ops: impl IntoIterator<Item = Op>) {
    let mut world = World::new(limits);
    for op in ops {
        world.play(&op);
        world.check();
    }
    world.finish();
}

/// The same, for events that are written as bytes: the fuzzer's way to play.
#[cfg(fuzzing)]
pub(crate) fn run_bytes(mut data: &[u8]) {
    let limits = Limits {
        commands: byte(&mut data) % 10 + 1,
        bytes: word(&mut data) % 1500,
        skip: word(&mut data) % 3000,
        stream_from: word(&mut data) % 600 + 16,
        backlog: match byte(&mut data) {
            0..128 => None,
            bytes @ 128..192 => Some(Backlog::DropOldest(4 * usize::from(bytes - 128))),
            bytes @ 192.. => Some(Backlog::BackPressure(4 * usize::from(bytes - 192))),
        },
    };
    let events = std::iter::from_fn(|| (!data.is_empty()).then(|| Op::read(&mut data)));
    // More do not show more, but take longer.
    run(limits, events.take(400));
}

#[cfg(fuzzing)]
fn byte(data: &mut &[u8]) -> u8 {
    data.split_off_first().copied().unwrap_or_default()
}

#[cfg(fuzzing)]
fn word(data: &mut &[u8]) -> u16 {
    u16::from_le_bytes([byte(data), byte(data)])
}

#[cfg(fuzzing)]
impl Op {
    fn read(data: &mut &[u8]) -> Self {
        match byte(data) {
            0..58 => Self::Submit(Request::read(data)),
            58..60 => Self::Detach(Request::read(data)),
            60..108 => Self::Poll(byte(data)),
            108..123 => Self::Cancel(byte(data)),
            123..148 => Self::Take,
            148..173 => Self::Write(word(data) % 1000),
            173..198 => Self::Answer,
            198..200 => Self::Push,
            200..208 => Self::Publish(byte(data)),
            208..213 => Self::Listen,
            213..220 => Self::Receive(u16::from(byte(data))),
            220..230 => Self::Receive(word(data) % 5000),
            230..237 => Self::Tick(u16::from(byte(data)) % 32),
            237..241 => Self::Disconnect,
            241..247 => Self::Connect,
            247..248 => Self::Drain,
            248..250 => Self::Close,
            250.. => Self::Settle,
        }
    }
}

#[cfg(fuzzing)]
impl Request {
    fn read(data: &mut &[u8]) -> Self {
        let [answer, rest] = [byte(data), byte(data)];
        Self {
            what: match answer >> 3 {
                0..22 => What::Command,
                count @ 22..27 => What::Batch(count - 21),
                count => What::Subscribe(count - 26),
            },
            answer: match answer % 8 {
                0 => Answer::Status,
                1 => Answer::Integer,
                2 => Answer::Null,
                3 => Answer::Error,
                4 => Answer::Bulk(word(data) % 4000),
                5 => Answer::Array(byte(data)),
                6 => Answer::Set(byte(data)),
                _ => Answer::Map(byte(data) % 100),
            },
            attribute: rest & 0x80 != 0,
            class: match rest % 8 {
                0..6 => Class::Plain,
                6 => Class::Blocking,
                _ => Class::EndsConnection,
            },
            streaming: match rest >> 3 & 3 {
                0 => Streaming::No,
                1 => Streaming::Bulk,
                _ => Streaming::Elements,
            },
            patience: if rest & 0x20 == 0 {
                0
            } else {
                u16::from(byte(data)) % 50
            },
            padding: if rest & 0x40 == 0 {
                0
            } else {
                word(data) % 600
            },
        }
    }
}

pub(super) static SPEC: Spec = Spec {
    name: "TEST",
    wire: b"$4\r\nTEST\r\n",
    words: 1,
    flags: Flags::NONE,
    since: Since {
        redis: None,
        valkey: None,
    },
    needs: &[],
};
