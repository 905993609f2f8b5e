//! The state machine step by step, and in any order of events.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check that fails ends the test"
)]

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use proptest::prelude::*;

use super::model::{self, Alarm, Answer, Class, Limits, Op, Request, What};
use super::{Arrived, Core, CoreLimits, Millis, Outgoing, SlotId, Subscribing};
use crate::arg::Arg;
use crate::batch::Batch;
use crate::command::{Command, Flags};
use crate::error::{Error, ErrorKind, Outcome};
use crate::pubsub::{Backlog, Event};
use crate::reply::Streaming;
use crate::resp::{ProtocolError, ReplyLimits};

/// A connection that is driven by hand, at the time `now`.
struct Line {
    core: Core,
    now: Millis,
    buffer: BytesMut,
    driver: Arc<Alarm>,
}

struct Call<O = Command<'static>> {
    slot: SlotId,
    outgoing: O,
    alarm: Arc<Alarm>,
}

fn command(name: &'static str) -> Command<'static> {
    let mut command = Command::new(&model::SPEC);
    command.push(0, Arg::from_text(name));
    command
}

impl Line {
    fn new(change: impl FnOnce(&mut CoreLimits)) -> Self {
        let mut limits = CoreLimits {
            commands: 100,
            bytes: 10_000,
            skip: 100,
            reply: ReplyLimits::default(),
        };
        change(&mut limits);
        let mut core = Core::new(limits);
        core.stream_from = 16;
        core.connected();
        Self {
            core,
            now: 1,
            buffer: BytesMut::new(),
            driver: Arc::default(),
        }
    }

    fn connected() -> Self {
        Self::new(|_| ())
    }

    fn call(&mut self, name: &'static str) -> Call {
        self.submit(name, Flags::NONE, Streaming::No, 0)
    }

    fn submit(
        &mut self,
        name: &'static str,
        flags: Flags,
        streaming: Streaming,
        patience: u32,
    ) -> Call {
        let mut command = command(name);
        command.add_flags(flags);
        self.send(command, streaming, patience)
    }

    fn send<O: Outgoing>(&mut self, outgoing: O, streaming: Streaming, patience: u32) -> Call<O> {
        let alarm = Arc::<Alarm>::default();
        let waker = Waker::from(Arc::clone(&alarm));
        let cx = Context::from_waker(&waker);
        let slot = self.core.submit(&outgoing, streaming, patience, &cx);
        Call {
            slot: slot.unwrap(),
            outgoing,
            alarm,
        }
    }

    /// What a caller finds: `pending`, the bytes of the reply, how a stream begins, an error.
    fn poll<O: Outgoing>(&mut self, call: &Call<O>) -> String {
        let waker = Waker::from(Arc::clone(&call.alarm));
        let cx = Context::from_waker(&waker);
        match self.core.poll_reply(call.slot, &call.outgoing, &cx) {
            Poll::Pending => "pending".to_owned(),
            Poll::Ready(Ok(Arrived::Frame(frame))) => frame.bytes().escape_ascii().to_string(),
            Poll::Ready(Ok(Arrived::Batch(frames, error))) => {
                let frames = frames
                    .iter()
                    .map(|frame| frame.bytes().escape_ascii().to_string());
                let error = error.map(|error| describe(&error));
                frames.chain(error).collect::<Vec<_>>().join(", ")
            }
            Poll::Ready(Ok(Arrived::Stream { shape, len })) => format!("{shape:?} of {len}"),
            Poll::Ready(Err(error)) => describe(&error),
        }
    }

    fn chunk(&mut self, call: &Call) -> String {
        let waker = Waker::from(Arc::clone(&call.alarm));
        match self
            .core
            .poll_chunk(call.slot, &Context::from_waker(&waker))
        {
            Poll::Pending => "pending".to_owned(),
            Poll::Ready(Some(Ok(chunk))) => chunk.escape_ascii().to_string(),
            Poll::Ready(None) => "end".to_owned(),
            Poll::Ready(Some(Err(error))) => describe(&error),
        }
    }

    /// The commands that leave the outbox, and the bytes that they have.
    fn take(&mut self) -> (Vec<String>, u64) {
        let mut taken = BytesMut::new();
        self.core.take_outbox(&mut taken, self.now);
        let len = taken.len() as u64;
        let text = String::from_utf8(taken.to_vec()).unwrap();
        let names = text.split("*2\r\n$4\r\nTEST\r\n").skip(1).map(|rest| {
            let name = rest.split("\r\n").nth(1).unwrap();
            name.to_owned()
        });
        (names.collect(), len)
    }

    fn batch(&mut self, names: &[&'static str]) -> Call<Batch> {
        self.batch_within(names, 0)
    }

    fn batch_within(&mut self, names: &[&'static str], patience: u32) -> Call<Batch> {
        let mut batch = Batch::new();
        names.iter().for_each(|name| batch.push(&command(name)));
        self.send(batch, Streaming::No, patience)
    }

    /// A command with so many confirmations.
    fn subscribe(&mut self, name: &'static str, channels: u32) -> Call<Subscribing<'static>> {
        self.send(Subscribing(command(name), channels), Streaming::No, 0)
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.buffer.extend_from_slice(bytes);
        self.core.receive(&mut self.buffer)
    }

    fn tick(&mut self, now: Millis) -> bool {
        self.now = now;
        self.core.tick(now)
    }

    /// Wakes whom it concerns; returns which of the callers were woken.
    fn woken(&mut self, calls: &[&Call]) -> Vec<bool> {
        let before: Vec<usize> = calls.iter().map(|call| call.alarm.rung()).collect();
        let mut wakes = Vec::new();
        self.core.take_wakes(&mut wakes);
        wakes.into_iter().for_each(Waker::wake);
        calls
            .iter()
            .zip(before)
            .map(|(call, before)| call.alarm.rung() > before)
            .collect()
    }

    fn driver_sleeps(&mut self) {
        self.core
            .register_driver(&Waker::from(Arc::clone(&self.driver)));
    }

    fn driver_woken(&mut self) -> bool {
        let before = self.driver.rung();
        self.woken(&[]);
        self.driver.rung() > before
    }

    /// Why the connection has to end.
    fn gives_up(&mut self) -> Option<String> {
        self.core
            .take_give_up()
            .map(|error| error.message().to_owned())
    }

    fn lose(&mut self, written: u64) {
        self.buffer.clear();
        let error = Error::new(ErrorKind::ConnectionLost, Outcome::Unknown, "lost");
        self.core.disconnected(&error, written);
    }

    fn close(&mut self) {
        self.core.closed(Error::new(
            ErrorKind::NotConnected,
            Outcome::NotSent,
            "closed",
        ));
    }

    /// Nothing is left of any call.
    fn assert_empty(&self) {
        assert_eq!(self.core.in_flight(), 0);
        assert_eq!(self.core.free.len(), self.core.slots.len());
        assert_eq!((self.core.bytes_in_flight, self.core.granted_bytes), (0, 0));
        assert!(!self.core.in_blocking_call());
    }
}

fn describe(error: &Error) -> String {
    format!("{:?} {:?}", error.kind(), error.outcome())
}

#[test]
fn replies_find_their_callers_in_the_order_of_the_commands() {
    let mut line = Line::connected();
    let (a, b) = (line.call("a"), line.call("b"));
    assert_eq!(line.take().0, ["a", "b"]);
    assert_eq!(line.poll(&a), "pending");
    line.receive(b"+A\r\n+B").unwrap();
    assert_eq!(line.woken(&[&a, &b]), [true, false]);
    assert_eq!(line.poll(&b), "pending");
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.receive(b"\r\n").unwrap();
    assert_eq!(line.woken(&[&b]), [true]);
    assert_eq!(line.poll(&b), r"+B\r\n");
    line.assert_empty();
}

#[test]
fn a_reply_arrives_byte_by_byte() {
    let mut line = Line::connected();
    let a = line.call("a");
    line.take();
    let reply = b"*2\r\n$3\r\na\r\n\r\n:1\r\n";
    for (index, byte) in reply.iter().enumerate() {
        assert_eq!(line.poll(&a), "pending", "after {index} bytes");
        line.receive(&[*byte]).unwrap();
    }
    assert_eq!(line.poll(&a), reply.escape_ascii().to_string());
}

#[test]
fn pushes_between_replies_belong_to_nobody() {
    let mut line = Line::connected();
    let a = line.call("a");
    line.take();
    line.receive(b">2\r\n+x\r\n+y\r\n+A\r\n>1\r\n:1\r\n")
        .unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
}

#[test]
fn a_reply_that_nobody_asked_for_is_an_error() {
    let mut line = Line::connected();
    assert_eq!(line.receive(b"+A\r\n"), Err(ProtocolError::Unsolicited));
    let mut line = Line::connected();
    // Not taken yet, so that the server cannot have answered it.
    line.call("a");
    assert_eq!(line.receive(b"+A\r\n"), Err(ProtocolError::Unsolicited));
    // Nor is a large one handed out.
    let mut line = Line::connected();
    let a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
    line.receive(b"$20\r\n01234").unwrap();
    assert_eq!(line.poll(&a), "pending");
    assert_eq!(
        line.receive(b"567890123456789\r\n"),
        Err(ProtocolError::Unsolicited)
    );
}

#[test]
fn what_is_cancelled_before_it_is_taken_is_never_sent() {
    let mut line = Line::connected();
    let a = line.call("a");
    let b = line.submit("b", Flags::BLOCKING, Streaming::No, 0);
    let c = line.call("c");
    assert!(line.core.in_blocking_call());
    line.core.cancel(b.slot);
    assert_eq!(line.take().0, ["a", "c"]);
    assert!(!line.core.in_blocking_call());
    assert_eq!(line.gives_up(), None);
    line.receive(b"+A\r\n+C\r\n").unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    assert_eq!(line.poll(&c), r"+C\r\n");
    line.assert_empty();
}

#[test]
fn the_reply_of_a_cancelled_command_is_thrown_away() {
    let mut line = Line::connected();
    let (a, b) = (line.call("a"), line.call("b"));
    line.take();
    line.core.cancel(a.slot);
    // The slot must not be used anew before its reply has come.
    let c = line.call("c");
    line.take();
    line.receive(b"+A\r\n+B\r\n+C\r\n").unwrap();
    assert_eq!(line.poll(&b), r"+B\r\n");
    assert_eq!(line.poll(&c), r"+C\r\n");
    line.assert_empty();
}

#[test]
fn a_call_is_cancelled_with_its_reply_in_the_slot() {
    let mut line = Line::connected();
    let a = line.call("a");
    line.take();
    line.receive(b"+A\r\n").unwrap();
    line.core.cancel(a.slot);
    line.assert_empty();
}

#[test]
fn a_blocking_command_that_is_cancelled_ends_the_connection() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::BLOCKING, Streaming::No, 0);
    let b = line.call("b");
    let (_, bytes) = line.take();
    line.driver_sleeps();
    line.core.cancel(a.slot);
    assert!(line.driver_woken());
    assert!(line.gives_up().unwrap().contains("blocking"));
    line.lose(bytes);
    assert_eq!(line.poll(&b), "ConnectionLost Unknown");
    line.assert_empty();
}

#[test]
fn callers_beyond_the_limit_wait_for_their_turn() {
    let mut line = Line::new(|limits| limits.commands = 2);
    let (a, b, c, d) = (
        line.call("a"),
        line.call("b"),
        line.call("c"),
        line.call("d"),
    );
    assert_eq!(line.take().0, ["a", "b"]);
    assert_eq!(line.poll(&c), "pending");
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&a, &b, &c, &d]), [true, false, true, false]);
    // It is not its turn yet, however often it asks.
    assert_eq!(line.poll(&d), "pending");
    assert_eq!(line.poll(&c), "pending");
    assert_eq!(line.take().0, ["c"]);
    assert_eq!(line.core.in_flight(), 3);
    line.receive(b"+B\r\n+C\r\n").unwrap();
    assert_eq!(line.woken(&[&d]), [true]);
    assert_eq!(line.poll(&d), "pending");
    assert_eq!(line.take().0, ["d"]);
}

