//! A little randomness: enough to keep many clients from doing the same thing at the same moment.

use std::time::Duration;

use uuid::Uuid;

/// A random number.
pub(crate) fn number() -> u64 {
    // Version 4 has six fixed bits, none of them among the lowest 48 of the second half.
    let (high, low) = Uuid::new_v4().as_u64_pair();
    high.rotate_left(32) ^ low
}

/// From 0 to 1.
pub(crate) fn fraction() -> f64 {
    let part = u32::try_from(number() >> 32).unwrap_or(u32::MAX);
    f64::from(part) / f64::from(u32::MAX)
}

/// From nine tenths of a time to the whole of it: what many begin at once does not end at once.
pub(crate) fn up_to_a_tenth_less(time: Duration) -> Duration {
    time.mul_f64(1.0 - fraction() / 10.0)
}

/// From half of a time to the whole of it.
pub(crate) fn jitter(time: Duration) -> Duration {
    time.mul_f64(0.5 + fraction() / 2.0)
}
