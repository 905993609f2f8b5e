#![no_main]

use std::alloc::System;

use cap::Cap;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What an input may allocate for each of its bytes, and in any case: a tree of `Value`s, most of all,
/// takes about ten times as much as the bytes that it comes from.
const PER_BYTE: usize = 200;
const ALWAYS: usize = 256 * 1024;

fuzz_target!(|data: &[u8]| {
    // Beyond the limit an allocation fails, which ends the process.
    let limit = ALLOCATOR.allocated() + ALWAYS + PER_BYTE * data.len();
    ALLOCATOR.set_limit(limit).expect("a limit above what is allocated");
    redis_client::fuzzing::parser(data);
    ALLOCATOR.set_limit(usize::MAX).expect("no limit");
});
