//! Lost connections, and what becomes of the calls on them.

use std::time::Duration;

use redis_client::prelude::*;
use redis_client::{ReconnectPolicy, Result};
use tokio::net::TcpStream;

use crate::peer::{
    HELLO_REPLY, Peer, array, bulk, connected, connected_as, settle, started, within,
};
use crate::server::FakeServer;

async fn connect(config: Config, server: &FakeServer) -> Result<(Connection, Peer<TcpStream>)> {
    let (client, peer) = tokio::join!(config.connect(), server.accept_greeted());
    Ok((client?, peer))
}

/// A policy that tries so often, at once.
fn attempts(number: u32) -> ReconnectPolicy {
    let mut policy = ReconnectPolicy::default();
    policy.first_pause = Duration::from_millis(1);
    policy.attempts = Some(number);
    policy
}

/// Waits until the client has noticed that its connection is gone.
async fn disconnected(client: &Connection) {
    within("the end of the connection", async {
        while client.is_connected() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_is_made_anew() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config(), &server).await?;
    for _ in 0..5 {
        peer.close();
        peer = server.accept_greeted().await;
        let call = started(client.get("k")).await;
        peer.answer(&["GET", "k"], bulk("v")).await;
        assert_eq!(call.await?.as_deref(), Some("v"));
        assert!(client.is_connected());
    }
    Ok(())
}

#[tokio::test]
async fn user_name_and_database_are_set_anew() -> Result<()> {
    let server = FakeServer::start().await;
    let config = server
        .config()
        .username("app")
        .password("s3cret")
        .client_name("web")
        .db(2);
    let greet = async || {
        let mut peer = server.accept().await;
        let hello = ["HELLO", "3", "AUTH", "app", "s3cret", "SETNAME", "web"];
        peer.answer(&hello, HELLO_REPLY).await;
        peer.answer(&["SELECT", "2"], "+OK\r\n").await;
        peer
    };
    let (client, peer) = tokio::join!(config.connect(), greet());
    let client = client?;
    peer.close();
    let mut peer = greet().await;
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn commands_queued_while_it_is_down_are_sent_after_that() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, peer) = connect(server.config(), &server).await?;
    peer.close();
    disconnected(&client).await;
    assert!(!client.in_use());
    let write = started(client.incr("n")).await;
    let read = started(client.get("k")).await;
    let dropped = started(client.incr("dropped")).await;
    let blocking = started(client.blpop(["jobs"])).await;
    assert!(client.in_use());
    assert!(client.in_blocking_call());
    drop(dropped);

    let mut peer = server.accept_greeted().await;
    peer.answer(&["INCR", "n"], ":1\r\n").await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    peer.answer(&["BLPOP", "jobs", "0"], array(&["jobs", "1"]))
        .await;
    assert_eq!(write.await?, 1);
    assert_eq!(read.await?.as_deref(), Some("v"));
    assert_eq!(blocking.await?.value, "1");
    assert!(client.is_connected());
    assert!(!client.in_use());
    assert!(!client.in_blocking_call());
    Ok(())
}

#[tokio::test]
async fn what_was_written_and_lost_is_repeated_only_where_it_does_no_harm() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config(), &server).await?;
    let get = started(client.get("k")).await;
    let incr = started(client.incr("n")).await;
    let set = started(client.set("k", "v").into_call()).await;
    let set_once = started(client.set("k", "v").only_if_not_exists().into_call()).await;
    let custom = started(client.command("MY.CMD")).await;
    let custom_read = started(client.command("MY.READ").readonly()).await;
    let repeatable = started(client.incr("m").repeatable()).await;
    let not_repeatable = started(client.get("m").not_repeatable()).await;
    for _ in 0..8 {
        peer.command().await;
    }
    peer.close();
    for call in [
        incr.await.map(drop),
        set_once.await.map(drop),
        custom.await.map(drop),
        not_repeatable.await.map(drop),
    ] {
        let error = call.expect_err("it may have been executed");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
        let text = error.to_string();
        assert!(
            text.ends_with(" (the command may have been executed)"),
            "{text}"
        );
    }

    let mut peer = server.accept_greeted().await;
    let serving = async {
        for _ in 0..4 {
            let command = peer.command().await.unwrap_or_default();
            let reply = match String::from_utf8_lossy(&command.join(&b' ')).as_ref() {
                "GET k" => "$5\r\nagain\r\n",
                "SET k v" => "+OK\r\n",
                "MY.READ" => ":2\r\n",
                "INCR m" => ":3\r\n",
                other => panic!("{other} is sent again"),
            };
            peer.send(reply).await;
        }
        peer.expect_silence().await;
    };
    let (get, set, read, incr, ()) = tokio::join!(get, set, custom_read, repeatable, serving);
    assert_eq!(get?.as_deref(), Some("again"));
    assert!(set?.is_some());
    assert_eq!(read?, Value::Integer(2));
    assert_eq!(incr?, 3);
    Ok(())
}

