use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.blpop(["jobs"]).timeout("5s").await;
}

fn main() {}
