//! A connection that is lost: what is repeated by itself, what is not, and what you can say about it.

use std::time::Duration;

use redis_client::prelude::*;

const JOBS: &str = "example:jobs";
const RUNNING: &str = "example:running";
const EVENTS: &str = "example:events";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let config: Config = url.parse()?;
    let client = config.clone().client_name("reader").connect().await?;
    let admin = Connection::connect(&url).await?;
    client.delete([JOBS, RUNNING, EVENTS]).await?;

    // Lost while nothing is under way: the next call does not notice.
    client.set("example:key", "value").await?;
    kill(&admin, "reader", false).await?;
    assert_eq!(client.get("example:key").await?.as_deref(), Some("value"));

    // Lost while a command that only reads is under way: it is sent again.
    let wait = client.xread([(EVENTS, "0")]).block(10_000);
    let (read, added) = tokio::join!(wait, async {
        kill(&admin, "reader", true).await?;
        admin.xadd(EVENTS, [("kind", "restart")]).await
    });
    let (_stream, events) = &read?.expect("an event")[0];
    assert_eq!(events[0].id, added?);
    println!("read by a repeated call: {events:?}");

    // Lost while a command that writes is under way: it may have been executed. An error says so,
    // and it is for you to know what that means.
    let wait = client.blpop([JOBS]).timeout(10);
    let (popped, killed) = tokio::join!(wait, kill(&admin, "reader", true));
    killed?;
    let error = popped.expect_err("the connection was lost");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.outcome(), Outcome::Unknown);
    println!("{error}");

    // Of this one you know that it may be repeated: a job that was moved and did not arrive here is
    // still in the list of the running ones.
    let wait = client
        .blmove(JOBS, RUNNING, ListEnd::Left, ListEnd::Right)
        .timeout(10)
        .repeatable();
    let (job, pushed) = tokio::join!(wait, async {
        kill(&admin, "reader", true).await?;
        admin.rpush(JOBS, ["job 1"]).await
    });
    pushed?;
    assert_eq!(job?, "job 1");

    // What the connection had been told is told to the new one, too.
    client.client_setname("worker").await?;
    kill(&admin, "worker", false).await?;
    assert_eq!(client.client_getname().await?.as_deref(), Some("worker"));

    // Whoever does not want all this says so.
    let once = config
        .client_name("once")
        .auto_reconnect(false)
        .connect()
        .await?;
    kill(&admin, "once", false).await?;
    let error = once.get("example:key").await.expect_err("it is gone");
    assert!(error.is_disconnected());
    println!("{error}");
    Ok(())
}

/// What an administrator, a failover or a bad network does: closes the connection of this name, when
/// it waits in a blocking command or when it does not.
async fn kill(admin: &Connection, name: &str, waiting: bool) -> redis_client::Result<()> {
    loop {
        for client in admin.client_list().await? {
            let is_waiting = client
                .text("flags")
                .is_some_and(|flags| flags.contains('b'));
            if client.text("name") == Some(name) && is_waiting == waiting {
                admin.client_kill_filter().id(client.id()).await?;
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
