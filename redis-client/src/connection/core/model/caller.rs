//! The callers of the model, and its subscriber: each knows what it has to get.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Bytes, BytesMut};

use super::super::{Arrived, Core, Millis, Outgoing, SlotId, Subscribing};
use super::server::{Expected, element_end};
use super::{Answer, Class, Request, SPEC, What};
use crate::arg::Arg;
use crate::batch::Batch;
use crate::command::{Command, Flags};
use crate::error::{Error, ErrorKind, Outcome};
use crate::pubsub::{Event, Gap, SubscriberId};
use crate::resp::{Decoder, Shape};

/// A waker that counts.
#[derive(Default)]
pub(in super::super) struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alarm {
    pub(in super::super) fn rung(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Somebody who sleeps until the alarm rings.
#[derive(Default)]
pub(super) struct Sleeper {
    alarm: Arc<Alarm>,
    /// How often it had rung when sleep came.
    since: Option<usize>,
}

impl Sleeper {
    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.alarm))
    }

    /// Another task goes on with it: only that one is to be woken from now on.
    pub(super) fn move_on(&mut self) {
        self.alarm = Arc::default();
    }

    pub(super) fn sleep(&mut self) {
        self.since = Some(self.alarm.rung());
    }

    pub(super) fn get_up(&mut self) {
        self.since = None;
    }

    pub(super) fn is_awake(&self) -> bool {
        self.since.is_none_or(|since| self.alarm.rung() > since)
    }

    pub(super) fn sleeps(&self) -> bool {
        !self.is_awake()
    }
}

pub(super) struct Caller {
    pub(super) token: u64,
    pub(super) request: Request,
    pub(super) slot: SlotId,
    pub(super) sleeper: Sleeper,
    polls: usize,
    /// What it has read of a streamed reply.
    pub(super) stream: Option<Vec<u8>>,
    /// When its deadline began.
    pub(super) stamped: Option<Millis>,
    pub(super) sent: Option<Place>,
    pub(super) fate: Option<Fate>,
}

/// Where on which connection a command is.
pub(super) struct Place {
    pub(super) connection: u32,
    pub(super) bytes: Range<u64>,
}

/// What a caller has to expect instead of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
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

impl Caller {
    pub(super) fn new(core: &mut Core, token: u64, request: Request) -> Result<Self, Error> {
        let mut sleeper = Sleeper::default();
        let slot = core.submit(
            &Calling::new(token, &request),
            request.streaming,
            u32::from(request.patience),
            &Context::from_waker(&sleeper.waker()),
        )?;
        sleeper.sleep();
        Ok(Self {
            token,
            request,
            slot,
            sleeper,
            polls: 0,
            stream: None,
            stamped: None,
            sent: None,
            fate: None,
        })
    }

    pub(super) fn stamp(&mut self, now: Millis) {
        if self.request.patience != 0 {
            self.stamped.get_or_insert(now);
        }
    }

    /// Whether the call is over.
    pub(super) fn poll(&mut self, core: &mut Core) -> bool {
        self.sleeper.get_up();
        self.polls += 1;
        if self.polls.is_multiple_of(3) {
            self.sleeper.move_on();
        }
        let waker = self.sleeper.waker();
        let cx = Context::from_waker(&waker);
        // A waker may ring while the call is polled.
        let mut asleep = Sleeper {
            alarm: Arc::clone(&self.sleeper.alarm),
            since: None,
        };
        asleep.sleep();
        if self.stream.is_some() {
            match core.poll_chunk(self.slot, &cx) {
                Poll::Pending => self.sleeper = asleep,
                Poll::Ready(chunk) => return self.take_chunk(core, chunk),
            }
        } else {
            let calling = Calling::new(self.token, &self.request);
            match core.poll_reply(self.slot, &calling, &cx) {
                Poll::Pending => self.sleeper = asleep,
                Poll::Ready(reply) => return self.take_reply(core, reply),
            }
        }
        false
    }

