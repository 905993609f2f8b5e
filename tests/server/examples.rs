//! Every example of the command table, on every server that has the command.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use redis_client::prelude::*;
use redis_client::{Example, Since};
use redis_test_support::{Fork, Server, Version};
use tokio::time::timeout;

use crate::each_server::{Failure, Place, for_each_server};

#[allow(clippy::unwrap_used, reason = "examples are short")]
const EXAMPLES: &[Example] = redis_client::examples!("../commands.json");

#[test]
fn examples() {
    let report = Mutex::new(BTreeMap::new());
    for_each_server(async |client, place| {
        let mut ran = 0;
        let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut tested = Vec::new();
        let mut failures = String::new();
        for example in EXAMPLES {
            if !has(&place.server, example.since) {
                skipped
                    .entry(example.command)
                    .or_default()
                    .push(example.method);
                continue;
            }
            ran += 1;
            tested.push(example.command);
            if let Err(failure) = run(example, place).await {
                write!(
                    failures,
                    "\n{}, `{}`, on {place}: {failure}",
                    example.command, example.method
                )?;
            }
        }
        report
            .lock()
            .expect("no test panics with it")
            .insert(place.to_string(), (ran, skipped.clone()));
        skipped.retain(|command, _| !tested.contains(command));
        for command in skipped.keys() {
            if knows(client, command).await? {
                write!(
                    failures,
                    "\n{command} was skipped on {place}, which has it: is its `since` right?"
                )?;
            }
        }
        assert!(failures.is_empty(), "examples failed: {failures}");
        Ok(())
    });
    for (place, (ran, skipped)) in report.into_inner().expect("no test panics with it") {
        let methods: Vec<&str> = skipped.into_values().flatten().collect();
        let (count, methods) = (methods.len(), methods.join(", "));
        // Told also where the test runner captures what tests print.
        let line =
            format!("{place}: {ran} examples ran, {count} skipped as it does not have {methods}\n");
        let _ = io::stdout().write_all(line.as_bytes());
    }
}

/// Runs an example with two connections of its own, on an empty server, or on one of its own.
async fn run(example: &Example, place: &Place) -> Result<(), String> {
    let own;
    let config = if example.own_server {
        own = Server::start(place.kind);
        let config: Config = own
            .url()
            .parse()
            .map_err(|error: Error| error.to_string())?;
        config.protocol(place.protocol)
    } else {
        place.config()
    };
    let connect = async || -> redis_client::Result<_> {
        let client = config.clone().connect().await?;
        client.flushall().await?;
        client.script_flush().await?;
        client.function_flush().await?;
        Ok((client, config.clone().connect().await?))
    };
    let (client, other) = connect().await.map_err(|error| error.to_string())?;
    let example = example.run;
    // A task catches a panic, which has printed its message and place already.
    let example = tokio::spawn(async move { timeout(PATIENCE, example(&client, &other)).await });
    match example.await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(_)) => Err(format!("not done within {PATIENCE:?}")),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => panic_message(&*panic),
            Err(error) => error.to_string(),
        }),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref().copied());
    text.unwrap_or("a panic").to_owned()
}

/// Whether a server is new enough.
fn has(server: &Server, since: Since) -> bool {
    let since = match server.fork() {
        Fork::Redis => since.redis,
        Fork::Valkey => since.valkey,
    };
    since.is_some_and(|since| {
        server.version() >= Version::parse(since).expect("the table has versions")
    })
}

/// Whether the server says that it has a command.
async fn knows(client: &Connection, command: &str) -> Result<bool, Failure> {
    let name = command.replace(' ', "|");
    let info = client.command("COMMAND INFO").arg(name).await?;
    Ok(info
        .as_array()
        .is_some_and(|commands| !commands.iter().all(Value::is_null)))
}

/// Far more than an example needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
