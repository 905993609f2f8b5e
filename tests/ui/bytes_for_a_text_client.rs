use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.set("key", b"\xff").await;
}

fn main() {}