#[tokio::test]
async fn what_was_not_written_is_always_sent() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config(), &server).await?;
    // More than the sockets' buffers hold: the second command cannot have left.
    let large = "x".repeat(50_000_000);
    let stuck = started(client.command("MY.CMD").arg(large.as_str())).await;
    settle().await;
    let incr = started(client.incr("n")).await;
    settle().await;
    // A part of the first one is with the server.
    let mut begin = [0; 100];
    peer.read_exact(&mut begin).await;
    peer.close();
    let error = stuck.await.expect_err("half of it was sent");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::ConnectionLost, Outcome::Unknown)
    );
    let mut peer = server.accept_greeted().await;
    peer.answer(&["INCR", "n"], ":1\r\n").await;
    assert_eq!(incr.await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_was_not_written_is_sent_even_after_garbage() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config(), &server).await?;
    // Both are handed to the socket together, which takes only a part of the first.
    let large = "x".repeat(50_000_000);
    let stuck = started(client.command("MY.CMD").arg(large.as_str())).await;
    let incr = started(client.incr("n")).await;
    let mut begin = [0; 100];
    peer.read_exact(&mut begin).await;
    peer.send("?garbage\r\n").await;
    let error = stuck.await.expect_err("this is no reply");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Protocol, Outcome::Unknown)
    );
    let mut peer = server.accept_greeted().await;
    let (number, ()) = tokio::join!(incr, peer.answer(&["INCR", "n"], ":1\r\n"));
    assert_eq!(number?, 1);
    Ok(())
}

#[tokio::test]
async fn a_server_that_hangs_up_after_its_greeting_is_not_called_without_a_pause() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, peer) = connect(server.config(), &server).await?;
    peer.close();
    let mut times = 0;
    let greeting = async {
        loop {
            server.accept_greeted().await.close();
            times += 1;
        }
    };
    let second = tokio::time::timeout(Duration::from_millis(300), greeting).await;
    assert!(second.is_err());
    assert!((2..10).contains(&times), "{times} connections");
    assert!(!client.is_connected());
    Ok(())
}

#[tokio::test]
async fn a_call_is_not_repeated_for_ever() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config(), &server).await?;
    // A command that crashes the server must not crash it again and again.
    let call = started(client.get("poison")).await;
    let serving = async {
        for _ in 0..3 {
            peer.expect(&["GET", "poison"]).await;
            peer.close();
            peer = server.accept_greeted().await;
        }
        peer.expect(&["GET", "poison"]).await;
        peer.close();
        peer = server.accept_greeted().await;
        peer
    };
    let (error, mut peer) = tokio::join!(call, serving);
    let error = error.expect_err("it was tried often enough");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::ConnectionLost, Outcome::Unknown)
    );
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn an_outcome_that_was_unknown_once_stays_so() -> Result<()> {
    // SET may be repeated, but in the end nobody can say whether it was executed.
    let server = FakeServer::start().await;
    let config = server.config().reconnect_policy(attempts(2));
    let (client, mut peer) = connect(config, &server).await?;
    let call = started(client.set("k", "v").into_call()).await;
    peer.expect(&["SET", "k", "v"]).await;
    server.stop();
    peer.close();
    let error = call.await.expect_err("there is no server any more");
    assert!(error.is_disconnected());
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");

    // The same for a pipeline,
    let server = FakeServer::start().await;
    let config = server.config().reconnect_policy(attempts(2));
    let (client, mut peer) = connect(config, &server).await?;
    let pipeline = client.pipeline();
    let queued = pipeline.set("k", "v").into_call().await?;
    let execute = started(pipeline.execute()).await;
    peer.expect(&["SET", "k", "v"]).await;
    server.stop();
    peer.close();
    let error = execute.await.expect_err("there is no server any more");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    let error = queued.await.expect_err("there is no server any more");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");

    // and when time is up before it could be sent again.
    let server = FakeServer::start().await;
    let config = server.config().reply_timeout(Duration::from_millis(60));
    let (client, mut peer) = connect(config, &server).await?;
    let call = started(client.set("k", "v").into_call()).await;
    peer.expect(&["SET", "k", "v"]).await;
    peer.close();
    let (error, _silent) = tokio::join!(call, server.accept());
    let error = error.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    Ok(())
}

#[tokio::test]
async fn without_reconnecting_calls_say_that_there_is_no_connection() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = connect(server.config().auto_reconnect(false), &server).await?;
    let read = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    peer.close();
    let error = read.await.expect_err("no reply came");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::ConnectionLost, Outcome::Unknown)
    );
    disconnected(&client).await;
    settle().await;
    for _ in 0..2 {
        let error = client.get("k").await.expect_err("there is no connection");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent)
        );
        assert!(error.is_disconnected());
    }
    Ok(())
}

