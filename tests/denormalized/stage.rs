//! Sales at stands, which have the names of the stand and of the festival.

use jiff::Timestamp;
use shardwise::admin::denormalized::Denormalized;
use shardwise::{Entity, Region, Schema, Tenant, Uuid};

use crate::support::model::Festival;
use crate::support::place::Place;
pub use crate::support::stage::{Stage, session};

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "booths", distributed_by = festival_id)]
pub struct Booth {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub name: String,
    pub motto: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "sales", distributed_by = festival_id, partition_by = monthly(created_at))]
pub struct Sale {
    #[entity(references = Festival)]
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    #[entity(references = Booth, index)]
    pub booth_id: Uuid,
    /// Who is paid a share.
    #[entity(references = Booth)]
    pub partner_id: Option<Uuid>,
    pub amount: i64,
    pub created_at: Timestamp,
    #[entity(denormalized = booth_id.name)]
    pub booth_name: String,
    #[entity(denormalized = booth_id.motto, rename = "motto %s")]
    pub booth_motto: Option<String>,
    #[entity(denormalized = partner_id.name)]
    pub partner_name: Option<String>,
    #[entity(denormalized = festival_id.name, index)]
    pub festival_name: String,
}

pub mod before {
    //! The same table in an earlier release.

    use super::{Booth, Entity, Festival, Timestamp, Uuid};

    #[derive(Debug, Clone, PartialEq, Entity)]
    #[entity(table = "sales", distributed_by = festival_id, partition_by = monthly(created_at))]
    pub struct Sale {
        #[entity(references = Festival)]
        pub festival_id: Uuid,
        #[entity(key)]
        pub id: Uuid,
        #[entity(references = Booth, index)]
        pub booth_id: Uuid,
        #[entity(references = Booth)]
        pub partner_id: Option<Uuid>,
        pub amount: i64,
        pub created_at: Timestamp,
    }
}

pub mod by_hand {
    //! The same table in an earlier release, in which the service wrote the name of the booth.

    use super::{Booth, Entity, Festival, Timestamp, Uuid};

    #[derive(Debug, Clone, PartialEq, Entity)]
    #[entity(table = "sales", distributed_by = festival_id, partition_by = monthly(created_at))]
    pub struct Sale {
        #[entity(references = Festival)]
        pub festival_id: Uuid,
        #[entity(key)]
        pub id: Uuid,
        #[entity(references = Booth, index)]
        pub booth_id: Uuid,
        #[entity(references = Booth)]
        pub partner_id: Option<Uuid>,
        pub amount: i64,
        pub created_at: Timestamp,
        pub booth_name: String,
    }
}

pub mod chain {
    //! The same tables in a later release: sales follow what booths follow.

    use super::{Entity, Festival, Timestamp, Uuid};

    #[derive(Debug, Clone, PartialEq, Entity)]
    #[entity(table = "booths", distributed_by = festival_id)]
    pub struct Booth {
        #[entity(references = Festival)]
        pub festival_id: Uuid,
        #[entity(key)]
        pub id: Uuid,
        pub name: String,
        pub motto: Option<String>,
        #[entity(denormalized = festival_id.name)]
        pub at: String,
    }

    #[derive(Debug, Clone, PartialEq, Entity)]
    #[entity(table = "sales", distributed_by = festival_id, partition_by = monthly(created_at))]
    pub struct Sale {
        #[entity(references = Festival)]
        pub festival_id: Uuid,
        #[entity(key)]
        pub id: Uuid,
        #[entity(references = Booth, index)]
        pub booth_id: Uuid,
        #[entity(references = Booth)]
        pub partner_id: Option<Uuid>,
        pub amount: i64,
        pub created_at: Timestamp,
        #[entity(denormalized = booth_id.at)]
        pub booth_at: String,
    }
}

pub mod plain {
    //! The same table without partitions.

    use super::{Booth, Entity, Festival, Timestamp, Uuid};

    #[derive(Debug, Clone, PartialEq, Entity)]
    #[entity(table = "sales", distributed_by = festival_id)]
    pub struct Sale {
        #[entity(references = Festival)]
        pub festival_id: Uuid,
        #[entity(key)]
        pub id: Uuid,
        #[entity(references = Booth, index)]
        pub booth_id: Uuid,
        #[entity(references = Booth)]
        pub partner_id: Option<Uuid>,
        pub amount: i64,
        pub created_at: Timestamp,
        #[entity(denormalized = booth_id.name)]
        pub booth_name: String,
        #[entity(denormalized = booth_id.motto, rename = "motto %s")]
        pub booth_motto: Option<String>,
        #[entity(denormalized = partner_id.name)]
        pub partner_name: Option<String>,
        #[entity(denormalized = festival_id.name, index)]
        pub festival_name: String,
    }
}

pub fn schema() -> Schema {
    Schema::new().with::<Festival>().with::<Booth>().with::<Sale>()
}

pub fn earlier() -> Schema {
    Schema::new().with::<Festival>().with::<Booth>().with::<before::Sale>()
}

/// How many rows differ from what they follow, of each column, by a statement that is not the SDK's.
pub const DIFFERING: &str = "\
    SELECT count(*) FROM sales s
    JOIN booths b ON b.festival_id = s.festival_id AND b.id = s.booth_id
    JOIN festivals f ON f.id = s.festival_id
    LEFT JOIN booths p ON p.festival_id = s.festival_id AND p.id = s.partner_id
    WHERE (s.booth_name, s.\"motto %s\", s.partner_name, s.festival_name) IS DISTINCT FROM (b.name, b.motto, p.name, f.name)";

/// A cluster with them.
pub async fn stage(place: Place) -> Stage {
    Stage::with(place, schema()).await
}

impl Stage {
    pub fn denormalized(&self) -> Denormalized {
        self.cluster.admin().denormalized(&schema())
    }

    pub async fn assert_followed(&self, when: &str) {
        assert_eq!(self.number(DIFFERING).await, 0, "rows differ: {when}");
        let found = self.denormalized().verify().await.unwrap();
        assert!(found.iter().all(shardwise::admin::denormalized::Verification::is_exact), "{when}: {}", found[0]);
    }

    /// A festival with so many booths.
    pub async fn festival(&self, booths: usize) -> (Tenant, Vec<Booth>) {
        let id = Uuid::new_v4();
        let festival = Festival { id, slug: id.to_string(), region: Region::EU, name: format!("Festival {id}") };
        self.cluster.reference().insert(&festival).await.unwrap();
        let fest = self.cluster.tenant(id).await.unwrap();
        let of = |nth| Booth { festival_id: id, id: Uuid::new_v4(), name: format!("booth {nth}"), motto: None };
        let booths: Vec<Booth> = (0..booths).map(of).collect();
        fest.insert_many(&booths).await.unwrap();
        (fest, booths)
    }
}

/// What it says of names is not believed.
pub fn sale(booth: &Booth, partner: Option<&Booth>, amount: i64) -> Sale {
    Sale {
        festival_id: booth.festival_id,
        id: Uuid::new_v4(),
        booth_id: booth.id,
        partner_id: partner.map(|booth| booth.id),
        amount,
        created_at: Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap(),
        booth_name: "made up".to_owned(),
        booth_motto: Some("made up".to_owned()),
        partner_name: None,
        festival_name: "made up".to_owned(),
    }
}
