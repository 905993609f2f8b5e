//! Publish/subscribe: channels, patterns, a stream of messages, and what a lost connection looks like.

use futures_util::{StreamExt, TryStreamExt};
use redis_client::{Gap, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let publisher = Connection::connect(&url).await?;
    let config: Config = url.parse()?;
    let reader = config.client_name("news-reader").connect().await?;

    let mut subscription = reader.start_subscribe().await?;
    subscription.subscribe(["example:news"]).await?;
    subscription.psubscribe(["example:weather.*"]).await?;

    publisher.publish("example:news", "It works").await?;
    publisher.publish("example:weather.berlin", "rain").await?;

    let message = subscription.next_published().await?;
    assert_eq!(message.channel, "example:news");
    assert_eq!(message.value, "It works");
    assert_eq!(message.pattern, None);
    let message = subscription.next_published().await?;
    assert_eq!(message.channel, "example:weather.berlin");
    assert_eq!(message.pattern.as_deref(), Some("example:weather.*"));
    println!("{}: {}", message.channel, message.value);

    // When the connection is lost, the subscription is made anew. Messages of the time between are
    // lost, which is good to know for whoever keeps a copy of something.
    kill(&publisher, "news-reader").await?;
    let event = subscription.next_event().await?;
    assert!(
        matches!(event, PubSubEvent::Gap(Gap::ConnectionLost)),
        "{event:?}"
    );
    let event = subscription.next_event().await?;
    assert!(matches!(event, PubSubEvent::Restored), "{event:?}");
    println!("killed, and back again");

    // A subscription is a stream. Here the events that are no messages are of no interest.
    subscription.punsubscribe(["example:weather.*"]).await?;
    for number in 1..=3 {
        publisher.publish("example:weather.berlin", "sun").await?; // Not for us any more.
        publisher.publish("example:news", number).await?;
    }
    let numbers: Vec<String> = subscription
        .by_ref()
        .try_filter_map(async |event| match event {
            PubSubEvent::Message(message) => Ok(Some(message.value)),
            _ => Ok(None),
        })
        .take(3)
        .try_collect()
        .await?;
    assert_eq!(numbers, ["1", "2", "3"]);

    // The subscription ends when it is dropped.
    drop(subscription);
    while publisher.publish("example:news", "Anybody there?").await? > 0 {}
    Ok(())
}

/// What an administrator, a failover or a bad network does.
async fn kill(admin: &Connection, name: &str) -> redis_client::Result<()> {
    for client in admin.client_list().type_(ClientType::PubSub).await? {
        if client.text("name") == Some(name) {
            admin.client_kill_filter().id(client.id()).await?;
        }
    }
    Ok(())
}
