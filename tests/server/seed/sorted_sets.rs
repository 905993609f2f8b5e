use std::collections::HashMap;

use redis_client::prelude::*;

use crate::each_server::{Failure, for_each_server};

#[test]
fn scores_and_ranks() {
    for_each_server(async |client, _| {
        assert_eq!(client.zscore("board", "a").await?, None);
        fill(client).await?;
        assert_eq!(client.zscore("board", "a").await?, Some(4.0));
        assert_eq!(client.zscore("board", "unknown").await?, None);
        assert_eq!(
            client.zmscore("board", ["c", "unknown"]).await?,
            [Some(5.5), None]
        );
        assert_eq!(client.zcard("board").await?, 3);
        assert_eq!(client.zrank("board", "a").await?, Some(0));
        assert_eq!(client.zrank("board", "c").await?, Some(2));
        assert_eq!(client.zrank("board", "unknown").await?, None);
        assert_eq!(client.zrevrank("board", "a").await?, Some(2));
        assert_eq!(client.zrevrank("board", "c").await?, Some(0));
        assert_eq!(client.zrevrank("board", "unknown").await?, None);
        assert_eq!(client.zincrby("board", 1.1, "a").await?, 5.1);
        assert_eq!(client.zincrby("board", -1, "new").await?, -1.0);
        assert_eq!(client.zrem("board", ["a", "unknown"]).await?, 1);
        assert_eq!(client.zrem("board", ["a"]).await?, 0);
        Ok(())
    });
}

