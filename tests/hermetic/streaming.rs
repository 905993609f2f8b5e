//! Large replies, which are handed out while they arrive.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use redis_client::prelude::*;
use redis_client::{BulkReader, ListReply, ReplyLimits, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::peer::{
    Peer, aggregate, array, bulk, connected, connected_as, push, resp, settle, started, within,
};

/// So many elements make a reply of half a megabyte.
const MANY: usize = 20_000;

fn element(number: usize) -> String {
    format!("the element {number}")
}

fn elements() -> Vec<String> {
    (0..MANY).map(element).collect()
}

/// A reply of many strings: a list, a set, or (as `%`) a map.
fn large(tag: char) -> Vec<u8> {
    aggregate(tag, elements().iter().map(bulk))
}

/// The first bytes of a large reply, which are enough for the caller to get it.
fn split(reply: &[u8]) -> (&[u8], &[u8]) {
    reply.split_at(70_000)
}

/// A list of which only the beginning has arrived.
async fn begun(client: &Connection, peer: &mut Peer) -> Result<ListReply<String>> {
    let call = started(client.lrange("l").into_call()).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    peer.send(split(&large('*')).0).await;
    call.await
}

#[tokio::test]
async fn elements_come_while_the_reply_arrives() -> Result<()> {
    let (client, mut peer) = connected().await;
    let mut list = begun(&client, &mut peer).await?;
    assert!(!list.is_complete());
    assert_eq!(list.remaining(), MANY as u64);
    for number in 0..1000 {
        assert_eq!(list.next().await.transpose()?, Some(element(number)));
    }
    assert_eq!(list.remaining(), MANY as u64 - 1000);

    let reply = large('*');
    let rest = split(&reply).1;
    let (list, ()) = tokio::join!(list.aslist(), peer.send(rest));
    assert_eq!(list?, elements()[1000..]);
    assert!(!client.in_use());
    Ok(())
}

#[tokio::test]
async fn sets() -> Result<()> {
    for tag in ['~', '*'] {
        let (client, mut peer) = connected().await;
        let call = started(client.smembers("s")).await;
        let reply = large(tag);
        let (set, ()) = tokio::join!(
            async { call.await?.asset().await },
            peer.answer(&["SMEMBERS", "s"], reply)
        );
        assert_eq!(set?, elements().into_iter().collect::<HashSet<_>>());
    }
    Ok(())
}

#[tokio::test]
async fn maps_in_every_form() -> Result<()> {
    let pair = |number: usize| [element(number), number.to_string()];
    let expected: HashMap<_, _> = (0..MANY)
        .map(|number| (element(number), number as i64))
        .collect();
    let flat = || (0..MANY).flat_map(pair).map(bulk);
    for reply in [
        aggregate('%', flat()),
        aggregate('*', flat()),
        aggregate('*', (0..MANY).map(|number| array(&pair(number)))),
    ] {
        let (client, mut peer) = connected().await;
        let call = client
            .hgetall("h")
            .decode::<kind::DictReply<kind::Native, kind::Integer>>();
        let call = started(call).await;
        let (dict, ()) = tokio::join!(
            async { call.await?.asdict().await },
            peer.answer(&["HGETALL", "h"], &reply)
        );
        assert_eq!(dict?, expected);

        // One by one, in the order of the server.
        let call = started(client.hgetall("h")).await;
        let reading = async {
            let mut dict = call.await?;
            for number in 0..MANY {
                let [key, value] = pair(number);
                assert_eq!(dict.next().await.transpose()?, Some((key, value)));
            }
            assert!(dict.next().await.is_none());
            Ok(())
        };
        let (read, ()) = tokio::join!(reading, peer.answer(&["HGETALL", "h"], reply));
        read?;
    }
    Ok(())
}

#[tokio::test]
async fn members_with_scores_in_both_forms() -> Result<()> {
    let score = |number: usize| number as f64 / 4.0;
    let resp2 = (0..MANY).flat_map(|n| [bulk(element(n)), bulk(score(n).to_string())]);
    let resp3 = (0..MANY).map(|n| {
        aggregate(
            '*',
            [bulk(element(n)), format!(",{}\r\n", score(n)).into_bytes()],
        )
    });
    for reply in [aggregate('*', resp2), aggregate('*', resp3)] {
        let (client, mut peer) = connected().await;
        let query = ["ZRANGE", "z", "0", "-1", "WITHSCORES"];
        let call = started(client.zrange("z")).await;
        let (members, ()) = tokio::join!(
            async { call.await?.aslist().await },
            peer.answer(&query, &reply)
        );
        assert_eq!(members?, elements());
        let call = started(client.zrange("z")).await;
        let (scores, ()) = tokio::join!(
            async { call.await?.collect::<Vec<_>>().await },
            peer.answer(&query, &reply)
        );
        let expected: Vec<_> = (0..MANY).map(|n| (element(n), score(n))).collect();
        assert_eq!(scores?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn the_pieces_may_be_of_any_size() -> Result<()> {
    let odd = aggregate('*', (0..2001).map(|n| bulk("x".repeat(n % 97))));
    for size in [1000, 4093, 8192, 16_411, 65_536, 100_000] {
        for reply in [large('*'), odd.clone()] {
            let (client, mut peer) = connected().await;
            let call = started(client.lrange("l")).await;
            let after = started(client.get("after")).await;
            let serving = async {
                peer.expect(&["LRANGE", "l", "0", "-1"]).await;
                peer.expect(&["GET", "after"]).await;
                for piece in [reply.clone(), bulk("v")].concat().chunks(size) {
                    peer.send(piece).await;
                    settle().await;
                }
            };
            let (list, ()) = tokio::join!(async { call.await?.aslist().await }, serving);
            assert_eq!(array(&list?), reply, "{size}");
            assert_eq!(after.await?.as_deref(), Some("v"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn elements_may_be_large_or_nested() -> Result<()> {
    let (client, mut peer) = connected().await;
    let words: Vec<_> = ["a", "b", "c"].map(|word| word.repeat(300_000)).to_vec();
    let call = started(client.lrange("l")).await;
    let (list, ()) = tokio::join!(
        async { call.await?.aslist().await },
        peer.answer(&["LRANGE", "l", "0", "-1"], array(&words))
    );
    assert_eq!(list?, words);

    let lists: Vec<Vec<String>> = (0..3000)
        .map(|n| (0..n % 7).map(element).collect())
        .collect();
    let call = client
        .command("ANY")
        .reply::<kind::ListReply<kind::List<kind::Native>>>();
    let call = started(call).await;
    let reply = aggregate('*', lists.iter().map(|list| array(list)));
    let (list, ()) = tokio::join!(
        async { call.await?.aslist().await },
        peer.answer(&["ANY"], reply)
    );
    assert_eq!(list?, lists);
    Ok(())
}

#[tokio::test]
async fn attributes_are_no_elements() -> Result<()> {
    let attribute = || resp("|1 $3 ttl *2 :1 :2");
    let elements = (0..MANY).map(|n| [attribute(), bulk(element(n))].concat());
    let reply = [attribute(), aggregate('*', elements)].concat();
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    let after = started(client.get("k")).await;
    let serving = async {
        peer.expect(&["LRANGE", "l", "0", "-1"]).await;
        peer.expect(&["GET", "k"]).await;
        for piece in [reply, bulk("v")].concat().chunks(4093) {
            peer.send(piece).await;
        }
    };
    let (list, ()) = tokio::join!(async { call.await?.aslist().await }, serving);
    assert_eq!(list?, self::elements());
    assert_eq!(after.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn the_server_waits_for_the_consumer() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    let reply = aggregate('*', (0..200_000).map(|n| bulk(element(n))));
    assert!(reply.len() > 4_000_000);

    // Nothing is taken: the client reads so much and no more, however long it takes.
    let mut sent = peer.send_what_is_taken(&reply).await;
    assert!(sent < 700_000, "{sent} bytes were read for nobody");
    let mut list = call.await?;
    let ahead = sent;
    let mut taken = 0;
    for number in 0..200_000 {
        assert_eq!(list.next().await.transpose()?, Some(element(number)));
        taken += bulk(element(number)).len();
        if number % 5000 == 0 {
            sent += peer.send_what_is_taken(&reply[sent..]).await;
            assert!(
                sent <= taken + ahead + 700_000,
                "{sent} bytes are sent, {taken} taken"
            );
        } else if taken + 1000 > sent {
            // The consumer has caught up: it would wait for the peer, which is this test.
            sent += peer.send_what_is_taken(&reply[sent..]).await;
        }
    }
    assert_eq!(sent, reply.len());
    assert!(list.next().await.is_none());
    Ok(())
}

#[tokio::test]
async fn other_calls_get_their_replies_after_the_stream() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    let mut after = started(client.get("k")).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    peer.expect(&["GET", "k"]).await;
    let bytes = [large('*'), push(&["invalidate", "k"]), bulk("v")].concat();
    let sent = peer.send_what_is_taken(&bytes).await;
    let list = call.await?;
    assert!(!after.is_ready().await);
    // More commands may be sent meanwhile.
    let later = started(client.get("later")).await;
    peer.expect(&["GET", "later"]).await;

    let rest = [&bytes[sent..], &bulk("w")].concat();
    let (list, ()) = tokio::join!(list.aslist(), peer.send(rest));
    assert_eq!(list?.len(), MANY);
    assert_eq!(after.await?.as_deref(), Some("v"));
    assert_eq!(later.await?.as_deref(), Some("w"));
    Ok(())
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_an_error_item() -> Result<()> {
    let (client, mut peer) = connected().await;
    let mut list = begun(&client, &mut peer).await?;
    peer.close();
    let mut count = 0;
    let error = loop {
        match within("the next element", list.next()).await {
            Some(Ok(text)) => assert_eq!(text, element(count)),
            Some(Err(error)) => break error,
            None => panic!("a silent end after {count} elements"),
        }
        count += 1;
    };
    // What had arrived is not lost.
    assert!(count > 2000, "{count}");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(list.next().await.is_none());

    let (client, mut peer) = connected().await;
    let list = begun(&client, &mut peer).await?;
    peer.close();
    let error = list.aslist().await.expect_err("the rest does not come");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    Ok(())
}

#[tokio::test]
async fn a_connection_closed_in_the_middle_is_an_error_item() -> Result<()> {
    let (client, mut peer) = connected().await;
    let list = begun(&client, &mut peer).await?;
    client.close();
    let error = list.aslist().await.expect_err("the rest does not come");
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    Ok(())
}

#[tokio::test]
async fn a_stream_keeps_its_connection() -> Result<()> {
    let (client, mut peer) = connected().await;
    let list = begun(&client, &mut peer).await?;
    drop(client);
    let reply = large('*');
    let (list, ()) = tokio::join!(list.aslist(), peer.send(split(&reply).1));
    assert_eq!(list?.len(), MANY);
    peer.expect_close().await;
    Ok(())
}

#[tokio::test]
async fn garbage_in_the_middle_is_an_error_item() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    let mut bytes = format!("*{MANY}\r\n").into_bytes();
    bytes.extend((0..4000).flat_map(|n| bulk(element(n))));
    bytes.extend(b"?garbage\r\n");
    let (error, _) = tokio::join!(
        async { call.await?.aslist().await },
        peer.send_what_is_taken(&bytes)
    );
    assert_eq!(error.map_err(|e| e.kind()), Err(ErrorKind::Protocol));
    Ok(())
}

#[tokio::test]
async fn an_element_that_does_not_decode_is_an_error_of_its_own() -> Result<()> {
    let (client, mut peer) = connected().await;
    let bad = |number: usize| match number {
        5 => bulk(b"\xff"),
        6 => resp("*2 $1 a $1 b"),
        9_998 => b"-ERR not this one\r\n".to_vec(),
        9_999 => resp("_"),
        _ => bulk(element(number)),
    };
    let reply = aggregate('*', (0..MANY).map(bad));
    let call = started(client.lrange("l")).await;
    let reading = async {
        let mut list = call.await?;
        for number in 0..MANY {
            let item = list.next().await.expect("an element");
            match (number, item) {
                (5 | 6 | 9_999, Err(error)) => assert_eq!(error.kind(), ErrorKind::Decode),
                (9_998, Err(error)) => assert_eq!(error.code(), Some("ERR")),
                (_, item) => assert_eq!(item?, element(number)),
            }
        }
        assert!(list.next().await.is_none());
        Ok(())
    };
    let query = ["LRANGE", "l", "0", "-1"];
    let (read, ()) = tokio::join!(reading, peer.answer(&query, &reply));
    read?;

    // All or nothing, and the connection goes on.
    let call = started(client.lrange("l")).await;
    let (list, ()) = tokio::join!(
        async { call.await?.aslist().await },
        peer.answer(&query, &reply)
    );
    assert_eq!(list.map_err(|e| e.kind()), Err(ErrorKind::Decode));
    let call = started(client.get("k")).await;
    peer.answer(&["GET", "k"], bulk("v")).await;
    assert_eq!(call.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_pair_that_does_not_decode_is_an_error_of_its_own() -> Result<()> {
    let value = |number: usize| {
        if number == 3000 {
            "x".to_owned()
        } else {
            number.to_string()
        }
    };
    let flat = (0..MANY).flat_map(|n| [bulk(element(n)), bulk(value(n))]);
    let pairs = (0..MANY).map(|n| array(&[element(n), value(n)]));
    for reply in [aggregate('%', flat), aggregate('*', pairs)] {
        let (client, mut peer) = connected().await;
        let call = client
            .hgetall("h")
            .decode::<kind::DictReply<kind::Native, kind::Integer>>();
        let call = started(call).await;
        let reading = async {
            let mut dict = call.await?;
            for number in 0..MANY {
                let item = dict.next().await.expect("a pair");
                if number == 3000 {
                    let error = item.expect_err("this is no number");
                    assert_eq!(error.kind(), ErrorKind::Decode);
                } else {
                    assert_eq!(item?, (element(number), number as i64));
                }
            }
            assert!(dict.next().await.is_none());
            Ok(())
        };
        let (read, ()) = tokio::join!(reading, peer.answer(&["HGETALL", "h"], reply));
        read?;
    }
    Ok(())
}

#[tokio::test]
async fn dropped_half_read_the_rest_is_skipped() -> Result<()> {
    for taken in [0, 1, 1000] {
        let (client, mut peer) = connected().await;
        let mut list = begun(&client, &mut peer).await?;
        for number in 0..taken {
            assert_eq!(list.next().await.transpose()?, Some(element(number)));
        }
        let after = started(client.get("k")).await;
        peer.expect(&["GET", "k"]).await;
        drop(list);
        let reply = large('*');
        peer.send([split(&reply).1, &bulk("v")].concat()).await;
        assert_eq!(after.await?.as_deref(), Some("v"));
        assert!(!client.in_use());
    }
    Ok(())
}

#[tokio::test]
async fn dropped_before_its_caller_saw_it_the_rest_is_skipped() -> Result<()> {
    let (client, mut peer) = connected().await;
    let reply = large('*');
    let call = started(client.lrange("l")).await;
    peer.expect(&["LRANGE", "l", "0", "-1"]).await;
    peer.send(split(&reply).0).await;
    settle().await;
    drop(call);
    let after = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    peer.send([split(&reply).1, &bulk("v")].concat()).await;
    assert_eq!(after.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn dropped_with_all_of_it_here_nothing_is_skipped() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    let reading = async {
        let mut list = call.await?;
        while !list.is_complete() && list.remaining() > 1 {
            list.next().await.transpose()?;
        }
        drop(list);
        client.get("k").await
    };
    let serving = async {
        peer.answer(&["LRANGE", "l", "0", "-1"], large('*')).await;
        peer.answer(&["GET", "k"], bulk("v")).await;
    };
    let (value, ()) = tokio::join!(reading, serving);
    assert_eq!(value?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn dropped_with_too_much_left_the_connection_is_closed() -> Result<()> {
    let (client, mut peer) = connected_as(Config::new().max_skip(100_000)).await;
    let mut list = begun(&client, &mut peer).await?;
    assert!(list.next().await.is_some());
    let after = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    drop(list);
    let reply = large('*');
    let sent = peer.send_what_is_taken(split(&reply).1).await;
    assert!(sent < 300_000, "{sent} bytes were skipped");
    let error = after.await.expect_err("the connection was closed");
    assert!(error.is_disconnected());

    // A little more than is left by chance is still skipped.
    let (client, mut peer) = connected_as(Config::new().max_skip(500_000)).await;
    drop(begun(&client, &mut peer).await?);
    peer.send(split(&reply).1).await;
    settle().await;
    assert!(client.is_connected());
    Ok(())
}

#[tokio::test]
async fn a_reply_larger_than_memory_may_hold_is_streamed() -> Result<()> {
    let limits = ReplyLimits {
        frame: 80_000,
        ..ReplyLimits::default()
    };
    let (client, mut peer) = connected_as(Config::new().reply_limits(limits)).await;
    let query = ["LRANGE", "l", "0", "-1"];
    let call = started(client.lrange("l")).await;
    let (list, ()) = tokio::join!(
        async { call.await?.aslist().await },
        peer.answer(&query, large('*'))
    );
    assert_eq!(list?, elements());
    // The variant that collects wants all of it at once.
    let call = started(client.lrange_aslist("l")).await;
    peer.expect(&query).await;
    peer.send_what_is_taken(&large('*')).await;
    assert_eq!(call.await.map_err(|e| e.kind()), Err(ErrorKind::Protocol));
    Ok(())
}

#[tokio::test]
async fn the_collecting_variants_take_large_replies_too() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange_aslist("l")).await;
    let (list, ()) = tokio::join!(call, peer.answer(&["LRANGE", "l", "0", "-1"], large('*')));
    assert_eq!(list?, elements());
    let call = started(client.smembers_asset("s")).await;
    let (set, ()) = tokio::join!(call, peer.answer(&["SMEMBERS", "s"], large('~')));
    assert_eq!(set?.len(), MANY);
    let call = started(client.hgetall_asdict("h")).await;
    let (dict, ()) = tokio::join!(call, peer.answer(&["HGETALL", "h"], large('%')));
    assert_eq!(dict?.len(), MANY / 2);
    Ok(())
}

#[tokio::test]
async fn they_are_streams() -> Result<()> {
    let (client, mut peer) = connected().await;
    let call = started(client.lrange("l")).await;
    let reading = async {
        let list = call.await?;
        assert_eq!(list.size_hint(), (0, Some(MANY)));
        let lengths = list.map(|element| element.map_or(0, |text| text.len()));
        Ok::<_, Error>(lengths.fold(0, async |sum, len| sum + len).await)
    };
    let (sum, ()) = tokio::join!(
        reading,
        peer.answer(&["LRANGE", "l", "0", "-1"], large('*'))
    );
    assert_eq!(sum?, elements().iter().map(String::len).sum::<usize>());
    Ok(())
}

/// A string of which only the beginning has arrived.
async fn reader(client: &Connection, peer: &mut Peer, text: &[u8]) -> Result<BulkReader> {
    let call = started(client.get("film").reader()).await;
    peer.expect(&["GET", "film"]).await;
    peer.send(&bulk(text)[..1000]).await;
    Ok(call.await?.expect("there is a value"))
}

#[tokio::test]
async fn a_string_is_read_in_pieces() -> Result<()> {
    let (client, mut peer) = connected().await;
    let text: Vec<u8> = (0..1_000_003u32).map(|n| (n % 251) as u8).collect();
    let reply = bulk(&text);
    let mut film = reader(&client, &mut peer, &text).await?;
    assert_eq!(film.remaining(), text.len() as u64);
    let first: Bytes = film.next().await.transpose()?.expect("a piece");
    assert_eq!(first, text[..first.len()]);
    assert_eq!(film.remaining(), (text.len() - first.len()) as u64);
    let mut read = first.to_vec();
    let reading = async {
        while let Some(piece) = film.next().await {
            read.extend(piece?);
        }
        Ok::<_, Error>(film.remaining())
    };
    let after = started(client.get("k")).await;
    let serving = async {
        peer.expect(&["GET", "k"]).await;
        peer.send([&reply[1000..], &bulk("v")].concat()).await;
    };
    let (left, ()) = tokio::join!(reading, serving);
    assert_eq!(left?, 0);
    assert!(read == text);
    assert_eq!(after.await?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::test]
async fn a_string_is_an_async_read() -> Result<()> {
    let (client, mut peer) = connected().await;
    let text = "a line\nanother line\n".repeat(10_000);
    for size in [999, 1001, 65_536] {
        let mut film = reader(&client, &mut peer, text.as_bytes()).await?;
        let serving = async {
            for piece in bulk(&text)[1000..].chunks(size) {
                peer.send(piece).await;
                settle().await;
            }
        };
        let mut read = String::new();
        let (result, ()) = tokio::join!(film.read_to_string(&mut read), serving);
        assert_eq!(result.ok(), Some(text.len()));
        assert!(read == text);
    }
    let film = reader(&client, &mut peer, text.as_bytes()).await?;
    let reading = async {
        let mut lines = film.lines();
        let mut count = 0;
        while lines.next_line().await.expect("a line").is_some() {
            count += 1;
        }
        count
    };
    let reply = bulk(&text);
    let (count, ()) = tokio::join!(reading, peer.send(&reply[1000..]));
    assert_eq!(count, 20_000);
    Ok(())
}

#[tokio::test]
async fn small_strings_and_none_are_read_the_same_way() -> Result<()> {
    let (client, mut peer) = connected().await;
    for (reply, expected) in [
        ("$2 hi", Some("hi")),
        ("=6 txt:hi", Some("hi")),
        ("$0 ", Some("")),
        ("_", None),
        ("$-1", None),
    ] {
        let call = started(client.get("film").reader()).await;
        peer.answer(&["GET", "film"], resp(reply)).await;
        let film = call.await?;
        assert_eq!(film.is_some(), expected.is_some());
        let Some(mut film) = film else { continue };
        let mut read = String::new();
        film.read_to_string(&mut read)
            .await
            .expect("it is here already");
        assert_eq!(Some(read.as_str()), expected);
        assert!(film.next().await.is_none());
    }
    let call = started(client.get("film").reader()).await;
    peer.answer(&["GET", "film"], "-WRONGTYPE no\r\n").await;
    let error = call.await.map(drop).expect_err("the server said no");
    assert_eq!(error.code(), Some("WRONGTYPE"));
    Ok(())
}

#[tokio::test]
async fn the_server_waits_for_the_reader() -> Result<()> {
    let (client, mut peer) = connected().await;
    let text = vec![b'x'; 5_000_000];
    let mut film = reader(&client, &mut peer, &text).await?;
    let reply = bulk(&text);
    let sent = 1000 + peer.send_what_is_taken(&reply[1000..]).await;
    assert!(sent < 700_000, "{sent} bytes were read for nobody");
    let mut sink = tokio::io::sink();
    let (copied, ()) = tokio::join!(
        tokio::io::copy(&mut film, &mut sink),
        peer.send(&reply[sent..])
    );
    assert_eq!(copied.ok(), Some(text.len() as u64));
    Ok(())
}

#[tokio::test]
async fn a_string_that_breaks_off_is_an_error() -> Result<()> {
    let (client, mut peer) = connected().await;
    let text = vec![b'x'; 100_000];
    let mut film = reader(&client, &mut peer, &text).await?;
    peer.close();
    let mut read = Vec::new();
    let error = film
        .read_to_end(&mut read)
        .await
        .expect_err("the rest does not come");
    assert!(
        error
            .to_string()
            .contains("the server closed the connection"),
        "{error}"
    );
    let source = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(source.map(Error::kind), Some(ErrorKind::ConnectionLost));
    assert!(read.iter().eq(&text[..read.len()]));

    // The end is where the length says, with a CRLF.
    let (client, mut peer) = connected().await;
    let film = reader(&client, &mut peer, &text).await?;
    let mut rest = bulk(&text)[1000..].to_vec();
    rest.truncate(rest.len() - 2);
    rest.extend(b"??");
    let mut film = film;
    let (result, ()) = tokio::join!(film.read_to_end(&mut read), peer.send(rest));
    let error = result.expect_err("no CRLF");
    let source = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(source.map(Error::kind), Some(ErrorKind::Protocol));
    Ok(())
}

#[tokio::test]
async fn a_dropped_reader_is_skipped() -> Result<()> {
    let (client, mut peer) = connected().await;
    let text = vec![b'x'; 1_000_000];
    let mut film = reader(&client, &mut peer, &text).await?;
    assert!(film.next().await.is_some());
    let after = started(client.get("k")).await;
    peer.expect(&["GET", "k"]).await;
    drop(film);
    peer.send([&bulk(&text)[1000..], &bulk("v")].concat()).await;
    assert_eq!(after.await?.as_deref(), Some("v"));
    Ok(())
}
