//! Limits on what is under way: callers wait for their turn, and are not forgotten.

use redis_client::Result;
use redis_client::prelude::*;

use crate::peer::{array, bulk, connected_as, connected_through, settle, started};

fn one_at_a_time() -> Config {
    Config::new().max_in_flight(1)
}

#[tokio::test]
async fn callers_wait_in_order_and_go_on() -> Result<()> {
    for limit in [1, 2, 3, 10] {
        let (client, mut peer) = connected_as(Config::new().max_in_flight(limit)).await;
        let mut calls = Vec::new();
        for number in 0..10 {
            calls.push(started(client.echo(number)).await);
        }
        let expected: Vec<u8> = (0..limit)
            .flat_map(|n| array(&["ECHO", &n.to_string()]))
            .collect();
        peer.expect_bytes(&expected).await;
        let serving = async {
            for number in 0..10 {
                peer.send(bulk(number.to_string())).await;
                if number + limit < 10 {
                    peer.expect(&["ECHO", &(number + limit).to_string()]).await;
                }
                peer.expect_silence().await;
            }
        };
        let calls = futures_util::future::try_join_all(calls);
        let (values, ()) = tokio::join!(calls, serving);
        let numbers: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(values?, numbers);
        assert!(!client.in_use());
    }
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_turn_is_being_in_use() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let first = started(client.get("1")).await;
    let second = started(client.get("2")).await;
    peer.answer(&["GET", "1"], bulk("1")).await;
    first.await?;
    assert!(client.in_use());
    drop(second);
    assert!(!client.in_use());
    Ok(())
}

#[tokio::test]
async fn a_newcomer_does_not_overtake() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let first = started(client.get("first")).await;
    let waiting = started(client.get("waiting")).await;
    peer.answer(&["GET", "first"], bulk("1")).await;
    settle().await;
    // There is room now, and whose turn it is has not been polled yet.
    let newcomer = started(client.get("newcomer")).await;
    peer.expect_silence().await;
    let serving = async {
        peer.answer(&["GET", "waiting"], bulk("2")).await;
        peer.answer(&["GET", "newcomer"], bulk("3")).await;
    };
    let (waiting, newcomer, ()) = tokio::join!(waiting, newcomer, serving);
    assert_eq!(waiting?.as_deref(), Some("2"));
    assert_eq!(newcomer?.as_deref(), Some("3"));
    first.await.map(drop)
}

#[tokio::test]
async fn a_waiting_caller_that_is_dropped_is_no_loss() -> Result<()> {
    for dropped in 0..4 {
        let (client, mut peer) = connected_as(one_at_a_time()).await;
        let first = started(client.get("first")).await;
        let mut calls = Vec::new();
        for number in 0..4 {
            calls.push((number, started(client.echo(number)).await));
        }
        drop(calls.remove(dropped));
        peer.answer(&["GET", "first"], bulk("1")).await;
        first.await?;
        for (number, call) in calls {
            let number = number.to_string();
            let command = ["ECHO", &number];
            let (value, ()) = tokio::join!(call, peer.answer(&command, bulk(&number)));
            assert_eq!(value?, number);
        }
        peer.expect_silence().await;
    }
    Ok(())
}

#[tokio::test]
async fn dropped_when_its_turn_has_come_the_next_one_gets_it() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let first = started(client.get("first")).await;
    let dropped = started(client.get("dropped")).await;
    let next = started(client.get("next")).await;
    peer.answer(&["GET", "first"], bulk("1")).await;
    first.await?;
    settle().await;
    drop(dropped);
    let (value, ()) = tokio::join!(next, peer.answer(&["GET", "next"], bulk("2")));
    assert_eq!(value?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn a_dropped_call_makes_room_when_its_reply_has_come() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let dropped = started(client.get("dropped")).await;
    peer.expect(&["GET", "dropped"]).await;
    let next = started(client.get("next")).await;
    drop(dropped);
    peer.expect_silence().await;
    peer.send(bulk("1")).await;
    let (value, ()) = tokio::join!(next, peer.answer(&["GET", "next"], bulk("2")));
    assert_eq!(value?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn a_call_dropped_before_it_was_written_makes_room() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let dropped = started(client.get("dropped")).await;
    let next = started(client.get("next")).await;
    drop(dropped);
    let (value, ()) = tokio::join!(next, peer.answer(&["GET", "next"], bulk("2")));
    assert_eq!(value?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn bytes_are_limited_too() -> Result<()> {
    let config = Config::new().max_in_flight_bytes(1000);
    let (client, mut peer) = connected_as(config).await;
    let value = "x".repeat(400);
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(started(client.echo(value.as_str())).await);
    }
    // Two of them are within the limit.
    let expected = array(&["ECHO", &value]);
    peer.expect_bytes(&expected.repeat(2)).await;
    let serving = async {
        for number in 0..5 {
            peer.send(bulk("ok")).await;
            if number < 3 {
                peer.expect(&["ECHO", &value]).await;
            }
            peer.expect_silence().await;
        }
    };
    let calls = futures_util::future::try_join_all(calls);
    let (values, ()) = tokio::join!(calls, serving);
    assert_eq!(values?, ["ok"; 5]);
    Ok(())
}

#[tokio::test]
async fn a_command_larger_than_the_limit_goes_alone() -> Result<()> {
    let config = Config::new().max_in_flight_bytes(1000);
    let (client, mut peer) = connected_as(config).await;
    let large = "x".repeat(5000);
    let first = started(client.get("k")).await;
    let alone = started(client.echo(large.as_str())).await;
    let small = started(client.get("k")).await;
    peer.expect_bytes(&array(&["GET", "k"])).await;
    peer.send(bulk("1")).await;
    let (alone, ()) = tokio::join!(alone, async {
        peer.expect_bytes(&array(&["ECHO", &large])).await;
        peer.send(bulk("2")).await;
    });
    assert_eq!(alone?, "2");
    let (small, ()) = tokio::join!(small, peer.answer(&["GET", "k"], bulk("3")));
    assert_eq!(small?.as_deref(), Some("3"));
    first.await.map(drop)
}

#[tokio::test]
async fn a_stuck_socket_holds_callers_back() -> Result<()> {
    // Nobody reads: the outbox must not grow without a limit.
    let (client, mut peer) = connected_through(64, Config::new().max_in_flight_bytes(10_000)).await;
    let value = "x".repeat(500);
    let mut calls = Vec::new();
    for _ in 0..100 {
        calls.push(started(client.echo(value.as_str())).await);
    }
    settle().await;
    let unpolled = calls.split_off(50);
    drop(unpolled);
    let serving = async {
        for _ in 0..50 {
            peer.answer(&["ECHO", &value], bulk("ok")).await;
        }
        peer.expect_silence().await;
    };
    let calls = futures_util::future::try_join_all(calls);
    let (values, ()) = tokio::join!(calls, serving);
    assert_eq!(values?.len(), 50);
    Ok(())
}

#[tokio::test]
async fn those_who_wait_learn_that_the_connection_is_closed() -> Result<()> {
    let (client, mut peer) = connected_as(one_at_a_time()).await;
    let sent = started(client.incr("n")).await;
    let waiting = [
        started(client.incr("n")).await,
        started(client.incr("n")).await,
    ];
    peer.expect(&["INCR", "n"]).await;
    peer.close();
    let error = sent.await.expect_err("no reply came");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::ConnectionLost, Outcome::Unknown)
    );
    for call in waiting {
        let error = call.await.expect_err("there is no connection");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::NotConnected, Outcome::NotSent)
        );
    }
    Ok(())
}