/// Doubles go to the server and come back bit by bit, in both protocols.
#[test]
fn scores_are_exact() {
    const SCORES: [f64; 9] = [
        0.1,
        -0.30000000000000004,
        1e-300,
        1.7976931348623157e308,
        5e-324,
        9007199254740993.0,
        1e21,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    for_each_server(async |client, _| {
        for score in SCORES {
            client.zadd("board", [("member", score)]).await?;
            assert_eq!(client.zscore("board", "member").await?, Some(score));
            assert_eq!(
                client.zrange_asdict("board").await?,
                dict([("member", score)])
            );
            let members = client
                .zrangebyscore_asdict("board")
                .min(score)
                .max(score)
                .await?;
            assert_eq!(members, dict([("member", score)]));
        }
        Ok(())
    });
}

#[test]
fn ranges_by_index() {
    for_each_server(async |client, _| {
        fill(client).await?;
        let all = [("a", 4.0), ("b", 5.0), ("c", 5.5)];
        assert_eq!(client.zrange("board").await?.asdict().await?, dict(all));
        assert_eq!(client.zrange_asdict("board").await?, dict(all));
        assert_eq!(
            client.zrange("board").await?.aslist().await?,
            ["a", "b", "c"]
        );
        let in_order: Vec<(String, f64)> = client.zrange("board").await?.collect().await?;
        assert_eq!(
            in_order,
            all.map(|(member, score)| (member.to_owned(), score))
        );
        assert_eq!(
            client.zrange_asdict("board").start(-2).stop(-1).await?,
            dict([("b", 5.0), ("c", 5.5)])
        );
        assert!(client.zrange_asdict("unknown").await?.is_empty());

        assert_eq!(client.zrevrange_asdict("board").await?, dict(all));
        assert_eq!(
            client.zrevrange("board").await?.aslist().await?,
            ["c", "b", "a"]
        );
        assert_eq!(
            client.zrevrange("board").stop(0).await?.aslist().await?,
            ["c"]
        );
        Ok(())
    });
}

/// What each pair of boundaries leaves of the scores 4, 5 and 5.5.
#[test]
fn boundaries() {
    let number = ZScoreBoundary::new;
    let cases = [
        (ZScoreBoundary::MIN, ZScoreBoundary::MAX, "abc"),
        (number(4.5), ZScoreBoundary::MAX, "bc"),
        (number(5.0), number(5.5), "bc"),
        (number(5.0).excluded(), number(5.5), "c"),
        (number(5.0), number(5.5).excluded(), "b"),
        (number(5.0).excluded(), number(5.5).excluded(), ""),
        (ZScoreBoundary::MIN, number(4.0), "a"),
        (ZScoreBoundary::MIN.excluded(), number(4.0), "a"),
        (
            number(4.0).excluded(),
            number(f64::INFINITY).excluded(),
            "bc",
        ),
        (number(f64::NEG_INFINITY), number(4.0).excluded(), ""),
        (6.into(), 4.into(), ""),
    ];
    for_each_server(async |client, _| {
        for (min, max, expected) in cases {
            fill(client).await?;
            let case = format!("{min:?} to {max:?}");
            let up = client
                .zrangebyscore("board")
                .min(min)
                .max(max)
                .await?
                .aslist()
                .await?;
            assert_eq!(up.concat(), expected, "{case}");
            let down = client
                .zrevrangebyscore("board")
                .min(min)
                .max(max)
                .await?
                .aslist()
                .await?;
            assert_eq!(
                down.concat(),
                expected.chars().rev().collect::<String>(),
                "{case}"
            );
            let with_scores = client
                .zrangebyscore_asdict("board")
                .min(min)
                .max(max)
                .await?;
            assert_eq!(with_scores.len(), expected.len(), "{case}");
            let reversed = client
                .zrevrangebyscore_asdict("board")
                .min(min)
                .max(max)
                .await?;
            assert_eq!(reversed, with_scores, "{case}");
            let count = i64::try_from(expected.len())?;
            assert_eq!(client.zcount("board", min, max).await?, count, "{case}");
            assert_eq!(
                client.zremrangebyscore("board").min(min).max(max).await?,
                count,
                "{case}"
            );
            assert_eq!(client.zcard("board").await?, 3 - count, "{case}");
        }
        Ok(())
    });
}

#[test]
fn offset_and_limit() {
    for_each_server(async |client, _| {
        fill(client).await?;
        assert_eq!(
            client
                .zrangebyscore("board")
                .limit(1)
                .await?
                .aslist()
                .await?,
            ["a"]
        );
        assert_eq!(
            client
                .zrangebyscore("board")
                .offset(1)
                .await?
                .aslist()
                .await?,
            ["b", "c"]
        );
        assert_eq!(
            client
                .zrangebyscore("board")
                .offset(1)
                .limit(1)
                .await?
                .aslist()
                .await?,
            ["b"]
        );
        assert_eq!(
            client
                .zrevrangebyscore("board")
                .limit(1)
                .await?
                .aslist()
                .await?,
            ["c"]
        );
        assert_eq!(
            client
                .zrevrangebyscore("board")
                .offset(1)
                .await?
                .aslist()
                .await?,
            ["b", "a"]
        );
        Ok(())
    });
}

#[test]
fn removal_by_rank() {
    for_each_server(async |client, _| {
        fill(client).await?;
        assert_eq!(client.zremrangebyrank("board").await?, 3);
        assert!(client.zrange_asdict("board").await?.is_empty());
        fill(client).await?;
        assert_eq!(client.zremrangebyrank("board").min(2).await?, 1);
        assert_eq!(client.zrange("board").await?.aslist().await?, ["a", "b"]);
        fill(client).await?;
        assert_eq!(client.zremrangebyrank("board").max(1).await?, 2);
        assert_eq!(client.zrange("board").await?.aslist().await?, ["c"]);
        Ok(())
    });
}

#[test]
fn unions_and_intersections() {
    for_each_server(async |client, _| {
        fill(client).await?;
        client
            .zadd(
                "other",
                HashMap::from([("a", -1.0), ("b", 1.5), ("d", 9.0)]),
            )
            .await?;
        let keys = ["board", "other"];
        let stored = async || client.zrange_asdict("result").await;

        assert_eq!(client.zunionstore("result", keys).await?, 4);
        assert_eq!(
            stored().await?,
            dict([("a", 3.0), ("b", 6.5), ("c", 5.5), ("d", 9.0)])
        );
        assert_eq!(
            client
                .zunionstore("result", keys)
                .weights([1.0, 1.5])
                .await?,
            4
        );
        assert_eq!(
            stored().await?,
            dict([("a", 2.5), ("b", 7.25), ("c", 5.5), ("d", 13.5)])
        );
        client
            .zunionstore("result", keys)
            .weights([2, 1])
            .aggregate(ZAggregate::Max)
            .await?;
        assert_eq!(
            stored().await?,
            dict([("a", 8.0), ("b", 10.0), ("c", 11.0), ("d", 9.0)])
        );

        assert_eq!(client.zinterstore("result", keys).await?, 2);
        assert_eq!(stored().await?, dict([("a", 3.0), ("b", 6.5)]));
        assert_eq!(
            client
                .zinterstore("result", keys)
                .weights([1.0, 1.5])
                .await?,
            2
        );
        assert_eq!(stored().await?, dict([("a", 2.5), ("b", 7.25)]));
        for (aggregate, expected) in [
            (ZAggregate::Sum, [("a", 3.0), ("b", 6.5)]),
            (ZAggregate::Min, [("a", -1.0), ("b", 1.5)]),
            (ZAggregate::Max, [("a", 4.0), ("b", 5.0)]),
        ] {
            client
                .zinterstore("result", keys)
                .aggregate(aggregate)
                .await?;
            assert_eq!(stored().await?, dict(expected), "{aggregate:?}");
            assert_eq!(
                client.zinter_asdict(keys).aggregate(aggregate).await?,
                dict(expected),
                "{aggregate:?}"
            );
        }
        assert_eq!(client.zdiff_asdict(keys).await?, dict([("c", 5.5)]));
        Ok(())
    });
}

#[test]
fn pops() {
    for_each_server(async |client, _| {
        fill(client).await?;
        assert_eq!(client.zpopmin("board").await?, [("a".to_owned(), 4.0)]);
        assert_eq!(
            client.zpopmax("board").count(5).await?,
            [("c".to_owned(), 5.5), ("b".to_owned(), 5.0)]
        );
        assert!(client.zpopmax("board").await?.is_empty());
        Ok(())
    });
}

async fn fill(client: &Connection) -> Result<(), Failure> {
    client.delete(["board"]).await?;
    assert_eq!(
        client
            .zadd("board", HashMap::from([("a", 4.0), ("b", 5.0), ("c", 5.5)]))
            .await?,
        3
    );
    Ok(())
}

fn dict<const N: usize>(members: [(&str, f64); N]) -> HashMap<String, f64> {
    members
        .map(|(member, score)| (member.to_owned(), score))
        .into()
}
