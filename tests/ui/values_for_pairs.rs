use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.mset(["key", "value"]).await;
    let _ = client.zadd("board", [("ada", "36.5")]).await;
}

fn main() {}
