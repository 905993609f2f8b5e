//! One connection: a cheap handle for any number of callers, a state machine (`core`), and a task
//! that moves the bytes (`driver`) over a socket from `connect`.

mod core;
mod driver;
mod events;

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use socket2::Socket;

pub(crate) use self::core::Subscribing;
#[cfg(fuzzing)]
pub(crate) use self::core::model;
use self::core::{Arrived, Core, CoreLimits, Millis, Outgoing, SlotId};
pub(crate) use self::driver::Transport;
use self::events::Listeners;
pub use self::events::{ConnectionEvent, ConnectionEvents};
use crate::arg::ToArg;
use crate::batch::Batch;
use crate::call::Executor;
use crate::client::AnyClient;
use crate::command::{Command, Flags};
use crate::config::{Config, Protocol};
use crate::connect::{self, Endpoint, Session};
use crate::cursor::{Cursor, DictCursor, SetCursor, ZCursor};
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::pipeline::Pipeline;
use crate::pubsub::StartSubscribe;
use crate::reply::{self, Reply, ReplyKind, StreamHead, Streaming};
use crate::resp::{Decoder, Frame, Value};
use crate::script::{Library, Script};
use crate::source::Source;
use crate::transaction::{Multi, Optimistic, Watch, optimistic};

/// A connection to one server, shared by everybody who has a clone of it.
///
/// Commands of all callers are written in the order in which they are first polled, those that come
/// while a write is under way together in the next one (automatic pipelining), and their replies are
/// read in the same order.
///
/// # Dropping a call
///
/// | when | what happens |
/// |---|---|
/// | before it was written | it is never sent |
/// | after that | its reply is thrown away when it comes; no other call notices |
/// | a blocking command ([`blpop`](crate::ListCommands::blpop), …) after that | the connection is closed at once (and made anew), so that the server takes no element for a caller who has gone; one that it took a moment before goes to [`Config::on_orphan`] |
/// | a streaming reply, half-read | the rest is skipped, or the connection closed when that is too much |
///
/// A blocking command makes all others on the same connection wait, and so does a streaming reply until it
/// is read or dropped: give it a connection of its own.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example() -> redis_client::Result<()> {
/// let connection = Connection::connect("redis://localhost").await?;
/// connection.set("key", "value").expire(60).await?;
/// assert_eq!(connection.get("key").await?.as_deref(), Some("value"));
/// # Ok(())
/// # }
/// ```
pub struct Connection<E = Utf8> {
    handle: Arc<Handle>,
    encoder: E,
}

/// Closes the connection when the last clone is gone.
struct Handle(Arc<Shared>);

/// What the handles and the driver share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    config: Config,
    /// Where to connect to anew; `None` over a stream of the user's.
    endpoint: Option<Arc<Endpoint>>,
    /// Lost once is lost for good: somebody relies on what the server knows about this connection.
    pinned: AtomicBool,
    breaker: Mutex<Option<Socket>>,
    listeners: Listeners,
    resp3: AtomicBool,
    /// Callers who have been told of this connection by their pool and have not submitted yet.
    entering: AtomicUsize,
    started: Instant,
    /// How often deadlines are looked at, if there are any.
    tick_interval: Option<Duration>,
}

impl Connection {
    /// Connects to a server: `redis://[user:password@]host[:port][/db][?option=value]`, `rediss://…`
    /// for TLS, `unix:///path` for a unix socket. The options are those of [`Config`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL is wrong, [`ErrorKind::Connect`] if the server cannot be
    /// reached in time, [`ErrorKind::Authentication`] if it refuses the user.
    pub async fn connect(url: &str) -> Result<Self> {
        url.parse::<Config>()?.connect().await
    }

    /// A [`Config`] to set the options of a connection one by one.
    pub fn builder() -> Config {
        Config::new()
    }
}

impl<E: Encoder> Connection<E> {
    pub(crate) async fn open(config: Config, encoder: E) -> Result<Self> {
        let endpoint = Arc::new(Endpoint::new(&config)?);
        Self::open_at(config, endpoint, Vec::new(), encoder).await
    }

