//! The state machine of a connection: commands and bytes in, bytes and replies out. It does no I/O
//! and reads no clock, so that it can be tested step by step.
//!
//! ```text
//! submit ─► slot Queued, bytes in the outbox ─► take_outbox ─► slot Sent ─► receive ─► slot Ready ─► poll_reply
//! ```
//!
//! Replies come in the order of the commands, so `order` is all that matches them: no map, no id.
//! Slots and buffers are reused; in a steady state nothing is allocated.

use std::collections::VecDeque;
use std::mem;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

use crate::batch::Batch;
use crate::command::{Command, Flags};
use crate::error::{Error, ErrorKind, Outcome};
use crate::pubsub::{Push, Registry};
use crate::reply::Streaming;
use crate::resp::{Frame, ProtocolError, ReplyLimits, Scanner, Shape};

/// A reply of at least this many bytes is handed out in pieces, where its kind allows that.
const STREAM_FROM: usize = 64 * 1024;

/// Limits of one connection; see the methods of [`Config`](crate::Config).
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoreLimits {
    pub(crate) commands: usize,
    pub(crate) bytes: usize,
    pub(crate) skip: usize,
    pub(crate) reply: ReplyLimits,
}

/// Milliseconds on the driver's clock. Zero: not stamped.
pub(crate) type Millis = u64;

#[derive(Debug)]
pub(crate) struct Core {
    limits: CoreLimits,
    stream_from: usize,
    link: Link,
    slots: Vec<Slot>,
    free: Vec<SlotId>,
    /// Commands without a reply, in the order of the wire.
    order: VecDeque<SlotId>,
    /// How many at the end of `order` are still in the outbox.
    unsent: usize,
    outbox: BytesMut,
    /// Whether the outbox holds commands that were cancelled.
    outbox_has_gaps: bool,
    /// Encoded bytes of all commands in `order`.
    bytes_in_flight: usize,
    /// Where in the stream of sent bytes the first command of `order` begins.
    front_offset: u64,
    /// Callers for whom there was no room.
    waiting: VecDeque<SlotId>,
    /// How many of them have their turn now, and the room that is kept for their commands.
    granted: usize,
    granted_bytes: usize,
    blocking: usize,
    scanner: Scanner,
    incoming: Incoming,
    /// Bytes of the reply at hand that were thrown away.
    skipped: usize,
    /// The reader waits for a consumer.
    paused: bool,
    /// The connection has to be given up, for this reason.
    give_up: Option<Error>,
    wakes: Vec<Waker>,
    driver: Option<Waker>,
    /// Who gets which messages.
    pub(crate) subscribers: Registry,
    /// RESP2, where a message is an array like any other: nothing but subscriptions is sent here.
    only_messages: bool,
    /// What has to be said again on a new connection, the latest of each command.
    session: Vec<(&'static str, Bytes)>,
    /// Replies of blocking commands that came for callers who had gone.
    orphans: Vec<Frame>,
    /// The socket has to be shut down at once, and read to its end after that.
    cut: bool,
    lingers: bool,
    /// No new commands; whom to wake when the last one is done.
    closing: Option<Vec<Waker>>,
}

/// What can be submitted: a command, or several in one piece.
pub(crate) trait Outgoing {
    fn size_hint(&self) -> usize;
    fn encode(&self, out: &mut BytesMut);
    fn flags(&self) -> Flags;
    /// How many replies will come.
    fn replies(&self) -> u32;
    /// Whether the replies are confirmations that come as push messages.
    fn is_confirmed(&self) -> bool {
        false
    }
}

impl Outgoing for Command<'_> {
    fn size_hint(&self) -> usize {
        self.size_hint()
    }

    fn encode(&self, out: &mut BytesMut) {
        self.encode(out);
    }

    fn flags(&self) -> Flags {
        self.flags()
    }

    fn replies(&self) -> u32 {
        1
    }
}

impl Outgoing for Batch {
    fn size_hint(&self) -> usize {
        self.bytes().len()
    }

    fn encode(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.bytes());
    }

    fn flags(&self) -> Flags {
        Flags::NONE
    }

    fn replies(&self) -> u32 {
        self.replies()
    }
}

/// (P|S)(UN)SUBSCRIBE, with as many confirmations as channels.
#[derive(Debug)]
pub(crate) struct Subscribing<'a>(pub(crate) Command<'a>, pub(crate) u32);

