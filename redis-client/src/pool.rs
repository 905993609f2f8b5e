//! A pool of connections: the recommended way to talk to a server.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use crate::arg::ToArg;
use crate::batch::Batch;
use crate::call::Executor;
use crate::client::AnyClient;
use crate::command::{Command, Flags};
use crate::config::Config;
use crate::connection::{self, Connection, one, owned};
use crate::cursor::{Cursor, DictCursor, SetCursor, ZCursor};
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::pipeline::Pipeline;
use crate::pubsub::StartSubscribe;
use crate::reply::{Reply, ReplyKind};
use crate::resp::Frame;
use crate::script::{Library, Script};
use crate::source::Source;
use crate::transaction::{Multi, Optimistic, Watch, optimistic};

/// A pool of connections to one server.
///
/// Commands of all callers are spread over its connections by load, and pipelined there. What needs a
/// connection for itself is given one for as long as it takes, chosen by the facts of the command table:
/// blocking commands, transactions with watched keys. When all connections are given away, callers wait
/// for up to [`acquire_timeout`](PoolBuilder::acquire_timeout).
///
/// It starts with [`min_size`](PoolBuilder::min_size) connections and grows to
/// [`poolsize`](PoolBuilder::poolsize) as it needs them. A lost connection is made anew by itself; there is
/// no PING before use.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example() -> redis_client::Result<()> {
/// let pool = Pool::connect("redis://localhost").await?;
/// pool.set("key", "value").await?;
/// // Waits on a connection of its own, while others go on.
/// let job = pool.blpop(["jobs"]).timeout(5).await?;
/// # Ok(())
/// # }
/// ```
///
/// Commands that change the state of their connection (SELECT, CLIENT SETNAME, …) are refused: which of the
/// connections would it be? Set such things in the configuration.
pub struct Pool<E: Encoder = Utf8> {
    inner: Arc<Inner>,
    encoder: E,
}

/// How to make a [`Pool`]: `Pool::builder(config).poolsize(20).connect().await`.
#[derive(Debug, Clone)]
#[must_use]
pub struct PoolBuilder<E: Encoder = Utf8> {
    config: Config<E>,
    settings: Settings,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    poolsize: usize,
    min_size: usize,
    acquire_timeout: Duration,
    max_idle: Option<Duration>,
    max_age: Option<Duration>,
}

/// Load per connection beyond which another one pays.
const BUSY: usize = 128;

impl<E: Encoder> PoolBuilder<E> {
    /// The greatest number of connections. Default: 10.
    pub fn poolsize(mut self, connections: usize) -> Self {
        self.settings.poolsize = connections.max(1);
        self
    }

    /// The number of connections that are made at once and kept. Default: 1.
    pub fn min_size(mut self, connections: usize) -> Self {
        self.settings.min_size = connections.max(1);
        self
    }

    /// How long a call waits for a connection when all are given away. Default: 5 s. Zero:
    /// [`NoAvailableConnectionsInPool`](ErrorKind::NoAvailableConnectionsInPool) at once.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.settings.acquire_timeout = timeout;
        self
    }

    /// Closes connections beyond `min_size` that have done nothing for this long. Default: 5 minutes.
    pub fn max_idle(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.settings.max_idle = time.into();
        self
    }

    /// Replaces connections that are older than this, once they have nothing to do. Default: never.
    pub fn max_age(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.settings.max_age = time.into();
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`Connection::connect`].
    pub async fn connect(self) -> Result<Pool<E>> {
        let (encoder, config) = self.config.split();
        let settings = Settings {
            poolsize: self.settings.poolsize.max(self.settings.min_size),
            ..self.settings
        };
        let inner = Arc::new(Inner {
            config,
            settings,
            state: Mutex::new(State {
                members: Vec::new(),
                retired: Vec::new(),
                next_id: 0,
                dialing: 0,
                waiters: VecDeque::new(),
                next_waiter: 0,
                closed: false,
                last_failure: None,
                waited: 0,
            }),
        });
        for _ in 0..settings.min_size {
            let connection = inner.config.clone().connect().await?;
            inner.lock().add(connection);
        }
        if settings.max_idle.is_some() || settings.max_age.is_some() {
            tokio::spawn(tidy_up(Arc::downgrade(&inner)));
        }
        Ok(Pool { inner, encoder })
    }
}