#[test]
fn nobody_overtakes_a_caller_who_has_its_turn() {
    let mut line = Line::new(|limits| limits.commands = 1);
    let (a, b) = (line.call("a"), line.call("b"));
    line.take();
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&a, &b]), [true, true]);
    let c = line.call("c");
    line.poll(&b);
    assert_eq!(line.take().0, ["b"]);
    line.receive(b"+B\r\n").unwrap();
    assert_eq!(line.woken(&[&c]), [true]);
}

#[test]
fn small_commands_do_not_overtake_a_large_one_for_ever() {
    let large = "l".repeat(80).leak();
    let mut line = Line::new(|limits| limits.bytes = 140);
    let (_a, _b) = (line.call("a"), line.call("b"));
    let large = line.call(large);
    let c = line.call("c");
    line.take();
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&large, &c]), [false, false]);
    line.receive(b"+B\r\n").unwrap();
    assert_eq!(line.woken(&[&large, &c]), [true, false]);
    line.poll(&large);
    assert_eq!(line.take().0.len(), 1);
    line.receive(b"+L\r\n").unwrap();
    assert_eq!(line.woken(&[&c]), [true]);
}

#[test]
fn a_command_larger_than_the_limit_goes_alone() {
    let large = "l".repeat(1000).leak();
    let mut line = Line::new(|limits| limits.bytes = 100);
    let (_a, large) = (line.call("a"), line.call(large));
    line.take();
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&large]), [true]);
    line.poll(&large);
    let b = line.call("b");
    assert_eq!(line.take().0.len(), 1);
    line.receive(b"+L\r\n").unwrap();
    assert_eq!(line.woken(&[&b]), [true]);
}

