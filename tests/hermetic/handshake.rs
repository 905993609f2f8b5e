//! How a connection begins, and how it fails to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis_client::prelude::*;
use redis_client::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::peer::{HELLO_REPLY, Peer, bulk, within};
use crate::server::FakeServer;

/// Connects to a peer that follows a script.
async fn connect(
    config: Config,
    script: impl AsyncFnOnce(&mut Peer),
) -> (Result<Connection>, Peer) {
    let (stream, mut peer) = Peer::new(64 * 1024);
    let (result, ()) = within("the handshake", async {
        tokio::join!(config.connect_over(stream), script(&mut peer))
    })
    .await;
    (result, peer)
}

async fn refused(config: Config, script: impl AsyncFnOnce(&mut Peer)) -> Error {
    let (result, _peer) = connect(config, script).await;
    result.expect_err("the server did not let the client in")
}

#[tokio::test]
async fn hello_comes_first() -> Result<()> {
    let (client, mut peer) = connect(Config::new(), async |peer| {
        peer.expect_bytes(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n").await;
        peer.send(HELLO_REPLY).await;
    })
    .await;
    let client = client?;
    assert!(client.is_connected());
    peer.expect_silence().await;
    let (pong, ()) = tokio::join!(client.ping(), peer.answer(&["PING"], "+PONG\r\n"));
    assert_eq!(pong?, "PONG");
    Ok(())
}

#[tokio::test]
async fn hello_carries_user_and_name() -> Result<()> {
    let config = Config::new()
        .username("app")
        .password("s3cret")
        .client_name("web-1");
    let script = async |peer: &mut Peer| {
        let hello = ["HELLO", "3", "AUTH", "app", "s3cret", "SETNAME", "web-1"];
        peer.answer(&hello, HELLO_REPLY).await;
    };
    let (client, mut peer) = connect(config, script).await;
    assert!(client?.is_connected());
    peer.expect_close().await;

    // A password alone is that of the default user.
    let (client, _peer) = connect(Config::new().password("s3cret"), async |peer| {
        let hello = ["HELLO", "3", "AUTH", "default", "s3cret"];
        peer.answer(&hello, HELLO_REPLY).await;
    })
    .await;
    client.map(drop)
}

#[tokio::test]
async fn the_database_is_selected_after_hello() -> Result<()> {
    let (client, _peer) = connect(Config::new().db(3), async |peer| {
        peer.answer(&["HELLO", "3"], HELLO_REPLY).await;
        peer.answer(&["SELECT", "3"], "+OK\r\n").await;
    })
    .await;
    client.map(drop)
}

#[tokio::test]
async fn pushes_during_the_handshake_are_no_answers() -> Result<()> {
    let (client, mut peer) = connect(Config::new().db(1), async |peer| {
        peer.push(&["invalidate", "k"]).await;
        peer.answer(&["HELLO", "3"], HELLO_REPLY).await;
        peer.push(&["invalidate", "k"]).await;
        // The push may even be in the packet of the last answer.
        let answer = ["+OK\r\n", ">1\r\n+late\r\n"].concat();
        peer.answer(&["SELECT", "1"], answer).await;
    })
    .await;
    let client = client?;
    let (pong, ()) = tokio::join!(client.ping(), peer.answer(&["PING"], "+PONG\r\n"));
    assert_eq!(pong?, "PONG");
    Ok(())
}

#[tokio::test]
async fn an_answer_in_pieces_is_waited_for() -> Result<()> {
    let (client, _peer) = connect(Config::new(), async |peer| {
        peer.expect(&["HELLO", "3"]).await;
        for byte in HELLO_REPLY.as_bytes() {
            peer.send([*byte]).await;
            peer.expect_silence().await;
        }
    })
    .await;
    client.map(drop)
}

#[tokio::test]
async fn old_servers_are_spoken_to_in_resp2() -> Result<()> {
    for refusal in [
        "-ERR unknown command 'HELLO', with args beginning with: '3' \r\n",
        "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n",
        "-ERR unknown command 'HELLO'\r\n",
        "-NOPROTO unsupported protocol version\r\n",
        "-NOPROTO sorry, this protocol version is not supported.\r\n",
    ] {
        let config = Config::new()
            .username("app")
            .password("s3cret")
            .client_name("web-1")
            .db(2);
        let (client, mut peer) = connect(config, async |peer| {
            let hello = ["HELLO", "3", "AUTH", "app", "s3cret", "SETNAME", "web-1"];
            peer.answer(&hello, refusal).await;
            peer.answer(&["AUTH", "app", "s3cret"], "+OK\r\n").await;
            peer.answer(&["CLIENT", "SETNAME", "web-1"], "+OK\r\n")
                .await;
            peer.answer(&["SELECT", "2"], "+OK\r\n").await;
        })
        .await;
        let client = client?;
        let (value, ()) = tokio::join!(client.get("k"), peer.answer(&["GET", "k"], "$-1\r\n"));
        assert_eq!(value?, None, "{refusal}");
    }
    Ok(())
}

#[tokio::test]
async fn auth_without_a_user_name_has_one_argument() -> Result<()> {
    let config = Config::new().password("s3cret").protocol(Protocol::Resp2);
    let (client, _peer) = connect(config, async |peer| {
        peer.answer(&["AUTH", "s3cret"], "+OK\r\n").await;
    })
    .await;
    client.map(drop)
}

#[tokio::test]
async fn resp2_on_request_sends_no_hello() -> Result<()> {
    let config = Config::new().protocol(Protocol::Resp2);
    let (client, _peer) = connect(config, async |peer| {
        peer.answer(&["CLIENT", "GETNAME"], "$-1\r\n").await;
        peer.expect_silence().await;
    })
    .await;
    client.map(drop)
}

#[tokio::test]
async fn resp3_on_request_does_not_fall_back() {
    let config = Config::new().protocol(Protocol::Resp3);
    let error = refused(config, async |peer| {
        peer.answer(&["HELLO", "3"], "-NOPROTO unsupported protocol version\r\n")
            .await;
    })
    .await;
    assert_eq!(error.code(), Some("NOPROTO"));
    assert_eq!(
        error.to_string(),
        "HELLO: NOPROTO unsupported protocol version"
    );
}

#[tokio::test]
async fn a_wrong_password_is_an_authentication_error() {
    let text = "WRONGPASS invalid username-password pair or user is disabled.";
    let wrong = format!("-{text}\r\n");
    let config = || Config::new().username("app").password("hunter2");

    let hello = ["HELLO", "3", "AUTH", "app", "hunter2"];
    let in_hello = refused(config(), async |peer| peer.answer(&hello, &wrong).await).await;
    assert_eq!(in_hello.to_string(), format!("HELLO: {text}"));

    let auth = ["AUTH", "app", "hunter2"];
    let resp2 = config().protocol(Protocol::Resp2);
    let in_auth = refused(resp2, async |peer| peer.answer(&auth, &wrong).await).await;
    assert_eq!(in_auth.to_string(), format!("AUTH: {text}"));

    for error in [in_hello, in_auth] {
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(error.outcome(), Outcome::Rejected);
        assert_eq!(error.code(), Some("WRONGPASS"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_server_that_wants_a_password_says_so() {
    let text = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                the same time";
    let error = refused(Config::new(), async |peer| {
        peer.answer(&["HELLO", "3"], format!("-{text}\r\n")).await;
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.message(), text);
}

#[tokio::test]
async fn a_refusal_of_the_server_is_the_error() {
    for (text, code) in [
        ("ERR max number of clients reached", "ERR"),
        ("LOADING Redis is loading the dataset in memory", "LOADING"),
        (
            "DENIED Redis is running in protected mode because protected mode is enabled",
            "DENIED",
        ),
    ] {
        // Some come as soon as the server has accepted the connection, which it closes after that.
        let error = refused(Config::new(), async |peer| {
            peer.send(format!("-{text}\r\n")).await;
            peer.expect(&["HELLO", "3"]).await;
        })
        .await;
        assert_eq!(error.message(), text);
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.outcome(), Outcome::Rejected);
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error() {
    let error = refused(Config::new().db(99), async |peer| {
        peer.answer(&["HELLO", "3"], HELLO_REPLY).await;
        peer.answer(&["SELECT", "99"], "-ERR DB index is out of range\r\n")
            .await;
    })
    .await;
    assert_eq!(error.to_string(), "SELECT: ERR DB index is out of range");
}

#[tokio::test]
async fn another_kind_of_server_is_recognised() {
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let smtp = "220 mail.example ESMTP\r\n";
    for greeting in [http, smtp] {
        let error = refused(Config::new(), async |peer| {
            peer.expect(&["HELLO", "3"]).await;
            peer.send(greeting).await;
        })
        .await;
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let text = error.to_string();
        assert!(
            text.starts_with("HELLO: this is no Redis or Valkey server: "),
            "{text}"
        );
    }
}

#[tokio::test]
async fn endless_answers_are_cut_short() {
    let (stream, mut peer) = Peer::new(64 * 1024);
    let config = Config::new();
    let (result, sent) = within("the handshake", async {
        tokio::join!(config.connect_over(stream), async {
            peer.expect(&["HELLO", "3"]).await;
            peer.send("$2000000000\r\n").await;
            peer.send_what_is_taken(&[b'x'; 4 * 1024 * 1024]).await
        })
    })
    .await;
    assert_eq!(
        result.expect_err("no server says so much").kind(),
        ErrorKind::Protocol
    );
    assert!(sent < 256 * 1024, "{sent} bytes were read");
}

#[tokio::test]
async fn a_server_that_closes_is_a_connect_error() {
    let (stream, mut peer) = Peer::new(64 * 1024);
    let (result, ()) = tokio::join!(Config::new().connect_over(stream), async move {
        peer.expect(&["HELLO", "3"]).await;
        peer.close();
    });
    let error = result.expect_err("the server closed the connection");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_disconnected());
    assert_eq!(
        error.to_string(),
        "HELLO: the server closed the connection during the handshake"
    );
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_the_connect_timeout() {
    let server = FakeServer::start().await;
    let config = server.config().connect_timeout(Duration::from_millis(80));
    let begin = Instant::now();
    let error = within("connecting", config.connect()).await;
    let error = error.expect_err("nobody answered");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.to_string().ends_with(": no connection within 80ms"),
        "{error}"
    );
    assert!(begin.elapsed() >= Duration::from_millis(80));

    // A stream that is there already is no reason to wait longer.
    let (stream, _peer) = Peer::new(1024);
    let config = Config::new().connect_timeout(Duration::from_millis(80));
    let error = within("the handshake", config.connect_over(stream)).await;
    assert_eq!(
        error.expect_err("nobody answered").kind(),
        ErrorKind::Connect
    );
}

#[tokio::test]
async fn nobody_listening_is_a_connect_error() {
    let server = FakeServer::start().await;
    let config = server.config();
    server.stop();
    let error = config.connect().await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.outcome(), Outcome::NotSent);
    let text = error.to_string();
    assert!(text.starts_with("127.0.0.1:"), "{text}");
    assert!(
        text.ends_with("is a server running there, and does it listen on this address?"),
        "{text}"
    );
    let source = std::error::Error::source(&error).and_then(|e| e.downcast_ref::<std::io::Error>());
    assert_eq!(
        source.map(std::io::Error::kind),
        Some(std::io::ErrorKind::ConnectionRefused)
    );
}

#[tokio::test]
async fn credentials_are_asked_for_at_each_connection() -> Result<()> {
    let server = FakeServer::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let config = server.config().credential_provider({
        let asked = Arc::clone(&asked);
        move || {
            let time = asked.fetch_add(1, Ordering::Relaxed) + 1;
            async move { Ok((Some("app".to_owned()), format!("token-{time}"))) }
        }
    });
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let (client, mut peer) = tokio::join!(config.connect(), async {
        let mut peer = server.accept().await;
        let hello = ["HELLO", "3", "AUTH", "app", "token-1"];
        peer.answer(&hello, HELLO_REPLY).await;
        peer
    });
    let client = client?;

    // The first one has expired by now.
    peer.close();
    peer = server.accept().await;
    let hello = ["HELLO", "3", "AUTH", "app", "token-2"];
    peer.answer(&hello, HELLO_REPLY).await;
    let (value, ()) = tokio::join!(client.get("k"), peer.answer(&["GET", "k"], bulk("v")));
    assert_eq!(value?.as_deref(), Some("v"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    Ok(())
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_the_error() {
    let config = Config::new().credential_provider(|| async {
        "redis://no:where@[".parse::<Config>()?;
        Ok((None, String::new()))
    });
    let error = refused(config, async |peer| peer.expect_silence().await).await;
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_url_says_it_all() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    let url = format!("redis://app:p%40ss@127.0.0.1:{port}/5?client_name=web&protocol=2");
    let serving = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let words = "AUTH app p@ss\r\nCLIENT SETNAME web\r\nSELECT 5\r\n";
        for line in words.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let expected = crate::peer::array(&words);
            let mut command = vec![0; expected.len()];
            stream.read_exact(&mut command).await.expect("a command");
            assert_eq!(
                command.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
            stream.write_all(b"+OK\r\n").await.expect("a client");
        }
    };
    let (client, ()) = within("the handshake", async {
        tokio::join!(Connection::connect(&url), serving)
    })
    .await;
    assert!(client?.is_connected());
    Ok(())
}