impl Pool {
    /// A pool of up to ten connections to the server at this URL; see [`Connection::connect`].
    ///
    /// # Errors
    ///
    /// As [`Connection::connect`].
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder(url.parse()?).connect().await
    }

    /// A pool whose connections are made with `config`.
    pub fn builder<E: Encoder>(config: Config<E>) -> PoolBuilder<E> {
        PoolBuilder {
            config,
            settings: Settings {
                poolsize: 10,
                min_size: 1,
                acquire_timeout: Duration::from_secs(5),
                max_idle: Some(Duration::from_secs(300)),
                max_age: None,
            },
        }
    }
}

/// What a pool is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The greatest number of connections.
    pub poolsize: usize,
    /// Connections that are up.
    pub connected: usize,
    /// Connections with a command under way, or given away.
    pub in_use: usize,
    /// Connections that are given away to one caller each.
    pub leased: usize,
    /// Callers that wait for a connection.
    pub waiting: usize,
    /// Calls that had to wait for a connection so far.
    pub waited: u64,
    /// Commands under way.
    pub in_flight: usize,
}

impl<E: Encoder> Pool<E> {
    /// The same pool with another encoder.
    pub fn with_encoder<F: Encoder>(&self, encoder: F) -> Pool<F> {
        Pool {
            inner: Arc::clone(&self.inner),
            encoder,
        }
    }

    /// The greatest number of connections.
    pub fn poolsize(&self) -> usize {
        self.inner.settings.poolsize
    }

    /// Connections with a command under way, or given away to one caller.
    pub fn connections_in_use(&self) -> usize {
        self.stats().in_use
    }

    /// Connections that are up.
    pub fn connections_connected(&self) -> usize {
        self.stats().connected
    }

    /// What the pool is doing right now.
    pub fn stats(&self) -> PoolStats {
        let state = self.inner.lock();
        let members = || state.members.iter();
        PoolStats {
            poolsize: self.inner.settings.poolsize,
            connected: members()
                .filter(|member| member.connection.is_connected())
                .count(),
            in_use: members()
                .filter(|member| member.leased || member.connection.in_use())
                .count(),
            leased: members().filter(|member| member.leased).count(),
            waiting: state.waiters.len(),
            waited: state.waited,
            in_flight: members().map(|member| member.connection.in_flight()).sum(),
        }
    }

    /// Closes all connections. Commands that are under way fail.
    pub fn close(&self) {
        let mut state = self.inner.lock();
        state.closed = true;
        let members = std::mem::take(&mut state.members);
        let retired = std::mem::take(&mut state.retired);
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        drop(retired);
        members.iter().for_each(|member| member.connection.close());
        waiters
            .into_iter()
            .filter_map(|waiter| waiter.waker)
            .for_each(Waker::wake);
    }

    /// Several commands in one write; see [`Pipeline`](crate::Pipeline).
    pub fn pipeline(&self) -> Pipeline<E> {
        Pipeline::new(self.source(), self.encoder)
    }

    /// Begins a transaction: `multi().await`, or `multi().watch(["key"]).await`; see
    /// [`Transaction`](crate::Transaction). Only with watched keys is it given a connection for itself.
    pub fn multi(&self) -> Multi<E> {
        Multi::new(self.source(), self.encoder)
    }

    /// Watches keys, on a connection given to it; see [`Watch`].
    pub async fn watch<'a>(
        &self,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<Watch<E>> {
        let keys = owned(keys, self.encoder);
        Watch::begin(&self.source(), self.encoder, &keys).await
    }

