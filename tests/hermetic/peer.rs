//! The server's end of a connection, played by the test: what the client has to send, and what it gets for that.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redis_client::{Config, Connection, Encoder, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep, timeout};

/// After this long a test counts as hanging. It is less than a client waits for a reply unless told otherwise.
const HANGS: Duration = Duration::from_secs(20);

/// How many turns of the scheduler everything that is ready gets, where a test states that nothing happens.
const TURNS: usize = 32;

/// One end of a connection, whose other end a client has.
#[derive(Debug)]
pub(crate) struct Peer<S = DuplexStream> {
    io: S,
    unread: BytesMut,
}

/// A client after its handshake in RESP3, and its peer.
pub(crate) async fn connected() -> (Connection, Peer) {
    connected_as(Config::new()).await
}

/// A client that speaks RESP2, and its peer.
pub(crate) async fn connected_resp2() -> (Connection, Peer) {
    connected_as(Config::new().protocol(Protocol::Resp2)).await
}

/// A client with these settings (no user, name or database), after its handshake.
pub(crate) async fn connected_as<E: Encoder>(config: Config<E>) -> (Connection<E>, Peer) {
    connected_through(64 * 1024, config).await
}

/// The same with a pipe that holds `capacity` bytes in each direction.
pub(crate) async fn connected_through<E: Encoder>(
    capacity: usize,
    config: Config<E>,
) -> (Connection<E>, Peer) {
    let (stream, mut peer) = Peer::new(capacity);
    let mut connecting = pin!(config.connect_over(stream));
    let greeted = async {
        match peer.try_command().await.as_deref() {
            Some([hello, version]) if hello == b"HELLO" && version == b"3" => {
                peer.send(HELLO_REPLY).await
            }
            // Without RESP3 there is nothing to agree on.
            Some([client, name]) if client == b"CLIENT" && name == b"GETNAME" => {
                peer.send("$-1\r\n").await
            }
            other => panic!("{other:?} is no handshake"),
        }
    };
    let (client, ()) = within("the handshake", async {
        tokio::join!(&mut connecting, greeted)
    })
    .await;
    (client.expect("the handshake succeeds"), peer)
}

/// As much of a server's answer to HELLO as a client needs.
pub(crate) const HELLO_REPLY: &str = "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n";

impl Peer {
    /// A stream for the client and its peer.
    pub(crate) fn new(capacity: usize) -> (DuplexStream, Self) {
        let (ours, theirs) = duplex(capacity);
        (ours, Self::over(theirs))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn over(io: S) -> Self {
        Self {
            io,
            unread: BytesMut::new(),
        }
    }

    /// Waits for a command, which has to be this one.
    #[track_caller]
    pub(crate) fn expect(&mut self, words: &[impl AsRef<[u8]>]) -> impl Future<Output = ()> {
        self.expect_at(readable(words), Location::caller())
    }

    async fn expect_at(&mut self, expected: Vec<String>, caller: &Location<'_>) {
        let Some(command) = self.command().await else {
            panic!("{caller}: expected {expected:?}, and the client closed the connection");
        };
        assert_eq!(readable(&command), expected, "{caller}");
    }

    /// Waits for a command, and answers it.
    #[track_caller]
    pub(crate) fn answer(
        &mut self,
        words: &[impl AsRef<[u8]>],
        reply: impl AsRef<[u8]>,
    ) -> impl Future<Output = ()> {
        let expected = readable(words);
        let caller = Location::caller();
        async move {
            self.expect_at(expected, caller).await;
            self.send(reply).await;
        }
    }

    /// Waits for exactly these bytes, and makes sure that none follow.
    pub(crate) async fn expect_bytes(&mut self, bytes: &[u8]) {
        while self.unread.len() < bytes.len() {
            assert!(self.read().await > 0, "the client closed the connection");
        }
        self.take_what_came().await;
        assert_eq!(
            self.unread.escape_ascii().to_string(),
            bytes.escape_ascii().to_string()
        );
        self.unread.clear();
    }

    /// Reads exactly as many bytes as there is room for.
    pub(crate) async fn read_exact(&mut self, buffer: &mut [u8]) {
        let read = within("the client's next word", self.io.read_exact(buffer)).await;
        read.expect("the client has not closed the connection");
    }

    /// The next command, however long it takes; `None` when the client has closed the connection.
    pub(crate) async fn command(&mut self) -> Option<Vec<Vec<u8>>> {
        loop {
            if let Some(command) = self.parse() {
                return Some(command);
            }
            if self.read().await == 0 {
                return None;
            }
        }
    }

    /// The next command, if one comes without anything else happening before.
    async fn try_command(&mut self) -> Option<Vec<Vec<u8>>> {
        self.take_what_came().await;
        self.parse()
    }

    /// Writes to the client.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let write = within("a write of the peer", self.io.write_all(bytes.as_ref())).await;
        write.expect("the client has not closed the connection");
    }

    /// A push message of RESP3.
    pub(crate) async fn push(&mut self, words: &[&str]) {
        self.send(push(words)).await;
    }

