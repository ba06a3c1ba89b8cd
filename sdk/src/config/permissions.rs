//! Who else can get at a file that holds a secret: libpq's rules, which people know from its warnings.

use std::fs::Metadata;

/// Whether anybody but its owner can: libpq's rule for password files.
#[cfg(unix)]
pub(crate) fn is_open_to_others(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.mode() & 0o077 != 0
}

/// Whether anybody but its owner can, where root's may be read by its group as well: libpq's rule for keys, and how a system
/// hands secrets to a service.
#[cfg(unix)]
pub(crate) fn is_open_to_strangers(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let strangers = if file.uid() == 0 { 0o037 } else { 0o077 };
    file.mode() & strangers != 0
}

/// Where a file has no such permissions, libpq does not ask either.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// The same.
#[cfg(not(unix))]
pub(crate) fn is_open_to_strangers(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Metadata;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::{is_open_to_others, is_open_to_strangers};

    fn file(mode: u32) -> Metadata {
        let path = std::env::temp_dir().join(format!("shardwise-{}", uuid::Uuid::new_v4().simple()));
        std::fs::write(&path, "").expect("it is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        let metadata = std::fs::metadata(&path).expect("it is there");
        std::fs::remove_file(&path).expect("it is ours");
        metadata
    }

    #[test]
    fn only_the_owner_may() {
        for mode in [0o600, 0o400] {
            assert!(!is_open_to_others(&file(mode)) && !is_open_to_strangers(&file(mode)), "{mode:o}");
        }
        for mode in [0o604, 0o602, 0o620, 0o644, 0o666] {
            assert!(is_open_to_others(&file(mode)) && is_open_to_strangers(&file(mode)), "{mode:o}");
        }
        // Its group may read what is root's, where it is a key.
        let shared = file(0o640);
        assert!(is_open_to_others(&shared));
        assert_eq!(is_open_to_strangers(&shared), shared.uid() != 0);
    }
}