    /// Reads watched keys, queues commands, and executes them if none of the keys has changed; see
    /// [`Connection::transaction`].
    pub async fn transaction<'a, T, A: Future<Output = Result<T>>>(
        &self,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
        body: impl Fn(Optimistic<E>) -> A,
    ) -> Result<T> {
        let keys = owned(keys, self.encoder);
        optimistic(&self.source(), self.encoder, &keys, body).await
    }

    /// Begins a subscription, on a connection of its own, which does not count as one of the pool's:
    /// `start_subscribe().await`; see [`Subscription`](crate::Subscription).
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

    fn any(&self) -> AnyClient<E> {
        AnyClient::Pool(self.clone())
    }

    fn source(&self) -> Source {
        Source::Pool(self.with_encoder(Utf8))
    }

    /// A connection that is shared with others.
    pub(crate) async fn shared(&self) -> Result<Connection> {
        Ok(self.enter().await?.0.clone())
    }

    async fn enter(&self) -> Result<Entering> {
        let mut waiting = Waiting::default();
        let acquired = poll_fn(|cx| self.inner.poll_acquire(Need::Shared, &mut waiting, cx)).await;
        Ok(Entering(acquired?.1))
    }

    /// Several commands in one piece: the replies that came, and the error if that were not all.
    pub(crate) async fn run(&self, batch: &Batch) -> Result<(Vec<Frame>, Option<Error>)> {
        let mut attempts = 0;
        loop {
            let entering = self.enter().await?;
            let connection = entering.0.clone();
            let mut entering = Some(entering);
            let mut run = pin!(connection.run(batch));
            let result = poll_fn(|cx| {
                let result = run.as_mut().poll(cx);
                // It has been submitted.
                entering = None;
                result
            });
            match result.await {
                Err(error) if self.another_may_do(&error, &mut attempts) => {}
                result => return result,
            }
        }
    }

    /// Whether to take another connection, because the one that was chosen came to its end before anything
    /// was sent on it.
    pub(crate) fn another_may_do(&self, error: &Error, attempts: &mut u8) -> bool {
        *attempts += 1;
        error.is_disconnected()
            && error.outcome() == Outcome::NotSent
            && *attempts <= self.inner.config.reconnect.retries
    }

    /// A connection for one caller alone.
    pub(crate) async fn lease(&self) -> Result<PoolLease> {
        let mut waiting = Waiting::default();
        let acquired = poll_fn(|cx| self.inner.poll_acquire(Need::Lease, &mut waiting, cx)).await;
        let (id, connection) = acquired?;
        connection.pin(true);
        let lease = PoolLease {
            inner: Arc::clone(&self.inner),
            id,
            connection,
        };
        poll_fn(|cx| lease.connection.poll_entered(cx)).await;
        Ok(lease)
    }
}

impl<E: Encoder> Clone for Pool<E> {
    fn clone(&self) -> Self {
        self.with_encoder(self.encoder)
    }
}

impl<E: Encoder> fmt::Debug for Pool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("config", &self.inner.config)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

struct Inner {
    config: Config,
    settings: Settings,
    state: Mutex<State>,
}

struct State {
    members: Vec<Member>,
    /// Nobody is given them any more; they end by themselves.
    retired: Vec<Connection>,
    next_id: u64,
    /// Connections that are being made.
    dialing: usize,
    waiters: VecDeque<Waiter>,
    next_waiter: u64,
    closed: bool,
    /// Why the last attempt to connect failed, for those who wait in vain.
    last_failure: Option<Error>,
    waited: u64,
}

struct Member {
    id: u64,
    connection: Connection,
    leased: bool,
    since: Instant,
    used: Instant,
}

struct Waiter {
    id: u64,
    need: Need,
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Any connection that is not given away.
    Shared,
    /// One that nobody else gets meanwhile.
    Lease,
}

impl State {
    fn add(&mut self, connection: Connection) {
        let id = self.next_id;
        self.next_id += 1;
        let now = Instant::now();
        self.members.push(Member {
            id,
            connection,
            leased: false,
            since: now,
            used: now,
        });
    }

    /// First come, first served: a connection is given to one caller alone when nobody has waited for longer.
    /// What is shared is there for all who wait for it, in any order.
    fn is_turn_of(&self, need: Need, id: Option<u64>) -> bool {
        need == Need::Shared
            || self
                .waiters
                .front()
                .is_none_or(|first| Some(first.id) == id)
    }

