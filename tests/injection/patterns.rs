//! What is searched for is not what searches.

use shardwise::entity::escape_like;

use super::{HOSTILE, Victim};
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};

in_both_modes![escaped_text_matches_itself_and_nothing_else, a_pattern_does_not_leave_its_tenant,];

async fn escaped_text_matches_itself_and_nothing_else(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    let notes: Vec<String> = HOSTILE.iter().map(|text| format!("<{text}>")).collect();
    let rows = notes.iter().map(|note| Wallet { note: Some(note.clone()), ..Wallet::new(*fest.key(), 1) });
    fest.insert_many(&rows.collect::<Vec<_>>()).await.unwrap();
    let found = async |pattern: String| {
        let rows = fest.select::<Wallet>().filter(Wallet::NOTE.like(pattern)).all().await.unwrap();
        let mut notes: Vec<String> = rows.into_iter().filter_map(|row| row.note).collect();
        notes.sort_unstable();
        notes
    };
    for text in HOSTILE {
        let wanted = |of: &dyn Fn(&str) -> bool| {
            let mut wanted: Vec<String> = notes.iter().filter(|note| of(note)).cloned().collect();
            wanted.sort_unstable();
            wanted
        };
        let (whole, escaped) = (format!("<{text}>"), escape_like(text));
        assert_eq!(found(format!("<{escaped}>")).await, wanted(&|note| note == whole), "{text:?}");
        assert_eq!(
            found(format!("<{escaped}%")).await,
            wanted(&|note| note.starts_with(&format!("<{text}"))),
            "{text:?}"
        );
        assert_eq!(
            found(format!("%{escaped}>")).await,
            wanted(&|note| note.ends_with(&format!("{text}>"))),
            "{text:?}"
        );
        assert_eq!(found(format!("%{escaped}%")).await, wanted(&|note| note.contains(text)), "{text:?}");
    }
    Victim::is_untouched(&other).await;
}

async fn a_pattern_does_not_leave_its_tenant(place: Place) {
    let cluster = place.cluster().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    let tenant = cluster.tenant("%".to_owned()).await.unwrap();
    for pattern in ["%", "_%", "untouched", "%' OR '1'='1"] {
        let found = tenant.select::<Victim>().filter(Victim::SECRET.like(pattern).or(Victim::OWNER.ilike("%")));
        assert_eq!(found.count().await.unwrap(), 0, "{pattern}");
    }
    Victim::is_untouched(&other).await;
}
