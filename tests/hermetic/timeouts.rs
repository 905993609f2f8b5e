//! Calls that wait for too long. The clock is a real one: timeouts are short here, and what comes in time comes at once.

use std::time::{Duration, Instant};

use redis_client::prelude::*;
use redis_client::{Error, Result};

use crate::peer::{bulk, connected, connected_as, connected_through, resp, settle, started};
use crate::server::FakeServer;

const SHORT: Duration = Duration::from_millis(60);

/// For calls that are to be answered however slow this machine is.
const LONG: Duration = Duration::from_secs(60);

fn impatient() -> Config {
    Config::new().reply_timeout(SHORT)
}

#[track_caller]
fn assert_timeout(error: &Error, outcome: Outcome) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), outcome, "{error}");
}

#[tokio::test]
async fn no_reply_in_time_is_a_timeout_with_unknown_outcome() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let begin = Instant::now();
    let call = started(client.incr("n")).await;
    peer.expect(&["INCR", "n"]).await;
    let error = call.await.expect_err("nothing came");
    assert_timeout(&error, Outcome::Unknown);
    assert_eq!(
        error.to_string(),
        "INCR: no reply within 60 ms (the command may have been executed)"
    );
    assert!(begin.elapsed() >= SHORT);
    // A connection that is slow is not lost.
    assert!(client.is_connected());
    Ok(())
}

#[tokio::test]
async fn the_late_reply_goes_to_nobody() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let late = started(client.get("late")).await;
    peer.expect(&["GET", "late"]).await;
    let error = late.await.expect_err("nothing came");
    assert_timeout(&error, Outcome::Unknown);
    let call = started(client.get("k").reply_timeout(LONG)).await;
    peer.answer(&["GET", "k"], [bulk("late"), bulk("v")].concat())
        .await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    assert!(!client.in_use());

    // Even if it is large, or half of it was here.
    for at in [10, 200_000] {
        let reply = bulk("x".repeat(300_000));
        let late = started(client.get("late")).await;
        peer.expect(&["GET", "late"]).await;
        peer.send(&reply[..at]).await;
        assert_timeout(
            &late.await.expect_err("the rest came late"),
            Outcome::Unknown,
        );
        let call = started(client.get("k").reply_timeout(LONG)).await;
        peer.answer(&["GET", "k"], [&reply[at..], &bulk("v")].concat())
            .await;
        assert_eq!(call.await?.as_deref(), Some("v"));
    }
    Ok(())
}

