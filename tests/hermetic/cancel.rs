//! Dropped calls: what is sent, what is not, and that nobody gets another's reply.

use std::time::Duration;

use redis_client::Result;
use redis_client::prelude::*;
use tokio::time::timeout;

use crate::peer::{array, bulk, connected, connected_as, connected_through, resp, settle, started};
use crate::server::FakeServer;

#[tokio::test]
async fn a_call_that_was_never_polled_is_never_sent() -> Result<()> {
    let (client, mut peer) = connected().await;
    drop(client.set("k", "v").expire(60).into_call());
    peer.expect_silence().await;
    assert!(!client.in_use());
    Ok(())
}

#[tokio::test]
async fn dropped_before_it_was_written_it_is_never_sent() -> Result<()> {
    let (client, mut peer) = connected().await;
    // The connection's task had no turn yet: nothing is written.
    drop(started(client.set("k", "alone")).await);
    peer.expect_silence().await;
    assert!(!client.in_use());

    let first = started(client.get("first")).await;
    let dropped = [
        started(client.set("k", "one").into_call()).await,
        started(client.set("k", "two").into_call()).await,
    ];
    let second = started(client.get("second")).await;
    let last = started(client.set("k", "three").into_call()).await;
    drop(dropped);
    drop(last);
    let expected = [array(&["GET", "first"]), array(&["GET", "second"])].concat();
    peer.expect_bytes(&expected).await;
    peer.send([bulk("1"), bulk("2")].concat()).await;
    assert_eq!(first.await?.as_deref(), Some("1"));
    assert_eq!(second.await?.as_deref(), Some("2"));
    assert!(!client.in_use());
    Ok(())
}

#[tokio::test]
async fn every_subset_of_calls_may_be_dropped_before_it_was_written() -> Result<()> {
    for subset in 0..32u32 {
        let (client, mut peer) = connected().await;
        let mut expected = Vec::new();
        let mut calls = Vec::new();
        for number in 0..5 {
            calls.push(started(client.echo(number)).await);
        }
        for number in (0..5).rev() {
            if subset >> number & 1 == 1 {
                drop(calls.remove(number));
            } else {
                expected.insert(0, array(&["ECHO", &number.to_string()]));
            }
        }
        peer.expect_bytes(&expected.concat()).await;
        for number in (0..5).filter(|number| subset >> number & 1 == 0) {
            peer.send(bulk(number.to_string())).await;
            assert_eq!(calls.remove(0).await?, number.to_string());
        }
    }
    Ok(())
}

#[tokio::test]
async fn dropped_while_others_are_written_it_is_not_sent() -> Result<()> {
    // The pipe takes so little that the first command keeps the writer busy.
    let (client, mut peer) = connected_through(32, Config::new()).await;
    let large = "x".repeat(500);
    let first = started(client.echo(large.as_str())).await;
    settle().await;
    let dropped = started(client.set("k", "v").into_call()).await;
    let second = started(client.get("k")).await;
    settle().await;
    drop(dropped);
    peer.answer(&["ECHO", &large], bulk("1")).await;
    peer.answer(&["GET", "k"], bulk("2")).await;
    assert_eq!(first.await?, "1");
    assert_eq!(second.await?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn dropped_after_that_its_reply_is_thrown_away() -> Result<()> {
    let (client, mut peer) = connected().await;
    let before = started(client.get("before")).await;
    let dropped = started(client.get("dropped")).await;
    let after = started(client.get("after")).await;
    for key in ["before", "dropped", "after"] {
        peer.expect(&["GET", key]).await;
    }
    drop(dropped);
    peer.send([bulk("1"), bulk("not for you"), bulk("3")].concat())
        .await;
    assert_eq!(before.await?.as_deref(), Some("1"));
    assert_eq!(after.await?.as_deref(), Some("3"));

    // Its error as well.
    let dropped = started(client.incr("dropped")).await;
    let after = started(client.get("after")).await;
    peer.expect(&["INCR", "dropped"]).await;
    drop(dropped);
    peer.answer(&["GET", "after"], "-ERR not for you\r\n$1\r\n3\r\n")
        .await;
    assert_eq!(after.await?.as_deref(), Some("3"));
    assert!(!client.in_use());
    Ok(())
}

#[tokio::test]
async fn dropped_when_its_reply_is_half_there() -> Result<()> {
    let reply = resp("*3 $5 hello %1 +k :1 $0 ");
    for cut in 0..=reply.len() {
        let (client, mut peer) = connected().await;
        let dropped = started(client.command("ANY")).await;
        let after = started(client.get("after")).await;
        peer.expect(&["ANY"]).await;
        peer.expect(&["GET", "after"]).await;
        let (first, second) = reply.split_at(cut);
        peer.send(first).await;
        settle().await;
        drop(dropped);
        settle().await;
        peer.send(second).await;
        peer.send(bulk("3")).await;
        assert_eq!(after.await?.as_deref(), Some("3"), "{cut}");
    }
    Ok(())
}

#[tokio::test]
async fn a_large_reply_for_nobody_is_not_held_in_memory() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new().max_skip(50_000_000)).await;
    let dropped = started(client.get("film")).await;
    let after = started(client.get("after")).await;
    peer.expect(&["GET", "film"]).await;
    peer.expect(&["GET", "after"]).await;
    drop(dropped);
    peer.send("$20000000\r\n").await;
    // As fast as it comes it goes: nothing is ever waited for.
    let piece = [b'x'; 100_000];
    for _ in 0..200 {
        assert_eq!(peer.send_what_is_taken(&piece).await, piece.len());
    }
    peer.send([&b"\r\n"[..], &bulk("3")].concat()).await;
    assert_eq!(after.await?.as_deref(), Some("3"));
    Ok(())
}