    /// Writes what the client takes and says how much that was: less than all when it stops to read, or closes.
    pub(crate) async fn send_what_is_taken(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        let mut idle = 0;
        while idle < TURNS && sent < bytes.len() {
            let write = poll_fn(|cx| {
                let rest = bytes.get(sent..).unwrap_or_default();
                Poll::Ready(Pin::new(&mut self.io).poll_write(cx, rest))
            });
            match write.await {
                Poll::Ready(Ok(count)) => {
                    sent += count;
                    idle = 0;
                }
                Poll::Ready(Err(_)) => break,
                Poll::Pending => idle += 1,
            }
            yield_now().await;
        }
        sent
    }

    /// Makes sure that the client says nothing.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.take_what_came().await;
            assert_eq!(self.unread.escape_ascii().to_string(), "", "{caller}");
        }
    }

    /// Waits until the client closes the connection, which it has to do without another word.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            while self.read().await > 0 {}
            assert_eq!(self.unread.escape_ascii().to_string(), "", "{caller}");
        }
    }

    /// Closes the connection.
    pub(crate) fn close(self) {
        drop(self);
    }

    async fn read(&mut self) -> usize {
        let read = within("the client's next word", self.io.read_buf(&mut self.unread)).await;
        // A socket whose other end is gone may say so with an error.
        read.unwrap_or(0)
    }

    async fn take_what_came(&mut self) {
        for _ in 0..TURNS {
            let unread = &mut self.unread;
            let mut read = pin!(self.io.read_buf(unread));
            poll_fn(|cx| {
                let _ = read.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
            yield_now().await;
        }
    }

    /// Takes a complete command off what was read.
    fn parse(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut rest = &self.unread[..];
        let words = length(&mut rest, b'*')?;
        let mut command = Vec::new();
        for _ in 0..words {
            let len = length(&mut rest, b'$')?;
            let word = rest.get(..len)?;
            assert_eq!(rest.get(len..len + 2)?, b"\r\n");
            command.push(word.to_vec());
            rest = &rest[len + 2..];
        }
        let taken = self.unread.len() - rest.len();
        self.unread.advance(taken);
        Some(command)
    }
}

/// The number in a line that begins with this type byte; `None` while the line is incomplete.
fn length(rest: &mut &[u8], tag: u8) -> Option<usize> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    let number = line.strip_prefix(&[tag]).map(String::from_utf8_lossy);
    let Some(Ok(number)) = number.map(|number| number.parse()) else {
        panic!("a client does not send {:?}", line.escape_ascii());
    };
    Some(number)
}

fn readable(words: &[impl AsRef<[u8]>]) -> Vec<String> {
    let words = words.iter();
    words
        .map(|word| word.as_ref().escape_ascii().to_string())
        .collect()
}

/// A call on its way: it was polled once, so that its command is in line. Awaiting it finishes it.
pub(crate) struct Started<F: Future> {
    call: Pin<Box<F>>,
    output: Option<F::Output>,
    hangs: Pin<Box<Sleep>>,
}

/// Polls a call once.
pub(crate) async fn started<F: Future>(call: F) -> Started<F> {
    let mut started = Started {
        call: Box::pin(call),
        output: None,
        hangs: Box::pin(sleep(HANGS)),
    };
    started.is_ready().await;
    started
}

impl<F: Future> Started<F> {
    /// Polls the call once more, and says whether it is finished.
    pub(crate) async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            if self.output.is_none()
                && let Poll::Ready(output) = self.call.as_mut().poll(cx)
            {
                self.output = Some(output);
            }
            Poll::Ready(self.output.is_some())
        })
        .await
    }
}

impl<F: Future> Unpin for Started<F> {}

impl<F: Future> Future for Started<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(output) = self.output.take() {
            return Poll::Ready(output);
        }
        assert!(self.hangs.as_mut().poll(cx).is_pending(), "the call hangs");
        self.call.as_mut().poll(cx)
    }
}

/// Lets everything that is ready happen.
pub(crate) async fn settle() {
    for _ in 0..TURNS {
        yield_now().await;
    }
}

/// Fails the test when something hangs.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match timeout(HANGS, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: nothing within {HANGS:?}"),
    }
}

/// The bytes of a reply whose lines hold no blanks: `resp("*2 $1 a :5")`.
pub(crate) fn resp(lines: &str) -> Vec<u8> {
    let lines = lines.split(' ').map(|line| format!("{line}\r\n"));
    lines.collect::<String>().into_bytes()
}

/// A bulk string.
pub(crate) fn bulk(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

/// An array of bulk strings.
pub(crate) fn array(words: &[impl AsRef<[u8]>]) -> Vec<u8> {
    aggregate('*', words.iter().map(bulk))
}

/// A push message of RESP3.
pub(crate) fn push(words: &[&str]) -> Vec<u8> {
    aggregate('>', words.iter().map(bulk))
}

/// An array (`*`), set (`~`), push (`>`) or map (`%`) of elements that are encoded already.
pub(crate) fn aggregate(tag: char, elements: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let elements: Vec<_> = elements.into_iter().collect();
    let count = if tag == '%' {
        elements.len() / 2
    } else {
        elements.len()
    };
    let mut bytes = format!("{tag}{count}\r\n").into_bytes();
    bytes.extend(elements.concat());
    bytes
}