#[test]
fn a_turn_that_is_not_taken_goes_to_the_next() {
    let mut line = Line::new(|limits| limits.commands = 1);
    let (_a, b, c, d) = (
        line.call("a"),
        line.call("b"),
        line.call("c"),
        line.call("d"),
    );
    line.take();
    line.core.cancel(c.slot);
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&b, &d]), [true, false]);
    line.core.cancel(b.slot);
    assert_eq!(line.woken(&[&d]), [true]);
    line.poll(&d);
    assert_eq!(line.take().0, ["d"]);
}

#[test]
fn commands_that_are_cancelled_in_the_outbox_make_room() {
    let mut line = Line::new(|limits| limits.commands = 1);
    let (a, b) = (line.call("a"), line.call("b"));
    line.core.cancel(a.slot);
    assert!(line.take().0.is_empty());
    assert_eq!(line.woken(&[&b]), [true]);
    line.poll(&b);
    assert_eq!(line.take().0, ["b"]);
}

#[test]
fn a_lost_connection_says_what_was_sent() {
    let mut line = Line::connected();
    let answered = line.call("answered");
    let (_, first) = line.take();
    line.receive(b"+A\r\n").unwrap();
    let in_part = line.call("in part");
    let (_, second) = line.take();
    let not_at_all = line.call("not at all");
    line.take();
    let queued = line.call("queued");

    // Two bytes of the second command were written.
    assert!(second > 2);
    line.lose(first + 2);
    assert_eq!(line.poll(&answered), r"+A\r\n");
    assert_eq!(line.poll(&in_part), "ConnectionLost Unknown");
    assert_eq!(line.poll(&not_at_all), "ConnectionLost NotSent");
    assert_eq!(line.poll(&queued), "pending");

    line.core.connected();
    assert_eq!(line.take().0, ["queued"]);
    // Bytes are counted anew.
    line.lose(0);
    assert_eq!(line.poll(&queued), "ConnectionLost NotSent");
    line.assert_empty();
}

#[test]
fn a_lost_connection_leaves_nothing_behind_in_the_reader() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
    let (_, bytes) = line.take();
    line.receive(b"$100\r\n").unwrap();
    line.receive(b"xx").unwrap();
    line.lose(bytes);
    assert_eq!(line.poll(&a), "Bulk of 100");
    assert_eq!(line.chunk(&a), "xx");
    assert_eq!(line.chunk(&a), "ConnectionLost Unknown");
    assert_eq!(line.chunk(&a), "end");
    line.core.cancel(a.slot);
    line.core.connected();
    let b = line.call("b");
    line.take();
    line.receive(b"+B\r\n").unwrap();
    assert_eq!(line.poll(&b), r"+B\r\n");
    line.assert_empty();
}

#[test]
fn a_command_that_ends_the_connection_has_succeeded_once_all_of_it_was_written() {
    for (missing, reply) in [(0, r"+OK\r\n"), (1, "ConnectionLost Unknown")] {
        let mut line = Line::connected();
        let a = line.submit("a", Flags::ENDS_CONNECTION, Streaming::No, 0);
        let (_, bytes) = line.take();
        line.lose(bytes - missing);
        assert_eq!(line.poll(&a), reply);
    }
}

#[test]
fn closing_says_what_was_sent() {
    let mut line = Line::new(|limits| limits.commands = 4);
    let stream = line.submit("stream", Flags::NONE, Streaming::Elements, 0);
    let (sent, gone) = (line.call("sent"), line.call("gone"));
    line.take();
    line.core.cancel(gone.slot);
    let (queued, waiting) = (line.call("queued"), line.call("waiting"));
    line.receive(b"*4\r\n:1\r\n:2\r\n:3\r\n").unwrap();
    line.woken(&[]);
    line.driver_sleeps();
    line.close();
    // The connection's task has to end, too.
    assert!(line.driver_woken());
    assert_eq!(line.gives_up().unwrap(), "closed");
    // What is left of a stream is not taken for its end.
    assert_eq!(line.poll(&stream), "Array of 4");
    assert_eq!(line.chunk(&stream), r":1\r\n:2\r\n");
    assert_eq!(line.chunk(&stream), "NotConnected Unknown");
    line.core.cancel(stream.slot);
    assert_eq!(line.poll(&sent), "NotConnected Unknown");
    assert_eq!(line.poll(&queued), "NotConnected NotSent");
    assert_eq!(line.poll(&waiting), "NotConnected NotSent");
    line.assert_empty();
    let waker = Waker::noop();
    let late = line.core.submit(
        &queued.outgoing,
        Streaming::No,
        0,
        &Context::from_waker(waker),
    );
    assert_eq!(describe(&late.unwrap_err()), "NotConnected NotSent");
}

#[test]
fn a_connection_that_comes_after_closing_ends_at_once() {
    let mut line = Line::connected();
    line.lose(0);
    line.close();
    line.gives_up();
    line.core.connected();
    assert!(!line.core.is_up());
    assert_eq!(line.gives_up().unwrap(), "closed");
}

#[test]
fn callers_with_their_turn_fail_when_the_connection_is_closed() {
    let mut line = Line::new(|limits| limits.commands = 1);
    let (_a, b) = (line.call("a"), line.call("b"));
    line.take();
    line.receive(b"+A\r\n").unwrap();
    assert_eq!(line.woken(&[&b]), [true]);
    line.close();
    assert_eq!(line.poll(&b), "NotConnected NotSent");
}