impl Outgoing for Subscribing<'_> {
    fn size_hint(&self) -> usize {
        self.0.size_hint()
    }

    fn encode(&self, out: &mut BytesMut) {
        self.0.encode(out);
    }

    fn flags(&self) -> Flags {
        self.0.flags()
    }

    fn replies(&self) -> u32 {
        self.1
    }

    fn is_confirmed(&self) -> bool {
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SlotId(u32);

#[derive(Debug)]
enum Link {
    /// Commands are queued until there is a connection.
    Down,
    Up,
    /// For good.
    Closed(Error),
}

#[derive(Debug)]
struct Slot {
    state: State,
    waker: Option<Waker>,
    /// Bytes of the command; until it is encoded, at most as many.
    len: usize,
    flags: Flags,
    streaming: Streaming,
    /// Milliseconds from sending to the deadline; zero: none.
    patience: u32,
    deadline: Millis,
    /// Replies that are still to come, and those of a batch that are here.
    replies: u32,
    frames: Vec<Frame>,
    /// What the replies are, and for whom.
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// One reply for a command.
    Reply,
    /// The replies of a batch.
    Batch,
    /// Confirmations of a subscription.
    Confirmations,
    /// Confirmations of subscriptions made anew after a reconnect.
    Restoration,
}

#[derive(Debug)]
enum State {
    Free,
    /// Not encoded yet; `true`: there is room now.
    Waiting(bool),
    /// In the outbox.
    Queued,
    Sent,
    Ready(Frame),
    /// All replies of a batch, or those that came before the error.
    ReadyBatch(Option<Error>),
    Streaming(Stream),
    Failed(Error),
    /// In the outbox for nobody in particular.
    Detached,
    /// The caller is gone; the reply, if one comes, is thrown away.
    Abandoned,
}

#[derive(Debug)]
struct Stream {
    head: Option<(Shape, u64)>,
    chunk: Option<Bytes>,
    end: Option<Result<(), Error>>,
}

/// What the next bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    Reply,
    /// The elements of the first command's reply.
    Elements,
    /// The bytes of the first command's reply, and its CRLF.
    Bulk(u64),
}

/// What a caller finds in its slot.
#[derive(Debug)]
pub(crate) enum Arrived {
    Frame(Frame),
    Batch(Vec<Frame>, Option<Error>),
    Stream { shape: Shape, len: u64 },
}

impl Core {
    pub(crate) fn new(limits: CoreLimits) -> Self {
        Self {
            limits,
            stream_from: STREAM_FROM,
            link: Link::Down,
            slots: Vec::new(),
            free: Vec::new(),
            order: VecDeque::new(),
            unsent: 0,
            outbox: BytesMut::new(),
            outbox_has_gaps: false,
            bytes_in_flight: 0,
            front_offset: 0,
            waiting: VecDeque::new(),
            granted: 0,
            granted_bytes: 0,
            blocking: 0,
            scanner: Scanner::new(limits.reply),
            incoming: Incoming::Reply,
            skipped: 0,
            paused: false,
            give_up: None,
            wakes: Vec::new(),
            driver: None,
            subscribers: Registry::default(),
            only_messages: false,
            session: Vec::new(),
            orphans: Vec::new(),
            cut: false,
            lingers: false,
            closing: None,
        }
    }

    // ---- The caller's side ----

    /// Encodes a command into the outbox, or gives the caller a place in the queue for one.
    pub(crate) fn submit<O: Outgoing>(
        &mut self,
        outgoing: &O,
        streaming: Streaming,
        patience: u32,
        cx: &Context<'_>,
    ) -> Result<SlotId, Error> {
        if let Link::Closed(error) = &self.link {
            return Err(error.duplicate().with_outcome(Outcome::NotSent));
        }
        if self.closing.is_some() {
            let message = "the connection is being closed";
            return Err(Error::new(
                ErrorKind::NotConnected,
                Outcome::NotSent,
                message,
            ));
        }
        let size = outgoing.size_hint();
        let slot = self.allocate(Slot {
            waker: Some(cx.waker().clone()),
            len: size,
            streaming,
            patience,
            ..Slot::of(outgoing)
        });
        if self.waiting.is_empty() && self.has_room(size) {
            self.enqueue(slot, outgoing);
        } else {
            self.waiting.push_back(slot);
        }
        Ok(slot)
    }

    /// Sends something in which no caller is interested any more.
    pub(crate) fn submit_detached<O: Outgoing>(&mut self, outgoing: &O) {
        if self.is_closed() {
            return;
        }
        let slot = self.allocate(Slot::of(outgoing));
        self.enqueue(slot, outgoing);
        if let Some(slot) = self.slot(slot) {
            slot.state = State::Detached;
        }
    }

    /// Whether a command of at most `size` bytes may be added. One alone always may.
    fn has_room(&self, size: usize) -> bool {
        let commands = self.order.len() + self.granted;
        let bytes = self.bytes_in_flight + self.granted_bytes;
        commands == 0
            || (commands < self.limits.commands && bytes.saturating_add(size) <= self.limits.bytes)
    }

    fn enqueue(&mut self, id: SlotId, outgoing: &impl Outgoing) {
        let before = self.outbox.len();
        outgoing.encode(&mut self.outbox);
        let len = self.outbox.len() - before;
        if let Some(slot) = self.slot(id) {
            slot.state = State::Queued;
            slot.len = len;
        }
        self.order.push_back(id);
        self.unsent += 1;
        self.bytes_in_flight += len;
        if outgoing.flags().contains(Flags::BLOCKING) {
            self.blocking += 1;
        }
        self.wake_driver();
    }

