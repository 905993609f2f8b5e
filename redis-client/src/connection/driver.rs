//! Moves bytes between a socket and the [`Core`](super::core::Core): the only place that does I/O.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use super::Shared;
use crate::error::{Error, ErrorKind, Outcome};

/// Anything that carries bytes both ways.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Transport for T {}

/// The read buffer starts small, so that idle connections cost little, and grows with the replies.
const READ_MIN: usize = 8 * 1024;
const READ_MAX: usize = 256 * 1024;
/// An announced length is believed up to this many bytes ahead of what has arrived.
const TRUST: usize = 4 * 1024 * 1024;
/// Buffers beyond this size are given back when they are empty.
const KEEP: usize = 512 * 1024;

/// How long a connection that was given up is read on, at most.
const LINGER: Duration = Duration::from_millis(250);

/// Why a connection ended, and how many bytes it had taken.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) error: Error,
    pub(crate) written: u64,
    /// The server ended it before it said anything.
    pub(crate) in_vain: bool,
}

/// Serves a connection until it ends.
pub(crate) async fn drive(shared: &Shared, io: Pin<Box<dyn Transport>>, unread: BytesMut) -> Ended {
    let mut driver = Driver {
        shared,
        io,
        writing: BytesMut::new(),
        written: 0,
        unflushed: false,
        reading: unread,
        read_size: READ_MIN,
        yielded: false,
        timer: Box::pin(sleep(Duration::ZERO)),
        timing: false,
        wakes: Vec::new(),
        in_vain: true,
        parting: None,
    };
    let error = poll_fn(|cx| driver.poll(cx)).await;
    Ended {
        error,
        written: driver.written,
        in_vain: driver.in_vain,
    }
}

struct Driver<'s> {
    shared: &'s Shared,
    io: Pin<Box<dyn Transport>>,
    writing: BytesMut,
    written: u64,
    unflushed: bool,
    reading: BytesMut,
    read_size: usize,
    /// Ready tasks had their chance to add to the outbox.
    yielded: bool,
    timer: Pin<Box<Sleep>>,
    timing: bool,
    wakes: Vec<Waker>,
    in_vain: bool,
    /// Why the connection was given up, while it is read to its end.
    parting: Option<Error>,
}