#[test]
fn deadlines() {
    let mut line = Line::new(|limits| limits.commands = 3);
    let sent = line.submit("sent", Flags::NONE, Streaming::No, 10);
    let patient = line.call("patient");
    line.take();
    let queued = line.submit("queued", Flags::NONE, Streaming::No, 10);
    let waiting = line.submit("waiting", Flags::NONE, Streaming::No, 10);
    let next = line.call("next");
    assert!(line.tick(5));
    assert!(line.tick(11));
    assert_eq!(
        line.woken(&[&sent, &patient, &queued, &waiting]),
        [true, false, false, false]
    );
    assert_eq!(line.poll(&sent), "Timeout Unknown");
    assert!(line.tick(15));
    assert_eq!(line.poll(&queued), "Timeout NotSent");
    assert_eq!(line.poll(&waiting), "Timeout NotSent");
    assert!(!line.tick(16));
    // It was never taken, and makes room for the next.
    assert!(line.take().0.is_empty());
    assert_eq!(line.woken(&[&next]), [true]);
    line.poll(&next);
    assert_eq!(line.take().0, ["next"]);
    // The late reply is nobody's.
    line.receive(b"+S\r\n+P\r\n+N\r\n").unwrap();
    assert_eq!(line.poll(&patient), r"+P\r\n");
    assert_eq!(line.poll(&next), r"+N\r\n");
    line.assert_empty();
}

#[test]
fn a_blocking_command_without_an_answer_in_time_ends_the_connection() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::BLOCKING, Streaming::No, 10);
    let (_, bytes) = line.take();
    line.tick(11);
    assert_eq!(line.poll(&a), "Timeout Unknown");
    assert!(line.gives_up().is_some());
    line.lose(bytes);
    line.assert_empty();
}

#[test]
fn a_large_caller_whose_deadline_is_over_makes_way() {
    let large = "l".repeat(200).leak();
    let mut line = Line::new(|limits| limits.bytes = 200);
    let _a = line.call("a");
    line.take();
    let large = line.submit(large, Flags::NONE, Streaming::No, 10);
    let b = line.call("b");
    line.tick(1);
    line.tick(11);
    assert_eq!(line.woken(&[&large, &b]), [true, true]);
}

#[test]
fn a_large_array_is_handed_out_in_whole_elements() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::NONE, Streaming::Elements, 10);
    line.take();
    line.receive(b"*6\r\n:1\r\n").unwrap();
    assert_eq!(line.poll(&a), "pending");
    line.receive(b"*1\r\n+ab\r\n:3").unwrap();
    assert_eq!(line.woken(&[&a]), [true]);
    assert_eq!(line.poll(&a), "Array of 6");
    // From here on the caller sets the pace.
    assert!(!line.tick(100));
    assert_eq!(line.chunk(&a), r":1\r\n*1\r\n+ab\r\n");
    assert_eq!(line.chunk(&a), "pending");
    line.receive(b"\r\n:4\r\n").unwrap();
    assert_eq!(line.woken(&[&a]), [true]);
    assert_eq!(line.chunk(&a), r":3\r\n:4\r\n");
    line.receive(b":5\r\n:6\r\n+next\r\n").unwrap_err();
    assert_eq!(line.chunk(&a), r":5\r\n:6\r\n");
    assert_eq!(line.chunk(&a), "end");
    line.core.cancel(a.slot);
    line.assert_empty();
}

#[test]
fn an_attribute_is_not_cut_from_its_element() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::NONE, Streaming::Elements, 0);
    line.take();
    line.receive(b"*4\r\n+one\r\n+two\r\n|1\r\n+k\r\n:0\r\n")
        .unwrap();
    assert_eq!(line.poll(&a), "Array of 4");
    assert_eq!(line.chunk(&a), r"+one\r\n+two\r\n");
    line.receive(b"+three\r\n").unwrap();
    assert_eq!(line.chunk(&a), "pending");
    line.receive(b"|0\r\n").unwrap();
    assert_eq!(line.chunk(&a), "pending");
    line.receive(b"+four\r\n").unwrap();
    assert_eq!(
        line.chunk(&a),
        r"|1\r\n+k\r\n:0\r\n+three\r\n|0\r\n+four\r\n"
    );
    assert_eq!(line.chunk(&a), "end");
}

#[test]
fn the_reader_waits_for_the_consumer() {
    let mut line = Line::connected();
    let a = line.submit("a", Flags::NONE, Streaming::Elements, 0);
    let b = line.call("b");
    line.take();
    line.receive(b"*4\r\n:1\r\n:2\r\n:3\r\n").unwrap();
    assert_eq!(line.poll(&a), "Array of 4");
    line.receive(b":4\r\n+B\r\n").unwrap();
    assert!(line.core.is_paused());
    assert_eq!(line.poll(&b), "pending");
    line.woken(&[]);
    line.driver_sleeps();
    assert_eq!(line.chunk(&a), r":1\r\n:2\r\n");
    assert!(line.driver_woken());
    line.receive(b"").unwrap();
    assert!(!line.core.is_paused());
    assert_eq!(line.poll(&b), r"+B\r\n");
    assert_eq!(line.chunk(&a), r":3\r\n:4\r\n");
    assert_eq!(line.chunk(&a), "end");
}

#[test]
fn a_large_string_is_handed_out_as_it_arrives() {
    for cut in 0..=22 {
        let mut line = Line::connected();
        let a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
        let b = line.call("b");
        line.take();
        line.receive(b"$20\r\n").unwrap();
        assert_eq!(line.woken(&[&a]), [true]);
        assert_eq!(line.poll(&a), "Bulk of 20");
        let rest = b"0123456789\r\n34567\r\n0\r\n";
        let mut pieces = String::new();
        let (head, tail) = rest.split_at(cut.min(rest.len()));
        for piece in [head, tail, b"+B\r\n"] {
            line.receive(piece).unwrap();
            let chunk = line.chunk(&a);
            if chunk != "pending" && chunk != "end" {
                pieces.push_str(&chunk);
            }
            line.receive(b"").unwrap();
        }
        assert_eq!(pieces, r"0123456789\r\n34567\r\n0", "cut at {cut}");
        assert_eq!(line.chunk(&a), "end");
        assert_eq!(line.poll(&b), r"+B\r\n");
    }
}

#[test]
fn a_string_without_its_end_is_an_error() {
    let mut line = Line::connected();
    let _a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
    line.take();
    let received = line.receive(b"$20\r\n01234567890123456789xx");
    assert_eq!(received, Err(ProtocolError::BadTerminator));
}

