//! The state machine in the middle, the connection's task and the socket around it, and everybody
//! else at their ends.

use std::collections::{BTreeSet, VecDeque};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;

use super::super::{Core, CoreLimits, Millis, State};
use super::caller::{Caller, Calling, Fate, Listener, Place, Sleeper, assert_bytes};
use super::server::{CHANNEL, Expected, Sent, Server};
use super::{Class, Limits, Op, Request, What};
use crate::error::{Error, ErrorKind, Outcome};
use crate::reply::Streaming;
use crate::resp::{Frame, ReplyLimits};

/// The socket never has more bytes at once.
pub(super) const MAX_READ: usize = 4096;

/// In the place of a token: what the state machine sends of its own accord.
const RESTORATION: u64 = u64::MAX;

pub(super) struct World {
    pub(super) limits: Limits,
    pub(super) core: Core,
    now: Millis,
    /// By token: what was asked for.
    pub(super) requests: Vec<Request>,
    /// Those who have not got their reply yet.
    pub(super) callers: Vec<Caller>,
    /// Tokens of commands that must never be sent.
    never: BTreeSet<u64>,
    /// Tokens of commands that were sent.
    sent: BTreeSet<u64>,
    /// Tokens of commands that were sent for nobody.
    detached: BTreeSet<u64>,
    /// Tokens of blocking commands whose callers have gone, and the replies that came all the same.
    gone: BTreeSet<u64>,
    orphans: VecDeque<Frame>,
    pub(super) listener: Option<Listener>,
    /// Waits until everything is done, to close the connection.
    pub(super) closer: Option<Sleeper>,

    /// The connection's task, while there is one.
    pub(super) running: bool,
    pub(super) driver: Sleeper,
    /// Why the task ends as soon as it has read what is there.
    pub(super) parting: Option<Error>,
    pub(super) connection: u32,
    /// Taken from the outbox, and how many bytes of that were written, on this connection.
    writing: BytesMut,
    taken: u64,
    written: u64,
    pub(super) reading: BytesMut,
    /// Tokens of what was taken, until the replies have come.
    flight: VecDeque<u64>,
    /// There is a reason to give the connection up.
    pub(super) excused: bool,
    server: Server,
}

impl World {
    pub(super) fn new(limits: Limits) -> Self {
        let mut core = Core::new(CoreLimits {
            commands: usize::from(limits.commands.max(1)),
            bytes: usize::from(limits.bytes),
            skip: usize::from(limits.skip),
            reply: ReplyLimits::default(),
        });
        core.stream_from = usize::from(limits.stream_from.max(16));
        let listener = limits.backlog.map(|backlog| {
            let channel = CHANNEL.as_bytes();
            Listener::new(core.subscribers.add_listener(channel, backlog))
        });
        let mut world = Self {
            limits,
            core,
            now: 1,
            requests: Vec::new(),
            callers: Vec::new(),
            never: BTreeSet::new(),
            sent: BTreeSet::new(),
            detached: BTreeSet::new(),
            gone: BTreeSet::new(),
            orphans: VecDeque::new(),
            listener,
            closer: None,
            running: false,
            driver: Sleeper::default(),
            parting: None,
            connection: 0,
            writing: BytesMut::new(),
            taken: 0,
            written: 0,
            reading: BytesMut::new(),
            flight: VecDeque::new(),
            excused: false,
            server: Server::default(),
        };
        world.connect();
        world
    }

    pub(super) fn play(&mut self, op: &Op) {
        match *op {
            Op::Submit(request) => self.submit(request.sensible()),
            Op::Detach(request) => self.detach(request.sensible()),
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
            Op::Answer => self.server.answer(),
            Op::Push if self.running => self.server.invalidate(),
            Op::Push => {}
            Op::Publish(padding) => self.server.publish(usize::from(padding)),
            Op::Listen => self.listen(),
            Op::Receive(count) => self.receive(usize::from(count)),
            Op::Tick(step) => self.tick(step),
            Op::Disconnect => self.disconnect(),
            Op::Connect => self.connect(),
            Op::Drain => self.drain(),
            Op::Close => self.close(),
            Op::Settle => self.settle(),
        }
        assert!(self.orphans.is_empty(), "a reply is said to be for nobody");
    }

    fn pick(&self, index: u8) -> Option<usize> {
        usize::from(index).checked_rem(self.callers.len())
    }

    // ---- Callers ----

    fn new_token(&mut self, request: Request) -> u64 {
        self.requests.push(request);
        self.requests.len() as u64 - 1
    }

