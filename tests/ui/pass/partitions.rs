//! Every interval, over every kind of partition column of this build.
use std::time::SystemTime;

use shardwise::entity::Entity;
use shardwise::schema::Interval;
use shardwise::{Entity, Uuid};

macro_rules! partitioned {
    ($($name:ident $table:literal $interval:ident $ty:ty;)+) => {$(
        #[derive(Entity)]
        #[entity(table = $table, distributed_by = festival_id, partition_by = $interval(at))]
        struct $name {
            festival_id: Uuid,
            #[entity(key)]
            id: Uuid,
            #[entity(unique)]
            number: i64,
            at: $ty,
        }
    )+};
}
partitioned! {
    Daily "daily" daily SystemTime;
    Weekly "weekly" weekly jiff::Timestamp;
    Monthly "monthly" monthly jiff::civil::Date;
    Yearly "yearly" yearly jiff::civil::DateTime;
}

#[derive(Entity)]
#[entity(table = "days", distributed_by = festival_id, partition_by = monthly(at))]
struct Days {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(sql_type = "date", default = "now()")]
    at: jiff::civil::Date,
}

fn interval<E: Entity>() -> Interval {
    let table = E::table();
    assert!(E::PARTITIONED);
    assert_eq!(table.primary_key, ["festival_id", "id", "at"]);
    for unique in table.uniques {
        assert_eq!(unique.columns, ["festival_id", "number", "at"]);
    }
    table.partition.expect("partitioned").interval
}

fn main() {
    let intervals = [interval::<Daily>(), interval::<Weekly>(), interval::<Monthly>(), interval::<Yearly>()];
    assert_eq!(intervals, [Interval::Daily, Interval::Weekly, Interval::Monthly, Interval::Yearly]);
    assert_eq!(interval::<Days>(), Interval::Monthly);
}
