use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let _ = client.geosearch("sicily", GeoFrom::member("Palermo").lonlat(15.0, 37.0)).await;
}

fn main() {}