    fn submit(&mut self, request: Request) {
        let token = self.new_token(request);
        match Caller::new(&mut self.core, token, request) {
            Ok(caller) => self.callers.push(caller),
            Err(error) => {
                assert!(self.core.is_closed() || self.closer.is_some());
                assert_eq!(error.kind(), ErrorKind::NotConnected);
                assert_eq!(error.outcome(), Outcome::NotSent);
            }
        }
        self.ring();
    }

    fn detach(&mut self, mut request: Request) {
        request.class = Class::Plain;
        let token = self.new_token(request);
        self.core.submit_detached(&Calling::new(token, &request));
        self.ring();
        self.detached.insert(token);
    }

    fn poll(&mut self, index: usize) {
        let done = self.callers[index].poll(&mut self.core);
        self.ring();
        if done {
            self.callers.swap_remove(index);
        }
    }

    fn cancel(&mut self, index: usize) {
        let caller = self.callers.swap_remove(index);
        let is_blocking = caller.request.class == Class::Blocking;
        match &self.core.slots[caller.slot.0 as usize].state {
            State::Waiting(_) | State::Queued => {
                self.never.insert(caller.token);
                self.core.cancel(caller.slot);
            }
            State::Sent if is_blocking => {
                self.gone.insert(caller.token);
                self.excused = true;
                self.core.cancel(caller.slot);
            }
            State::Ready(_) if is_blocking => {
                self.core.cancel(caller.slot);
                self.ring();
                self.take_orphan(caller.token);
            }
            _ => self.core.cancel(caller.slot),
        }
        self.ring();
    }

    fn listen(&mut self) {
        if let Some(listener) = &mut self.listener {
            listener.poll(&mut self.core);
            self.ring();
        }
    }

    fn drain(&mut self) {
        let closer = self.closer.get_or_insert_default();
        let waker = closer.waker();
        match self.core.poll_drained(&Context::from_waker(&waker)) {
            Poll::Pending => closer.sleep(),
            Poll::Ready(()) => {
                closer.get_up();
                assert_eq!(self.core.in_flight(), 0);
            }
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
            let sent = caller.sent.as_ref();
            let written = taken && sent.is_some_and(|sent| sent.bytes.start < self.written);
            caller.fate = Some(Fate::Closed { taken, written });
            if !taken {
                self.never.insert(caller.token);
            }
        }
        self.excused = true;
        let error = Error::new(ErrorKind::NotConnected, Outcome::NotSent, "closed");
        self.core.closed(error);
        self.ring();
        if self.running {
            assert!(
                self.core.give_up.is_some(),
                "the socket of a closed connection stays open"
            );
        }
    }

    // ---- The connection's task ----

    /// What the task does before anything else; false when it has ended.
    fn turn(&mut self) -> bool {
        if !self.running || self.parting.is_some() {
            return false;
        }
        self.core.register_driver(&self.driver.waker());
        self.driver.get_up();
        match self.core.take_give_up() {
            None => return true,
            Some(error) if self.core.lingers() => self.parting = Some(error),
            Some(error) => self.lose(&error),
        }
        false
    }

    /// The end of a turn: the task sleeps unless there is something left to do.
    fn rest(&mut self) {
        if !self.has_work() && self.parting.is_none() {
            self.driver.sleep();
        }
    }

    pub(super) fn has_work(&self) -> bool {
        let front = self.core.order.front();
        let front = front.map(|id| &self.core.slots[id.0 as usize].state);
        let is_busy = matches!(front, Some(State::Streaming(stream)) if stream.chunk.is_some())
            || self.core.subscribers.is_full();
        (self.core.has_unsent() && self.writing.is_empty())
            || self.core.give_up.is_some()
            || (self.core.paused && !is_busy)
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
        // The token and the index that are to be next, in a batch.
        let mut within = None;
        while at < self.writing.len() {
            let (command, end) =
                Sent::parse(&self.writing[at..]).expect("the outbox holds whole commands");
            let bytes = self.taken..self.taken + end as u64;
            self.taken = bytes.end;
            at += end;
            let Sent::Call { token, index } = command else {
                assert!(bytes.start == 0, "subscriptions come first");
                self.flight.push_back(RESTORATION);
                continue;
            };
            if let Some(next) = within {
                assert_eq!((token, index), next, "something is amidst a batch");
            }
            let count = match self.requests[token as usize].what {
                What::Batch(count) => u64::from(count),
                What::Command | What::Subscribe(_) => 1,
            };
            within = (index + 1 < count).then_some((token, index + 1));
            let caller = self.callers.iter_mut().find(|caller| caller.token == token);
            if index == 0 {
                assert!(!self.never.contains(&token), "{token} must not be sent");
                assert!(self.sent.insert(token), "{token} is sent twice");
                self.flight.push_back(token);
                if let Some(caller) = caller {
                    caller.stamp(self.now);
                    caller.sent = Some(Place {
                        connection: self.connection,
                        bytes,
                    });
                } else {
                    assert!(self.detached.contains(&token), "{token} is sent for nobody");
                }
            } else if let Some(caller) = caller {
                let place = caller.sent.as_mut().expect("it begins with the first");
                place.bytes.end = bytes.end;
            }
        }
        assert_eq!(within, None, "a batch is cut");
        if self.listener.is_some() {
            assert_eq!(
                self.flight
                    .iter()
                    .filter(|token| **token == RESTORATION)
                    .count(),
                usize::from(self.taken > 0 && !self.is_restored()),
                "subscriptions are made anew once"
            );
        }
    }