    async fn open_at(
        config: Config,
        endpoint: Arc<Endpoint>,
        session: Session,
        encoder: E,
    ) -> Result<Self> {
        let link = endpoint.connect(&config, &session).await?;
        Ok(Self::begin(config, Some(endpoint), link, encoder))
    }

    pub(crate) async fn over(
        config: Config,
        encoder: E,
        io: Pin<Box<dyn Transport>>,
    ) -> Result<Self> {
        let link = connect::connect_over(&config, io).await?;
        Ok(Self::begin(config, None, link, encoder))
    }

    fn begin(
        config: Config,
        endpoint: Option<Arc<Endpoint>>,
        mut link: connect::Link,
        encoder: E,
    ) -> Self {
        let shared = Shared::new(config, endpoint);
        shared.connected(&mut link);
        let service = Service(Arc::clone(&shared));
        tokio::spawn(async move { service.0.supervise(link).await });
        Self::from_shared(shared, encoder)
    }

    /// Another connection to the same server, in the same state (database, name, …).
    pub(crate) async fn sibling(&self) -> Result<Self> {
        let shared = self.shared();
        let Some(endpoint) = &shared.endpoint else {
            return Err(Error::argument(
                "this needs a connection of its own, and a stream that was handed in cannot be opened twice",
            ));
        };
        let session = shared.lock().session();
        Self::open_at(
            shared.config.clone(),
            Arc::clone(endpoint),
            session,
            self.encoder,
        )
        .await
    }

    /// Another connection, for a subscription alone.
    pub(crate) async fn for_messages(&self) -> Result<Self> {
        let own = self.sibling().await?;
        if !own.speaks_resp3() {
            own.with_core(Core::expect_only_messages);
        }
        Ok(own)
    }

    pub(crate) fn speaks_resp3(&self) -> bool {
        self.shared().resp3.load(Ordering::Relaxed)
    }

    /// Whether the connection is closed for good when it is lost, instead of being made anew.
    pub(crate) fn pin(&self, on: bool) {
        self.shared().pinned.store(on, Ordering::Relaxed);
    }

    /// Whether everything on this connection will fail soon, because of a blocking call whose caller has gone.
    pub(crate) fn ends_soon(&self) -> bool {
        self.shared().lock().ends_soon()
    }

    /// Somebody is about to submit a command, or has done so.
    pub(crate) fn entering(&self, begins: bool) {
        let entering = &self.shared().entering;
        if begins {
            entering.fetch_add(1, Ordering::AcqRel);
        } else {
            entering.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Waits until nobody is between being told of this connection and submitting: a few instructions of
    /// another thread.
    pub(crate) fn poll_entered(&self, cx: &Context<'_>) -> Poll<()> {
        if self.shared().entering.load(Ordering::Acquire) == 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn from_shared(shared: Arc<Shared>, encoder: E) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
            encoder,
        }
    }

    /// The same connection with another encoder: `connection.with_encoder(Raw)` for bytes.
    pub fn with_encoder<F: Encoder>(&self, encoder: F) -> Connection<F> {
        Connection {
            handle: Arc::clone(&self.handle),
            encoder,
        }
    }

    /// Whether there is a connection right now.
    pub fn is_connected(&self) -> bool {
        self.shared().lock().is_up()
    }

    /// Whether a command is under way.
    pub fn in_use(&self) -> bool {
        self.shared().lock().in_flight() > 0
    }

    /// Whether a blocking command is under way, so that others have to wait for it.
    pub fn in_blocking_call(&self) -> bool {
        self.shared().lock().in_blocking_call()
    }

    /// Whether somebody is subscribed on this connection.
    pub fn in_pubsub(&self) -> bool {
        self.shared().lock().subscribers.is_subscribed()
    }

    /// Several commands in one write; see [`Pipeline`](crate::Pipeline).
    pub fn pipeline(&self) -> Pipeline<E> {
        Pipeline::new(self.source(), self.encoder)
    }

    /// Begins a transaction: `multi().await`, or `multi().watch(["key"]).await`; see
    /// [`Transaction`](crate::Transaction). With watched keys it opens a connection of its own.
    pub fn multi(&self) -> Multi<E> {
        Multi::new(self.source(), self.encoder)
    }

    /// Watches keys, on a connection of its own; see [`Watch`].
    pub async fn watch<'a>(
        &self,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<Watch<E>> {
        let keys = owned(keys, self.encoder);
        Watch::begin(&self.source(), self.encoder, &keys).await
    }

    /// Reads watched keys, queues commands, and executes them if none of the keys has changed; else does it
    /// all again, up to a hundred times, with growing random pauses.
    ///
    /// ```no_run
    /// use redis_client::prelude::*;
    ///
    /// # async fn example(client: Connection) -> redis_client::Result<()> {
    /// let total = client
    ///     .transaction(["total"], async |tx| {
    ///         let total = tx.get("total").await?.and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
    ///         tx.queue().set("total", total).await?;
    ///         Ok(total)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of `body`, with nothing executed; [`ErrorKind::Transaction`] when the budget is used up.
    pub async fn transaction<'a, T, A: Future<Output = Result<T>>>(
        &self,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
        body: impl Fn(Optimistic<E>) -> A,
    ) -> Result<T> {
        let keys = owned(keys, self.encoder);
        optimistic(&self.source(), self.encoder, &keys, body).await
    }