    /// Those look again who may be lucky: all who share, and the first who does not.
    fn take_wakers(&mut self) -> Vec<Waker> {
        let mut is_first = true;
        self.waiters
            .iter_mut()
            .filter(|waiter| waiter.need == Need::Shared || std::mem::replace(&mut is_first, false))
            .filter_map(|waiter| waiter.waker.take())
            .collect()
    }

    fn forget_closed(&mut self) {
        self.members.retain(|member| !member.connection.is_closed());
        self.retired
            .retain(|connection| !connection.is_closed() && connection.in_use());
    }

    fn dequeue(&mut self, id: u64) {
        self.waiters.retain(|waiter| waiter.id != id);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, as soon as there is one.
    fn poll_acquire(
        self: &Arc<Self>,
        need: Need,
        waiting: &mut Waiting,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(u64, Connection)>> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(Err(Error::new(
                ErrorKind::NotConnected,
                Outcome::NotSent,
                "the pool was closed",
            )));
        }
        state.forget_closed();
        if state.is_turn_of(need, waiting.id)
            && let Some(found) = self.choose(&mut state, need)
        {
            if state.members.len() < self.settings.min_size {
                self.grow(&mut state);
            }
            if let Some(id) = waiting.id.take() {
                state.dequeue(id);
                // The next in the queue may be lucky too.
                let wakers = state.take_wakers();
                drop(state);
                wakers.into_iter().for_each(Waker::wake);
            }
            return Poll::Ready(Ok(found));
        }
        self.grow(&mut state);
        if self.settings.acquire_timeout.is_zero() && state.dialing == 0 {
            return Poll::Ready(Err(self.none_available(&state)));
        }
        let id = match waiting.id {
            Some(id) => id,
            None => {
                let id = state.next_waiter;
                state.next_waiter += 1;
                state.waited += 1;
                state.waiters.push_back(Waiter {
                    id,
                    need,
                    waker: None,
                });
                waiting.id = Some(id);
                waiting.inner = Some(Arc::clone(self));
                id
            }
        };
        if let Some(waiter) = state.waiters.iter_mut().find(|waiter| waiter.id == id) {
            waiter.waker = Some(cx.waker().clone());
        }
        drop(state);
        let patience = match self.settings.acquire_timeout {
            // Only for the connection that is being made.
            Duration::ZERO => self
                .config
                .connect_timeout
                .unwrap_or(Duration::from_secs(5)),
            patience => patience,
        };
        let deadline = waiting
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(deadline.as_mut().poll(cx));
        let mut state = self.lock();
        state.dequeue(id);
        waiting.id = None;
        let error = self.none_available(&state);
        // The next one may need less.
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Poll::Ready(Err(error))
    }

    /// The best connection for a need, if there is a suitable one.
    fn choose(self: &Arc<Self>, state: &mut State, need: Need) -> Option<(u64, Connection)> {
        let dialing = state.dialing;
        let may_grow = state.members.len() + dialing < self.settings.poolsize;
        let shared = state.members.iter().filter(|member| !member.leased).count();
        let only_one = self.settings.poolsize == 1;
        let best = state
            .members
            .iter_mut()
            .filter(|member| !member.leased)
            .map(|member| (member.connection.load(), member))
            .min_by_key(|(load, _)| *load)?;
        let (load, member) = best;
        let chosen = match need {
            // Its reader may be the caller: who reads a reply and asks for more has to get ahead.
            Need::Shared if member.connection.is_streaming() && (may_grow || dialing > 0) => {
                return None;
            }
            Need::Shared => {
                member.used = Instant::now();
                member.connection.entering(true);
                (member.id, member.connection.clone())
            }
            // The last one is for everybody, unless there never is a second.
            Need::Lease if shared == 1 && !only_one => return None,
            // One with nothing to do, rather than behind the commands of others.
            Need::Lease if load > 0 && may_grow => return None,
            Need::Lease => {
                member.leased = true;
                member.used = Instant::now();
                (member.id, member.connection.clone())
            }
        };
        if need == Need::Shared && load >= BUSY && may_grow {
            self.grow(state);
        }
        Some(chosen)
    }