    /// Whether the confirmation of the subscription has come on this connection.
    fn is_restored(&self) -> bool {
        self.taken > 0 && self.flight.front() != Some(&RESTORATION)
    }

    fn write(&mut self, count: usize) {
        if !self.turn() {
            return;
        }
        let count = count.min(self.writing.len());
        let bytes = self.writing.split_to(count);
        self.written += count as u64;
        self.server.read(&bytes, &self.requests);
        self.rest();
    }

    fn receive(&mut self, count: usize) {
        if !self.turn() && self.parting.is_none() {
            return;
        }
        if self.core.is_paused() {
            self.receive_bytes();
        }
        let mut at_end = self.core.is_paused();
        if !self.core.is_paused() {
            let available = self.server.transit.len();
            let count = match count {
                0 => available.saturating_sub(1).min(MAX_READ),
                count => count.min(available).min(MAX_READ),
            };
            if count > 0 {
                let bytes = self.server.transit.split_to(count);
                self.reading.extend_from_slice(&bytes);
                self.receive_bytes();
            } else {
                at_end = self.server.transit.is_empty();
            }
        }
        match self.parting.take_if(|_| at_end) {
            Some(error) => self.lose(&error),
            None if self.server.hangs_up && at_end && !self.core.is_paused() => {
                self.lose(&lost());
            }
            None => self.rest(),
        }
    }

    fn receive_bytes(&mut self) {
        let gave_up = self.core.give_up.is_some();
        let (was_full, before) = (self.core.subscribers.is_full(), self.reading.len());
        let received = self.core.receive(&mut self.reading);
        self.ring();
        if self.core.is_closed() {
            self.orphans.clear();
            return;
        }
        assert_eq!(received, Ok(()));
        assert!(
            !was_full || self.reading.len() == before,
            "a full backlog gets more"
        );
        let left = self.core.order.len() - self.core.unsent;
        let is_too_long = |token: &u64| match self.requests.get(*token as usize) {
            Some(request) if matches!(request.what, What::Command | What::Batch(1)) => {
                let reply = Expected::new(*token, 0, request);
                reply.bytes.len() > usize::from(self.limits.skip)
            }
            _ => false,
        };
        // Those that were answered, and the one whose reply is under way.
        let answered = self.flight.len() - left;
        let gives_up = self.core.give_up.is_some() && !gave_up;
        self.excused |= gives_up && self.flight.iter().take(answered + 1).any(is_too_long);
        for token in self.flight.drain(..answered).collect::<Vec<_>>() {
            if self.gone.contains(&token) {
                self.take_orphan(token);
            }
        }
    }

    /// The reply of a blocking command whose caller has gone is not lost.
    fn take_orphan(&mut self, token: u64) {
        let orphan = self
            .orphans
            .pop_front()
            .expect("the reply for a caller who has gone");
        let expected = Expected::new(token, 0, &self.requests[token as usize]);
        assert_bytes(orphan.bytes(), &expected.bytes);
    }