    fn take_reply(&mut self, core: &Core, reply: Result<Arrived, Error>) -> bool {
        let expected = |index| Expected::new(self.token, index, &self.request);
        match (reply, self.request.what) {
            (Err(error), _) => self.check_error(&error),
            (Ok(Arrived::Frame(frame)), what) => {
                let ended = matches!(self.fate, Some(Fate::Lost { all: true, .. }))
                    && self.request.class == Class::EndsConnection;
                let confirmed = matches!(what, What::Subscribe(_))
                    && !matches!(self.request.answer, Answer::Error);
                let bytes = if ended || confirmed {
                    b"+OK\r\n".to_vec()
                } else {
                    expected(0).bytes
                };
                assert_bytes(frame.bytes(), &bytes);
                assert!(
                    !matches!(what, What::Batch(2..)),
                    "a batch has several replies"
                );
                assert!(self.sent.is_some(), "a reply to what was not sent");
            }
            (Ok(Arrived::Batch(frames, error)), What::Batch(count)) => {
                for (index, frame) in frames.iter().enumerate() {
                    assert_bytes(frame.bytes(), &expected(index as u64).bytes);
                }
                assert_eq!(frames.len() < usize::from(count), error.is_some());
                if let Some(error) = error {
                    self.check_error(&error);
                }
            }
            (Ok(Arrived::Batch(..)), _) => panic!("a command got the replies of a batch"),
            (Ok(Arrived::Stream { shape, len }), what) => {
                let expected = expected(0);
                assert_eq!(what, What::Command);
                assert_eq!((shape, len), (expected.shape, expected.len));
                assert!(expected.bytes.len() >= core.stream_from);
                self.stream = Some(Vec::new());
                return false;
            }
        }
        true
    }

    fn take_chunk(&mut self, core: &mut Core, chunk: Option<Result<Bytes, Error>>) -> bool {
        let expected = Expected::new(self.token, 0, &self.request);
        let body = &expected.bytes[expected.body];
        let received = self.stream.as_mut().expect("a caller with a stream");
        match chunk {
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
            None => assert_eq!(
                received.len(),
                body.len(),
                "the stream ended before the reply"
            ),
            Some(Err(error)) => self.check_error(&error),
        }
        // A stream that has ended says so again, until it is dropped.
        let again = core.poll_chunk(self.slot, &Context::from_waker(&self.sleeper.waker()));
        assert!(matches!(again, Poll::Ready(None)));
        core.cancel(self.slot);
        true
    }

    fn check_error(&self, error: &Error) {
        let (kind, outcome) = (error.kind(), error.outcome());
        let of = |sent| {
            if sent {
                Outcome::Unknown
            } else {
                Outcome::NotSent
            }
        };
        match self.fate.expect("an error without a reason") {
            Fate::Lost { some, all } => {
                assert_eq!(outcome, of(some));
                let ended = all && self.request.class == Class::EndsConnection;
                assert!(!ended, "the connection ended as it should");
            }
            Fate::Expired { sent } => assert_eq!((kind, outcome), (ErrorKind::Timeout, of(sent))),
            Fate::Closed { taken, written } => {
                assert_eq!(kind, ErrorKind::NotConnected);
                // Taken, but not written, may be called either.
                assert!(outcome != Outcome::NotSent || !written, "it was sent");
                assert!(outcome == Outcome::NotSent || taken, "it was not sent");
            }
        }
    }
}

pub(super) fn assert_bytes(bytes: &[u8], expected: &[u8]) {
    if bytes != expected {
        panic!(
            "{} instead of {}",
            bytes.escape_ascii(),
            expected.escape_ascii()
        );
    }
}