    /// Begins a subscription: `start_subscribe().await`; see [`Subscription`](crate::Subscription). In RESP3
    /// it shares this connection with commands; in RESP2, where that is not possible, it opens its own.
    pub fn start_subscribe(&self) -> StartSubscribe<E> {
        StartSubscribe::new(self.any())
    }

    /// Loads a Lua script and gives it a handle; see [`Script`].
    pub async fn register_script(&self, code: &str) -> Result<Script<E>> {
        Script::register(self.any(), code).await
    }

    /// Loads a library of functions, in place of an older one of the same name; see [`Library`].
    pub async fn register_library(&self, code: &str) -> Result<Library<E>> {
        Library::register(self.any(), code).await
    }

    /// Walks through all keys of the database; see [`Cursor`].
    pub fn scan(&self) -> Cursor<E> {
        Cursor::new(self.any(), Vec::new())
    }

    /// Walks through all members of a set; see [`SetCursor`].
    pub fn sscan<'a>(&self, key: impl ToArg<'a, E>) -> SetCursor<E> {
        SetCursor::new(self.any(), one(key, self.encoder))
    }

    /// Walks through all fields of a hash; see [`DictCursor`].
    pub fn hscan<'a>(&self, key: impl ToArg<'a, E>) -> DictCursor<E> {
        DictCursor::new(self.any(), one(key, self.encoder))
    }

    /// Walks through all members of a sorted set; see [`ZCursor`].
    pub fn zscan<'a>(&self, key: impl ToArg<'a, E>) -> ZCursor<E> {
        ZCursor::new(self.any(), one(key, self.encoder))
    }

    /// What happens to the connection from now on: lost, reconnecting, restored, closed.
    pub fn events(&self) -> ConnectionEvents {
        self.shared().listeners.add()
    }

    /// Closes the connection for all its handles as soon as the commands under way are done; new ones
    /// are refused. Those that are not done within `deadline` fail.
    pub async fn close_within(&self, deadline: Duration) {
        let drained = poll_fn(|cx| self.with_core(|core| core.poll_drained(cx)));
        // Over or not, it is closed now.
        let _ = tokio::time::timeout(deadline, drained).await;
        self.close();
    }

    /// Closes the connection for all its handles. Commands that are under way fail.
    pub fn close(&self) {
        self.shared().close("the connection was closed");
    }

    fn shared(&self) -> &Shared {
        &self.handle.0
    }

    fn any(&self) -> AnyClient<E> {
        AnyClient::Connection(self.clone())
    }

    fn source(&self) -> Source {
        Source::Connection(self.with_encoder(Utf8))
    }

    /// Whether a reply is being read in pieces.
    pub(crate) fn is_streaming(&self) -> bool {
        self.shared().lock().is_streaming()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared().lock().is_closed()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.shared().lock().in_flight()
    }

    /// How long a new command would wait here, roughly, in commands.
    pub(crate) fn load(&self) -> usize {
        let core = self.shared().lock();
        let penalty = if core.is_up() { 0 } else { 1 << 20 };
        let streaming = if core.is_streaming() { 1 << 16 } else { 0 };
        core.in_flight() + penalty + streaming
    }

    pub(crate) fn with_core<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        self.shared().with(f)
    }

    /// Sends a command in whose reply nobody is interested.
    pub(crate) fn send_detached(&self, command: &Command<'_>) {
        self.with_core(|core| core.submit_detached(command));
    }

    pub(crate) fn poll_raw(
        &self,
        command: &Command<'_>,
        streaming: Streaming,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Reply>> {
        poll_reply(&self.handle, command, streaming, ticket, cx)
    }

    /// A command of which only its success matters.
    pub(crate) async fn run_command(&self, command: &Command<'_>) -> Result<()> {
        let mut guard = Guard {
            connection: self,
            ticket: Ticket::default(),
        };
        let reply =
            poll_fn(|cx| self.poll_raw(command, Streaming::No, &mut guard.ticket, cx)).await;
        reply
            .and_then(|reply| reply::decode::<Utf8, ()>(reply, Utf8))
            .map_err(|error| error.for_command(command.name()))
    }

    /// (Un)subscribes, and waits for the confirmations.
    pub(crate) async fn confirmed(&self, subscribing: &Subscribing<'_>) -> Result<()> {
        let name = || subscribing.0.name();
        match self
            .arrived(subscribing, true)
            .await
            .map_err(|error| error.for_command(name()))?
        {
            Arrived::Frame(frame) => reply::decode::<Utf8, ()>(Reply::Frame(frame), Utf8)
                .map_err(|error| error.for_command(name())),
            Arrived::Batch(..) | Arrived::Stream { .. } => Ok(()),
        }
    }

    /// Several commands in one piece: the replies that came, and the error if that were not all.
    pub(crate) async fn run(&self, batch: &Batch) -> Result<(Vec<Frame>, Option<Error>)> {
        Ok(match self.arrived(batch, batch.is_repeatable()).await? {
            Arrived::Batch(frames, error) => (frames, error),
            Arrived::Frame(frame) => (vec![frame], None),
            Arrived::Stream { .. } => (Vec::new(), None),
        })
    }

    /// Sends and waits; again after a lost connection, where that does no harm.
    async fn arrived(&self, outgoing: &impl Outgoing, repeatable: bool) -> Result<Arrived> {
        let shared = self.shared();
        let patience = millis(shared.config.reply_timeout);
        let mut guard = Guard {
            connection: self,
            ticket: Ticket::default(),
        };
        poll_fn(|cx| {
            let ticket = &mut guard.ticket;
            loop {
                let Some(slot) = ticket.slot else {
                    let submitted =
                        shared.with(|core| core.submit(outgoing, Streaming::No, patience, cx));
                    ticket.slot = Some(submitted.map_err(|error| ticket.outcome_of_all(error))?);
                    return Poll::Pending;
                };
                let arrived = ready!(shared.with(|core| core.poll_reply(slot, outgoing, cx)));
                ticket.slot = None;
                let lost = match &arrived {
                    Err(error) | Ok(Arrived::Batch(_, Some(error))) => Some(error),
                    Ok(_) => None,
                };
                if let Some(error) = lost
                    && may_retry(error, repeatable, ticket, shared)
                {
                    ticket.attempts += 1;
                    ticket.uncertain |= error.outcome() == Outcome::Unknown;
                    continue;
                }
                return Poll::Ready(match arrived {
                    Err(error) => Err(ticket.outcome_of_all(error)),
                    Ok(Arrived::Batch(frames, Some(error))) => {
                        Ok(Arrived::Batch(frames, Some(ticket.outcome_of_all(error))))
                    }
                    arrived => arrived,
                });
            }
        })
        .await
    }
}

