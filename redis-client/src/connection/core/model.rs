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

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Buf, BytesMut};

use super::{Arrived, Core, CoreLimits, Incoming, Link, Millis, SlotId, State};
use crate::arg::Arg;
use crate::command::{Command, Flags, Since, Spec};
use crate::error::{Error, ErrorKind, Outcome};
use crate::reply::Streaming;
use crate::resp::{ReplyLimits, Shape};

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// A caller begins a call.
    Submit(Request),
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
    /// The server sends a push message of some elements.
    Push(u8),
    /// The socket has some bytes of the server's; zero: all but the last of them.
    Receive(u16),
    /// Time passes.
    Tick(u16),
    /// The connection breaks.
    Disconnect,
    /// There is a connection again.
    Connect,
    /// A handle closes the connection for good.
    Close,
    /// Everybody who was woken acts, until nobody is.
    Settle,
}

/// A call, and how the server answers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
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
            0..60 => Self::Submit(Request::read(data)),
            60..110 => Self::Poll(byte(data)),
            110..125 => Self::Cancel(byte(data)),
            125..150 => Self::Take,
            150..175 => Self::Write(word(data) % 1000),
            175..200 => Self::Answer,
            200..205 => Self::Push(byte(data) % 4),
            205..220 => Self::Receive(u16::from(byte(data))),
            220..230 => Self::Receive(word(data) % 5000),
            230..238 => Self::Tick(u16::from(byte(data)) % 32),
            238..242 => Self::Disconnect,
            242..248 => Self::Connect,
            248..250 => Self::Close,
            250.. => Self::Settle,
        }
    }
}

