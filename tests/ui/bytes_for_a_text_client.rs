use redis_client::prelude::*;

async fn mistake(client: Connection, bytes: Vec<u8>) {
    let _ = client.set("key", b"\xff").await;
    let _ = client.set("key", bytes).await;
}

fn main() {}
