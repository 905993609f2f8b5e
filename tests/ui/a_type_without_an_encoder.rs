use redis_client::prelude::*;

struct User;

async fn mistake(client: Connection) {
    let _ = client.set("user", User).await;
    let _ = client.with_encoder(Raw).set("user", &User).await;
}

fn main() {}
