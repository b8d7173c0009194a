//! Gzip, unpacked within a bound: a kilobyte can stand for a megabyte.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use groundwatch_api::Fault;

use crate::fault;

/// How much is unpacked at a time.
const STEP_BYTES: usize = 64 << 10;

/// Unpacks all members of `packed`. `make_room` is asked before the output may grow to so many bytes.
pub(super) fn unpack(
    packed: &[u8],
    bytes_max: usize,
    mut make_room: impl FnMut(usize) -> Result<(), Fault>,
) -> Result<Vec<u8>, Fault> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut unpacked = Vec::new();
    loop {
        let step = STEP_BYTES.min(bytes_max + 1 - unpacked.len());
        make_room(unpacked.len() + step)?;
        let read = decoder.by_ref().take(step as u64).read_to_end(&mut unpacked);
        match read.map_err(|_| fault::bad_compression())? {
            0 => return Ok(unpacked),
            _ if unpacked.len() > bytes_max => return Err(fault::too_large_unpacked(bytes_max)),
            _ => {}
        }
    }
}
