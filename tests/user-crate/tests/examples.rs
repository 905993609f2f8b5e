//! The table's examples, on every server that has the command and in both protocols.

use std::collections::HashSet;
use std::time::Duration;

use redis_client::prelude::*;
use redis_client::{Example, Since};
use redis_test_support::{Fork, Server, ServerKind, Version};
use redis_user_crate::args::*;
use redis_user_crate::*;

const EXAMPLES: &[Example] = redis_client::examples!("commands.json");

#[test]
fn examples() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let kinds = ServerKind::available();
    let mut never_ran: HashSet<&str> = EXAMPLES.iter().map(|example| example.method).collect();
    for &kind in &kinds {
        let server = Server::start(kind);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            for example in EXAMPLES {
                if has(&server, example.since) {
                    println!("{}, {kind}, {protocol:?}", example.method);
                    let run = runtime.block_on(run(example, &server, protocol));
                    run.expect("the example runs");
                    never_ran.remove(example.method);
                }
            }
        }
    }
    // Each command is in one of them.
    if kinds == ServerKind::all() {
        assert_eq!(never_ran, HashSet::new());
    }
}

async fn run(example: &Example, server: &Server, protocol: Protocol) -> redis_client::Result<()> {
    let config: Config = server.url().parse()?;
    let config = config.protocol(protocol);
    let (client, other) = (config.clone().connect().await?, config.connect().await?);
    client.flushall().await?;
    let example = (example.run)(&client, &other);
    let done = tokio::time::timeout(Duration::from_secs(10), example).await;
    done.expect("an example is quick")
}

fn has(server: &Server, since: Since) -> bool {
    let since = match server.fork() {
        Fork::Redis => since.redis,
        Fork::Valkey => since.valkey,
    };
    since.is_some_and(|since| server.version() >= Version::parse(since).expect("a version"))
}