    /// The reply in a slot, once it is there. The slot is free again after `Ready`, except that of a
    /// stream, which [`poll_chunk`](Self::poll_chunk) frees.
    pub(crate) fn poll_reply(
        &mut self,
        id: SlotId,
        outgoing: &impl Outgoing,
        cx: &Context<'_>,
    ) -> Poll<Result<Arrived, Error>> {
        let Some(slot) = self.slot(id) else {
            return Poll::Pending;
        };
        match &mut slot.state {
            State::Waiting(granted) => {
                let (granted, size) = (*granted, slot.len);
                slot.set_waker(cx);
                if granted {
                    self.granted -= 1;
                    self.granted_bytes -= size;
                    self.enqueue(id, outgoing);
                    self.grant();
                }
                Poll::Pending
            }
            State::Queued | State::Sent => {
                slot.set_waker(cx);
                Poll::Pending
            }
            State::Streaming(stream) if stream.head.is_some() => {
                let (shape, len) = stream.head.take().unwrap_or((Shape::End, 0));
                Poll::Ready(Ok(Arrived::Stream { shape, len }))
            }
            State::ReadyBatch(error) => {
                let error = error.take();
                let frames = mem::take(&mut slot.frames);
                self.release(id);
                Poll::Ready(Ok(Arrived::Batch(frames, error)))
            }
            State::Ready(_) | State::Failed(_) => {
                let state = self.release(id);
                match state {
                    State::Ready(frame) => Poll::Ready(Ok(Arrived::Frame(frame))),
                    State::Failed(error) => Poll::Ready(Err(error)),
                    _ => Poll::Pending,
                }
            }
            State::Streaming(_) | State::Free | State::Detached | State::Abandoned => Poll::Pending,
        }
    }

    /// The next piece of a streamed reply; `None` at its end.
    pub(crate) fn poll_chunk(
        &mut self,
        id: SlotId,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        let Some(slot) = self.slot(id) else {
            return Poll::Ready(None);
        };
        let State::Streaming(stream) = &mut slot.state else {
            return Poll::Ready(None);
        };
        if let Some(chunk) = stream.chunk.take() {
            self.wake_driver();
            return Poll::Ready(Some(Ok(chunk)));
        }
        match stream.end.take() {
            None => {
                slot.set_waker(cx);
                Poll::Pending
            }
            Some(end) => {
                stream.end = Some(Ok(()));
                Poll::Ready(end.err().map(Err))
            }
        }
    }

    /// The caller is gone.
    pub(crate) fn cancel(&mut self, id: SlotId) {
        let Some(slot) = self.slot(id) else { return };
        let flags = slot.flags;
        match &mut slot.state {
            State::Free | State::Detached | State::Abandoned => {}
            State::Waiting(granted) => {
                let (granted, size) = (*granted, slot.len);
                if granted {
                    self.granted -= 1;
                    self.granted_bytes -= size;
                } else {
                    self.waiting.retain(|waiting| *waiting != id);
                }
                self.release(id);
                self.grant();
                self.wake_closing();
            }
            State::Ready(_) | State::ReadyBatch(_) | State::Failed(_) => {
                if let State::Ready(frame) = self.release(id) {
                    self.keep_orphan(flags, frame);
                }
            }
            State::Queued => {
                // Never sent: the outbox is tidied up before it is taken.
                slot.abandon();
                self.outbox_has_gaps = true;
            }
            State::Sent => {
                slot.abandon();
                self.end_cancelled_wait();
            }
            State::Streaming(stream) => {
                if stream.end.is_some() {
                    self.release(id);
                } else {
                    slot.abandon();
                    self.wake_driver();
                }
            }
        }
    }

    /// The server must not take an element for a caller who has gone. It does not yet, as long as the
    /// commands before are not done.
    fn end_cancelled_wait(&mut self) {
        // A reply that has begun is no wait any more.
        let is_waiting = self.incoming == Incoming::Reply;
        let front = self.front_sent().filter(|_| is_waiting);
        let is_cancelled_wait = front.and_then(|id| self.slot(id)).is_some_and(|slot| {
            matches!(slot.state, State::Abandoned) && slot.flags.contains(Flags::BLOCKING)
        });
        if is_cancelled_wait {
            self.cut = true;
            self.lingers = true;
            self.give_up(Error::new(
                ErrorKind::ConnectionLost,
                Outcome::Unknown,
                "the connection was closed because a blocking command on it was cancelled",
            ));
        }
    }

    fn keep_orphan(&mut self, flags: Flags, reply: Frame) {
        if flags.contains(Flags::BLOCKING) {
            self.orphans.push(reply);
        }
    }

    /// Whether the socket has to be shut down before anything else happens.
    pub(crate) fn take_cut(&mut self) -> bool {
        mem::take(&mut self.cut)
    }

    /// Whether the connection is read to its end after it was given up: what the server said before it
    /// saw the end still counts.
    pub(crate) fn lingers(&self) -> bool {
        self.lingers
    }

    /// Replies of blocking commands that came for callers who had gone.
    pub(crate) fn take_orphans(&mut self) -> Vec<Frame> {
        mem::take(&mut self.orphans)
    }