#[tokio::test]
async fn a_blocking_call_that_is_dropped_closes_its_connection_at_once() -> Result<()> {
    let (client, mut peer) = connected().await;
    let blocked = started(client.blpop(["jobs"]).into_call()).await;
    peer.expect(&["BLPOP", "jobs", "0"]).await;
    assert!(client.in_blocking_call());
    drop(blocked);
    peer.expect_close().await;
    assert!(!client.in_blocking_call());
    Ok(())
}

#[tokio::test]
async fn a_blocking_call_that_is_dropped_before_it_was_written_is_never_sent() -> Result<()> {
    let (client, mut peer) = connected().await;
    drop(started(client.blpop(["jobs"]).into_call()).await);
    peer.expect_silence().await;
    assert!(!client.in_blocking_call());
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_blocking_call_that_has_its_element_is_dropped_like_any_other() -> Result<()> {
    let (client, mut peer) = connected().await;
    let blocked = started(client.blpop(["jobs"]).into_call()).await;
    peer.answer(&["BLPOP", "jobs", "0"], resp("*2 $4 jobs $1 1"))
        .await;
    settle().await;
    drop(blocked);
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn whether_a_call_blocks_depends_on_its_options() -> Result<()> {
    // XREAD without BLOCK is an ordinary call.
    let (client, mut peer) = connected().await;
    let dropped = started(client.xread([("s", "0")]).into_call()).await;
    peer.expect(&["XREAD", "STREAMS", "s", "0"]).await;
    assert!(!client.in_blocking_call());
    drop(dropped);
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], "_\r\n$1\r\nv\r\n").await;
    assert_eq!(call.await?.as_deref(), Some("v"));

    let dropped = started(client.xread([("s", "0")]).block(0).into_call()).await;
    peer.expect(&["XREAD", "BLOCK", "0", "STREAMS", "s", "0"])
        .await;
    assert!(client.in_blocking_call());
    drop(dropped);
    peer.expect_close().await;

    // A command that is in no table says it itself.
    let (client, mut peer) = connected().await;
    let dropped = started(client.command("MY.POP").key("k").blocking(3)).await;
    peer.expect(&["MY.POP", "k"]).await;
    drop(dropped);
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn the_neighbours_of_a_dropped_blocking_call_know_their_outcome() -> Result<()> {
    let server = FakeServer::start().await;
    let (client, mut peer) = tokio::join!(server.config().connect(), server.accept_greeted());
    let client = client?;
    let blocked = started(client.blpop(["jobs"]).into_call()).await;
    peer.expect(&["BLPOP", "jobs", "0"]).await;
    let read = started(client.get("k")).await;
    let write = started(client.incr("n")).await;
    peer.expect(&["GET", "k"]).await;
    peer.expect(&["INCR", "n"]).await;
    drop(blocked);
    peer.expect_close().await;

    let error = write.await.expect_err("it may have been executed");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.outcome(), Outcome::Unknown);
    let text = error.to_string();
    assert!(
        text.contains("a blocking command on it was cancelled"),
        "{text}"
    );
    // Only what does no harm is sent again.
    let read = started(read).await;
    let mut peer = server.accept_greeted().await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(read.await?.as_deref(), Some("v"));
    assert!(client.is_connected());
    Ok(())
}