    /// Makes another connection, unless there are enough.
    fn grow(self: &Arc<Self>, state: &mut State) {
        if state.members.len() + state.dialing >= self.settings.poolsize
            || state.dialing > state.waiters.len()
        {
            return;
        }
        state.dialing += 1;
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let dialed = inner.config.clone().connect().await;
            let failed = dialed.is_err();
            inner.dialed(dialed);
            if failed {
                // Whoever still waits tries again, but not at once.
                sleep(Duration::from_millis(50)).await;
            }
            let mut state = inner.lock();
            state.dialing -= 1;
            let wakers = state.take_wakers();
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        });
    }

    fn dialed(&self, dialed: Result<Connection>) {
        let mut state = self.lock();
        match dialed {
            Ok(connection) if !state.closed => {
                state.last_failure = None;
                state.add(connection);
            }
            Ok(_) => {}
            Err(error) => state.last_failure = Some(error),
        }
    }

    fn none_available(&self, state: &State) -> Error {
        let leased = state.members.iter().filter(|member| member.leased).count();
        let why = match &state.last_failure {
            Some(error) => format!("connecting failed: {error}"),
            None => "a larger poolsize helps".to_owned(),
        };
        let message = format!(
            "no connection of the pool became free within {:?}: {leased} of {} are given away to blocking calls and \
             transactions with watched keys; {why}",
            self.settings.acquire_timeout, self.settings.poolsize,
        );
        Error::new(
            ErrorKind::NoAvailableConnectionsInPool,
            Outcome::NotSent,
            message,
        )
    }

    /// A lease ends.
    fn give_back(&self, id: u64) {
        let mut state = self.lock();
        if let Some(place) = state.members.iter().position(|member| member.id == id) {
            if state
                .members
                .get(place)
                .is_some_and(|member| member.connection.ends_soon())
            {
                // It is closed because of a blocking call whose caller has gone, and would take along whatever
                // else is sent on it.
                let member = state.members.swap_remove(place);
                state.retired.push(member.connection);
            } else if let Some(member) = state.members.get_mut(place) {
                member.leased = false;
                member.used = Instant::now();
                member.connection.pin(false);
            }
        }
        state.forget_closed();
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Closes connections that are idle for too long or too old, for as long as the pool lives.
async fn tidy_up(inner: Weak<Inner>) {
    loop {
        let Some(pool) = inner.upgrade() else { return };
        let pause = pool.tidy();
        drop(pool);
        let Some(pause) = pause else { return };
        sleep(pause).await;
    }
}

impl Inner {
    /// How long until the next time; `None` when the pool is closed.
    fn tidy(self: &Arc<Self>) -> Option<Duration> {
        let settings = self.settings;
        let now = Instant::now();
        let mut gone = Vec::new();
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        let mut spare = state.members.len().saturating_sub(settings.min_size);
        state.members.retain(|member| {
            if member.leased || member.connection.in_use() {
                return true;
            }
            let old = settings.max_age.is_some_and(|age| now - member.since > age);
            let idle = spare > 0
                && settings
                    .max_idle
                    .is_some_and(|idle| now - member.used > idle);
            if idle {
                spare -= 1;
            }
            if old || idle {
                gone.push(member.connection.clone());
            }
            !(old || idle)
        });
        let missing = settings
            .min_size
            .saturating_sub(state.members.len() + state.dialing);
        for _ in 0..missing {
            self.grow(&mut state);
        }
        drop(state);
        let shortest = settings
            .max_idle
            .into_iter()
            .chain(settings.max_age)
            .min()?;
        Some((shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(30)))
    }
}

/// A place in the queue.
#[derive(Default)]
struct Waiting {
    inner: Option<Arc<Inner>>,
    id: Option<u64>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let (Some(inner), Some(id)) = (&self.inner, self.id) {
            let mut state = inner.lock();
            state.dequeue(id);
            // Perhaps it was this one's turn.
            let wakers = state.take_wakers();
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// A connection that somebody is about to submit something on, which must not get behind a blocking call of
/// whoever is given the connection at the same moment.
struct Entering(Connection);

impl Drop for Entering {
    fn drop(&mut self) {
        self.0.entering(false);
    }
}

/// A connection of a pool, given away to one caller.
pub(crate) struct PoolLease {
    inner: Arc<Inner>,
    id: u64,
    connection: Connection,
}

impl PoolLease {
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for PoolLease {
    fn drop(&mut self) {
        self.inner.give_back(self.id);
    }
}

impl fmt::Debug for PoolLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoolLease").field(&self.connection).finish()
    }
}

/// A call under way on a [`Pool`].
#[derive(Default)]
pub struct Ticket {
    waiting: Waiting,
    on: Option<On>,
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

/// The connection that a call runs on.
struct On {
    connection: Connection,
    lease: Option<PoolLease>,
    /// The command has not been submitted yet.
    entering: bool,
    ticket: connection::Ticket,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("running", &self.on.is_some())
            .finish_non_exhaustive()
    }
}

impl<E: Encoder> Executor for Pool<E> {
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
        let reply = ready!(poll_reply(&self.inner, command, R::STREAMING, ticket, cx));
        Poll::Ready(
            reply
                .and_then(|reply| crate::reply::decode::<E, R>(reply, self.encoder))
                .map_err(|error| error.for_command(command.name())),
        )
    }

    fn cancel(&self, ticket: &mut Ticket) {
        if let Some(mut on) = ticket.on.take() {
            on.connection.cancel(&mut on.ticket);
        }
    }
}

fn poll_reply(
    inner: &Arc<Inner>,
    command: &Command<'_>,
    streaming: crate::reply::Streaming,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
) -> Poll<Result<Reply>> {
    loop {
        let reply = ready!(poll_once(inner, command, streaming, ticket, cx));
        let lease = ticket.on.take().and_then(|on| on.lease);
        drop(lease);
        match reply {
            // A connection that is closed for good may be replaced by another one.
            Err(error)
                if may_retry(&error, command)
                    && ticket.attempts < inner.config.reconnect.retries =>
            {
                ticket.attempts += 1;
                ticket.uncertain |= error.outcome() == Outcome::Unknown;
            }
            Err(error) => return Poll::Ready(Err(ticket.outcome_of_all(error))),
            reply => return Poll::Ready(reply),
        }
    }
}

fn may_retry(error: &Error, command: &Command<'_>) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionLost | ErrorKind::NotConnected
    ) && match error.outcome() {
        Outcome::NotSent => true,
        Outcome::Unknown => command.is_repeatable(),
        _ => false,
    }
}