/// Takes a call back when its future is dropped.
struct Guard<'c, E: Encoder> {
    connection: &'c Connection<E>,
    ticket: Ticket,
}

impl<E: Encoder> Drop for Guard<'_, E> {
    fn drop(&mut self) {
        self.connection.cancel(&mut self.ticket);
    }
}

pub(crate) fn one<'a, E: Encoder>(arg: impl ToArg<'a, E>, encoder: E) -> Vec<u8> {
    arg.to_arg(encoder).with_bytes(<[u8]>::to_vec)
}

pub(crate) fn owned<'a, E: Encoder>(
    args: impl IntoIterator<Item = impl ToArg<'a, E>>,
    encoder: E,
) -> Vec<Vec<u8>> {
    args.into_iter()
        .map(|arg| arg.to_arg(encoder).with_bytes(<[u8]>::to_vec))
        .collect()
}

impl<E: Clone> Clone for Connection<E> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            encoder: self.encoder.clone(),
        }
    }
}

impl<E> fmt::Debug for Connection<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("config", &self.handle.0.config)
            .field("connected", &self.handle.0.lock().is_up())
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close("the connection was dropped");
    }
}

impl Shared {
    fn new(config: Config, endpoint: Option<Arc<Endpoint>>) -> Arc<Self> {
        let limits = CoreLimits {
            commands: config.max_in_flight.max(1),
            bytes: config.max_in_flight_bytes,
            skip: config.max_skip,
            reply: config.reply_limits,
        };
        // A sixteenth of the timeout is precise enough and costs next to nothing.
        let timeout = config.reply_timeout.unwrap_or(Duration::from_secs(4));
        Arc::new(Self {
            core: Mutex::new(Core::new(limits)),
            started: Instant::now(),
            tick_interval: Some(
                (timeout / 16).clamp(Duration::from_millis(5), Duration::from_millis(250)),
            ),
            config,
            endpoint,
            pinned: AtomicBool::new(false),
            breaker: Mutex::new(None),
            listeners: Listeners::default(),
            resp3: AtomicBool::new(false),
            entering: AtomicUsize::new(0),
        })
    }