#[tokio::test]
async fn timeouts_around_calls() -> Result<()> {
    let (client, mut peer) = connected().await;
    let short = Duration::from_millis(20);
    assert!(timeout(short, client.get("slow")).await.is_err());
    let after = started(client.get("after")).await;
    peer.expect(&["GET", "slow"]).await;
    peer.expect(&["GET", "after"]).await;
    peer.send([bulk("late"), bulk("3")].concat()).await;
    assert_eq!(after.await?.as_deref(), Some("3"));
    Ok(())
}

#[tokio::test]
async fn select_drops_the_loser() -> Result<()> {
    let (client, mut peer) = connected().await;
    let mut late = Vec::new();
    for round in 0..5 {
        let serving = async {
            peer.expect(&["ECHO", &format!("winner {round}")]).await;
            peer.expect(&["ECHO", &format!("loser {round}")]).await;
            // With it comes the reply to the loser of the round before.
            peer.send([&late[..], &bulk(round.to_string())].concat())
                .await;
            late = bulk("late");
        };
        let selecting = async {
            tokio::select! {
                biased;
                value = client.echo(format!("winner {round}")) => value,
                value = client.echo(format!("loser {round}")) => value,
            }
        };
        let (value, ()) = tokio::join!(selecting, serving);
        assert_eq!(value?, round.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_caller_that_polls_from_another_task_is_woken_there() -> Result<()> {
    let (client, mut peer) = connected().await;
    let caller = client.clone();
    let call = Box::pin(async move { caller.get("k").await });
    let mut call = started(call).await;
    assert!(!call.is_ready().await);
    peer.expect(&["GET", "k"]).await;
    let task = tokio::spawn(call);
    settle().await;
    peer.send(bulk("v")).await;
    let value = task.await.expect("no panic")?;
    assert_eq!(value.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_call_is_sent_once_however_often_it_is_polled() -> Result<()> {
    let (client, mut peer) = connected().await;
    let mut call = Box::pin(client.incr("n"));
    let (number, ()) = tokio::join!(&mut call, peer.answer(&["INCR", "n"], ":1\r\n"));
    assert_eq!(number?, 1);
    // As a `select!` in a loop does that forgets to check.
    let again = started(&mut call).await;
    peer.expect_silence().await;
    drop(again);
    Ok(())
}

#[tokio::test]
async fn an_aborted_task_drops_its_call() -> Result<()> {
    let (client, mut peer) = connected().await;
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.get("aborted").await }
    });
    peer.expect(&["GET", "aborted"]).await;
    task.abort();
    assert!(task.await.is_err());
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], [bulk("late"), bulk("v")].concat())
        .await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn the_last_handle_closes_the_connection() -> Result<()> {
    let (client, mut peer) = connected().await;
    let other = client.with_encoder(Raw);
    drop(client);
    let call = started(other.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some(&b"v"[..]));
    drop(other);
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn closing_fails_what_is_under_way() -> Result<()> {
    // So narrow that the second command cannot be written.
    let (client, mut peer) = connected_through(32, Config::new()).await;
    let large = "x".repeat(500);
    let sent = started(client.incr("n")).await;
    peer.expect(&["INCR", "n"]).await;
    let half_sent = started(client.echo(large.as_str())).await;
    settle().await;
    let unsent = started(client.incr("n")).await;
    settle().await;
    client.close();
    client.close();
    for (call, outcome) in [
        (sent.await.map(drop), Outcome::Unknown),
        (half_sent.await.map(drop), Outcome::Unknown),
        (unsent.await.map(drop), Outcome::NotSent),
    ] {
        let error = call.expect_err("the connection was closed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, outcome)
        );
    }
    assert!(!client.is_connected());
    assert!(!client.in_use());
    let error = client
        .get("k")
        .await
        .expect_err("the connection was closed");
    assert_eq!(
        error.to_string(),
        "GET: the connection was closed (the command was not sent)"
    );
    Ok(())
}
