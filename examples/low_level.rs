//! The low level: the protocol over a stream of your own, and commands by their names.

use redis_client::prelude::*;
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;

    // Over anything that carries bytes: a tunnel, a proxy, a pipe to a fake server. The address in
    // the configuration does not count here, and a lost connection is not made anew.
    let stream = TcpStream::connect(address(&url)).await?;
    let config: Config = url.parse()?;
    let protocol = config.connect_over(stream).await?;
    protocol.set("example:my_key", "my_value").await?;
    let result = protocol.get("example:my_key").await?;
    assert_eq!(result.as_deref(), Some("my_value"));

    // A command by its name: of a module, or newer than this library. Say which arguments are keys,
    // what class of command it is, and what it replies.
    let length = protocol
        .command("STRLEN")
        .key("example:my_key")
        .readonly()
        .reply::<kind::Integer>()
        .await?;
    assert_eq!(length, 8);
    println!("{result:?} has {length} characters");

    // Without a kind of reply it is a tree.
    let reply = protocol
        .command("OBJECT ENCODING")
        .key("example:my_key")
        .await?;
    assert_eq!(reply, Value::from("embstr"));

    // Blocking: then it may take longer than other commands, and a pool gives it its own connection.
    protocol.delete(["example:line"]).await?;
    protocol.rpush("example:line", ["first", "second"]).await?;
    let popped = protocol
        .command("BRPOP")
        .key("example:line")
        .arg(1)
        .blocking(1)
        .reply::<kind::BlockingPopReply>()
        .await?;
    assert_eq!(popped.value, "second");
    Ok(())
}

/// `host:port` of `redis://user:password@host:port/db?options`.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, address)| address)
}
