//! PostgreSQL's 32-bit hash of the types that can be a distribution key, as Citus places rows by it.
//!
//! It is `hash_any` of PostgreSQL's `src/common/hashfn.c` (Bob Jenkins' public lookup3, read in little-endian order),
//! called by `uuid_hash`, `hashtext`, `hashint2`, `hashint4` and `hashint8`: those of the default hash operator classes,
//! not the `_extended` ones. A server of the other byte order would place the same key elsewhere, so each client holds a
//! few values against the server's own `worker_hash` before it relies on this.

use crate::key::KeyRef;

/// The hash of a key, as `worker_hash(key)` on the server has it.
#[must_use]
pub fn hash(key: KeyRef<'_>) -> i32 {
    let hash = match key {
        KeyRef::Uuid(uuid) => hash_any(uuid.as_bytes()),
        KeyRef::Int2(number) => hash_uint32(i32::from(number).cast_unsigned()),
        KeyRef::Int4(number) => hash_uint32(number.cast_unsigned()),
        KeyRef::Int8(number) => hash_int8(number),
        KeyRef::Text(text) => hash_any(text.as_bytes()),
    };
    hash.cast_signed()
}

/// Equal numbers hash alike whether they are `integer` or `bigint`: the high half is folded in such a way that it
/// vanishes for whatever fits the low half.
fn hash_int8(number: i64) -> u32 {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = number.to_le_bytes();
    let (low, high) = (u32::from_le_bytes([b0, b1, b2, b3]), u32::from_le_bytes([b4, b5, b6, b7]));
    hash_uint32(low ^ if number >= 0 { high } else { !high })
}

const GOLDEN: u32 = 0x9e37_79b9;
const ARBITRARY: u32 = 3_923_095;

fn hash_uint32(word: u32) -> u32 {
    let seed = seed(4);
    last(seed.wrapping_add(word), seed, seed)
}

fn hash_any(bytes: &[u8]) -> u32 {
    // PostgreSQL counts in 32 bits as well; no value is longer than 1 GB.
    let seed = seed(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let (mut a, mut b, mut c) = (seed, seed, seed);
    let mut blocks = bytes.chunks_exact(12);
    for block in &mut blocks {
        a = a.wrapping_add(word(&block[..4]));
        b = b.wrapping_add(word(&block[4..8]));
        c = c.wrapping_add(word(&block[8..]));
        (a, b, c) = mix(a, b, c);
    }
    let rest = blocks.remainder();
    let (first, others) = rest.split_at(rest.len().min(4));
    let (second, third) = others.split_at(others.len().min(4));
    a = a.wrapping_add(word(first));
    b = b.wrapping_add(word(second));
    // The lowest byte of `c` is left for the length.
    c = c.wrapping_add(word(third) << 8);
    last(a, b, c)
}

fn seed(length: u32) -> u32 {
    GOLDEN.wrapping_add(length).wrapping_add(ARBITRARY)
}

/// Up to four bytes as a little-endian number.
fn word(bytes: &[u8]) -> u32 {
    if let Ok(whole) = bytes.try_into() {
        return u32::from_le_bytes(whole);
    }
    bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte))
}

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

fn last(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{KeyRef, hash};

    // As `worker_hash` of Citus 13.2 on PostgreSQL 15 printed them.
    #[test]
    fn keys_hash_as_the_server_says() {
        let uuid: Uuid = "c6e5285a-1dc2-4766-9a70-eb92d2e7196a".parse().expect("a uuid");
        assert_eq!(hash(KeyRef::Uuid(&uuid)), -323_160_806);
        assert_eq!(hash(KeyRef::Text("abc")), -785_388_649);
        assert_eq!(hash(KeyRef::Int2(5)), -1_330_264_708);
        assert_eq!(hash(KeyRef::Int4(5)), -1_330_264_708);
        assert_eq!(hash(KeyRef::Int8(-5)), 1_412_886_042);
    }

    #[test]
    fn equal_integers_hash_alike_whatever_their_width() {
        for number in [i16::MIN, -1, 0, 1, i16::MAX] {
            let wide = hash(KeyRef::Int8(number.into()));
            assert_eq!((hash(KeyRef::Int2(number)), hash(KeyRef::Int4(number.into()))), (wide, wide));
        }
    }
}