#[tokio::test]
async fn what_was_not_sent_in_time_is_never_sent() -> Result<()> {
    // The pipe is full: what comes after the first command stays with the client.
    let (client, mut peer) = connected_through(32, impatient()).await;
    let large = "x".repeat(500);
    let stuck = started(client.echo(large.as_str())).await;
    settle().await;
    let unsent = started(client.incr("n")).await;
    assert_timeout(&stuck.await.expect_err("nothing came"), Outcome::Unknown);
    let error = unsent.await.expect_err("nothing came");
    assert_timeout(&error, Outcome::NotSent);
    assert_eq!(
        error.to_string(),
        "INCR: no reply within 60 ms (the command was not sent)"
    );
    // The clock runs for those who come when nobody else waits any more.
    tokio::time::sleep(SHORT).await;
    let later = started(client.incr("later")).await;
    assert_timeout(&later.await.expect_err("nothing came"), Outcome::NotSent);

    let call = started(client.get("k").reply_timeout(LONG)).await;
    peer.answer(&["ECHO", &large], bulk("late")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    peer.expect_silence().await;
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_turn_counts() -> Result<()> {
    let (client, mut peer) = connected_as(impatient().max_in_flight(1)).await;
    let first = started(client.incr("1")).await;
    let second = started(client.incr("2")).await;
    peer.expect(&["INCR", "1"]).await;
    let (first, second) = tokio::join!(first, second);
    assert_timeout(&first.expect_err("nothing came"), Outcome::Unknown);
    assert_timeout(&second.expect_err("nothing came"), Outcome::NotSent);

    // The first command is still on its way, for nobody; who comes now waits for it, and no longer than others.
    tokio::time::sleep(SHORT).await;
    let third = started(client.incr("3")).await;
    assert_timeout(&third.await.expect_err("nothing came"), Outcome::NotSent);

    let call = started(client.get("k").reply_timeout(LONG)).await;
    peer.send(":1\r\n").await;
    let (value, ()) = tokio::join!(call, peer.answer(&["GET", "k"], bulk("v")));
    assert_eq!(value?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_call_may_have_a_timeout_of_its_own() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.incr("n").reply_timeout(SHORT)).await;
    peer.expect(&["INCR", "n"]).await;
    assert_timeout(&call.await.expect_err("nothing came"), Outcome::Unknown);

    let (client, mut peer) = connected_as(impatient()).await;
    let mut patient = started(client.incr("n").reply_timeout(LONG)).await;
    peer.expect(&["INCR", "n"]).await;
    tokio::time::sleep(SHORT * 3).await;
    assert!(!patient.is_ready().await);
    peer.send(":1\r\n").await;
    assert_eq!(patient.await?, 1);
    Ok(())
}

#[tokio::test]
async fn without_a_timeout_a_call_waits() -> Result<()> {
    let (client, mut peer) = connected_as(impatient().reply_timeout(None)).await;
    let mut call = started(client.incr("n")).await;
    peer.expect(&["INCR", "n"]).await;
    tokio::time::sleep(SHORT * 3).await;
    assert!(!call.is_ready().await);
    peer.send(":1\r\n").await;
    assert_eq!(call.await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_blocking_call_has_its_own_timeout_and_a_margin() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let own = Duration::from_millis(150);
    let begin = Instant::now();
    let call = started(client.blpop(["jobs"]).timeout(own)).await;
    peer.expect(&["BLPOP", "jobs", "0.15"]).await;
    assert_timeout(&call.await.expect_err("nothing came"), Outcome::Unknown);
    assert!(begin.elapsed() >= own + SHORT);
    // The server may still give an element to the caller who has gone.
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn what_the_server_says_in_time_is_no_timeout_of_the_client() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let call = started(client.blpop(["jobs"]).timeout(10)).await;
    peer.answer(&["BLPOP", "jobs", "10"], "*-1\r\n").await;
    let error = call.await.expect_err("there was no element");
    assert_timeout(&error, Outcome::Executed);
    assert_eq!(
        error.to_string(),
        "BLPOP: nothing came within the timeout of the command"
    );
    assert!(client.is_connected());
    Ok(())
}

#[tokio::test]
async fn a_blocking_call_with_timeout_zero_waits() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let mut pop = started(client.blpop(["jobs"]).into_call()).await;
    peer.expect(&["BLPOP", "jobs", "0"]).await;
    tokio::time::sleep(SHORT * 3).await;
    assert!(!pop.is_ready().await);
    peer.send(resp("*2 $4 jobs $1 v")).await;
    assert_eq!(pop.await?.value, "v");

    let mut read = started(client.xread([("s", "$")]).block(0)).await;
    peer.expect(&["XREAD", "BLOCK", "0", "STREAMS", "s", "$"])
        .await;
    tokio::time::sleep(SHORT * 3).await;
    assert!(!read.is_ready().await);
    peer.send("_\r\n").await;
    assert_eq!(read.await?, None);

    let mut custom = started(client.command("MY.POP").blocking(0)).await;
    peer.expect(&["MY.POP"]).await;
    tokio::time::sleep(SHORT * 3).await;
    assert!(!custom.is_ready().await);
    Ok(())
}

#[tokio::test]
async fn a_stream_that_has_begun_has_no_timeout() -> Result<()> {
    let (client, mut peer) = connected_as(impatient()).await;
    let words: Vec<_> = (0..20_000).map(|n| format!("the element {n}")).collect();
    let reply = crate::peer::array(&words);
    let call = started(client.lrange("l")).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    peer.send(&reply[..70_000]).await;
    let list = call.await?;
    tokio::time::sleep(SHORT * 3).await;
    let (list, ()) = tokio::join!(list.aslist(), peer.send(&reply[70_000..]));
    assert_eq!(list?, words);
    Ok(())
}

#[tokio::test]
async fn the_clock_runs_while_there_is_no_connection() -> Result<()> {
    let server = FakeServer::start().await;
    let config = server.config().reply_timeout(SHORT);
    let (client, peer) = tokio::join!(config.connect(), server.accept_greeted());
    let client = client?;
    // The next connection is accepted, but nobody greets it.
    peer.close();
    let silent = server.accept().await;
    let call = started(client.incr("n")).await;
    assert!(!client.is_connected());
    let error = call.await.expect_err("there is no connection");
    assert_timeout(&error, Outcome::NotSent);
    drop(silent);

    let mut peer = server.accept_greeted().await;
    let call = started(client.get("k").reply_timeout(LONG)).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_negative_timeout_does_not_wait_for_ever() {
    let (client, mut peer) = connected().await;
    for timeout in [-1.0, -0.5, f64::NAN] {
        let mut call = started(client.blpop(["jobs"]).timeout(timeout)).await;
        if call.is_ready().await {
            // Refused before it was sent, or by the server after that.
            let error = call.await.expect_err("there is no such timeout");
            assert_eq!(error.kind(), ErrorKind::Argument);
        } else {
            let command = peer.command().await.unwrap_or_default();
            assert_ne!(command, [&b"BLPOP"[..], b"jobs", b"0"]);
            peer.send("-ERR timeout is negative\r\n").await;
            assert!(call.await.is_err());
        }
    }
}
