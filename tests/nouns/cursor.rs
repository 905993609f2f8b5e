use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use redis_client::bytes::Bytes;
use redis_client::prelude::*;
use tokio::time::timeout;

use crate::each_server::{Failure, eventually, for_each_server};
use crate::kill_others;

const SIZE: usize = 10_000;

#[test]
fn ten_thousand_elements() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        fill(client).await?;
        let names: BTreeSet<String> = (0..SIZE).map(name).collect();

        // A large count: what is tested is that nothing is missing, not how often the server is asked.
        let mut keys = BTreeSet::new();
        let mut scan = client.scan().match_("name *").type_("string").count(1_000);
        while let Some(key) = scan.fetchone().await? {
            keys.insert(key);
        }
        assert!(keys == names && scan.fetchone().await?.is_none());
        let all = pool.scan().match_("name *").count(1_000).fetchall().await?;
        assert_eq!(
            (all.len(), all.into_iter().collect::<BTreeSet<_>>() == names),
            (SIZE, true)
        );
        let others: BTreeSet<String> = pool
            .scan()
            .type_("hash")
            .count(SIZE as u32)
            .fetchall()
            .await?
            .into_iter()
            .collect();
        assert_eq!(others, ["hash".to_owned()].into());

        let members = pool.sscan("set").count(500).fetchall().await?;
        assert_eq!(members.into_iter().collect::<BTreeSet<_>>(), names);
        let fields: BTreeMap<String, String> = client
            .hscan("hash")
            .count(500)
            .fetchall()
            .await?
            .into_iter()
            .collect();
        assert!(fields.len() == SIZE && fields.iter().all(|(field, value)| field == value));
        let scores = pool.zscan("board").count(500).fetchall().await?;
        assert!(
            scores.len() == SIZE
                && (0..SIZE).all(|i| scores.get(&name(i)) == Some(&(i as f64 + 0.5)))
        );
        Ok(())
    });
}

#[test]
fn a_part_of_it() {
    for_each_server(async |client, _| {
        fill(client).await?;
        let expected: BTreeSet<String> = (0..SIZE)
            .map(name)
            .filter(|name| name.ends_with("99"))
            .collect();
        let found = client
            .sscan("set")
            .match_("*99")
            .count(1_000)
            .fetchall()
            .await?;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        let found = client
            .hscan("hash")
            .match_("*99")
            .count(1_000)
            .fetchall()
            .await?;
        assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);
        let found = client
            .zscan("board")
            .match_("*99")
            .count(1_000)
            .fetchall()
            .await?;
        assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);
        // Pages without a match are not the end.
        assert_eq!(
            client.sscan("set").match_(name(7)).fetchone().await?,
            Some(name(7))
        );
        assert_eq!(
            client.sscan("set").match_("unknown").fetchone().await?,
            None
        );
        assert_eq!(
            client
                .scan()
                .match_("unknown*")
                .count(5_000)
                .fetchall()
                .await?,
            [""; 0]
        );
        for unknown in [
            client.sscan("unknown").fetchall().await?.len(),
            client.zscan("unknown").fetchall().await?.len(),
        ] {
            assert_eq!(unknown, 0);
        }
        assert!(client.hscan("unknown").fetchone().await?.is_none());
        Ok(())
    });
}

/// The size of a page may change on the way; the server is asked as often as that says.
#[test]
fn pages() {
    for_each_server(async |client, _| {
        fill(client).await?;
        let asked = async || -> Result<u64, Failure> {
            let info = client.info().section("commandstats").await?;
            let calls = info
                .text("cmdstat_sscan")
                .and_then(|text| text.strip_prefix("calls=")?.split(',').next()?.parse().ok());
            Ok(calls.unwrap_or(0))
        };
        let mut cursor = client.sscan("set");
        let before = asked().await?;
        assert!(cursor.fetchone().await?.is_some());
        assert_eq!(asked().await? - before, 1);
        cursor.set_count(20_000);
        let mut elements = HashSet::new();
        while let Some(element) = cursor.fetchone().await? {
            elements.insert(element);
        }
        assert!(elements.len() >= SIZE - 1, "{}", elements.len());
        assert!(asked().await? - before < 10, "{}", asked().await? - before);
        Ok(())
    });
}

#[test]
fn as_streams() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        fill(client).await?;
        let keys: HashSet<String> = pool
            .scan()
            .match_("name *")
            .count(2_000)
            .try_collect()
            .await?;
        assert_eq!(keys.len(), SIZE);
        let sum = client
            .zscan("board")
            .count(2_000)
            .map_ok(|(_, score)| score)
            .try_fold(0.0, async |sum, score| Ok(sum + score))
            .await?;
        assert!(sum >= 50_000_000.0, "{sum}");
        let first: Vec<_> = client.hscan("hash").take(5).collect().await;
        assert!(first.len() == 5 && first.iter().all(Result::is_ok));
        // A cursor may be left anywhere, and polled by somebody else.
        let mut cursor = pool.sscan("set");
        drop(timeout(Duration::ZERO, cursor.next()).await);
        let rest: HashSet<String> = tokio::spawn(cursor.try_collect()).await??;
        assert!(rest.len() >= SIZE - 1);
        Ok(())
    });
}