#[test]
fn the_rest_of_a_dropped_stream_is_skipped() {
    for streaming in [Streaming::Elements, Streaming::Bulk] {
        let mut line = Line::connected();
        let a = line.submit("a", Flags::NONE, streaming, 0);
        let b = line.call("b");
        line.take();
        let (head, rest) = match streaming {
            Streaming::Bulk => (&b"$30\r\n0123456789"[..], &b"01234567890123456789\r\n"[..]),
            _ => (
                &b"*6\r\n:1\r\n:2\r\n+three\r\n"[..],
                &b":4\r\n:5\r\n:6\r\n"[..],
            ),
        };
        line.receive(head).unwrap();
        line.poll(&a);
        line.woken(&[]);
        line.driver_sleeps();
        line.core.cancel(a.slot);
        assert!(line.driver_woken());
        line.receive(rest).unwrap();
        line.receive(b"+B\r\n").unwrap();
        assert_eq!(line.poll(&b), r"+B\r\n");
        assert_eq!(line.gives_up(), None);
        line.assert_empty();
    }
}

#[test]
fn too_much_of_a_dropped_stream_ends_the_connection() {
    let mut line = Line::new(|limits| limits.skip = 50);
    let a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
    let (_, bytes) = line.take();
    line.receive(b"$1000\r\n").unwrap();
    line.receive(&[b'x'; 500]).unwrap();
    line.poll(&a);
    line.chunk(&a);
    line.core.cancel(a.slot);
    line.receive(&[b'x'; 50]).unwrap();
    assert_eq!(line.gives_up(), None);
    line.receive(b"x").unwrap();
    assert!(line.gives_up().unwrap().contains("half-read"));
    line.lose(bytes);
    line.assert_empty();
}

#[test]
fn a_large_reply_for_nobody_is_not_held() {
    let mut line = Line::new(|limits| limits.skip = 1000);
    let (a, b) = (line.call("a"), line.call("b"));
    line.take();
    line.core.cancel(a.slot);
    line.receive(b"$500\r\n").unwrap();
    for _ in 0..50 {
        line.receive(&[b'x'; 10]).unwrap();
        assert!(line.buffer.is_empty());
    }
    line.receive(b"\r\n+B\r\n").unwrap();
    assert_eq!(line.poll(&b), r"+B\r\n");
    line.assert_empty();
}

#[test]
fn the_limit_of_a_reply_counts_for_what_is_held_only() {
    let limits = |limits: &mut CoreLimits| limits.reply.frame = 40;
    let long = format!("$100\r\n{}\r\n", "x".repeat(100));
    let many = format!("*50\r\n{}", ":1\r\n".repeat(50));

    for (reply, streaming) in [(&long, Streaming::Bulk), (&many, Streaming::Elements)] {
        // At once, in the smallest pieces, and in others.
        for size in [1000, 1, 7, 30] {
            let mut line = Line::new(limits);
            let a = line.submit("a", Flags::NONE, streaming, 0);
            line.take();
            let mut begun = false;
            let mut received = String::new();
            for piece in reply.as_bytes().chunks(size) {
                line.receive(piece).unwrap();
                loop {
                    if !begun {
                        begun = line.poll(&a) != "pending";
                    }
                    match begun.then(|| line.chunk(&a)).as_deref() {
                        None | Some("pending" | "end") => break,
                        Some(chunk) => received.push_str(chunk),
                    }
                    line.receive(b"").unwrap();
                }
            }
            let (_, body) = reply.split_once("\r\n").unwrap();
            let body = if streaming == Streaming::Bulk {
                body.trim_end()
            } else {
                body
            };
            assert_eq!(
                received,
                body.escape_default().to_string(),
                "in pieces of {size}"
            );
        }
    }

    let too_large = Err(ProtocolError::TooLarge(40));
    for (reply, streaming) in [(&long, Streaming::No), (&many, Streaming::No)] {
        let mut line = Line::new(limits);
        let _a = line.submit("a", Flags::NONE, streaming, 0);
        line.take();
        assert_eq!(line.receive(reply.as_bytes()), too_large);
    }
    // One element that is too large for a stream of them, too.
    let mut line = Line::new(limits);
    let _a = line.submit("a", Flags::NONE, Streaming::Elements, 0);
    line.take();
    assert_eq!(
        line.receive(format!("*4\r\n+one\r\n+two\r\n{long}").as_bytes()),
        Ok(())
    );
    line.chunk(&_a);
    assert_eq!(line.receive(b""), too_large);
}

#[test]
fn the_threshold_for_streams_is_64_kib() {
    let mut line = Line::connected();
    line.core.stream_from = super::STREAM_FROM;
    let a = line.submit("a", Flags::NONE, Streaming::Bulk, 0);
    let b = line.submit("b", Flags::NONE, Streaming::Bulk, 0);
    line.take();
    line.receive(b"$65535\r\n").unwrap();
    assert_eq!(line.poll(&a), "pending");
    line.receive(&[b'x'; 65_535]).unwrap();
    line.receive(b"\r\n$65536\r\n").unwrap();
    assert_eq!(line.poll(&a).len(), "$65535\\r\\n\\r\\n".len() + 65_535);
    assert_eq!(line.poll(&b), "Bulk of 65536");
}

#[test]
fn slots_and_buffers_are_used_again() {
    let mut line = Line::connected();
    let mut taken = BytesMut::new();
    for _ in 0..100 {
        let calls = [line.call("a"), line.call("b")];
        taken.clear();
        line.core.take_outbox(&mut taken, 1);
        line.receive(b"+A\r\n+B\r\n").unwrap();
        assert_eq!(calls.map(|call| line.poll(&call)), [r"+A\r\n", r"+B\r\n"]);
    }
    assert_eq!(line.core.slots.len(), 2);
    line.assert_empty();
}

#[test]
fn a_batch_has_a_reply_for_each_command() {
    let mut line = Line::connected();
    let (a, batch, b) = (line.call("a"), line.batch(&["x", "y", "z"]), line.call("b"));
    assert_eq!(line.take().0, ["a", "x", "y", "z", "b"]);
    line.receive(b"+A\r\n+X\r\n>1\r\n+push\r\n-ERR Y\r\n")
        .unwrap();
    line.woken(&[]);
    assert_eq!(line.poll(&batch), "pending");
    line.receive(b":1\r\n+B\r\n").unwrap();
    assert_eq!(line.poll(&batch), r"+X\r\n, -ERR Y\r\n, :1\r\n");
    assert_eq!(line.poll(&a), r"+A\r\n");
    assert_eq!(line.poll(&b), r"+B\r\n");
    line.assert_empty();
}

