//! The types of the date and decimal crates, there and back, and by their columns' filters.

use crate::support::place::{Place, in_both_modes};
use shardwise::{Cluster, Entity, Schema, Uuid};

in_both_modes![chrono_time_jiff_and_decimals,];

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "moments", distributed_by = tenant, partition_by = yearly(at))]
struct Moment {
    tenant: Uuid,
    #[entity(key)]
    at: chrono::DateTime<chrono::Utc>,
    chrono_date: chrono::NaiveDate,
    chrono_time: chrono::NaiveTime,
    chrono_date_time: Option<chrono::NaiveDateTime>,
    time_at: time::OffsetDateTime,
    time_date: time::Date,
    time_time: time::Time,
    time_date_time: Vec<time::PrimitiveDateTime>,
    jiff_time: jiff::civil::Time,
    jiff_date_time: jiff::civil::DateTime,
    price: rust_decimal::Decimal,
    prices: Vec<rust_decimal::Decimal>,
}

async fn chrono_time_jiff_and_decimals(place: Place) {
    let config = place.prepared_with(Schema::new().with::<Moment>()).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let tenant = cluster.tenant(Uuid::new_v4()).await.unwrap();

    // Within the partitions that `apply` makes: this year's.
    let at = chrono::DateTime::from_timestamp_micros(chrono::Utc::now().timestamp_micros()).unwrap();
    let leap_day = time::Date::from_calendar_date(2024, time::Month::February, 29).unwrap();
    let midnight = time::PrimitiveDateTime::new(leap_day, time::Time::from_hms_micro(23, 59, 59, 999_999).unwrap());
    let moment = Moment {
        tenant: *tenant.key(),
        at,
        chrono_date: chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap(),
        chrono_time: chrono::NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap(),
        chrono_date_time: None,
        time_at: midnight.assume_utc(),
        time_date: leap_day,
        time_time: time::Time::MIDNIGHT,
        time_date_time: vec![midnight],
        jiff_time: jiff::civil::time(1, 2, 3, 4_000),
        jiff_date_time: jiff::civil::date(2024, 2, 29).at(12, 0, 0, 1_000),
        price: "12345678901234567890.123456789".parse().unwrap(),
        prices: vec!["-0.01".parse().unwrap(), rust_decimal::Decimal::ZERO],
    };
    tenant.insert(&moment).await.unwrap();
    assert_eq!(tenant.get::<Moment>(at).await.unwrap(), moment);

    let found = tenant
        .select::<Moment>()
        .filter(Moment::AT.ge(at).and(Moment::TIME_DATE.eq(leap_day)).and(Moment::PRICE.gt(rust_decimal::Decimal::ONE)))
        .all()
        .await;
    assert_eq!(found.unwrap(), [moment]);
    assert_eq!(tenant.select::<Moment>().filter(Moment::CHRONO_DATE_TIME.is_not_null()).count().await.unwrap(), 0);
}