/// What is there all the time comes, whatever else comes and goes.
#[test]
fn others_write_meanwhile() {
    for_each_server(async |client, _| {
        fill(client).await?;
        let mut cursor = client.sscan("set").count(200);
        let mut found = HashSet::new();
        let mut round = 0;
        while let Some(member) = cursor.fetchone().await? {
            found.insert(member);
            if found.len() % 500 == 0 {
                round += 1;
                client
                    .sadd("set", (0..500).map(|i| format!("new {round} {i}")))
                    .await?;
                client
                    .srem("set", (0..500).map(|i| format!("new {} {i}", round - 1)))
                    .await?;
            }
        }
        assert!(
            (0..SIZE).all(|i| found.contains(&name(i))),
            "{} are missing",
            SIZE - found.len().min(SIZE)
        );
        // Members that come twice are given once.
        let all = client.scan().match_("name *").count(10).fetchall().await?;
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        Ok(())
    });
}

/// An error is not the end: the next attempt goes on from where the cursor is.
#[test]
fn an_error_in_the_middle() {
    for_each_server(async |killer, place| {
        fill(killer).await?;
        // SSCAN is repeated by itself where connections are made anew.
        let client = place.connect().await?;
        let mut cursor = client.sscan("set").count(100);
        let mut found = HashSet::new();
        while let Some(member) = cursor.fetchone().await? {
            found.insert(member);
            if found.len() % 1_000 == 1 {
                kill_others(killer).await?;
            }
        }
        assert_eq!(found.len(), SIZE);

        // A command that the server refuses for a while.
        let mut cursor = client.sscan("set").count(100);
        let mut found = HashSet::new();
        let mut errors = 0;
        loop {
            match cursor.fetchone().await {
                Ok(Some(member)) => {
                    found.insert(member);
                    if found.len() == 1_000 || found.len() == 5_000 {
                        killer
                            .command("ACL SETUSER")
                            .args(["default", "-sscan"])
                            .await?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(
                        (error.code(), error.command()),
                        (Some("NOPERM"), Some("SSCAN")),
                        "{error}"
                    );
                    errors += 1;
                    if errors % 3 == 0 {
                        killer
                            .command("ACL SETUSER")
                            .args(["default", "+sscan"])
                            .await?;
                    }
                }
            }
        }
        assert_eq!((found.len(), errors), (SIZE, 6));

        // A connection that stays lost, in a pool that has others.
        let pool = Pool::builder(place.config().auto_reconnect(false))
            .poolsize(2)
            .connect()
            .await?;
        let mut cursor = pool.sscan("set").count(100);
        let mut found = HashSet::new();
        let mut kills = 0;
        loop {
            match cursor.fetchone().await {
                Ok(Some(member)) => {
                    found.insert(member);
                    if found.len() / 2_000 > kills {
                        kills += 1;
                        kill_others(killer).await?;
                        eventually("it is noticed", async || pool.connections_connected() == 0)
                            .await;
                    }
                }
                Ok(None) => break,
                Err(error) => assert!(error.is_disconnected(), "{error}"),
            }
        }
        assert_eq!(found.len(), SIZE);
        Ok(())
    });
}

#[test]
fn the_wrong_type() {
    for_each_server(async |client, _| {
        client.set("text", "value").await?;
        let wrong = [
            client
                .sscan("text")
                .fetchone()
                .await
                .map(drop)
                .expect_err("it is no set"),
            client
                .hscan("text")
                .fetchall()
                .await
                .map(drop)
                .expect_err("it is no hash"),
            client
                .zscan("text")
                .next()
                .await
                .ok_or("it says so")?
                .map(drop)
                .expect_err("it is no sorted set"),
        ];
        for (error, name) in wrong.into_iter().zip(["SSCAN", "HSCAN", "ZSCAN"]) {
            assert_eq!(
                (error.code(), error.command(), error.outcome()),
                (Some("WRONGTYPE"), Some(name), Outcome::Rejected),
                "{error}"
            );
        }
        Ok(())
    });
}

#[test]
fn bytes() {
    for_each_server(async |client, place| {
        let raw = client.with_encoder(Raw);
        let pool = Pool::builder(place.config().encoder(Raw)).connect().await?;
        raw.set(b"\xff key", "value").await?;
        raw.sadd(b"\xff set", [b"\x00", b"\xfe"]).await?;
        raw.hset_multiple(b"\xff hash", [(b"\xfd", b"\xfc")])
            .await?;
        raw.zadd(b"\xff board", [(b"\xfb", 0.5)]).await?;
        let keys = pool.scan().match_(b"\xff*y").count(100).fetchall().await?;
        assert_eq!(keys, [&b"\xff key"[..]]);
        let members = pool.sscan(b"\xff set").fetchall().await?;
        assert_eq!(
            members,
            [&b"\x00"[..], b"\xfe"].map(Bytes::from_static).into()
        );
        assert_eq!(
            raw.hscan(b"\xff hash").fetchone().await?,
            Some((Bytes::from_static(b"\xfd"), Bytes::from_static(b"\xfc")))
        );
        assert_eq!(
            raw.zscan(b"\xff board").fetchone().await?,
            Some((Bytes::from_static(b"\xfb"), 0.5))
        );
        // What is no text is an error of that page, not a panic.
        let error = client.scan().fetchall().await.expect_err("it is no text");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        Ok(())
    });
}

async fn fill(client: &Connection) -> Result<(), Failure> {
    let names = || (0..SIZE).map(name);
    client
        .mset(names().map(|name| (name.clone(), name)))
        .await?;
    client.sadd("set", names()).await?;
    client
        .hset_multiple("hash", names().map(|name| (name.clone(), name)))
        .await?;
    client
        .zadd("board", names().zip((0..SIZE).map(|i| i as f64 + 0.5)))
        .await?;
    Ok(())
}

fn name(i: usize) -> String {
    format!("name {i}")
}