fn poll_once(
    inner: &Arc<Inner>,
    command: &Command<'_>,
    streaming: crate::reply::Streaming,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
) -> Poll<Result<Reply>> {
    let on = match &mut ticket.on {
        Some(on) => on,
        None => {
            if command.flags().intersects(Flags::SESSION) {
                return Poll::Ready(Err(Error::argument(
                    "it changes the state of one connection, and a pool has many; set it in the pool's configuration, or call it on a Connection",
                )));
            }
            let blocks = command.flags().contains(Flags::BLOCKING);
            let need = if blocks { Need::Lease } else { Need::Shared };
            let (id, connection) = ready!(inner.poll_acquire(need, &mut ticket.waiting, cx))?;
            ticket.waiting.deadline = None;
            let lease = blocks.then(|| {
                connection.pin(true);
                PoolLease {
                    inner: Arc::clone(inner),
                    id,
                    connection: connection.clone(),
                }
            });
            ticket.on.insert(On {
                connection,
                lease,
                entering: true,
                ticket: connection::Ticket::default(),
            })
        }
    };
    if on.entering && on.lease.is_some() {
        ready!(on.connection.poll_entered(cx));
    }
    let reply = on
        .connection
        .poll_raw(command, streaming, &mut on.ticket, cx);
    if std::mem::take(&mut on.entering) && on.lease.is_none() {
        on.connection.entering(false);
    }
    reply
}
