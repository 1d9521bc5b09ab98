//! Ids: a prefix that says of what, and a ULID in lower case, so that they sort by time and cannot be guessed.

use time::OffsetDateTime;
use ulid::Ulid;

/// No SKU has more bytes: what is longer names no product, and would be too long for a key.
pub const LONGEST_SKU: usize = 128;

/// A new id: `new("ord")` → `ord_01k…`.
pub fn new(prefix: &str) -> String {
    let random = u128::from_be_bytes(random_bytes::<16>());
    write(prefix, OffsetDateTime::now_utc(), random)
}

/// The id that always belongs to `seed`: the same thing heard twice gets the same id. It sorts by `at`.
pub fn derived(prefix: &str, at: OffsetDateTime, seed: &str) -> String {
    write(prefix, at, fnv1a_128(seed.as_bytes()))
}

/// Whether `text` looks like an id of this kind.
pub fn is(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|ulid| {
            !ulid.bytes().any(|byte| byte.is_ascii_uppercase()) && Ulid::from_string(ulid).is_ok()
        })
}

/// Bytes nobody can foresee, for keys and salts.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[cfg(target_family = "wasm")]
    for (slot, byte) in bytes
        .iter_mut()
        .zip(wasip2::random::random::get_random_bytes(N as u64))
    {
        *slot = byte;
    }
    // The same generator that makes ULIDs, eight bytes of each.
    #[cfg(not(target_family = "wasm"))]
    for chunk in bytes.chunks_mut(8) {
        for (slot, byte) in chunk.iter_mut().zip(Ulid::new().random().to_le_bytes()) {
            *slot = byte;
        }
    }
    bytes
}

fn write(prefix: &str, at: OffsetDateTime, random: u128) -> String {
    let ulid = Ulid::from_parts(crate::clock::millis(at), random);
    format!("{prefix}_{}", ulid.to_string().to_ascii_lowercase())
}

/// FNV-1a: spreads well, needs no crate, and nobody gains by making two seeds meet.
pub(crate) fn fnv1a_128(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_prefix_and_a_ulid_in_lower_case() {
        let id = new("ord");
        assert!(is("ord", &id), "{id}");
        assert!(!is("usr", &id));
        assert!(!is("ord", &id.to_ascii_uppercase()));
        assert!(!is("ord", "ord_1"));
        assert_ne!(new("ord"), new("ord"));
    }

    #[test]
    fn derived_ids_follow_the_seed_and_sort_by_time() {
        let early = crate::clock::parse("2026-08-21T09:30:00Z").unwrap();
        let late = crate::clock::parse("2026-08-21T09:30:00.001Z").unwrap();
        assert_eq!(
            derived("ntf", early, "evt_1"),
            derived("ntf", early, "evt_1")
        );
        assert_ne!(
            derived("ntf", early, "evt_1"),
            derived("ntf", early, "evt_2")
        );
        assert!(derived("ntf", early, "evt_9") < derived("ntf", late, "evt_1"));
    }

    #[test]
    fn random_bytes_fill_the_array() {
        let bytes = random_bytes::<64>();
        assert!(
            bytes
                .chunks(8)
                .all(|chunk| chunk.iter().any(|byte| *byte != 0))
        );
        assert_ne!(bytes, random_bytes::<64>());
    }
}