#[tokio::test]
async fn over_a_stream_nothing_is_made_anew() -> Result<()> {
    let (client, mut peer) = connected().await;
    let read = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    peer.close();
    let error = read.await.expect_err("no reply came");
    assert!(error.is_disconnected());
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    let error = client.get("k").await.expect_err("there is no connection");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::NotConnected, Outcome::NotSent)
    );
    assert_eq!(
        error.to_string(),
        "GET: the server closed the connection (the command was not sent)"
    );
    Ok(())
}

#[tokio::test]
async fn after_the_last_attempt_the_reason_is_told() -> Result<()> {
    let server = FakeServer::start().await;
    let config = server.config().reconnect_policy(attempts(3));
    let (client, peer) = connect(config, &server).await?;
    server.stop();
    peer.close();
    disconnected(&client).await;
    let queued = started(client.incr("n")).await;
    let error = queued.await.expect_err("there is no server");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::NotConnected, Outcome::NotSent)
    );
    let text = error.to_string();
    assert!(
        text.starts_with("INCR: gave up reconnecting after 3 attempts: 127.0.0.1:"),
        "{text}"
    );
    assert!(text.contains("is a server running there"), "{text}");
    let error = client.get("k").await.expect_err("there is no server");
    assert!(
        error.message().starts_with("gave up reconnecting"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_handshake_is_an_attempt() -> Result<()> {
    let server = FakeServer::start().await;
    let config = server.config().reconnect_policy(attempts(2));
    let (client, peer) = connect(config, &server).await?;
    peer.close();
    for _ in 0..2 {
        let mut peer = server.accept().await;
        peer.answer(&["HELLO", "3"], "-ERR max number of clients reached\r\n")
            .await;
        peer.expect_close().await;
    }
    disconnected(&client).await;
    let error = within("the last attempt", async {
        loop {
            match client
                .get("k")
                .reply_timeout(Duration::from_millis(100))
                .await
            {
                Err(error) if error.kind() == ErrorKind::NotConnected => break error,
                other => assert!(other.is_err()),
            }
        }
    })
    .await;
    assert!(
        error.message().contains("max number of clients reached"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn commands_wait_through_failed_attempts() -> Result<()> {
    let server = FakeServer::start().await;
    let mut policy = ReconnectPolicy::default();
    policy.first_pause = Duration::from_millis(1);
    let (client, peer) = connect(server.config().reconnect_policy(policy), &server).await?;
    peer.close();
    disconnected(&client).await;
    let call = started(client.incr("n")).await;
    for refusal in [
        "",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "?\r\n",
    ] {
        let mut peer = server.accept().await;
        peer.answer(&["HELLO", "3"], refusal).await;
        peer.close();
    }
    let mut peer = server.accept_greeted().await;
    peer.answer(&["INCR", "n"], ":1\r\n").await;
    assert_eq!(call.await?, 1);
    Ok(())
}

#[tokio::test]
async fn closing_ends_the_attempts() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, peer) = connect(server.config(), &server).await?;
    peer.close();
    disconnected(&client).await;
    let call = started(client.incr("n")).await;
    // In the middle of a handshake.
    let mut peer = server.accept().await;
    peer.expect(&["HELLO", "3"]).await;
    client.close();
    let error = call.await.expect_err("the connection was closed");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::NotConnected, Outcome::NotSent)
    );
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_attempts() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, peer) = connect(server.config(), &server).await?;
    peer.close();
    disconnected(&client).await;
    let mut peer = server.accept().await;
    peer.expect(&["HELLO", "3"]).await;
    drop(client);
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn a_server_that_ends_says_ok_by_closing() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.shutdown().into_call()).await;
    peer.expect(&["SHUTDOWN", "NOSAVE"]).await;
    peer.close();
    assert_eq!(call.await?, "OK");

    let (client, mut peer) = connected().await;
    let call = started(client.shutdown().into_call()).await;
    peer.answer(
        &["SHUTDOWN", "NOSAVE"],
        "-ERR Errors trying to SHUTDOWN. Check logs.\r\n",
    )
    .await;
    let error = call.await.expect_err("the server refused");
    assert_eq!(error.outcome(), Outcome::Rejected);
    Ok(())
}

#[tokio::test]
async fn the_state_of_a_connection() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new()).await;
    let state = || {
        (
            client.is_connected(),
            client.in_use(),
            client.in_blocking_call(),
        )
    };
    assert_eq!(state(), (true, false, false));
    let get = started(client.get("k")).await;
    assert_eq!(state(), (true, true, false));
    peer.expect(&["GET", "k"]).await;
    let pop = started(client.blpop(["jobs"])).await;
    assert_eq!(state(), (true, true, true));
    peer.expect(&["BLPOP", "jobs", "0"]).await;
    peer.send(bulk("v")).await;
    get.await?;
    assert_eq!(state(), (true, true, true));
    peer.send(array(&["jobs", "1"])).await;
    pop.await?;
    assert_eq!(state(), (true, false, false));
    peer.close();
    settle().await;
    assert_eq!(state(), (false, false, false));
    Ok(())
}
