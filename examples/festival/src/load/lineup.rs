//! The festivals that play: real ones, with the region that they take place in and their usual daily attendance.

use anyhow::Context;
use serde::Deserialize;
use shardwise::Region;

/// One line of `data/festivals.csv`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// The name in addresses.
    pub slug: String,
    /// The name on posters.
    pub name: String,
    /// Where it takes place.
    pub city: String,
    /// The country's two letters.
    pub country: String,
    /// The region that its data belongs to.
    pub region: Region,
    /// Visitors on a usual day.
    #[serde(rename = "daily_attendance_approx")]
    pub attendance: u32,
}

/// All festivals, in the order of the file.
///
/// # Errors
/// When the file that was compiled in is not what this program expects.
pub fn lineup() -> anyhow::Result<Vec<Listed>> {
    let mut lines = csv::Reader::from_reader(include_str!("../../data/festivals.csv").as_bytes());
    lines.deserialize().collect::<Result<_, _>>().context("data/festivals.csv")
}

#[cfg(test)]
mod tests {
    use super::lineup;

    #[test]
    fn all_festivals_are_read() {
        let lineup = lineup().expect("a good file");
        assert_eq!(lineup.len(), 72);
        assert_eq!((lineup[0].slug.as_str(), lineup[0].attendance), ("glastonbury", 200_000));
    }
}
