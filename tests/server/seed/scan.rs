use std::collections::{BTreeMap, BTreeSet};

use redis_client::prelude::*;

use crate::each_server::for_each_server;

const SIZE: usize = 1_000;

#[test]
fn keys() {
    for_each_server(async |client, _| {
        client
            .mset((0..SIZE).map(|i| (format!("key:{i}"), i)))
            .await?;
        client.rpush("list", ["a"]).await?;
        for count in [None, Some(7), Some(100_000)] {
            let mut found = BTreeSet::new();
            let mut cursor = 0;
            loop {
                let mut scan = client.scan_part(cursor).match_("key:*");
                if let Some(count) = count {
                    scan = scan.count(count);
                }
                let part = scan.await?;
                found.extend(part.items);
                cursor = part.cursor;
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(found, (0..SIZE).map(|i| format!("key:{i}")).collect());
        }
        let part = client.scan_part(0).type_("list").count(100_000).await?;
        assert_eq!((part.cursor, part.items), (0, vec!["list".to_owned()]));
        let part = client.scan_part(0).match_("unknown").count(100_000).await?;
        assert_eq!((part.cursor, part.items.len()), (0, 0));
        Ok(())
    });
}

#[test]
fn members_of_a_set() {
    for_each_server(async |client, _| {
        let members: BTreeSet<String> = (0..SIZE).map(|i| format!("value-{i}")).collect();
        client.sadd("set", &members).await?;
        let (mut found, mut cursor) = (BTreeSet::new(), 0);
        loop {
            let part = client.sscan_part("set", cursor).await?;
            found.extend(part.items);
            cursor = part.cursor;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(found, members);
        Ok(())
    });
}

#[test]
fn fields_of_a_hash() {
    for_each_server(async |client, _| {
        let fields: BTreeMap<String, String> = (0..SIZE)
            .map(|i| (format!("key-{i}"), format!("value-{i}")))
            .collect();
        client.hmset("hash", &fields).await?;
        let (mut found, mut cursor) = (BTreeMap::new(), 0);
        loop {
            let part = client.hscan_part("hash", cursor).count(50).await?;
            found.extend(part.items);
            cursor = part.cursor;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(found, fields);
        Ok(())
    });
}

#[test]
fn members_of_a_sorted_set() {
    for_each_server(async |client, _| {
        let members: Vec<(String, f64)> = (0..1_000)
            .map(|i| (format!("key-{i}"), f64::from(i) + 0.1))
            .collect();
        client.zadd("board", &members).await?;
        let (mut found, mut cursor) = (Vec::new(), 0);
        loop {
            let part = client.zscan_part("board", cursor).count(50).await?;
            found.extend(part.items);
            cursor = part.cursor;
            if cursor == 0 {
                break;
            }
        }
        found.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        found.dedup();
        assert_eq!(found, members);
        Ok(())
    });
}

/// The same by a cursor, which asks for the next part by itself.
#[test]
fn cursors() {
    for_each_server(async |client, _| {
        let names: BTreeSet<String> = (0..SIZE).map(|i| format!("name {i}")).collect();
        client.mset(names.iter().map(|name| (name, name))).await?;
        let mut cursor = client.scan().match_("name *");
        let mut found = BTreeSet::new();
        while let Some(key) = cursor.fetchone().await? {
            found.insert(key);
        }
        assert_eq!(found, names);
        let all = client.scan().match_("*").count(100).fetchall().await?;
        assert_eq!(all.len(), SIZE);
        assert_eq!(client.dbsize().await?, 1_000);
        assert!(
            client
                .scan()
                .match_("unknown*")
                .fetchall()
                .await?
                .is_empty()
        );
        assert!(client.scan().fetchone().await?.is_some());

        client.sadd("a set", &names).await?;
        assert_eq!(
            client.sscan("a set").fetchall().await?,
            names.iter().cloned().collect()
        );
        client
            .hset_multiple("a hash", names.iter().map(|name| (name, name)))
            .await?;
        let hash = client.hscan("a hash").fetchall().await?;
        assert!(hash.len() == SIZE && hash.iter().all(|(field, value)| field == value));
        client.zadd("a board", names.iter().zip(0..)).await?;
        let mut board = client
            .zscan("a board")
            .match_("name 7*")
            .fetchall()
            .await?
            .into_iter()
            .collect::<Vec<_>>();
        board.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let expected = names
            .iter()
            .zip(0..)
            .filter(|(name, _)| name.starts_with("name 7"));
        assert!(
            board
                .into_iter()
                .eq(expected.map(|(name, score)| (name.clone(), f64::from(score))))
        );
        assert!(client.zscan("unknown").fetchone().await?.is_none());
        Ok(())
    });
}
