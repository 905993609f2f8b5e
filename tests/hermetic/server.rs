//! A server on a loopback port whose connections the test plays one by one, for clients that connect anew.

use redis_client::Config;
use tokio::net::{TcpListener, TcpStream};

use crate::peer::{HELLO_REPLY, Peer, within};

/// A listener, and who connects to it.
#[derive(Debug)]
pub(crate) struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    /// On a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener }
    }

    /// The settings of a client of this server.
    pub(crate) fn config(&self) -> Config {
        let address = self.listener.local_addr().expect("a bound socket");
        Config::new().host("127.0.0.1").port(address.port())
    }

    /// The next connection, without a handshake so far.
    pub(crate) async fn accept(&self) -> Peer<TcpStream> {
        let accepted = within("a connection of the client", self.listener.accept()).await;
        let (stream, _) = accepted.expect("a connection");
        Peer::over(stream)
    }

    /// The next connection, after its handshake in RESP3.
    pub(crate) async fn accept_greeted(&self) -> Peer<TcpStream> {
        let mut peer = self.accept().await;
        peer.answer(&["HELLO", "3"], HELLO_REPLY).await;
        peer
    }

    /// No more connections: they are refused from now on.
    pub(crate) fn stop(self) {
        drop(self);
    }
}
