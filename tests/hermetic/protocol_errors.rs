//! Bytes that are no replies: they fail the calls that wait, and hang or panic nothing.

use redis_client::prelude::*;
use redis_client::{ReplyLimits, Result};

use crate::peer::{bulk, connected, connected_as, resp, settle, started};
use crate::server::FakeServer;

fn limits() -> ReplyLimits {
    ReplyLimits {
        frame: 200_000,
        depth: 16,
    }
}

/// What fails, and why.
fn garbage() -> Vec<(Vec<u8>, &'static str)> {
    let no_length = "announces a length that is not a number";
    let mut garbage = vec![
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "byte 0x48"),
        (b"hello".to_vec(), "byte 0x68"),
        (b"\r\n".to_vec(), "byte 0x0d"),
        (b"\0".to_vec(), "byte 0x00"),
        (b"$5\r\nhello!!".to_vec(), "does not end in CRLF"),
        (b"+OK\rx\r\n".to_vec(), "does not end in CRLF"),
        (vec![b'+'; 100_000], "a line of the reply is longer"),
    ];
    for length in [
        "$-2",
        "*-2",
        "%-3",
        "$x",
        "$",
        "*1x",
        "$+5",
        "$?",
        "*99999999999999999999",
        "!-5",
        "~-1000",
        "$9223372036854775808",
    ] {
        garbage.push((resp(length), no_length));
    }
    for (form, why) in [
        ("*2 :1 x", "byte 0x78"),
        ("*1 >1 :1", "a push message inside"),
        ("$200001", "larger than the limit of 200000 bytes"),
        ("*2 $1 a $200001", "larger than the limit of 200000 bytes"),
        (
            "$9223372036854775807",
            "larger than the limit of 200000 bytes",
        ),
        (
            "!9223372036854775807",
            "larger than the limit of 200000 bytes",
        ),
    ] {
        garbage.push((resp(form), why));
    }
    let deep = resp("*1").repeat(17);
    garbage.push((deep, "nested deeper than 16 levels"));
    garbage
}

#[tokio::test]
async fn garbage_fails_those_who_wait() -> Result<()> {
    for (bytes, why) in garbage() {
        let (client, mut peer) = connected_as(Config::new().reply_limits(limits())).await;
        let before = started(client.get("k")).await;
        let first = started(client.get("k")).await;
        let second = started(client.incr("n")).await;
        for _ in 0..3 {
            peer.command().await;
        }
        peer.send([&bulk("v")[..], &bytes].concat()).await;
        // What came before it is as good as ever.
        assert_eq!(before.await?.as_deref(), Some("v"));
        for error in [first.await.expect_err(why), second.await.expect_err(why)] {
            let text = error.to_string();
            assert!(text.contains(why), "{}: {text}", bytes.escape_ascii());
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert_eq!(error.outcome(), Outcome::Unknown);
        }
        peer.expect_close().await;
        settle().await;
        let error = client.get("k").await.expect_err("there is no connection");
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.message().contains(why), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn endless_elements_stop_at_the_limit() {
    // No length is wrong here, but it never ends.
    let (client, mut peer) = connected_as(Config::new().reply_limits(limits())).await;
    let call = started(client.command("ANY")).await;
    peer.expect(&["ANY"]).await;
    peer.send(resp("*9223372036854775807")).await;
    let elements = resp(":1").repeat(250_000);
    let sent = peer.send_what_is_taken(&elements).await;
    let error = call.await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(sent < 800_000, "{sent} bytes were read");
}

#[tokio::test]
async fn a_huge_count_waits_for_its_elements() -> Result<()> {
    for count in ["*2147483647", "%2147483647", "~9223372036854775807"] {
        let (client, mut peer) = connected().await;
        let mut call = started(client.command("ANY")).await;
        peer.answer(&["ANY"], resp(count)).await;
        settle().await;
        assert!(!call.is_ready().await);
        peer.close();
        let error = call.await.expect_err("the rest does not come");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    }
    Ok(())
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_ends_the_connection() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], resp("$1 v +OK")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    peer.expect_close().await;
    settle().await;
    let error = client.get("k").await.expect_err("there is no connection");
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(
        error.message().contains("a reply that nobody asked for"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_reply_to_what_is_not_sent_yet_is_no_reply_to_it() {
    // The command is in the pipe's way, half of it at most with the server.
    let (client, mut peer) = crate::peer::connected_through(16, Config::new()).await;
    let first = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    peer.send(resp("$1 v +OK")).await;
    assert!(first.await.is_ok());
    peer.expect_close().await;
}

#[tokio::test]
async fn a_reply_cut_short_is_a_lost_connection() {
    let whole = resp("*2 $5 hello %1 +k ,1.5");
    for cut in 0..whole.len() {
        let (client, mut peer) = connected().await;
        let call = started(client.command("ANY")).await;
        peer.answer(&["ANY"], &whole[..cut]).await;
        peer.close();
        let error = call.await.expect_err("the rest does not come");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{cut}");
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.is_disconnected());
    }
}

#[tokio::test]
async fn after_garbage_a_new_connection_is_made() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = tokio::join!(server.config().connect(), server.accept_greeted());
    let client = client?;
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], "?!\r\n").await;
    assert_eq!(call.await.map_err(|e| e.kind()), Err(ErrorKind::Protocol));

    let mut peer = server.accept_greeted().await;
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}