#[test]
fn a_batch_keeps_the_replies_that_came_before_the_end() {
    for closes in [false, true] {
        let mut line = Line::connected();
        let batch = line.batch(&["x", "y", "z"]);
        let (_, bytes) = line.take();
        line.receive(b"+X\r\n+Y\r\n").unwrap();
        let error = if closes {
            line.close();
            "NotConnected"
        } else {
            line.lose(bytes);
            "ConnectionLost"
        };
        assert_eq!(
            line.poll(&batch),
            format!(r"+X\r\n, +Y\r\n, {error} Unknown")
        );
        line.assert_empty();
    }
    let mut line = Line::connected();
    let batch = line.batch(&["x", "y"]);
    line.take();
    line.lose(0);
    assert_eq!(line.poll(&batch), "ConnectionLost NotSent");
}

#[test]
fn the_replies_of_a_cancelled_batch_are_thrown_away() {
    let mut line = Line::connected();
    let (batch, a) = (line.batch(&["x", "y", "z"]), line.call("a"));
    line.take();
    line.receive(b"+X\r\n").unwrap();
    line.core.cancel(batch.slot);
    line.receive(b"+Y\r\n+Z\r\n+A\r\n").unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.assert_empty();
}

#[test]
fn a_subscription_waits_for_all_its_confirmations() {
    let mut line = Line::connected();
    let (two, none) = (line.subscribe("two", 2), line.subscribe("none", 2));
    let a = line.call("a");
    line.take();
    line.receive(b">3\r\n+subscribe\r\n+x\r\n:1\r\n>3\r\n+message\r\n+x\r\n+text\r\n")
        .unwrap();
    assert_eq!(line.poll(&two), "pending");
    line.receive(b">3\r\n+subscribe\r\n+y\r\n:2\r\n").unwrap();
    assert_eq!(line.poll(&two), r"+OK\r\n");
    line.receive(b"-NOPERM\r\n").unwrap();
    assert_eq!(line.poll(&none), r"-NOPERM\r\n");
    // The server may end a subscription on its own.
    line.receive(b">3\r\n+sunsubscribe\r\n+y\r\n:0\r\n+A\r\n")
        .unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.assert_empty();
}

#[test]
fn subscriptions_are_made_anew_first_and_once() {
    let mut line = Line::connected();
    line.core
        .subscribers
        .add_listener(b"news", Backlog::default());
    line.lose(0);
    let a = line.call("a");
    // Connections that are lost before anything is taken.
    for _ in 0..3 {
        line.core.connected();
        line.lose(0);
    }
    line.core.connected();
    let mut taken = BytesMut::new();
    line.core.take_outbox(&mut taken, 1);
    let expected = "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n*2\r\n$4\r\nTEST\r\n$1\r\na\r\n";
    assert_eq!(str::from_utf8(&taken).unwrap(), expected);
    line.receive(b">3\r\n+subscribe\r\n+news\r\n:1\r\n+A\r\n")
        .unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.assert_empty();
}

#[test]
fn a_closed_connection_subscribes_to_nothing() {
    let mut line = Line::connected();
    line.core
        .subscribers
        .add_listener(b"news", Backlog::default());
    line.lose(0);
    line.close();
    line.core.connected();
    assert!(!line.core.has_unsent());
    line.assert_empty();
}

#[test]
fn a_full_backlog_stops_the_reader() {
    let mut line = Line::connected();
    let id = line
        .core
        .subscribers
        .add_listener(b"news", Backlog::BackPressure(40));
    let message = b">3\r\n+message\r\n+news\r\n$20\r\n01234567890123456789\r\n";
    line.receive(&message.repeat(5)).unwrap();
    assert!(line.core.is_paused());
    assert_eq!(line.buffer.len(), 4 * message.len());
    line.woken(&[]);
    line.driver_sleeps();
    let cx = Context::from_waker(Waker::noop());
    assert!(line.core.subscribers.poll_event(id, &cx).is_ready());
    line.core.relieved();
    assert!(line.driver_woken());
    line.receive(b"").unwrap();
    assert_eq!(line.buffer.len(), 3 * message.len());
}

#[test]
fn a_batch_runs_out_of_time() {
    // Not sent yet: none of it will be.
    let mut line = Line::connected();
    let batch = line.batch_within(&["x", "y"], 10);
    line.tick(1);
    line.tick(100);
    assert_eq!(line.poll(&batch), "Timeout NotSent");
    assert_eq!(line.take().0, [""; 0]);
    // Sent: what came is there, the rest is thrown away when it comes.
    let batch = line.batch_within(&["x", "y", "z"], 10);
    let a = line.call("a");
    line.take();
    line.receive(b"+X\r\n").unwrap();
    line.tick(200);
    line.tick(300);
    assert_eq!(line.poll(&batch), r"+X\r\n, Timeout Unknown");
    line.receive(b"+Y\r\n+Z\r\n+A\r\n").unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.assert_empty();
}

#[test]
fn a_message_is_for_all_who_listen() {
    let mut line = Line::connected();
    let names: [&[u8]; 3] = [b"news", b"news", b"weather"];
    let ids = names.map(|name| line.core.subscribers.add_listener(name, Backlog::default()));
    // Also while the reply of a command is on its way.
    let a = line.call("a");
    line.take();
    line.receive(b">3\r\n+message\r\n+news\r\n+1\r\n+A\r\n>3\r\n+message\r\n+none\r\n+2\r\n")
        .unwrap();
    assert_eq!(line.poll(&a), r"+A\r\n");
    let cx = Context::from_waker(Waker::noop());
    let events = ids.map(|id| {
        let first = line.core.subscribers.poll_event(id, &cx);
        assert!(line.core.subscribers.poll_event(id, &cx).is_pending());
        matches!(first, Poll::Ready(Ok(Event::Message(_))))
    });
    assert_eq!(events, [true, true, false]);
}

