use redis_client::prelude::*;
use redis_client::{PubSubEvent, PubSubReply};

use crate::each_server::for_each_server;

#[test]
fn channels() {
    for_each_server(async |client, place| {
        let listener = place.connect().await?;
        assert!(!listener.in_pubsub());
        let mut subscription = listener.start_subscribe().await?;
        subscription.subscribe(["one", "two"]).await?;
        subscription.subscribe(["three", "four"]).await?;

        assert_eq!(client.publish("five", "nobody hears it").await?, 0);
        for channel in ["one", "two", "three", "four"] {
            assert_eq!(
                client
                    .publish(channel, format!("message for {channel}"))
                    .await?,
                1
            );
        }
        for channel in ["one", "two", "three", "four"] {
            let message = subscription.next_published().await?;
            assert_eq!(
                parts(&message),
                (channel, format!("message for {channel}").as_str(), None)
            );
        }

        subscription.unsubscribe(["one"]).await?;
        assert_eq!(client.publish("one", "nobody hears it any more").await?, 0);
        client.publish("two", "last").await?;
        assert_eq!(subscription.next_published().await?.value, "last");

        // The connection that it came from is free for commands.
        assert_eq!(listener.ping().await?, "PONG");
        Ok(())
    });
}

#[test]
fn patterns() {
    for_each_server(async |client, place| {
        let mut subscription = place.connect().await?.start_subscribe().await?;
        subscription.psubscribe(["h*llo", "w?rld"]).await?;
        client.publish("other", "nobody hears it").await?;
        for (channel, pattern) in [
            ("hello", "h*llo"),
            ("heello", "h*llo"),
            ("world", "w?rld"),
            ("wArld", "w?rld"),
        ] {
            assert_eq!(client.publish(channel, "message").await?, 1);
            let message = subscription.next_published().await?;
            assert_eq!(parts(&message), (channel, "message", Some(pattern)));
        }
        subscription.subscribe(["hello"]).await?;
        assert_eq!(client.publish("hello", "twice").await?, 2);
        let both = [
            subscription.next_published().await?,
            subscription.next_published().await?,
        ];
        assert!(both.iter().any(|message| message.pattern.is_none()));
        assert!(both.iter().any(|message| message.pattern.is_some()));

        subscription.punsubscribe(["h*llo", "w?rld"]).await?;
        assert_eq!(client.publish("world", "nobody hears it").await?, 0);
        Ok(())
    });
}

#[test]
fn bytes() {
    for_each_server(async |client, place| {
        let listener = place.connect().await?.with_encoder(Raw);
        let mut subscription = listener.start_subscribe().await?;
        subscription.subscribe([b"\xff"]).await?;
        client
            .with_encoder(Raw)
            .publish(b"\xff", b"\x00\r\n\xfe")
            .await?;
        let message = subscription.next_published().await?;
        assert_eq!(
            (&message.channel[..], &message.value[..]),
            (&b"\xff"[..], &b"\x00\r\n\xfe"[..])
        );
        Ok(())
    });
}

/// In RESP3 messages and replies come over one connection.
#[test]
fn commands_and_messages_do_not_mix_up() {
    for_each_server(async |client, place| {
        let listener = place.connect().await?;
        let mut subscription = listener.start_subscribe().await?;
        subscription.subscribe(["numbers"]).await?;
        let (sent, echoed, received) = tokio::join!(
            async {
                for i in 0..2_000 {
                    client.publish("numbers", i).await?;
                }
                Ok::<_, Error>(())
            },
            async {
                for i in 0..2_000 {
                    let unique = format!("echo {i}");
                    assert_eq!(listener.echo(&unique).await?, unique);
                }
                Ok::<_, Error>(())
            },
            async {
                for i in 0..2_000 {
                    assert_eq!(subscription.next_published().await?.value, i.to_string());
                }
                Ok::<_, Error>(())
            },
        );
        sent?;
        echoed?;
        received?;
        Ok(())
    });
}

#[test]
fn subscriptions_come_back_after_a_lost_connection() {
    for_each_server(async |client, place| {
        let mut subscription = place.connect().await?.start_subscribe().await?;
        subscription.subscribe(["news"]).await?;
        client
            .client_kill_filter()
            .type_(ClientType::PubSub)
            .await?;
        assert!(matches!(
            subscription.next_event().await?,
            PubSubEvent::Gap(_)
        ));
        assert!(matches!(
            subscription.next_event().await?,
            PubSubEvent::Restored
        ));
        assert_eq!(client.publish("news", "after").await?, 1);
        assert_eq!(subscription.next_published().await?.value, "after");
        Ok(())
    });
}

fn parts(message: &PubSubReply<String>) -> (&str, &str, Option<&str>) {
    (&message.channel, &message.value, message.pattern.as_deref())
}