impl Driver<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.parting.is_some() {
            return self.poll_parting(cx);
        }
        loop {
            let mut progress = false;
            match self.poll_take(cx) {
                Ok(taken) => progress |= taken,
                Err(error) if self.shared.lock().lingers() => {
                    self.parting = Some(error);
                    self.timer.as_mut().reset(Instant::now() + LINGER);
                    return self.poll_parting(cx);
                }
                Err(error) => return Poll::Ready(error),
            }
            match self.poll_write(cx) {
                Ok(wrote) => progress |= wrote,
                Err(error) => return Poll::Ready(lost(&error)),
            }
            match self.poll_read(cx) {
                Ok(read) => progress |= read,
                Err(error) => return Poll::Ready(error),
            }
            if self.timing && self.timer.as_mut().poll(cx).is_ready() {
                self.tick();
                progress = true;
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }

    /// The connection is given up, but what the server said before it saw the end still counts.
    fn poll_parting(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let _ = self.io.as_mut().poll_shutdown(cx);
        let at_end = loop {
            match self.poll_read(cx) {
                Ok(true) => {}
                Ok(false) => break false,
                Err(_) => break true,
            }
        };
        let is_over = at_end || self.timer.as_mut().poll(cx).is_ready();
        self.parting
            .take_if(|_| is_over)
            .map_or(Poll::Pending, Poll::Ready)
    }

    /// Takes what callers have encoded since the last time.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        let mut core = self.shared.lock();
        core.register_driver(cx.waker());
        if let Some(error) = core.take_give_up() {
            self.in_vain = false;
            return Err(error);
        }
        if !self.writing.is_empty() || !core.has_unsent() {
            return Ok(false);
        }
        if core.is_shared() && !self.yielded {
            // One turn of the scheduler makes the batch larger and the writes fewer.
            self.yielded = true;
            drop(core);
            cx.waker().wake_by_ref();
            return Ok(false);
        }
        self.yielded = false;
        core.take_outbox(&mut self.writing, self.shared.now());
        drop(core);
        if !self.timing && self.shared.tick_interval.is_some() {
            self.arm();
        }
        Ok(true)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> std::io::Result<bool> {
        let mut progress = false;
        while !self.writing.is_empty() {
            match self.io.as_mut().poll_write(cx, &self.writing) {
                Poll::Ready(Ok(0)) => return Err(std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.writing.advance(count);
                    self.written += count as u64;
                    self.unflushed = true;
                    progress = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(progress),
            }
        }
        if self.unflushed
            && let Poll::Ready(flushed) = self.io.as_mut().poll_flush(cx)
        {
            flushed?;
            self.unflushed = false;
            if self.writing.capacity() > KEEP {
                self.writing = BytesMut::new();
            }
        }
        Ok(progress)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        let wanted = {
            let mut core = self.shared.lock();
            if core.is_paused() {
                self.receive(core)?;
                core = self.shared.lock();
                if core.is_paused() {
                    return Ok(false);
                }
            }
            core.wanted()
        };
        self.make_room(wanted);
        let before = self.reading.len();
        let room = self.reading.capacity() - before;
        match pin!(self.io.read_buf(&mut self.reading)).poll(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Err(error)) => return Err(lost(&error)),
            Poll::Ready(Ok(0)) => {
                return Err(Error::new(
                    ErrorKind::ConnectionLost,
                    Outcome::Unknown,
                    "the server closed the connection",
                ));
            }
            Poll::Ready(Ok(count)) if count == room => {
                self.read_size = (self.read_size * 2).min(READ_MAX)
            }
            Poll::Ready(Ok(count)) if count < self.read_size / 4 => {
                self.read_size = (self.read_size / 2).max(READ_MIN)
            }
            Poll::Ready(Ok(_)) => {}
        }
        self.in_vain = false;
        self.receive(self.shared.lock())?;
        Ok(true)
    }

    fn make_room(&mut self, wanted: usize) {
        let len = self.reading.len();
        if len == 0 && self.reading.capacity() > KEEP {
            self.reading = BytesMut::new();
        }
        let spare = self.reading.capacity() - len;
        let missing = wanted.saturating_sub(len);
        if missing > READ_MAX {
            // A large value: room for exactly this, so that it is not copied as the buffer grows.
            self.reading.reserve(missing.min(TRUST.max(len)));
        } else if spare < READ_MIN / 4 {
            self.reading.reserve(self.read_size);
        }
    }

    /// Hands what was read to the core and wakes whom it concerns.
    fn receive(
        &mut self,
        mut core: std::sync::MutexGuard<'_, super::core::Core>,
    ) -> Result<(), Error> {
        let received = core.receive(&mut self.reading);
        core.take_wakes(&mut self.wakes);
        let orphans = core.take_orphans();
        let cut = core.take_cut();
        drop(core);
        if cut {
            self.shared.cut();
        }
        self.wake();
        self.shared.hand_over(orphans);
        received.map_err(|error| {
            Error::new(ErrorKind::Protocol, Outcome::Unknown, error.to_string()).with_source(error)
        })
    }

    fn wake(&mut self) {
        for waker in self.wakes.drain(..) {
            waker.wake();
        }
    }

    fn arm(&mut self) {
        if let Some(interval) = self.shared.tick_interval {
            self.timer.as_mut().reset(Instant::now() + interval);
            self.timing = true;
        }
    }

    fn tick(&mut self) {
        let mut core = self.shared.lock();
        // Whoever comes later has to wait behind those who are under way, with or without a deadline.
        let watched = core.tick(self.shared.now()) || core.in_flight() > 0;
        core.take_wakes(&mut self.wakes);
        drop(core);
        self.timing = false;
        if watched {
            self.arm();
        }
        self.wake();
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::ConnectionLost,
        Outcome::Unknown,
        format!("the connection was lost: {error}"),
    )
    .with_source(std::io::Error::from(error.kind()))
}
