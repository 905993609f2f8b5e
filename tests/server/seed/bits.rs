use redis_client::prelude::*;

use crate::each_server::for_each_server;

#[test]
fn bitops() {
    for_each_server(async |client, _| {
        let (a, b) = (b'f', b'5');
        client.mset([("a", "fff"), ("b", "555")]).await?;
        assert_eq!(client.bitcount("a").await?, 3 * i64::from(a.count_ones()));
        assert_eq!(
            client.bitcount("a").start(1).end(1).await?,
            i64::from(a.count_ones())
        );
        assert_eq!(
            client
                .bitcount("a")
                .start(0)
                .end(3)
                .unit(BitUnit::Bit)
                .await?,
            2
        );

        let raw = client.with_encoder(Raw);
        assert_eq!(client.bitop_and("result", ["a", "b"]).await?, 3);
        assert_eq!(raw.get("result").await?.as_deref(), Some(&[a & b; 3][..]));
        assert_eq!(client.bitop_or("result", ["a", "b"]).await?, 3);
        assert_eq!(raw.get("result").await?.as_deref(), Some(&[a | b; 3][..]));
        assert_eq!(client.bitop_xor("result", ["a", "b"]).await?, 3);
        assert_eq!(raw.get("result").await?.as_deref(), Some(&[a ^ b; 3][..]));
        assert_eq!(client.bitop_not("result", "a").await?, 3);
        assert_eq!(raw.get("result").await?.as_deref(), Some(&[!a; 3][..]));

        let error = client.get("result").await.expect_err("that is no text");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Decode, Outcome::Executed)
        );
        assert!(error.message().contains("with_encoder(Raw)"), "{error}");
        Ok(())
    });
}

#[test]
fn single_bits() {
    for_each_server(async |client, _| {
        client.set("key", "fff").await?;
        assert!(!client.getbit("key", 3).await?);
        // The old value.
        assert!(!client.setbit("key", 3, true).await?);
        assert!(client.getbit("key", 3).await?);
        assert!(client.setbit("key", 3, false).await?);
        assert!(!client.getbit("key", 1_000_000).await?);
        assert_eq!(client.bitpos("key", true).await?, 1);
        assert_eq!(client.bitpos("key", false).start(1).await?, 8);
        assert_eq!(client.bitpos("unknown", true).await?, -1);
        Ok(())
    });
}
