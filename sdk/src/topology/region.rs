//! Regions: short names such as `eu` and `us`, cheap enough for every route decision.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// The name of a region, stored inline: at most 31 bytes of lower-case letters, digits and `-`.
///
/// ```
/// use shardwise::Region;
///
/// let region: Region = "eu".parse()?;
/// assert_eq!(region, Region::EU);
/// assert!("Europe West".parse::<Region>().is_err());
/// # Ok::<(), shardwise::topology::RegionError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    // Padded with zeros, which no name contains: so the derived comparisons are those of the names.
    name: [u8; Self::MAX_LEN],
}

impl Region {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 31;
    /// `eu`
    pub const EU: Self = Self::constant("eu");
    /// `us`
    pub const US: Self = Self::constant("us");

    /// A region known at compile time: a bad name does not compile in a `const`.
    ///
    /// # Panics
    /// When the name is empty, longer than [`MAX_LEN`](Self::MAX_LEN) or has a character that a region can't have.
    #[must_use]
    pub const fn constant(name: &str) -> Self {
        match Self::parse(name.as_bytes()) {
            Some(region) => region,
            None => panic!("a region's name is 1 to 31 of a-z, 0-9 and '-'"),
        }
    }

    const fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return None;
        }
        let (mut name, mut i) = ([0; Self::MAX_LEN], 0);
        while i < text.len() {
            if !matches!(text[i], b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return None;
            }
            name[i] = text[i];
            i += 1;
        }
        Some(Self { name })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.name.iter().position(|&byte| byte == 0).unwrap_or(Self::MAX_LEN);
        // Only ASCII gets in, so this never falls back.
        std::str::from_utf8(&self.name[..len]).unwrap_or_default()
    }
}

/// A name that no region can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionError(String);

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a region: a name is 1 to {} of a-z, 0-9 and '-', such as \"eu\"",
            self.0,
            Region::MAX_LEN
        )
    }
}

impl StdError for RegionError {}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        Self::parse(text.as_bytes()).ok_or_else(|| RegionError(text.to_owned()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.as_str())
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl ToSql for Region {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.as_str().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Region {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(<&str>::from_sql(ty, raw)?.parse()?)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql<'_>>::accepts(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn names_round_trip_and_sort_as_text() {
        let longest = "abcdefghijklmnopqrstuvwxyz-0123";
        for name in ["eu", "us", "ap-southeast-2", longest] {
            assert_eq!(name.parse::<Region>().expect("a good name").as_str(), name);
        }
        assert!(Region::EU < Region::US);
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "EU", "eu west", "é", "abcdefghijklmnopqrstuvwxyz-01234", "a\0"] {
            assert!(name.parse::<Region>().is_err(), "{name:?}");
        }
    }
}