    /// Takes no new commands, and says when the last one is done.
    pub(crate) fn poll_drained(&mut self, cx: &Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_default();
        if !closing.iter().any(|waker| waker.will_wake(cx.waker())) {
            closing.push(cx.waker().clone());
        }
        if self.in_flight() == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.link, Link::Up)
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.link, Link::Closed(_))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.order.len() + self.granted + self.waiting.len()
    }

    /// Whether a reply is being handed out in pieces.
    pub(crate) fn is_streaming(&self) -> bool {
        self.incoming != Incoming::Reply
    }

    pub(crate) fn in_blocking_call(&self) -> bool {
        self.blocking > 0 && !self.lingers
    }

    /// Whether a blocking call was sent whose caller has gone: it ends the connection.
    pub(crate) fn ends_soon(&self) -> bool {
        let sent = self.order.len() - self.unsent;
        self.give_up.is_some()
            || self.order.iter().take(sent).any(|id| {
                let slot = self.slots.get(id.0 as usize);
                slot.is_some_and(|slot| {
                    matches!(slot.state, State::Abandoned) && slot.flags.contains(Flags::BLOCKING)
                })
            })
    }

    // ---- The driver's side ----

    /// A new connection is there; what is in the outbox goes out on it.
    pub(crate) fn connected(&mut self) {
        self.give_up = None;
        self.front_offset = 0;
        self.scanner.reset();
        self.incoming = Incoming::Reply;
        self.skipped = 0;
        self.paused = false;
        self.cut = false;
        self.lingers = false;
        if let Link::Closed(error) = &self.link {
            // Closed while the connection was made.
            self.give_up = Some(error.duplicate());
            return;
        }
        self.link = Link::Up;
        self.resubscribe();
    }

    /// Subscriptions come first on a new connection.
    fn resubscribe(&mut self) {
        let subscriptions = self.subscribers.restore();
        // What was to be said on a connection that is gone already is said anew.
        for id in &self.order {
            if let Some(slot) = self.slots.get_mut(id.0 as usize)
                && slot.purpose == Purpose::Restoration
            {
                slot.abandon();
                self.outbox_has_gaps = true;
            }
        }
        if subscriptions.is_empty() {
            return;
        }
        let waiting = mem::take(&mut self.outbox);
        let order = mem::take(&mut self.order);
        for subscribing in &subscriptions {
            let slot = self.allocate(Slot {
                purpose: Purpose::Restoration,
                ..Slot::of(subscribing)
            });
            self.enqueue(slot, subscribing);
            if let Some(slot) = self.slot(slot) {
                slot.state = State::Detached;
            }
        }
        self.outbox.extend_from_slice(&waiting);
        self.order.extend(order);
    }

    /// Nothing but subscriptions will be sent on this connection, which speaks RESP2.
    pub(crate) fn expect_only_messages(&mut self) {
        self.only_messages = true;
    }

    /// Remembers a command that a new connection has to begin with.
    pub(crate) fn remember(&mut self, name: &'static str, command: Bytes) {
        match self.session.iter_mut().find(|(known, _)| *known == name) {
            Some((_, latest)) => *latest = command,
            None => self.session.push((name, command)),
        }
    }

    /// What a new connection has to begin with.
    pub(crate) fn session(&self) -> Vec<(&'static str, Bytes)> {
        self.session.clone()
    }

    /// Remembers whom to wake when there is something to do.
    pub(crate) fn register_driver(&mut self, waker: &Waker) {
        match &mut self.driver {
            Some(known) if known.will_wake(waker) => {}
            driver => *driver = Some(waker.clone()),
        }
    }

    /// Why the connection has to be given up, if it has.
    pub(crate) fn take_give_up(&mut self) -> Option<Error> {
        self.give_up.take()
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.unsent > 0
    }

    /// Whether commands of several callers are under way: then it pays to let them all have their
    /// say before the outbox is taken.
    pub(crate) fn is_shared(&self) -> bool {
        self.order.len() > 1
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// How many bytes the reader must have in its buffer before anything can happen.
    pub(crate) fn wanted(&self) -> usize {
        match self.incoming {
            Incoming::Bulk(_) => 0,
            Incoming::Reply | Incoming::Elements => self.scanner.need(),
        }
    }

    /// Moves the outbox into an empty buffer: from here on its commands count as sent.
    pub(crate) fn take_outbox(&mut self, into: &mut BytesMut, now: Millis) {
        if self.outbox_has_gaps {
            self.close_gaps();
        }
        let first = self.order.len() - self.unsent;
        for id in self.order.range(first..) {
            if let Some(slot) = self.slots.get_mut(id.0 as usize) {
                slot.stamp(now);
                match slot.state {
                    State::Queued => slot.state = State::Sent,
                    State::Detached => slot.state = State::Abandoned,
                    _ => {}
                }
            }
        }
        self.unsent = 0;
        mem::swap(&mut self.outbox, into);
        self.outbox.clear();
    }

    /// Takes cancelled commands out of the outbox.
    fn close_gaps(&mut self) {
        self.outbox_has_gaps = false;
        let first = self.order.len() - self.unsent;
        let unsent = self.order.split_off(first);
        self.unsent = 0;
        let mut old = mem::take(&mut self.outbox);
        for id in unsent {
            let Some(slot) = self.slots.get_mut(id.0 as usize) else {
                continue;
            };
            let len = slot.len;
            let bytes = old.split_to(len.min(old.len()));
            if matches!(slot.state, State::Abandoned) {
                self.bytes_in_flight -= len;
                self.forget_blocking(id);
                self.release(id);
            } else {
                self.outbox.extend_from_slice(&bytes);
                self.order.push_back(id);
                self.unsent += 1;
            }
        }
        self.grant();
        self.wake_closing();
    }

    /// Splits off what has arrived, and fills the slots with it.
    pub(crate) fn receive(&mut self, buffer: &mut BytesMut) -> Result<(), ProtocolError> {
        self.paused = false;
        while !buffer.is_empty() {
            if self.subscribers.is_full() {
                self.paused = true;
                break;
            }
            let more = match self.incoming {
                Incoming::Reply => self.receive_reply(buffer)?,
                Incoming::Elements => self.receive_elements(buffer)?,
                Incoming::Bulk(left) => self.receive_bulk(buffer, left)?,
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn receive_reply(&mut self, buffer: &mut BytesMut) -> Result<bool, ProtocolError> {
        let end = match self.scanner.scan(buffer) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(self.begin_stream(buffer)),
            // Too large to be held, but not to be handed out in pieces.
            Err(ProtocolError::TooLarge(_)) if self.begin_stream(buffer) => return Ok(true),
            Err(error) => return Err(error),
        };
        let is_push = self
            .scanner
            .top()
            .is_some_and(|top| top.tag == b'>' || (self.only_messages && top.tag == b'*'));
        self.scanner.reset();
        let frame = match buffer
            .get(..end)
            .filter(|_| end <= Frame::INLINE)
            .and_then(Frame::copy_small)
        {
            Some(frame) => {
                buffer.advance(end);
                frame
            }
            None => Frame::from(buffer.split_to(end).freeze()),
        };
        if is_push {
            match Push::of(&frame) {
                Push::Message => self.subscribers.dispatch(frame, &mut self.wakes),
                Push::Confirmation => self.confirm(),
                Push::Other => {}
            }
        } else {
            self.deliver(frame)?;
        }
        Ok(true)
    }

    /// The first command that was sent and has no (complete) reply.
    fn front_sent(&self) -> Option<SlotId> {
        self.order
            .front()
            .copied()
            .filter(|_| self.order.len() > self.unsent)
    }

    fn deliver(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        let Some(id) = self.front_sent() else {
            return Err(ProtocolError::Unsolicited);
        };
        let Some(slot) = self.slot(id) else {
            return Err(ProtocolError::Unsolicited);
        };
        let abandoned = matches!(slot.state, State::Abandoned);
        if slot.purpose == Purpose::Batch {
            slot.replies = slot.replies.saturating_sub(1);
            if !abandoned {
                slot.frames.push(frame);
            }
            if slot.replies == 0 {
                self.complete(id, State::ReadyBatch(None));
            }
        } else {
            // Also what refuses a subscription is an ordinary reply.
            if slot.purpose == Purpose::Restoration {
                self.subscribers.refused(&frame, &mut self.wakes);
            }
            self.complete(id, State::Ready(frame));
        }
        Ok(())
    }

    /// One channel of the first command is subscribed, or is no more.
    fn confirm(&mut self) {
        let Some(id) = self.front_sent() else { return };
        let Some(slot) = self.slot(id) else { return };
        if !matches!(slot.purpose, Purpose::Confirmations | Purpose::Restoration) {
            // The server may end a subscription on its own.
            return;
        }
        slot.replies = slot.replies.saturating_sub(1);
        if slot.replies > 0 {
            return;
        }
        let restored = slot.purpose == Purpose::Restoration;
        self.complete(
            id,
            Frame::copy_small(b"+OK\r\n").map_or(State::Abandoned, State::Ready),
        );
        let more = self.order.iter().any(|id| {
            let slot = self.slots.get(id.0 as usize);
            slot.is_some_and(|slot| slot.purpose == Purpose::Restoration)
        });
        if restored && !more {
            self.subscribers.restored(&mut self.wakes);
        }
    }

    /// The first command has all its replies.
    fn complete(&mut self, id: SlotId, state: State) {
        self.pop_front();
        let Some(slot) = self.slot(id) else { return };
        if matches!(slot.state, State::Abandoned) {
            let flags = slot.flags;
            self.release(id);
            if let State::Ready(frame) = state {
                self.keep_orphan(flags, frame);
            }
        } else {
            slot.state = state;
            let waker = slot.waker.take();
            self.wakes.extend(waker);
        }
        self.end_cancelled_wait();
    }

    /// Whether the reply at hand is handed out (or thrown away) in pieces from here on.
    fn begin_stream(&mut self, buffer: &mut BytesMut) -> bool {
        let Some(top) = self.scanner.top() else {
            return false;
        };
        let (shape, streaming) = match top.tag {
            b'*' => (Shape::Array, Streaming::Elements),
            b'~' => (Shape::Set, Streaming::Elements),
            b'%' => (Shape::Map, Streaming::Elements),
            b'$' => (Shape::Bulk, Streaming::Bulk),
            _ => return false,
        };
        let size = if streaming == Streaming::Bulk {
            top.len
        } else {
            buffer.len() as u64
        };
        if size < self.stream_from as u64 || self.only_messages || self.front_sent().is_none() {
            return false;
        }
        let Some(slot) = self.order.front().copied().and_then(|id| self.slot(id)) else {
            return false;
        };
        if slot.purpose != Purpose::Reply {
            return false;
        }
        match &mut slot.state {
            // What a blocking command took is kept whole, though its caller has gone.
            State::Abandoned if slot.flags.contains(Flags::BLOCKING) => return false,
            State::Abandoned => {}
            state if slot.streaming == streaming => {
                *state = State::Streaming(Stream {
                    head: Some((shape, top.len)),
                    chunk: None,
                    end: None,
                });
                // From here on the caller sets the pace.
                slot.deadline = 0;
                slot.patience = 0;
                let waker = slot.waker.take();
                self.wakes.extend(waker);
            }
            _ => return false,
        }
        buffer.advance(top.body);
        self.scanner.continue_at(top.body);
        self.skipped = 0;
        self.incoming = match streaming {
            Streaming::Bulk => Incoming::Bulk(top.len + 2),
            _ => Incoming::Elements,
        };
        true
    }

    fn receive_elements(&mut self, buffer: &mut BytesMut) -> Result<bool, ProtocolError> {
        if !self.consumer_is_ready() {
            return Ok(false);
        }
        let scanned = self.scanner.scan(buffer);
        let (boundary, _) = self.scanner.boundary();
        let end = match scanned {
            // The elements before the limit come first; it counts anew after them.
            Err(ProtocolError::TooLarge(_)) if boundary > 0 => None,
            scanned => scanned?,
        };
        if boundary > 0 {
            let chunk = buffer.split_to(boundary);
            if end.is_some() {
                self.scanner.reset();
            } else {
                self.scanner.continue_at(boundary);
            }
            self.hand_out(chunk.freeze(), end.is_some())?;
        } else if end.is_some() {
            // An announced length of zero does not come here; be safe all the same.
            self.scanner.reset();
            self.hand_out(Bytes::new(), true)?;
        }
        Ok(boundary > 0)
    }

    fn receive_bulk(&mut self, buffer: &mut BytesMut, left: u64) -> Result<bool, ProtocolError> {
        if !self.consumer_is_ready() {
            return Ok(false);
        }
        // The CRLF counts in `left`; it is taken with the last piece.
        let at_hand = buffer.len() as u64;
        let (take, end) = if at_hand >= left {
            (left, true)
        } else {
            (at_hand.min(left - 2), false)
        };
        let mut chunk = buffer.split_to(
            usize::try_from(take)
                .unwrap_or(usize::MAX)
                .min(buffer.len()),
        );
        if end {
            let payload = chunk.len().saturating_sub(2);
            if chunk.get(payload..) != Some(b"\r\n") {
                return Err(ProtocolError::BadTerminator);
            }
            chunk.truncate(payload);
            self.scanner.reset();
        }
        if !end && chunk.is_empty() {
            return Ok(false);
        }
        self.incoming = Incoming::Bulk(left - take);
        self.hand_out(chunk.freeze(), end)?;
        Ok(true)
    }

    /// Whether the first command's caller has taken the piece before.
    fn consumer_is_ready(&mut self) -> bool {
        let front = self.order.front().copied();
        let busy = front.and_then(|id| self.slot(id)).is_some_and(
            |slot| matches!(&slot.state, State::Streaming(stream) if stream.chunk.is_some()),
        );
        self.paused = busy;
        !busy
    }

    fn hand_out(&mut self, chunk: Bytes, end: bool) -> Result<(), ProtocolError> {
        let Some(id) = self.order.front().copied() else {
            return Ok(());
        };
        if end {
            self.incoming = Incoming::Reply;
            self.pop_front();
            self.end_cancelled_wait();
        }
        let Some(slot) = self.slot(id) else {
            return Ok(());
        };
        match &mut slot.state {
            State::Streaming(stream) => {
                stream.chunk = Some(chunk).filter(|chunk| !chunk.is_empty());
                stream.end = end.then_some(Ok(()));
                let waker = slot.waker.take();
                self.wakes.extend(waker);
            }
            _ => {
                self.skipped = self.skipped.saturating_add(chunk.len());
                if end {
                    self.release(id);
                } else if self.skipped > self.limits.skip {
                    self.give_up(Error::new(
                        ErrorKind::ConnectionLost,
                        Outcome::Unknown,
                        "the connection was closed because too much was left of a reply that was dropped half-read",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The connection is gone, after `written` bytes were handed to it. Commands in the outbox stay
    /// there for the next connection; the others fail with what is known about them.
    pub(crate) fn disconnected(&mut self, error: &Error, written: u64) {
        if matches!(self.link, Link::Up) {
            self.link = Link::Down;
        }
        self.subscribers.lost(&mut self.wakes);
        let mut offset = self.front_offset;
        while self.order.len() > self.unsent {
            let front = self.order.front().copied().and_then(|id| self.slot(id));
            let (len, ends) = front.map_or((0, false), |slot| {
                (slot.len, slot.flags.contains(Flags::ENDS_CONNECTION))
            });
            let outcome = if offset < written {
                Outcome::Unknown
            } else {
                Outcome::NotSent
            };
            offset += len as u64;
            let ended = ends && offset <= written;
            let Some(id) = self.pop_front() else { break };
            let Some(slot) = self.slot(id) else { continue };
            match &mut slot.state {
                State::Abandoned => {
                    self.release(id);
                    continue;
                }
                State::Streaming(stream) => stream.end = Some(Err(error.duplicate())),
                state if slot.purpose == Purpose::Batch && outcome == Outcome::Unknown => {
                    *state = State::ReadyBatch(Some(error.duplicate().with_outcome(outcome)));
                }
                state if ended => {
                    *state = Frame::copy_small(b"+OK\r\n").map_or(State::Abandoned, State::Ready);
                }
                state => *state = State::Failed(error.duplicate().with_outcome(outcome)),
            }
            let waker = slot.waker.take();
            self.wakes.extend(waker);
        }
    }

    /// No connection will come any more: everything fails, and the one that there is ends.
    pub(crate) fn closed(&mut self, error: Error) {
        let mut gone = mem::take(&mut self.order);
        let sent = gone.len() - self.unsent;
        gone.extend(mem::take(&mut self.waiting));
        self.unsent = 0;
        self.granted = 0;
        self.granted_bytes = 0;
        self.blocking = 0;
        self.bytes_in_flight = 0;
        self.outbox = BytesMut::new();
        self.subscribers.closed(&error, &mut self.wakes);
        for (place, id) in gone.into_iter().enumerate() {
            let Some(slot) = self.slot(id) else { continue };
            let outcome = if place < sent {
                Outcome::Unknown
            } else {
                Outcome::NotSent
            };
            match &mut slot.state {
                State::Abandoned | State::Detached => {
                    self.release(id);
                    continue;
                }
                State::Streaming(stream) => {
                    stream.end = Some(Err(error.duplicate().with_outcome(outcome)))
                }
                // Some of its replies may have come.
                state if slot.purpose == Purpose::Batch && place < sent => {
                    *state = State::ReadyBatch(Some(error.duplicate().with_outcome(outcome)));
                }
                state => *state = State::Failed(error.duplicate().with_outcome(outcome)),
            }
            let waker = slot.waker.take();
            self.wakes.extend(waker);
        }
        // Callers who have their turn are in no queue.
        for slot in &mut self.slots {
            if matches!(slot.state, State::Waiting(true)) {
                slot.state = State::Failed(error.duplicate().with_outcome(Outcome::NotSent));
            }
        }
        self.wake_closing();
        self.give_up(error.duplicate());
        self.link = Link::Closed(error);
    }

    /// Fails what has waited for too long. Returns whether there is anything left to watch.
    pub(crate) fn tick(&mut self, now: Millis) -> bool {
        let mut watched = false;
        for place in 0..self.order.len() {
            let Some(id) = self.order.get(place).copied() else {
                break;
            };
            if self.watch(id, now, &mut watched) {
                self.expire(place, id);
            }
        }
        let mut waiting = mem::take(&mut self.waiting);
        waiting.retain(|id| {
            let expired = self.watch(*id, now, &mut watched);
            if expired {
                self.fail_late(*id, Outcome::NotSent);
            }
            !expired
        });
        self.waiting = waiting;
        self.grant();
        watched
    }

    /// Whether a command's deadline is over.
    fn watch(&mut self, id: SlotId, now: Millis, watched: &mut bool) -> bool {
        self.slot(id).is_some_and(|slot| {
            slot.stamp(now);
            *watched |= slot.deadline != 0;
            slot.deadline != 0 && slot.deadline <= now
        })
    }

    fn expire(&mut self, place: usize, id: SlotId) {
        let Some(slot) = self.slot(id) else { return };
        let (flags, len) = (slot.flags, slot.len);
        let (replies, purpose) = (slot.replies, slot.purpose);
        let frames = mem::take(&mut slot.frames);
        let was_sent = matches!(slot.state, State::Sent);
        let outcome = if was_sent {
            Outcome::Unknown
        } else {
            Outcome::NotSent
        };
        self.fail_late(id, outcome);
        if was_sent
            && purpose == Purpose::Batch
            && let Some(slot) = self.slot(id)
            && let State::Failed(error) = &slot.state
        {
            // Those of its commands that have a reply keep it.
            slot.state = State::ReadyBatch(Some(error.duplicate()));
            slot.frames = frames;
        }
        // The caller keeps its slot, with the error in it. Its place in the order stays too, for the
        // reply that may still come: there a stand-in takes over.
        let stand_in = self.allocate(Slot {
            state: State::Abandoned,
            waker: None,
            len,
            flags,
            streaming: Streaming::No,
            patience: 0,
            deadline: 0,
            replies,
            frames: Vec::new(),
            purpose,
        });
        if let Some(place) = self.order.get_mut(place) {
            *place = stand_in;
        }
        if !was_sent {
            self.outbox_has_gaps = true;
        } else if flags.contains(Flags::BLOCKING) {
            self.give_up(Error::new(
                ErrorKind::ConnectionLost,
                Outcome::Unknown,
                "the connection was closed because a blocking command on it got no answer in time",
            ));
        }
    }

    /// A subscriber has taken a message, so that reading may go on.
    pub(crate) fn relieved(&mut self) {
        if self.paused {
            self.wake_driver();
        }
    }

    fn fail_late(&mut self, id: SlotId, outcome: Outcome) {
        let Some(slot) = self.slot(id) else { return };
        let message = format!("no reply within {} ms", slot.patience);
        slot.state = State::Failed(Error::new(ErrorKind::Timeout, outcome, message));
        slot.deadline = 0;
        let waker = slot.waker.take();
        self.wakes.extend(waker);
    }

    /// Whom to wake, once the lock is released: from a call, nearly always nobody or the driver.
    pub(crate) fn take_few_wakes(&mut self) -> SmallVec<[Waker; 2]> {
        self.wakes.drain(..).collect()
    }

    /// Whom to wake, once the lock is released: from the driver, into a buffer of its own.
    pub(crate) fn take_wakes(&mut self, into: &mut Vec<Waker>) {
        into.append(&mut self.wakes);
    }

    // ---- Within ----

    fn give_up(&mut self, why: Error) {
        self.give_up.get_or_insert(why);
        self.wake_driver();
    }

    fn wake_driver(&mut self) {
        let driver = self.driver.take();
        self.wakes.extend(driver);
    }

    fn pop_front(&mut self) -> Option<SlotId> {
        let id = self.order.pop_front()?;
        let len = self.slot(id).map_or(0, |slot| slot.len);
        self.bytes_in_flight -= len;
        self.front_offset += len as u64;
        self.forget_blocking(id);
        self.grant();
        self.wake_closing();
        Some(id)
    }

    fn wake_closing(&mut self) {
        if self.in_flight() == 0
            && let Some(closing) = &mut self.closing
        {
            self.wakes.append(closing);
        }
    }

    fn forget_blocking(&mut self, id: SlotId) {
        if self
            .slot(id)
            .is_some_and(|slot| slot.flags.contains(Flags::BLOCKING))
        {
            self.blocking -= 1;
        }
    }

    /// Gives callers in the queue their turn, as many as there is room for. Nobody overtakes a large
    /// command at the head of it.
    fn grant(&mut self) {
        while let Some(id) = self.waiting.front().copied() {
            let size = self.slot(id).map_or(0, |slot| slot.len);
            if !self.has_room(size) {
                return;
            }
            self.waiting.pop_front();
            self.granted += 1;
            self.granted_bytes += size;
            if let Some(slot) = self.slot(id) {
                slot.state = State::Waiting(true);
                let waker = slot.waker.take();
                self.wakes.extend(waker);
            }
        }
    }

    fn slot(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.slots.get_mut(id.0 as usize)
    }

    fn allocate(&mut self, slot: Slot) -> SlotId {
        if let Some(id) = self.free.pop()
            && let Some(place) = self.slots.get_mut(id.0 as usize)
        {
            *place = slot;
            return id;
        }
        // There are never more slots than commands in flight, whose limit is below 2^32.
        let id = SlotId(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(slot);
        id
    }

    fn release(&mut self, id: SlotId) -> State {
        let Some(slot) = self.slots.get_mut(id.0 as usize) else {
            return State::Free;
        };
        slot.waker = None;
        slot.frames = Vec::new();
        let state = mem::replace(&mut slot.state, State::Free);
        if !matches!(state, State::Free) {
            self.free.push(id);
        }
        state
    }
}

impl Slot {
    fn of(outgoing: &impl Outgoing) -> Self {
        let purpose = match (outgoing.is_confirmed(), outgoing.replies()) {
            (true, _) => Purpose::Confirmations,
            (false, 1) => Purpose::Reply,
            (false, _) => Purpose::Batch,
        };
        Self {
            state: State::Waiting(false),
            waker: None,
            len: 0,
            flags: outgoing.flags(),
            streaming: Streaming::No,
            patience: 0,
            deadline: 0,
            replies: outgoing.replies(),
            frames: Vec::new(),
            purpose,
        }
    }

    fn set_waker(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            waker => *waker = Some(cx.waker().clone()),
        }
    }

    fn abandon(&mut self) {
        self.state = State::Abandoned;
        self.waker = None;
        self.frames = Vec::new();
        self.deadline = 0;
        self.patience = 0;
    }

    /// Starts the clock of the deadline.
    fn stamp(&mut self, now: Millis) {
        if self.patience != 0 && self.deadline == 0 {
            self.deadline = now.saturating_add(u64::from(self.patience)).max(1);
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod model;
#[cfg(test)]
mod tests;
