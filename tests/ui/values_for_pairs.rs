use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.mset(["key", "value"]).await;
}

fn main() {}