    /// Whether a lost connection is made anew.
    fn reconnects(&self) -> bool {
        self.config.auto_reconnect
            && self.endpoint.is_some()
            && !self.pinned.load(Ordering::Relaxed)
    }

    fn connected(&self, link: &mut connect::Link) {
        self.resp3
            .store(link.protocol == Protocol::Resp3, Ordering::Relaxed);
        *self.breaker.lock().unwrap_or_else(PoisonError::into_inner) = link.breaker.take();
        self.with(Core::connected);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // Nothing within the lock panics; and if it did, the state would still be whole.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Millis {
        // Never zero, which means "no deadline".
        u64::try_from(self.started.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// Runs `f` under the lock and wakes whom it concerns after that.
    fn with<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.lock();
        let result = f(&mut core);
        let wakes = core.take_few_wakes();
        let orphans = core.take_orphans();
        let cut = core.take_cut();
        drop(core);
        if cut {
            self.cut();
        }
        wakes.into_iter().for_each(Waker::wake);
        self.hand_over(orphans);
        result
    }

    /// Tells the server that nobody waits any more, before the caller who has gone can do anything else.
    fn cut(&self) {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = breaker.as_ref() {
            // Where it fails, the connection has ended already.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// Drops the second handle of the socket, which keeps it open for as long as there is one.
    fn let_go(&self) {
        *self.breaker.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Gives replies for callers who had gone to whom it may concern.
    fn hand_over(&self, orphans: Vec<Frame>) {
        let Some(hook) = &self.config.on_orphan else {
            return;
        };
        for frame in orphans {
            if let Ok(value) = Decoder::new(&frame).value()
                && !matches!(value, Value::Null | Value::Error(_))
            {
                hook(value);
            }
        }
    }

    fn close(&self, why: &str) {
        self.with(|core| {
            if !core.is_closed() {
                core.closed(Error::new(ErrorKind::NotConnected, Outcome::NotSent, why));
            }
        });
        self.listeners.tell(&ConnectionEvent::Closed);
    }

    /// Serves one connection after the other, until it is closed for good.
    async fn supervise(&self, mut link: connect::Link) {
        let mut in_vain = 0u32;
        loop {
            let ended = driver::drive(self, link.io, link.unread).await;
            self.let_go();
            in_vain = if ended.in_vain {
                in_vain.saturating_add(1)
            } else {
                0
            };
            self.with(|core| core.disconnected(&ended.error, ended.written));
            self.listeners
                .tell(&ConnectionEvent::Lost(Arc::new(ended.error.duplicate())));
            let Some(endpoint) = self.endpoint.as_ref().filter(|_| self.reconnects()) else {
                self.close(ended.error.message());
                return;
            };
            // One connection may be lost like this by chance, the next ones are like failed attempts.
            match self.reconnect(endpoint, in_vain.saturating_sub(1)).await {
                Some(next) => link = next,
                None => return,
            }
            self.connected(&mut link);
            self.listeners.tell(&ConnectionEvent::Restored);
        }
    }

    /// Tries again and again, with growing pauses, while the deadlines of waiting commands go on.
    async fn reconnect(&self, endpoint: &Endpoint, in_vain: u32) -> Option<connect::Link> {
        let mut attempt = 0u32;
        loop {
            let pause = self.config.reconnect.pause(attempt.saturating_add(in_vain));
            self.watch(tokio::time::sleep(pause)).await?;
            let session = self.lock().session();
            self.listeners
                .tell(&ConnectionEvent::Reconnecting(attempt + 1));
            match self.watch(endpoint.connect(&self.config, &session)).await? {
                Ok(link) => return Some(link),
                Err(error) => {
                    attempt += 1;
                    if self.config.reconnect.gives_up_after(attempt) {
                        self.close(&format!(
                            "gave up reconnecting after {attempt} attempts: {error}"
                        ));
                        return None;
                    }
                }
            }
        }
    }

    /// Waits for `future` and looks after deadlines meanwhile; `None` when the connection is closed.
    async fn watch<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut timer = pin!(tokio::time::sleep(
            self.tick_interval.unwrap_or(Duration::from_secs(1))
        ));
        poll_fn(|cx| {
            {
                let mut core = self.lock();
                core.register_driver(cx.waker());
                if core.is_closed() {
                    return Poll::Ready(None);
                }
            }
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            while timer.as_mut().poll(cx).is_ready() {
                self.with(|core| core.tick(self.now()));
                let next = tokio::time::Instant::now()
                    + self.tick_interval.unwrap_or(Duration::from_secs(1));
                timer.as_mut().reset(next);
            }
            Poll::Pending
        })
        .await
    }
}

/// What serves a connection. It goes with the runtime where it was started, and nobody would answer the callers
/// any more: the connection is closed then.
struct Service(Arc<Shared>);

impl Drop for Service {
    fn drop(&mut self) {
        self.0
            .close("the runtime in which the connection was made has ended");
        self.0.let_go();
    }
}

/// A call under way on a [`Connection`].
#[derive(Debug, Default)]
pub struct Ticket {
    slot: Option<SlotId>,
    attempts: u8,
    /// An attempt before this one may have been executed.
    uncertain: bool,
}

impl Ticket {
    /// What may have been executed once is not unsent, whatever became of its repetition.
    fn outcome_of_all(&self, error: Error) -> Error {
        match error.outcome() {
            Outcome::NotSent if self.uncertain => error.with_outcome(Outcome::Unknown),
            _ => error,
        }
    }
}

impl<E: Encoder> Executor for Connection<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = Ticket;

    fn encoder(&self) -> E {
        self.encoder
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        let reply = ready!(poll_reply(&self.handle, command, R::STREAMING, ticket, cx));
        Poll::Ready(
            reply
                .and_then(|reply| reply::decode::<E, R>(reply, self.encoder))
                .map_err(|error| error.for_command(command.name())),
        )
    }

    fn cancel(&self, ticket: &mut Ticket) {
        if let Some(slot) = ticket.slot.take() {
            self.shared().with(|core| core.cancel(slot));
        }
    }
}

fn poll_reply(
    handle: &Arc<Handle>,
    command: &Command<'_>,
    streaming: Streaming,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
) -> Poll<Result<Reply>> {
    let shared = &handle.0;
    loop {
        let Some(slot) = ticket.slot else {
            command.check()?;
            let patience = patience(command, &shared.config);
            let submitted = shared.with(|core| core.submit(command, streaming, patience, cx));
            ticket.slot = Some(submitted.map_err(|error| ticket.outcome_of_all(error))?);
            return Poll::Pending;
        };
        let arrived = ready!(shared.with(|core| core.poll_reply(slot, command, cx)));
        ticket.slot = None;
        return Poll::Ready(match arrived {
            Ok(Arrived::Frame(frame)) => {
                remember_session(shared, command, &frame);
                Ok(Reply::Frame(frame))
            }
            Ok(Arrived::Batch(..)) => Err(Error::new(
                ErrorKind::Protocol,
                Outcome::Unknown,
                "a command has several replies",
            )),
            Ok(Arrived::Stream { shape, len }) => Ok(Reply::Stream(StreamHead {
                shape,
                len,
                chunks: Chunks {
                    handle: Arc::clone(handle),
                    slot,
                },
            })),
            Err(error) if may_retry(&error, command.is_repeatable(), ticket, shared) => {
                ticket.attempts += 1;
                ticket.uncertain |= error.outcome() == Outcome::Unknown;
                continue;
            }
            Err(error) => Err(ticket.outcome_of_all(error)),
        });
    }
}

/// What was not sent is always sent again; what may have been executed only if that does no harm, and
/// if it cannot be what has made the server talk nonsense.
fn may_retry(error: &Error, repeatable: bool, ticket: &Ticket, shared: &Shared) -> bool {
    shared.reconnects()
        && ticket.attempts < shared.config.reconnect.retries
        && match (error.kind(), error.outcome()) {
            (ErrorKind::ConnectionLost | ErrorKind::Protocol, Outcome::NotSent) => true,
            (ErrorKind::ConnectionLost, Outcome::Unknown) => repeatable,
            _ => false,
        }
}

/// A new connection has to begin in the state that this command has brought the present one into.
fn remember_session(shared: &Shared, command: &Command<'_>, reply: &Frame) {
    if command.flags().contains(Flags::SESSION)
        && !matches!(reply.bytes().first(), Some(b'-' | b'!'))
    {
        let mut bytes = BytesMut::new();
        command.encode(&mut bytes);
        shared.lock().remember(command.spec().name, bytes.freeze());
    }
}

/// Milliseconds until a call is given up; zero: never.
fn patience(command: &Command<'_>, config: &Config) -> u32 {
    let patience = match (command.blocks_for(), command.reply_timeout()) {
        (_, Some(own)) => Some(own),
        (Some(Duration::ZERO), None) => None,
        (Some(block), None) => config
            .reply_timeout
            .map(|margin| block.saturating_add(margin)),
        (None, None) => config.reply_timeout,
    };
    millis(patience)
}

/// At least one millisecond; zero for none.
fn millis(patience: Option<Duration>) -> u32 {
    patience.map_or(0, |patience| {
        u32::try_from(patience.as_millis())
            .unwrap_or(u32::MAX)
            .max(1)
    })
}

/// The pieces of a streamed reply.
pub(crate) struct Chunks {
    handle: Arc<Handle>,
    slot: SlotId,
}

impl Chunks {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        self.handle.0.with(|core| core.poll_chunk(self.slot, cx))
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.handle.0.with(|core| core.cancel(self.slot));
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}