    fn tick(&mut self, step: u16) {
        self.now += u64::from(step);
        let mut watched = false;
        let mut late = Vec::new();
        for (index, caller) in self.callers.iter_mut().enumerate() {
            let state = &self.core.slots[caller.slot.0 as usize].state;
            let waits = matches!(state, State::Waiting(false) | State::Queued | State::Sent);
            let patience = caller.request.patience;
            if patience == 0 || !waits {
                continue;
            }
            watched = true;
            caller.stamp(self.now);
            if caller
                .stamped
                .is_some_and(|at| at + u64::from(patience) <= self.now)
            {
                late.push((index, matches!(state, State::Sent)));
            }
        }
        assert_eq!(self.core.tick(self.now), watched);
        self.ring();
        for (index, sent) in late {
            let caller = &mut self.callers[index];
            let state = &self.core.slots[caller.slot.0 as usize].state;
            assert!(
                matches!(state, State::Failed(_) | State::ReadyBatch(Some(_))),
                "{} should have failed at its deadline",
                caller.token
            );
            caller.fate = Some(Fate::Expired { sent });
            if !sent {
                self.never.insert(caller.token);
            } else if caller.request.class == Class::Blocking {
                self.gone.insert(caller.token);
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
        self.writing.clear();
        self.reading.clear();
        self.flight.clear();
        self.server.restart();
        self.running = false;
        self.parting = None;
        assert!(!self.core.is_up());
    }

    pub(super) fn connect(&mut self) {
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
        self.driver.get_up();
        assert_eq!(self.core.give_up.is_some(), self.core.is_closed());
        if self.core.is_closed() {
            // Closed while the connection was made: it must end at once.
            assert!(!self.core.is_up());
            assert!(!self.turn(), "a closed connection goes on");
        }
    }

    // ---- Everybody ----

    fn ring(&mut self) {
        let mut wakes = Vec::new();
        self.core.take_wakes(&mut wakes);
        wakes.into_iter().for_each(Waker::wake);
        self.orphans.extend(self.core.take_orphans());
        if self.core.take_cut() {
            assert!(self.core.give_up.is_some() && self.core.lingers());
        }
    }

    /// Lets those act who were woken, and nobody else, until everybody sleeps.
    pub(super) fn settle(&mut self) {
        while self.step() {}
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
        if let Some(listener) = &self.listener {
            assert!(!self.core.is_up() || listener.restored);
            let all = listener.next == self.server.published;
            assert!(
                !self.server.has_published || all,
                "the subscriber misses a message"
            );
            assert!(!self.core.is_closed() || listener.ended);
        }
    }

    /// Whether anybody did anything.
    fn step(&mut self) -> bool {
        let mut progress = false;
        let driver_woken = self.driver.is_awake();
        if driver_woken {
            progress |= self.running && (self.has_work() || self.parting.is_some());
            self.take();
            self.check();
        }
        if !self.writing.is_empty() {
            progress = true;
            self.write(usize::MAX);
            self.check();
        }
        while self.server.has_work() {
            progress = true;
            self.server.answer();
        }
        // A task that is woken while it is paused looks whether it may go on.
        let has_bytes = !self.server.transit.is_empty() || self.server.hangs_up;
        let readable = has_bytes && !self.core.is_paused();
        if driver_woken || readable {
            progress |= readable;
            self.receive(1000);
            self.check();
        }
        while self
            .listener
            .as_ref()
            .is_some_and(|listener| listener.sleeper.is_awake())
        {
            progress = true;
            self.listen();
            self.check();
        }
        if self.closer.as_ref().is_some_and(Sleeper::is_awake) && self.core.in_flight() > 0 {
            progress = true;
            self.drain();
        }
        let mut index = 0;
        while let Some(caller) = self.callers.get(index) {
            if caller.sleeper.is_awake() {
                // Again until it sleeps; when it is done, another one is in its place.
                progress = true;
                self.poll(index);
                self.check();
            } else {
                index += 1;
            }
        }
        assert!(self.orphans.is_empty(), "a reply is said to be for nobody");
        progress
    }

    pub(super) fn finish(mut self) {
        self.settle();
        self.check();
        let mut connections = 0;
        while !self.core.is_up() && !self.core.is_closed() {
            connections += 1;
            assert!(connections < 100, "no connection lasts");
            self.connect();
            self.settle();
            self.check();
        }
        self.check_end();
    }

    /// How much of what is in flight nobody had to wait for room for.
    pub(super) fn unlimited(&self) -> usize {
        let is_unlimited = |token: &&u64| **token == RESTORATION || self.detached.contains(*token);
        self.flight.iter().filter(is_unlimited).count()
    }
}

impl Request {
    /// Without what no caller would ask for.
    fn sensible(mut self) -> Self {
        self.what = match self.what {
            What::Batch(count) => What::Batch(count.clamp(1, 9)),
            What::Subscribe(count) => What::Subscribe(count.clamp(1, 9)),
            What::Command => return self,
        };
        self.class = Class::Plain;
        self.streaming = Streaming::No;
        self
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, Outcome::Unknown, "lost")
}
