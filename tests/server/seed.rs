//! What the tests of asyncio_redis check, here with their subjects apart; and what they left out.

mod bits;
mod blocking;
mod encoders;
mod hashes;
mod keys;
mod lists;
mod pool;
mod pubsub;
mod replies;
mod scan;
mod scripts;
mod server;
mod session;
mod sets;
mod sorted_sets;
mod strings;
mod subscriptions;
mod transactions;
