//! What can be asked about channels, and publishing.

use std::collections::HashMap;
use std::io;
use std::net::TcpStream;

use redis_client::prelude::*;
use redis_test_support::{Reply, Wire};

use crate::each_server::{Place, for_each_server};

#[test]
fn channels_and_patterns() {
    for_each_server(async |client, place| {
        assert!(client.pubsub_channels_aslist().await?.is_empty());
        assert_eq!(client.publish("news", "to nobody").await?, 0);

        let mut first = Subscriber::new(place, &["SUBSCRIBE", "news"])?;
        let mut second = Subscriber::new(place, &["SUBSCRIBE", "news"])?;
        let _sport = Subscriber::new(place, &["SUBSCRIBE", "sport"])?;
        let mut pattern = Subscriber::new(place, &["PSUBSCRIBE", "n*"])?;

        let mut channels = client.pubsub_channels().await?.aslist().await?;
        channels.sort();
        assert_eq!(channels, ["news", "sport"]);
        assert_eq!(
            client.pubsub_channels_aslist().pattern("s*").await?,
            ["sport"]
        );
        assert!(
            client
                .pubsub_channels_aslist()
                .pattern("unknown*")
                .await?
                .is_empty()
        );

        let expected = [("news", 2), ("sport", 1), ("unknown", 0)];
        let expected: HashMap<String, i64> = expected
            .map(|(channel, count)| (channel.to_owned(), count))
            .into();
        let channels = ["news", "sport", "unknown"];
        assert_eq!(
            client.pubsub_numsub(channels).await?.asdict().await?,
            expected
        );
        assert_eq!(client.pubsub_numsub_asdict(channels).await?, expected);
        assert_eq!(client.pubsub_numpat().await?, 1);

        assert_eq!(client.publish("news", "message").await?, 3);
        assert_eq!(first.next()?, ["message", "news", "message"]);
        assert_eq!(second.next()?, ["message", "news", "message"]);
        assert_eq!(pattern.next()?, ["pmessage", "n*", "news", "message"]);
        assert_eq!(
            client.with_encoder(Raw).publish(b"news", b"bytes").await?,
            3
        );
        assert_eq!(first.next()?, ["message", "news", "bytes"]);
        Ok(())
    });
}

/// A connection of the harness that listens.
struct Subscriber(Wire<TcpStream>);

impl Subscriber {
    fn new(place: &Place, command: &[&str]) -> io::Result<Self> {
        let mut wire = Wire::new(TcpStream::connect(place.server.addr())?);
        wire.command(command)?;
        Ok(Self(wire))
    }

    fn next(&mut self) -> io::Result<Vec<String>> {
        let Reply::Array(parts) = self.0.reply()? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        Ok(parts
            .iter()
            .map(|part| part.text().unwrap_or_default().to_owned())
            .collect())
    }
}
