//! A reply that is far larger than the memory of its reader.
//!
//! A process of its own, as what it measures is the peak of the whole process: nothing else may run in it.

use std::fs;
use std::io::{self, Write};

use redis_client::bytes::Bytes;
use redis_client::prelude::*;
use redis_test_support::{Server, ServerKind};
use tokio::io::AsyncReadExt;

const ELEMENTS: u64 = 1_000_000;
const SIZE: usize = 64;
const LIMIT_KIB: u64 = 16 * 1024;

#[test]
fn a_list_of_64_mb_is_read_in_16_mib() {
    for kind in ServerKind::available() {
        let server = Server::start(kind);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime
                .block_on(read(&server, protocol))
                .unwrap_or_else(|error| panic!("{kind} in {protocol:?}: {error}"));
            // Of the process, so it contains what came before.
            let peak = peak_kib();
            let line = format!(
                "{kind} in {protocol:?}: peak of the process {:.1} MiB\n",
                peak as f64 / 1024.0
            );
            // Told also where the test runner captures what tests print.
            let _ = io::stdout().write_all(line.as_bytes());
            assert!(
                peak < LIMIT_KIB,
                "{kind} in {protocol:?}: the peak is {peak} KiB"
            );
        }
    }
}

async fn read(server: &Server, protocol: Protocol) -> redis_client::Result<()> {
    let config: Config = server.url().parse()?;
    let client = config.protocol(protocol).connect().await?;
    // The server makes the values by itself: sending them would take memory here.
    let script = "redis.call('DEL', KEYS[1])
        local element = string.rep('x', ARGV[2])
        for _ = 1, ARGV[1] / 1000 do
            local elements = {}
            for i = 1, 1000 do elements[i] = element end
            redis.call('RPUSH', KEYS[1], unpack(elements))
        end
        redis.call('SET', KEYS[2], string.rep(element, ARGV[1]))";
    client
        .eval(script)
        .keys(["list", "string"])
        .args([ELEMENTS, SIZE as u64])
        .await?;

    let client = client.with_encoder(Raw);
    let mut list = client.lrange("list").await?;
    let mut count = 0;
    while let Some(element) = list.next().await {
        let element: Bytes = element?;
        assert_eq!(element, [b'x'; SIZE][..]);
        count += 1;
    }
    assert_eq!(count, ELEMENTS);

    let mut reader = client
        .get("string")
        .reader()
        .await?
        .expect("the script has set it");
    let (mut length, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match reader
            .read(&mut buffer)
            .await
            .expect("the connection is not lost")
        {
            0 => break,
            count => length += count as u64,
        }
    }
    assert_eq!(length, ELEMENTS * SIZE as u64);
    Ok(())
}

/// The most memory that this process has had at once.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .map(str::trim);
    number
        .and_then(|number| number.parse().ok())
        .expect("a number of kB")
}
