//! What the fuzz targets call: the checks of the property tests, with bytes for their input.

/// Arbitrary bytes in arbitrary pieces, read as every kind of reply.
pub fn parser(data: &[u8]) {
    crate::resp::probe::run_bytes(data);
}

/// Arbitrary events on a connection.
pub fn state_machine(data: &[u8]) {
    crate::connection::model::run_bytes(data);
}
