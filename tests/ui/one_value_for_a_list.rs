use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.mget("key").await;
}

fn main() {}
