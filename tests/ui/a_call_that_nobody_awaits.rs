#![deny(unused_must_use)]

use redis_client::prelude::*;

async fn mistake(client: Connection) {
    client.incr("visits");
    client.set("key", "value").expire(60);
    client.command("MY.CMD").key("key");
}

fn main() {}