/// What a caller sends.
pub(super) enum Calling {
    Command(Command<'static>),
    Batch(Batch),
    Subscribing(Subscribing<'static>),
}

impl Calling {
    pub(super) fn new(token: u64, request: &Request) -> Self {
        let command = |index| {
            let mut command = Command::new(&SPEC);
            command.push(0, Arg::from_u64(token));
            command.push(0, Arg::from_u64(index));
            command.push(1, Arg::from_text(&PADDING[..usize::from(request.padding)]));
            match request.class {
                Class::Plain => {}
                Class::Blocking => command.add_flags(Flags::BLOCKING),
                Class::EndsConnection => command.add_flags(Flags::ENDS_CONNECTION),
            }
            command
        };
        match request.what {
            What::Command => Self::Command(command(0)),
            What::Batch(count) => {
                let mut batch = Batch::new();
                (0..u64::from(count)).for_each(|index| batch.push(&command(index)));
                Self::Batch(batch)
            }
            What::Subscribe(count) => Self::Subscribing(Subscribing(command(0), u32::from(count))),
        }
    }
}

impl Outgoing for Calling {
    fn size_hint(&self) -> usize {
        match self {
            Self::Command(command) => command.size_hint(),
            Self::Batch(batch) => batch.size_hint(),
            Self::Subscribing(subscribing) => subscribing.size_hint(),
        }
    }

    fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Command(command) => command.encode(out),
            Self::Batch(batch) => batch.encode(out),
            Self::Subscribing(subscribing) => subscribing.encode(out),
        }
    }

    fn flags(&self) -> Flags {
        match self {
            Self::Command(command) => command.flags(),
            Self::Batch(batch) => batch.flags(),
            Self::Subscribing(subscribing) => subscribing.flags(),
        }
    }

    fn replies(&self) -> u32 {
        match self {
            Self::Command(command) => command.replies(),
            Self::Batch(batch) => Outgoing::replies(batch),
            Self::Subscribing(subscribing) => subscribing.replies(),
        }
    }

    fn is_confirmed(&self) -> bool {
        matches!(self, Self::Subscribing(_))
    }
}

const PADDING: &str = match str::from_utf8(&[b'p'; 65_536]) {
    Ok(text) => text,
    Err(_) => "",
};

/// Listens to the messages of one channel.
pub(super) struct Listener {
    pub(super) id: SubscriberId,
    pub(super) sleeper: Sleeper,
    /// The number of the next message, if none is missing.
    pub(super) next: u64,
    dropped: u64,
    lost: bool,
    /// Whether it was told that it is subscribed since the connection was lost.
    pub(super) restored: bool,
    pub(super) ended: bool,
}

impl Listener {
    pub(super) fn new(id: SubscriberId) -> Self {
        Self {
            id,
            sleeper: Sleeper::default(),
            next: 0,
            dropped: 0,
            lost: false,
            restored: false,
            ended: false,
        }
    }

    pub(super) fn poll(&mut self, core: &mut Core) {
        if self.ended {
            return;
        }
        self.sleeper.get_up();
        let event = core
            .subscribers
            .poll_event(self.id, &Context::from_waker(&self.sleeper.waker()));
        core.relieved();
        match event {
            Poll::Pending => self.sleeper.sleep(),
            Poll::Ready(Err(error)) => {
                assert!(core.is_closed());
                assert_eq!(error.kind(), ErrorKind::NotConnected);
                self.ended = true;
                self.sleeper.sleep();
            }
            Poll::Ready(Ok(Event::Gap(Gap::Dropped(count)))) => self.dropped += count,
            Poll::Ready(Ok(Event::Gap(Gap::ConnectionLost))) => {
                self.lost = true;
                self.restored = false;
            }
            Poll::Ready(Ok(Event::Restored)) => self.restored = true,
            Poll::Ready(Ok(Event::Refused(error))) => panic!("{error}"),
            Poll::Ready(Ok(Event::Message(frame))) => {
                let mut decoder = Decoder::new(&frame);
                assert_eq!(decoder.array().ok(), Some(3));
                decoder.skip();
                decoder.skip();
                let number = decoder.integer().expect("the number of a message");
                let missing = u64::try_from(number).unwrap() - self.next;
                assert!(
                    missing == self.dropped || (self.lost && missing > self.dropped),
                    "{missing} messages are missing, {} were said to be",
                    self.dropped
                );
                self.next += missing + 1;
                self.dropped = 0;
                self.lost = false;
            }
        }
    }
}
