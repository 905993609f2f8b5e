//! A TCP proxy between client and server that breaks connections in every way a network can: at any byte, by FIN or RST; that
//! holds bytes back, delays them, passes them on in small pieces, and refuses connections.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

/// A proxy. It ends, with all its connections, when it is dropped.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What happens by chance.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// How many bytes a connection carries in one direction, at most, before it is cut. Zero: it is not cut.
    pub(crate) cut_within: u64,
    /// Of 1,000 chunks of bytes, so many are held back for longer.
    pub(crate) stalls: u32,
    /// How long that is, in milliseconds.
    pub(crate) stall_time: u64,
    /// Of 1,000 chunks, so many are delayed for up to two milliseconds.
    pub(crate) delays: u32,
    /// Of 1,000 chunks, so many are passed on in small pieces.
    pub(crate) splits: u32,
    /// Of 1,000 connections, so many end before they carry a byte.
    pub(crate) refusals: u32,
}

impl Weather {
    /// Everything at once.
    pub(crate) const STORM: Self = Self {
        cut_within: 60_000,
        stalls: 3,
        stall_time: 150,
        delays: 200,
        splits: 50,
        refusals: 200,
    };
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    Rst,
}

/// What is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    /// The server's bytes.
    Replies,
    Everything,
}

/// What the proxy has done so far.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    connections: AtomicU64,
    refusals: AtomicU64,
    cuts: AtomicU64,
    stalls: AtomicU64,
    delays: AtomicU64,
    splits: AtomicU64,
}

struct Shared {
    server: SocketAddr,
    weather: Mutex<Weather>,
    rng: Mutex<Rng>,
    /// The number of the order to cut all connections, and how.
    cut: watch::Sender<(u64, End)>,
    held: watch::Sender<Held>,
    /// Whether somebody listens.
    open: watch::Sender<bool>,
    deeds: Deeds,
}

impl Proxy {
    /// Starts a proxy for a server, in fine weather.
    pub(crate) async fn start(server: SocketAddr, seed: u64) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            weather: Mutex::default(),
            rng: Mutex::new(Rng::with_seed(seed)),
            cut: watch::Sender::new((0, End::Fin)),
            held: watch::Sender::new(Held::Nothing),
            open: watch::Sender::new(true),
            deeds: Deeds::default(),
        });
        let accepting = tokio::spawn(accept(Arc::clone(&shared), listener, addr));
        Ok((Self { shared, accepting }, addr))
    }

    /// Changes the weather, also for the connections that there are.
    pub(crate) fn weather(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self, end: End) {
        self.shared
            .cut
            .send_modify(|order| *order = (order.0 + 1, end));
    }

    /// Holds bytes back until it is told otherwise.
    pub(crate) fn hold(&self, what: Held) {
        self.shared.held.send_replace(what);
    }

    /// Whether connections are accepted. The port of a proxy that does not listen refuses them.
    pub(crate) fn listen(&self, on: bool) {
        self.shared.open.send_replace(on);
    }

    pub(crate) fn deeds(&self) -> &Deeds {
        &self.shared.deeds
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.deeds.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut(End::Fin);
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, addr: SocketAddr) {
    let mut listener = Some(listener);
    let mut open = shared.open.subscribe();
    loop {
        let Some(listening) = &listener else {
            if open.wait_for(|open| *open).await.is_err() {
                return;
            }
            // Meanwhile somebody's outgoing connection may have been given the port.
            match TcpListener::bind(addr).await {
                Ok(new) => listener = Some(new),
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
            continue;
        };
        tokio::select! {
            accepted = listening.accept() => if let Ok((client, _)) = accepted {
                tokio::spawn(serve(Arc::clone(&shared), client));
            },
            closed = open.wait_for(|open| !open) => match closed {
                Ok(_) => drop(listener.take()),
                Err(_) => return,
            },
        }
    }
}

async fn serve(shared: Arc<Shared>, mut client: TcpStream) {
    shared.deeds.connections.fetch_add(1, Ordering::Relaxed);
    let mut cut = shared.cut.subscribe();
    let refusals = lock(&shared.weather).refusals;
    if shared.happens(refusals, &shared.deeds.refusals) {
        return end(shared.any_end(), &client);
    }
    let Ok(mut server) = TcpStream::connect(shared.server).await else {
        return;
    };
    // Small pieces are to arrive as such.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let how = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            // What is held when a connection is cut never arrives.
            biased;
            _ = cut.changed() => cut.borrow().1,
            how = pass_on(&shared, from_client, to_server, Held::Everything) => how,
            how = pass_on(&shared, from_server, to_client, Held::Replies) => how,
        }
    };
    end(how, &client);
    end(how, &server);
}

fn end(how: End, stream: &TcpStream) {
    if how == End::Rst {
        // What the sockets' owners learn when they are closed after this.
        let _ = stream.set_zero_linger();
    }
}

/// Passes bytes on in one direction until the connection ends, unless so much (or more) is held.
async fn pass_on(
    shared: &Shared,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    unless: Held,
) -> End {
    let mut chunk = [0; 16 * 1024];
    let mut held = shared.held.subscribe();
    let mut passed = 0;
    let mut cut_at = None;
    loop {
        let len = match from.read(&mut chunk).await {
            Ok(0) => return End::Fin,
            Ok(len) => len,
            Err(_) => return End::Rst,
        };
        if held
            .wait_for(|held| *held != Held::Everything && *held != unless)
            .await
            .is_err()
        {
            return End::Fin;
        }
        let weather = *lock(&shared.weather);
        if weather.cut_within > 0 {
            cut_at.get_or_insert_with(|| passed + shared.pick(0..weather.cut_within));
        } else {
            cut_at = None;
        }
        if shared.happens(weather.stalls, &shared.deeds.stalls) {
            sleep(Duration::from_millis(weather.stall_time)).await;
        }
        if shared.happens(weather.delays, &shared.deeds.delays) {
            sleep(Duration::from_micros(shared.pick(0..2_000))).await;
        }
        let left = cut_at.map_or(usize::MAX, |at| {
            usize::try_from(at - passed).unwrap_or(usize::MAX)
        });
        let bytes = chunk.get(..len.min(left)).unwrap_or_default();
        let sent = if shared.happens(weather.splits, &shared.deeds.splits) {
            in_pieces(shared, bytes, &mut to).await
        } else {
            to.write_all(bytes).await
        };
        if sent.is_err() {
            return End::Rst;
        }
        passed += bytes.len() as u64;
        if left <= len {
            shared.deeds.cuts.fetch_add(1, Ordering::Relaxed);
            return shared.any_end();
        }
    }
}

async fn in_pieces(shared: &Shared, mut bytes: &[u8], to: &mut WriteHalf<'_>) -> io::Result<()> {
    while !bytes.is_empty() {
        let len = usize::try_from(shared.pick(1..32))
            .unwrap_or(1)
            .min(bytes.len());
        let (piece, rest) = bytes.split_at(len);
        to.write_all(piece).await?;
        bytes = rest;
        yield_now().await;
    }
    Ok(())
}

impl Shared {
    fn pick(&self, range: Range<u64>) -> u64 {
        lock(&self.rng).u64(range)
    }

    fn happens(&self, of_1000: u32, deed: &AtomicU64) -> bool {
        let happens = of_1000 > 0 && lock(&self.rng).u32(..1_000) < of_1000;
        deed.fetch_add(happens.into(), Ordering::Relaxed);
        happens
    }

    fn any_end(&self) -> End {
        if lock(&self.rng).bool() {
            End::Fin
        } else {
            End::Rst
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