#[test]
fn the_oldest_messages_are_dropped_and_counted() {
    let mut line = Line::connected();
    let message = |number| format!(">3\r\n+message\r\n+news\r\n:{number}\r\n");
    let backlog = Backlog::DropOldest(2 * message(0).len());
    let id = line.core.subscribers.add_listener(b"news", backlog);
    for number in 0..5 {
        line.receive(message(number).as_bytes()).unwrap();
        assert!(!line.core.is_paused());
    }
    let cx = Context::from_waker(Waker::noop());
    let mut next = || match line.core.subscribers.poll_event(id, &cx) {
        Poll::Ready(Ok(Event::Message(frame))) => frame.bytes().escape_ascii().to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(next(), "Ready(Ok(Gap(Dropped(3))))");
    assert_eq!(next(), message(3).escape_debug().to_string());
    assert_eq!(next(), message(4).escape_debug().to_string());
    assert_eq!(next(), "Pending");
}

/// RESP2 has no other type for them; the connection is theirs alone.
#[test]
fn messages_are_arrays_where_there_is_nothing_else() {
    let mut line = Line::connected();
    line.core.expect_only_messages();
    let id = line
        .core
        .subscribers
        .add_listener(b"news", Backlog::default());
    let subscribe = line.subscribe("one", 1);
    line.take();
    let message = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n";
    line.receive(message).unwrap();
    assert_eq!(line.poll(&subscribe), "pending");
    line.receive(b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")
        .unwrap();
    assert_eq!(line.poll(&subscribe), r"+OK\r\n");
    line.receive(message).unwrap();
    let cx = Context::from_waker(Waker::noop());
    for is_there in [true, true, false] {
        let event = line.core.subscribers.poll_event(id, &cx);
        assert_eq!(
            matches!(event, Poll::Ready(Ok(Event::Message(_)))),
            is_there
        );
    }
    let refused = line.subscribe("one", 1);
    line.take();
    line.receive(b"-NOPERM\r\n").unwrap();
    assert_eq!(line.poll(&refused), r"-NOPERM\r\n");
    line.assert_empty();
}

#[test]
fn whoever_shares_a_connection_is_told_that_it_will_end() {
    let mut line = Line::connected();
    let a = line.call("a");
    let unsent = line.submit("unsent", Flags::BLOCKING, Streaming::No, 0);
    line.core.cancel(unsent.slot);
    assert!(!line.core.ends_soon());
    line.take();
    let wait = line.submit("wait", Flags::BLOCKING, Streaming::No, 0);
    line.take();
    assert!(!line.core.ends_soon());
    line.core.cancel(a.slot);
    assert!(!line.core.ends_soon());
    // It does so only when the reply before has come.
    line.core.cancel(wait.slot);
    assert!(line.core.ends_soon());
    line.receive(b"+A\r\n").unwrap();
    assert!(line.core.ends_soon());
    line.lose(0);
    line.core.connected();
    assert!(!line.core.ends_soon());
}

#[test]
fn what_is_sent_for_nobody_has_a_reply_all_the_same() {
    let mut line = Line::new(|limits| limits.commands = 1);
    let a = line.call("a");
    line.core.submit_detached(&command("x"));
    line.core.submit_detached(&Subscribing(command("y"), 2));
    assert_eq!(line.take().0, ["a", "x", "y"]);
    line.receive(b"+A\r\n+X\r\n").unwrap();
    let b = line.call("b");
    assert_eq!(line.poll(&b), "pending");
    line.receive(b">3\r\n+unsubscribe\r\n+c\r\n:1\r\n>3\r\n+unsubscribe\r\n+d\r\n:0\r\n")
        .unwrap();
    assert_eq!(line.woken(&[&b]), [true]);
    assert_eq!(line.poll(&a), r"+A\r\n");
    line.poll(&b);
    assert_eq!(line.take().0, ["b"]);
    line.receive(b"+B\r\n").unwrap();
    assert_eq!(line.poll(&b), r"+B\r\n");
    line.assert_empty();
}

#[test]
fn the_end_of_the_last_command_is_told_however_it_comes() {
    type End = fn(&mut Line, &Call);
    let ends: [(&str, End); 6] = [
        ("its reply", |line, _| {
            line.take();
            line.receive(b"+A\r\n").unwrap();
        }),
        ("cancelled in the outbox", |line, call| {
            line.core.cancel(call.slot);
            line.take();
        }),
        ("its deadline in the outbox", |line, _| {
            line.tick(1);
            line.tick(100);
            line.take();
        }),
        ("the connection lost", |line, _| {
            line.take();
            line.lose(0);
        }),
        ("closed", |line, _| line.close()),
        ("its turn not taken", |line, _| {
            // Another one waits for its turn, gets it, and is cancelled.
            let id = line.core.waiting.front().copied();
            line.take();
            line.receive(b"+A\r\n").unwrap();
            if let Some(id) = id {
                line.core.cancel(id);
            }
        }),
    ];
    for (end, happens) in ends {
        let mut line = Line::new(|limits| limits.commands = 1);
        let call = line.submit("a", Flags::NONE, Streaming::No, 10);
        if end == "its turn not taken" {
            line.call("b");
        }
        let alarms = [Arc::<Alarm>::default(), Arc::default()];
        for alarm in &alarms {
            let waker = Waker::from(Arc::clone(alarm));
            assert!(
                line.core
                    .poll_drained(&Context::from_waker(&waker))
                    .is_pending()
            );
        }
        let late = line.core.submit(
            &command("late"),
            Streaming::No,
            0,
            &Context::from_waker(Waker::noop()),
        );
        assert_eq!(describe(&late.unwrap_err()), "NotConnected NotSent");
        happens(&mut line, &call);
        line.woken(&[]);
        assert!(alarms.iter().all(|alarm| alarm.rung() > 0), "{end}");
        let drained = line.core.poll_drained(&Context::from_waker(Waker::noop()));
        assert!(drained.is_ready(), "{end}");
    }
}

#[test]
fn a_cancelled_wait_that_is_not_next_ends_when_it_would_begin() {
    let mut line = Line::connected();
    let stream = line.submit("stream", Flags::NONE, Streaming::Bulk, 0);
    let a = line.call("a");
    let wait = line.submit("wait", Flags::BLOCKING, Streaming::No, 0);
    line.take();
    line.core.cancel(wait.slot);
    line.core.cancel(a.slot);
    assert_eq!(line.gives_up(), None);
    line.receive(b"$20\r\n0123456789").unwrap();
    line.poll(&stream);
    line.chunk(&stream);
    line.receive(b"0123456789\r\n").unwrap();
    assert_eq!(line.gives_up(), None);
    line.receive(b"+A\r\n").unwrap();
    assert!(line.gives_up().is_some());

    // A reply in pieces may be the one before it, too.
    let mut line = Line::connected();
    let stream = line.submit("stream", Flags::NONE, Streaming::Bulk, 0);
    let wait = line.submit("wait", Flags::BLOCKING, Streaming::No, 0);
    line.take();
    line.receive(b"$20\r\n0123456789").unwrap();
    line.core.cancel(wait.slot);
    assert_eq!(line.gives_up(), None);
    line.poll(&stream);
    line.chunk(&stream);
    line.receive(b"0123456789\r\n").unwrap();
    assert!(line.gives_up().is_some());
}

#[test]
fn what_a_cancelled_wait_took_is_not_lost() {
    let long = format!("$100\r\n{}\r\n", "x".repeat(100));
    for reply in ["*2\r\n+key\r\n+value\r\n", long.as_str()] {
        // Cancelled before the reply came, and after.
        for came_before in [false, true] {
            let mut line = Line::connected();
            let wait = line.submit("wait", Flags::BLOCKING, Streaming::No, 0);
            line.take();
            let (head, tail) = reply.split_at(8);
            line.receive(head.as_bytes()).unwrap();
            if came_before {
                line.receive(tail.as_bytes()).unwrap();
                line.core.cancel(wait.slot);
            } else {
                line.core.cancel(wait.slot);
                let (tail, end) = tail.split_at(tail.len() - 1);
                line.receive(tail.as_bytes()).unwrap();
                line.receive(end.as_bytes()).unwrap();
            }
            let orphans = line.core.take_orphans();
            assert_eq!(orphans.len(), 1);
            assert_eq!(orphans[0].bytes(), reply.as_bytes());
            line.assert_empty();
        }
    }
}

/// Replies of all kinds.
fn answer() -> BoxedStrategy<Answer> {
    prop_oneof![
        Just(Answer::Status),
        Just(Answer::Integer),
        Just(Answer::Null),
        Just(Answer::Error),
        (0..2000u16).prop_map(Answer::Bulk),
        any::<u8>().prop_map(Answer::Array),
        any::<u8>().prop_map(Answer::Set),
        (0..100u8).prop_map(Answer::Map),
    ]
    .boxed()
}

/// Replies that are taken in pieces, most of them.
fn large_answer() -> BoxedStrategy<Answer> {
    prop_oneof![
        1 => Just(Answer::Status),
        3 => (300..3000u16).prop_map(Answer::Bulk),
        2 => (30..=255u8).prop_map(Answer::Array),
        1 => (30..=255u8).prop_map(Answer::Set),
        1 => (20..100u8).prop_map(Answer::Map),
    ]
    .boxed()
}

fn request(answer: BoxedStrategy<Answer>) -> impl Strategy<Value = Request> {
    let class = prop_oneof![
        20 => Just(Class::Plain),
        4 => Just(Class::Blocking),
        1 => Just(Class::EndsConnection),
    ];
    let streamed = prop::bool::weighted(0.8);
    let patience = prop_oneof![2 => Just(0), 1 => 1..50u16];
    let padding = prop_oneof![4 => 0..40u16, 1 => 0..600u16];
    let what = prop_oneof![
        20 => Just(What::Command),
        2 => (1..5u8).prop_map(What::Batch),
        1 => (1..4u8).prop_map(What::Subscribe),
    ];
    (
        what,
        answer,
        prop::bool::weighted(0.1),
        class,
        streamed,
        patience,
        padding,
    )
        .prop_map(
            |(what, answer, attribute, class, streamed, patience, padding)| Request {
                what,
                answer,
                attribute,
                class,
                streaming: match answer {
                    _ if !streamed => Streaming::No,
                    Answer::Bulk(_) => Streaming::Bulk,
                    _ => Streaming::Elements,
                },
                patience,
                padding,
            },
        )
}

/// What happens on a busy connection.
fn event() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => request(answer()).prop_map(Op::Submit),
        12 => any::<u8>().prop_map(Op::Poll),
        4 => any::<u8>().prop_map(Op::Cancel),
        10 => Just(Op::Take),
        10 => (1..400u16).prop_map(Op::Write),
        14 => Just(Op::Answer),
        1 => Just(Op::Push),
        3 => (0..50u8).prop_map(Op::Publish),
        2 => Just(Op::Listen),
        1 => request(answer()).prop_map(Op::Detach),
        14 => prop_oneof![4 => 1..20u16, 4 => 1..1500u16, 1 => Just(0)].prop_map(Op::Receive),
        3 => (0..30u16).prop_map(Op::Tick),
        1 => Just(Op::Disconnect),
        2 => Just(Op::Connect),
        1 => Just(Op::Settle),
    ]
}