#[cfg(fuzzing)]
impl Request {
    fn read(data: &mut &[u8]) -> Self {
        let [answer, rest] = [byte(data), byte(data)];
        let answer = match answer % 8 {
            0 => Answer::Status,
            1 => Answer::Integer,
            2 => Answer::Null,
            3 => Answer::Error,
            4 => Answer::Bulk(word(data) % 4000),
            5 => Answer::Array(byte(data)),
            6 => Answer::Set(byte(data)),
            _ => Answer::Map(byte(data) % 100),
        };
        Self {
            answer,
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
            patience: if rest & 0x20 == 0 { 0 } else { u16::from(byte(data)) % 50 },
            padding: if rest & 0x40 == 0 { 0 } else { word(data) % 600 },
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

const PADDING: &str = match str::from_utf8(&[b'p'; 65_536]) {
    Ok(text) => text,
    Err(_) => "",
};

struct World {
    limits: Limits,
    core: Core,
    now: Millis,
    /// By token: what was asked for.
    requests: Vec<Request>,
    /// Those who have not got their reply yet.
    callers: Vec<Caller>,
    /// Tokens of commands that must never be sent.
    never: BTreeSet<u64>,
    /// Tokens of commands that were sent.
    sent: BTreeSet<u64>,

    /// The connection's task, while there is one.
    running: bool,
    driver: Arc<Alarm>,
    driver_sleeps: Option<usize>,
    connection: u32,
    /// Taken from the outbox, and how many bytes of that were written, on this connection.
    writing: BytesMut,
    taken: u64,
    written: u64,
    reading: BytesMut,
    /// Tokens of the commands that were taken, until their replies have come.
    flight: VecDeque<u64>,
    /// There is a reason to give the connection up.
    excused: bool,

    /// What the server has read, understood, answered.
    inbox: BytesMut,
    pending: VecDeque<u64>,
    transit: BytesMut,
    /// The server closes the connection when its answers are delivered.
    hangs_up: bool,
}

struct Caller {
    token: u64,
    slot: SlotId,
    alarm: Arc<Alarm>,
    /// How often it had been woken when it went to sleep.
    sleeps: Option<usize>,
    polls: usize,
    /// What it has read of a streamed reply.
    stream: Option<Vec<u8>>,
    /// When its deadline began.
    stamped: Option<Millis>,
    sent: Option<Sent>,
    fate: Option<Fate>,
}

/// Where on which connection a command is.
struct Sent {
    connection: u32,
    bytes: Range<u64>,
}

/// What a caller has to expect instead of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The connection broke after some, or all, of the command's bytes were written.
    Lost {
        some: bool,
        all: bool,
    },
    Expired {
        sent: bool,
    },
    Closed {
        taken: bool,
        written: bool,
    },
}

/// A waker that counts.
#[derive(Default)]
pub(super) struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alarm {
    pub(super) fn rung(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl World {
    fn new(limits: Limits) -> Self {
        let mut core = Core::new(CoreLimits {
            commands: usize::from(limits.commands.max(1)),
            bytes: usize::from(limits.bytes),
            skip: usize::from(limits.skip),
            reply: ReplyLimits::default(),
        });
        core.stream_from = usize::from(limits.stream_from.max(16));
        let mut world = Self {
            limits,
            core,
            now: 1,
            requests: Vec::new(),
            callers: Vec::new(),
            never: BTreeSet::new(),
            sent: BTreeSet::new(),
            running: false,
            driver: Arc::default(),
            driver_sleeps: None,
            connection: 0,
            writing: BytesMut::new(),
            taken: 0,
            written: 0,
            reading: BytesMut::new(),
            flight: VecDeque::new(),
            excused: false,
            inbox: BytesMut::new(),
            pending: VecDeque::new(),
            transit: BytesMut::new(),
            hangs_up: false,
        };
        world.connect();
        world
    }

    fn play(&mut self, op: &Op) {
        match *op {
            Op::Submit(request) => self.submit(request),
            Op::Poll(index) => {
                if let Some(index) = self.pick(index) {
                    self.poll(index);
                }
            }
            Op::Cancel(index) => {
                if let Some(index) = self.pick(index) {
                    self.cancel(index);
                }
            }
            Op::Take => self.take(),
            Op::Write(count) => self.write(usize::from(count)),
            Op::Answer => self.answer(),
            Op::Push(count) => self.push(count),
            Op::Receive(count) => self.receive(usize::from(count)),
            Op::Tick(step) => self.tick(step),
            Op::Disconnect => self.disconnect(),
            Op::Connect => self.connect(),
            Op::Close => self.close(),
            Op::Settle => self.settle(),
        }
    }

    fn pick(&self, index: u8) -> Option<usize> {
        usize::from(index).checked_rem(self.callers.len())
    }

    // ---- Callers ----

    fn submit(&mut self, request: Request) {
        let token = self.requests.len() as u64;
        self.requests.push(request);
        let alarm = Arc::<Alarm>::default();
        let waker = Waker::from(Arc::clone(&alarm));
        let submitted = self.core.submit(
            &command(token, &request),
            request.streaming,
            u32::from(request.patience),
            &Context::from_waker(&waker),
        );
        self.ring();
        match submitted {
            Ok(slot) => self.callers.push(Caller {
                token,
                slot,
                sleeps: Some(alarm.rung()),
                alarm,
                polls: 0,
                stream: None,
                stamped: None,
                sent: None,
                fate: None,
            }),
            Err(error) => {
                assert!(self.core.is_closed());
                assert_eq!(error.kind(), ErrorKind::NotConnected);
                assert_eq!(error.outcome(), Outcome::NotSent);
            }
        }
    }

    fn poll(&mut self, index: usize) {
        let caller = &mut self.callers[index];
        caller.sleeps = None;
        caller.polls += 1;
        if caller.polls.is_multiple_of(3) {
            // The call has moved to another task; only that one is to be woken from now on.
            caller.alarm = Arc::default();
        }
        let asleep = caller.alarm.rung();
        let waker = Waker::from(Arc::clone(&caller.alarm));
        let cx = Context::from_waker(&waker);
        let done = if caller.stream.is_some() {
            match self.core.poll_chunk(caller.slot, &cx) {
                Poll::Pending => {
                    caller.sleeps = Some(asleep);
                    false
                }
                Poll::Ready(chunk) => self.take_chunk(index, chunk),
            }
        } else {
            let command = command(caller.token, &self.requests[caller.token as usize]);
            match self.core.poll_reply(caller.slot, &command, &cx) {
                Poll::Pending => {
                    caller.sleeps = Some(asleep);
                    false
                }
                Poll::Ready(reply) => self.take_reply(index, reply),
            }
        };
        self.ring();
        if done {
            self.callers.swap_remove(index);
        }
    }

    /// Whether the call is over.
    fn take_reply(&mut self, index: usize, reply: Result<Arrived, Error>) -> bool {
        let caller = &mut self.callers[index];
        let request = self.requests[caller.token as usize];
        let expected = Expected::new(caller.token, &request);
        match reply {
            Ok(Arrived::Frame(frame)) => {
                let ended = matches!(caller.fate, Some(Fate::Lost { all: true, .. }));
                if ended && request.class == Class::EndsConnection {
                    assert_eq!(frame.bytes(), b"+OK\r\n");
                } else {
                    assert_eq!(
                        frame.bytes().escape_ascii().to_string(),
                        expected.bytes.escape_ascii().to_string()
                    );
                    assert!(self.sent.contains(&caller.token));
                }
                true
            }
            Ok(Arrived::Batch(..)) => panic!("a command got the replies of a batch"),
            Ok(Arrived::Stream { shape, len }) => {
                assert_eq!((shape, len), (expected.shape, expected.len));
                assert!(expected.bytes.len() >= self.core.stream_from);
                caller.stream = Some(Vec::new());
                false
            }
            Err(error) => {
                caller.check_error(&error, &request);
                true
            }
        }
    }

    /// Whether the stream is over.
    fn take_chunk(&mut self, index: usize, chunk: Option<Result<bytes::Bytes, Error>>) -> bool {
        let caller = &mut self.callers[index];
        let request = self.requests[caller.token as usize];
        let expected = Expected::new(caller.token, &request);
        let body = &expected.bytes[expected.body.clone()];
        let received = caller.stream.as_mut().expect("a caller with a stream");
        let end = match chunk {
            Some(Ok(chunk)) => {
                assert!(!chunk.is_empty());
                if expected.shape != Shape::Bulk {
                    let mut at = 0;
                    while at < chunk.len() {
                        at = element_end(&chunk, at).expect("a chunk of whole elements");
                    }
                }
                received.extend_from_slice(&chunk);
                assert!(
                    body.starts_with(received),
                    "the stream has other bytes than the reply"
                );
                return false;
            }
            None => {
                assert_eq!(
                    received.len(),
                    body.len(),
                    "the stream ended before the reply"
                );
                None
            }
            Some(Err(error)) => Some(error),
        };
        if let Some(error) = end {
            caller.check_error(&error, &request);
        }
        // A stream that has ended says so again, until it is dropped.
        let (slot, waker) = (caller.slot, Waker::from(Arc::clone(&caller.alarm)));
        let again = self.core.poll_chunk(slot, &Context::from_waker(&waker));
        assert!(matches!(again, Poll::Ready(None)));
        self.core.cancel(slot);
        true
    }

    fn cancel(&mut self, index: usize) {
        let caller = self.callers.swap_remove(index);
        let request = self.requests[caller.token as usize];
        let state = &self.core.slots[caller.slot.0 as usize].state;
        let was_sent = matches!(state, State::Sent);
        let is_next = self.core.order.front() == Some(&caller.slot);
        if matches!(state, State::Waiting(_) | State::Queued) {
            self.never.insert(caller.token);
        }
        self.core.cancel(caller.slot);
        self.ring();
        if was_sent && request.class == Class::Blocking {
            self.excused = true;
            assert!(
                self.core.give_up.is_some() || !is_next,
                "a blocking command goes on for nobody"
            );
        }
    }

    // ---- The connection's task ----

    /// What the task does before anything else; false when it has ended.
    fn turn(&mut self) -> bool {
        if !self.running {
            return false;
        }
        self.core
            .register_driver(&Waker::from(Arc::clone(&self.driver)));
        self.driver_sleeps = None;
        let Some(error) = self.core.take_give_up() else {
            return true;
        };
        self.lose(&error);
        false
    }

    /// The end of a turn: the task sleeps unless there is something left to do.
    fn rest(&mut self) {
        self.driver_sleeps = (!self.has_work()).then(|| self.driver.rung());
    }

    fn has_work(&self) -> bool {
        let front = self
            .core
            .order
            .front()
            .map(|id| &self.core.slots[id.0 as usize].state);
        let consumer_busy =
            matches!(front, Some(State::Streaming(stream)) if stream.chunk.is_some());
        (self.core.has_unsent() && self.writing.is_empty())
            || self.core.give_up.is_some()
            || (self.core.paused && !consumer_busy)
    }

    fn take(&mut self) {
        if !self.turn() {
            return;
        }
        if self.writing.is_empty() && self.core.has_unsent() {
            self.take_outbox();
        }
        self.rest();
    }

    fn take_outbox(&mut self) {
        self.core.take_outbox(&mut self.writing, self.now);
        self.ring();
        let mut at = 0;
        while at < self.writing.len() {
            let (token, end) =
                parse_command(&self.writing[at..]).expect("the outbox holds whole commands");
            let bytes = self.taken..self.taken + end as u64;
            assert!(
                !self.never.contains(&token),
                "command {token} must not be sent"
            );
            assert!(self.sent.insert(token), "command {token} is sent twice");
            let caller = self.callers.iter_mut().find(|caller| caller.token == token);
            let caller = caller.unwrap_or_else(|| panic!("command {token} is sent for nobody"));
            caller.stamp(self.now, &self.requests[token as usize]);
            caller.sent = Some(Sent {
                connection: self.connection,
                bytes: bytes.clone(),
            });
            self.flight.push_back(token);
            self.taken = bytes.end;
            at += end;
        }
    }

    fn write(&mut self, count: usize) {
        if !self.turn() {
            return;
        }
        let count = count.min(self.writing.len());
        self.inbox.extend_from_slice(&self.writing.split_to(count));
        self.written += count as u64;
        while let Some((token, end)) = parse_command(&self.inbox) {
            self.inbox.advance(end);
            self.pending.push_back(token);
        }
        self.rest();
    }

    fn receive(&mut self, count: usize) {
        if !self.turn() {
            return;
        }
        if self.core.is_paused() {
            self.receive_bytes();
        }
        if !self.core.is_paused() {
            let available = self.transit.len();
            let count = match count {
                0 => available.saturating_sub(1).min(MAX_READ),
                count => count.min(available).min(MAX_READ),
            };
            if count > 0 {
                self.reading
                    .extend_from_slice(&self.transit.split_to(count));
                self.receive_bytes();
            } else if self.hangs_up && self.transit.is_empty() {
                self.lose(&lost());
                return;
            }
        }
        self.rest();
    }

    fn receive_bytes(&mut self) {
        let gave_up = self.core.give_up.is_some();
        let received = self.core.receive(&mut self.reading);
        self.ring();
        if self.core.is_closed() {
            return;
        }
        assert_eq!(received, Ok(()));
        let left = self.core.order.len() - self.core.unsent;
        // Those that were answered, and the one whose reply is under way.
        let replies = self.flight.len() - left + 1;
        let gives_up = self.core.give_up.is_some() && !gave_up;
        self.excused |= gives_up
            && self.flight.iter().take(replies).any(|token| {
                let reply = Expected::new(*token, &self.requests[*token as usize]);
                reply.bytes.len() > usize::from(self.limits.skip)
            });
        self.flight.drain(..replies - 1);
    }

    fn tick(&mut self, step: u16) {
        self.now += u64::from(step);
        let mut watched = false;
        let mut expected = Vec::new();
        for (index, caller) in self.callers.iter_mut().enumerate() {
            let state = &self.core.slots[caller.slot.0 as usize].state;
            let request = &self.requests[caller.token as usize];
            if request.patience == 0
                || !matches!(state, State::Waiting(false) | State::Queued | State::Sent)
            {
                continue;
            }
            watched = true;
            caller.stamp(self.now, request);
            if caller
                .stamped
                .is_some_and(|at| at + u64::from(request.patience) <= self.now)
            {
                let sent = matches!(state, State::Sent);
                expected.push((index, sent, sent && request.class == Class::Blocking));
            }
        }
        assert_eq!(self.core.tick(self.now), watched);
        self.ring();
        for (index, sent, gives_up) in expected {
            let caller = &mut self.callers[index];
            assert!(
                matches!(
                    self.core.slots[caller.slot.0 as usize].state,
                    State::Failed(_)
                ),
                "command {} should have failed at its deadline",
                caller.token
            );
            caller.fate = Some(Fate::Expired { sent });
            if !sent {
                self.never.insert(caller.token);
            }
            if gives_up {
                self.excused = true;
                assert!(
                    self.core.give_up.is_some(),
                    "a blocking command goes on for nobody"
                );
            }
        }
    }

    fn disconnect(&mut self) {
        if self.running {
            self.lose(&lost());
        }
    }

    /// The task has ended.
    fn lose(&mut self, error: &Error) {
        for caller in &mut self.callers {
            let state = &self.core.slots[caller.slot.0 as usize].state;
            let open = match state {
                State::Sent => true,
                State::Streaming(stream) => stream.end.is_none(),
                _ => false,
            };
            if open {
                let sent = caller.sent.as_ref().expect("a command in flight was sent");
                assert_eq!(sent.connection, self.connection);
                caller.fate = Some(Fate::Lost {
                    some: sent.bytes.start < self.written,
                    all: sent.bytes.end <= self.written,
                });
            }
        }
        self.core.disconnected(error, self.written);
        self.ring();
        for buffer in [
            &mut self.writing,
            &mut self.reading,
            &mut self.inbox,
            &mut self.transit,
        ] {
            buffer.clear();
        }
        self.pending.clear();
        self.flight.clear();
        self.hangs_up = false;
        self.running = false;
        assert!(!self.core.is_up());
    }

    fn connect(&mut self) {
        if self.running {
            return;
        }
        self.core.connected();
        self.ring();
        self.running = true;
        self.excused = self.core.is_closed();
        self.connection += 1;
        self.taken = 0;
        self.written = 0;
        self.driver_sleeps = None;
        assert_eq!(self.core.give_up.is_some(), self.core.is_closed());
        if self.core.is_closed() {
            // Closed while the connection was made: it must end at once.
            assert!(!self.core.is_up());
            assert!(!self.turn(), "a closed connection goes on");
        }
    }

    fn close(&mut self) {
        if self.core.is_closed() {
            return;
        }
        for caller in &mut self.callers {
            let state = &self.core.slots[caller.slot.0 as usize].state;
            let taken = match state {
                State::Waiting(_) | State::Queued => false,
                State::Sent => true,
                State::Streaming(stream) if stream.end.is_none() => true,
                _ => continue,
            };
            let written = taken
                && caller
                    .sent
                    .as_ref()
                    .is_some_and(|sent| sent.bytes.start < self.written);
            caller.fate = Some(Fate::Closed { taken, written });
            if !taken {
                self.never.insert(caller.token);
            }
        }
        self.excused = true;
        self.core.closed(Error::new(
            ErrorKind::NotConnected,
            Outcome::NotSent,
            "closed",
        ));
        self.ring();
        if self.running {
            assert!(
                self.core.give_up.is_some(),
                "the socket of a closed connection stays open"
            );
        }
    }

    // ---- The server ----

    fn answer(&mut self) {
        if self.hangs_up {
            return;
        }
        let Some(token) = self.pending.pop_front() else {
            return;
        };
        let request = self.requests[token as usize];
        if request.class == Class::EndsConnection {
            self.hangs_up = true;
        } else {
            self.transit
                .extend_from_slice(&Expected::new(token, &request).bytes);
        }
    }

    fn push(&mut self, count: u8) {
        if self.running && !self.hangs_up {
            self.transit
                .extend_from_slice(format!(">{count}\r\n").as_bytes());
            for _ in 0..count {
                self.transit.extend_from_slice(b"$4\r\npush\r\n");
            }
        }
    }

    // ---- Everybody ----

    fn ring(&mut self) {
        let mut wakes = Vec::new();
        self.core.take_wakes(&mut wakes);
        wakes.into_iter().for_each(Waker::wake);
    }

    /// Lets those act who were woken, and nobody else, until everybody sleeps.
    fn settle(&mut self) {
        loop {
            let mut progress = false;
            let driver_woken = self.driver_sleeps.is_none_or(|at| self.driver.rung() > at);
            if driver_woken {
                progress |= self.running && self.has_work();
                self.take();
                self.check();
            }
            if !self.writing.is_empty() {
                progress = true;
                self.write(usize::MAX);
                self.check();
            }
            while !self.pending.is_empty() && !self.hangs_up {
                progress = true;
                self.answer();
            }
            // A task that is woken while it is paused looks whether it may go on.
            let readable = !self.core.is_paused() && (!self.transit.is_empty() || self.hangs_up);
            if driver_woken || readable {
                progress |= readable;
                self.receive(1000);
                self.check();
            }
            let mut index = 0;
            while let Some(caller) = self.callers.get(index) {
                if caller.sleeps.is_none_or(|at| caller.alarm.rung() > at) {
                    // Again until it sleeps; when it is done, another one is in its place.
                    progress = true;
                    self.poll(index);
                    self.check();
                } else {
                    index += 1;
                }
            }
            if !progress {
                break;
            }
        }
        if self.running {
            assert!(self.core.is_up(), "the task of a closed connection goes on");
            assert!(
                self.reading.is_empty(),
                "bytes of complete replies are left"
            );
            assert!(!self.core.paused);
        }
        if self.core.is_up() || self.core.is_closed() {
            let left: Vec<u64> = self.callers.iter().map(|caller| caller.token).collect();
            assert!(left.is_empty(), "calls {left:?} never end");
        }
    }

    fn finish(mut self) {
        self.settle();
        self.check();
        while !self.core.is_up() && !self.core.is_closed() {
            self.connect();
            self.settle();
            self.check();
        }
        assert!(self.callers.is_empty());
        let core = &self.core;
        assert_eq!(core.in_flight(), 0);
        assert_eq!((core.unsent, core.granted, core.bytes_in_flight), (0, 0, 0));
        assert!(!core.in_blocking_call());
        assert!(core.outbox.is_empty());
        assert_eq!(
            core.free.len(),
            core.slots.len(),
            "slots were not given back"
        );
        if !core.is_closed() && self.connection == 1 {}
    }

    /// What holds at all times.
    fn check(&self) {
        self.check_slots();
        self.check_limits();
        self.check_wakers();
        self.check_turns();
        self.check_stream();
    }

    /// Every slot is where its state says.
    fn check_slots(&self) {
        let core = &self.core;
        let state = |id: &SlotId| &core.slots[id.0 as usize].state;
        let free: BTreeSet<SlotId> = core.free.iter().copied().collect();
        assert_eq!(free.len(), core.free.len());
        assert!(free.iter().all(|id| matches!(state(id), State::Free)));
        let is_free = |slot: &&super::Slot| matches!(slot.state, State::Free);
        assert_eq!(core.slots.iter().filter(is_free).count(), free.len());

        let ordered: BTreeSet<SlotId> = core.order.iter().copied().collect();
        assert_eq!(ordered.len(), core.order.len());
        let first_unsent = core.order.len() - core.unsent;
        let mut unsent_bytes = 0;
        for (place, id) in core.order.iter().enumerate() {
            if place < first_unsent {
                match state(id) {
                    State::Sent | State::Abandoned => {}
                    State::Streaming(stream) => assert!(place == 0 && stream.end.is_none()),
                    other => panic!("a sent command is {other:?}"),
                }
            } else {
                assert!(matches!(state(id), State::Queued | State::Abandoned));
                unsent_bytes += core.slots[id.0 as usize].len;
            }
        }
        assert_eq!(unsent_bytes, core.outbox.len());
        assert!(
            core.waiting
                .iter()
                .all(|id| matches!(state(id), State::Waiting(false)))
        );

        let slots: BTreeSet<SlotId> = self.callers.iter().map(|caller| caller.slot).collect();
        assert_eq!(slots.len(), self.callers.len());
        let count =
            |test: fn(&State) -> bool| core.slots.iter().filter(|slot| test(&slot.state)).count();
        assert_eq!(
            count(|state| matches!(state, State::Waiting(true))),
            core.granted
        );
        assert_eq!(
            count(|state| matches!(state, State::Waiting(false))),
            core.waiting.len()
        );
        let granted = core
            .slots
            .iter()
            .filter(|slot| matches!(slot.state, State::Waiting(true)));
        assert_eq!(
            granted.map(|slot| slot.len).sum::<usize>(),
            core.granted_bytes
        );
        let nobody = count(|state| matches!(state, State::Free | State::Abandoned));
        assert_eq!(core.slots.len() - nobody, self.callers.len());
    }

    fn check_limits(&self) {
        let core = &self.core;
        let slots = || core.order.iter().map(|id| &core.slots[id.0 as usize]);
        assert_eq!(
            slots().map(|slot| slot.len).sum::<usize>(),
            core.bytes_in_flight
        );
        assert_eq!(
            slots()
                .filter(|slot| slot.flags.contains(Flags::BLOCKING))
                .count(),
            core.blocking
        );
        assert!(core.order.len() + core.granted <= core.limits.commands);
        assert!(core.bytes_in_flight <= core.limits.bytes || core.order.len() == 1);
    }

    /// Nobody sleeps through what concerns it.
    fn check_wakers(&self) {
        for caller in &self.callers {
            let ready = match &self.core.slots[caller.slot.0 as usize].state {
                State::Waiting(granted) => *granted,
                State::Ready(_) | State::ReadyBatch(_) | State::Failed(_) => true,
                State::Streaming(stream) if caller.stream.is_none() => stream.head.is_some(),
                State::Streaming(stream) => stream.chunk.is_some() || stream.end.is_some(),
                State::Free | State::Queued | State::Detached | State::Sent | State::Abandoned => {
                    false
                }
            };
            if ready && let Some(at) = caller.sleeps {
                assert!(
                    caller.alarm.rung() > at,
                    "caller {} was not woken",
                    caller.token
                );
            }
        }
        if self.running
            && self.has_work()
            && let Some(at) = self.driver_sleeps
        {
            assert!(
                self.driver.rung() > at,
                "the connection's task was not woken"
            );
        }
    }

    /// First come, first served; and nobody waits without need.
    fn check_turns(&self) {
        let state = |caller: &&Caller| &self.core.slots[caller.slot.0 as usize].state;
        let waiting = |caller: &&Caller| matches!(state(caller), State::Waiting(false));
        let first_waiting = self
            .callers
            .iter()
            .filter(waiting)
            .map(|caller| caller.token)
            .min();
        let Some(first_waiting) = first_waiting else {
            return;
        };
        for caller in &self.callers {
            if !waiting(&caller) {
                let had_turn = caller.fate.is_none() || caller.sent.is_some();
                assert!(
                    caller.token < first_waiting || !had_turn,
                    "caller {} came after {first_waiting}, which still waits",
                    caller.token
                );
            }
        }
        let command = command(first_waiting, &self.requests[first_waiting as usize]);
        assert!(
            !self.core.has_room(command.size_hint()),
            "there is room for {first_waiting}"
        );
    }

    /// A paused stream holds one piece and a buffer; a dropped one is skipped only so far.
    fn check_stream(&self) {
        let core = &self.core;
        let front = core
            .order
            .front()
            .map(|id| &core.slots[id.0 as usize].state);
        if let Some(State::Streaming(stream)) = front
            && let Some(chunk) = &stream.chunk
        {
            let held = chunk.len() + self.reading.len();
            assert!(held <= core.stream_from + 2 * MAX_READ + MAX_ELEMENT);
        }
        let skips = matches!(core.link, Link::Up)
            && core.incoming != Incoming::Reply
            && matches!(front, Some(State::Abandoned));
        if skips && core.skipped > usize::from(self.limits.skip) {
            assert!(
                core.give_up.is_some(),
                "too much of a dropped reply is skipped"
            );
        }
        assert!(
            core.give_up.is_none() || self.excused,
            "the connection ends without need"
        );
    }
}

impl Caller {
    fn stamp(&mut self, now: Millis, request: &Request) {
        if request.patience != 0 {
            self.stamped.get_or_insert(now);
        }
    }

    fn check_error(&self, error: &Error, request: &Request) {
        let (kind, outcome) = (error.kind(), error.outcome());
        let sent = |sent| {
            if sent {
                Outcome::Unknown
            } else {
                Outcome::NotSent
            }
        };
        match self.fate.expect("an error without a reason") {
            Fate::Lost { some, all } => {
                assert_eq!(outcome, sent(some));
                let ended = all && request.class == Class::EndsConnection;
                assert!(!ended, "the connection ended as it should");
            }
            Fate::Expired { sent: was_sent } => {
                assert_eq!((kind, outcome), (ErrorKind::Timeout, sent(was_sent)));
            }
            Fate::Closed { taken, written } => {
                assert_eq!(kind, ErrorKind::NotConnected);
                // Taken, but not written, may be called either.
                assert!(outcome != Outcome::NotSent || !written, "it was sent");
                assert!(outcome == Outcome::NotSent || taken, "it was not sent");
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, Outcome::Unknown, "lost")
}

fn command(token: u64, request: &Request) -> Command<'static> {
    let mut command = Command::new(&SPEC);
    command.push(0, Arg::from_u64(token));
    command.push(1, Arg::from_text(&PADDING[..usize::from(request.padding)]));
    match request.class {
        Class::Plain => {}
        Class::Blocking => command.add_flags(Flags::BLOCKING),
        Class::EndsConnection => command.add_flags(Flags::ENDS_CONNECTION),
    }
    command
}

/// The token of the command at the start of `bytes`, and where it ends.
fn parse_command(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    let mut arguments = Vec::new();
    let count = header(bytes, b'*', &mut at)?;
    for _ in 0..count {
        let len = header(bytes, b'$', &mut at)?;
        arguments.push(bytes.get(at..at + len)?);
        assert_eq!(bytes.get(at + len..at + len + 2)?, b"\r\n");
        at += len + 2;
    }
    assert_eq!(arguments.len(), 3);
    assert_eq!(arguments[0], b"TEST");
    let token = str::from_utf8(arguments[1]).ok()?.parse().ok()?;
    Some((token, at))
}

fn header(bytes: &[u8], tag: u8, at: &mut usize) -> Option<usize> {
    let rest = &bytes[*at..];
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    assert_eq!(rest[0], tag);
    *at += end + 2;
    str::from_utf8(&rest[1..end]).ok()?.parse().ok()
}

/// The socket never has more bytes at once.
const MAX_READ: usize = 4096;

/// No element of an aggregate reply is longer.
const MAX_ELEMENT: usize = 256;

/// The reply that the server gives, and what of it a stream hands out.
struct Expected {
    bytes: Vec<u8>,
    body: Range<usize>,
    shape: Shape,
    len: u64,
}

impl Expected {
    fn new(token: u64, request: &Request) -> Self {
        let mut bytes = Vec::new();
        if request.attribute {
            bytes.extend_from_slice(format!("|1\r\n+token\r\n:{token}\r\n").as_bytes());
        }
        let (shape, tag, len) = match request.answer {
            Answer::Status => {
                bytes.extend_from_slice(format!("+T{token}\r\n").as_bytes());
                return Self::whole(bytes, Shape::Status);
            }
            Answer::Integer => {
                bytes.extend_from_slice(format!(":{token}\r\n").as_bytes());
                return Self::whole(bytes, Shape::Integer);
            }
            Answer::Null => {
                bytes.extend_from_slice(b"$-1\r\n");
                return Self::whole(bytes, Shape::Null);
            }
            Answer::Error => {
                bytes.extend_from_slice(format!("-ERR {token}\r\n").as_bytes());
                return Self::whole(bytes, Shape::Error);
            }
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

    fn whole(bytes: Vec<u8>, shape: Shape) -> Self {
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
    match (index + token) % 8 {
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
fn element_end(bytes: &[u8], at: usize) -> Option<usize> {
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