/// What happens while a few callers read large replies.
fn slow_event() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => request(large_answer()).prop_map(Op::Submit),
        40 => any::<u8>().prop_map(Op::Poll),
        2 => any::<u8>().prop_map(Op::Cancel),
        8 => Just(Op::Take),
        8 => Just(Op::Write(u16::MAX)),
        8 => Just(Op::Answer),
        30 => prop_oneof![2 => 1..20u16, 2 => 1..600u16, 1 => Just(0)].prop_map(Op::Receive),
        4 => (0..30u16).prop_map(Op::Tick),
        1 => Just(Op::Disconnect),
        2 => Just(Op::Connect),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let backlog = prop_oneof![
        2 => Just(None),
        1 => (0..300usize).prop_map(|bytes| Some(Backlog::DropOldest(bytes))),
        1 => (0..300usize).prop_map(|bytes| Some(Backlog::BackPressure(bytes))),
    ];
    (1..10u8, 0..1500u16, 0..3000u16, 16..600u16, backlog).prop_map(
        |(commands, bytes, skip, stream_from, backlog)| Limits {
            commands,
            bytes,
            skip,
            stream_from,
            backlog,
        },
    )
}

/// How a sequence of events ends.
fn last_events() -> impl Strategy<Value = Vec<Op>> {
    prop_oneof![
        6 => Just(vec![]),
        1 => Just(vec![Op::Close]),
        1 => Just(vec![Op::Drain]),
        1 => prop::collection::vec(event(), 0..20).prop_map(|events| {
            [Op::Drain].into_iter().chain(events).chain([Op::Close]).collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_order_of_events_leaves_nobody_behind(
        limits in limits(),
        events in prop_oneof![
            prop::collection::vec(event(), 1..150),
            prop::collection::vec(slow_event(), 1..200),
        ],
        last_events in last_events(),
    ) {
        model::run(limits, events.into_iter().chain(last_events));
    }
}
