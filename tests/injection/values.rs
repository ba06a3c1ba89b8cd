//! Values that would be SQL if they were not parameters: in every verb, every kind of column, and as keys.

use futures_util::TryStreamExt as _;
use serde_json::json;
use shardwise::{Error, ErrorKind, Region, sql, unscoped_sql};

use super::{HOSTILE, Victim};
use crate::session::types::everything;
use crate::support::model::{Country, Everything, Festival, Label, Profile, Seat, User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets;

in_both_modes![
    hostile_text_is_text_in_every_verb,
    hostile_text_in_arrays_documents_and_lists,
    hostile_text_goes_through_copy_unchanged,
    a_tenants_key_of_hostile_text_is_that_tenant_alone,
    hostile_slugs_and_mails_are_looked_up_as_they_are,
    a_zero_byte_is_refused_plainly_wherever_it_is,
];

async fn hostile_text_is_text_in_every_verb(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    for text in HOSTILE {
        let new = Wallet { note: Some(text.to_owned()), tag: format!("{text}1"), ..Wallet::new(*fest.key(), 1) };
        let stored = fest.insert_returning(&new).await.unwrap();
        assert_eq!(stored, new, "{text:?}");
        let again = Wallet { tag: format!("{text}2"), ..new.clone() };
        fest.upsert(&again).await.unwrap();
        fest.update(&new).await.unwrap();
        let update = fest.update_columns::<Wallet>(new.id).set(Wallet::TAG, format!("{text}3"));
        let update = update.expect(Wallet::NOTE, text).only_if(Wallet::TAG.eq(format!("{text}1")));
        assert_eq!(update.returning().await.unwrap().unwrap().tag, format!("{text}3"), "{text:?}");
        let found = fest.select::<Wallet>().filter(Wallet::NOTE.eq(text).and(Wallet::TAG.is_in([format!("{text}3")])));
        assert_eq!(found.one().await.unwrap().id, new.id, "{text:?}");
        assert!(!fest.select::<Wallet>().filter(Wallet::NOTE.ne(text)).exists().await.unwrap(), "{text:?}");
        let echo = sql!(
            "SELECT :text::text, note FROM wallets WHERE festival_id = :festival_id AND note = :text",
            entities(Wallet),
            text = text
        );
        assert_eq!(fest.query_one_as::<(String, String)>(echo).await.unwrap(), (text.to_owned(), text.to_owned()));

        let seat = Seat { festival_id: *fest.key(), stage: text.to_owned(), number: 1, taken: false };
        fest.insert_many(&[seat.clone(), Seat { number: 2, ..seat.clone() }]).await.unwrap();
        let (one, two) = ((text.to_owned(), 1), (text.to_owned(), 2));
        assert_eq!(fest.get::<Seat>(one.clone()).await.unwrap(), seat, "{text:?}");
        assert_eq!(fest.get_many::<Seat>(&[one.clone(), two.clone()]).await.unwrap().len(), 2, "{text:?}");
        assert!(fest.exists::<Seat>(two).await.unwrap() && fest.delete::<Seat>(one).await.unwrap(), "{text:?}");
        assert!(fest.delete::<Wallet>(new.id).await.unwrap());
    }
    // Each text in its place, page by page.
    let seats = || fest.select::<Seat>().order_by(Seat::STAGE.asc());
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = seats().page(7, after.as_ref()).await.unwrap();
        seen.extend(page.items.into_iter().map(|seat| seat.stage));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut all = HOSTILE.map(str::to_owned).to_vec();
    all.sort_unstable();
    assert_eq!(seen, all);
    Victim::is_untouched(&other).await;
}

async fn hostile_text_in_arrays_documents_and_lists(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    let texts = HOSTILE.map(str::to_owned).to_vec();
    let document: serde_json::Map<_, _> =
        texts.iter().map(|text| (text.clone(), json!([text, {"in": text}]))).collect();
    let row = Everything {
        names: texts.clone(),
        value: document.into(),
        profile: Profile { nick: texts.concat(), likes: texts.clone() },
        keyword: texts.concat(),
        ..everything(*fest.key(), 1)
    };
    let stored = fest.insert_returning(&row).await.unwrap();
    assert_eq!((&stored.names, &stored.value), (&row.names, &row.value));
    assert_eq!((&stored.profile, &stored.keyword), (&row.profile, &row.keyword));
    let found = fest.select::<Everything>().filter(Everything::KEYWORD.is_in(vec![texts.concat(), "x".to_owned()]));
    assert_eq!(found.count().await.unwrap(), 1);
    let unnested = unscoped_sql!("SELECT t FROM unnest(:texts::text[]) t", texts = texts.clone());
    let rows: Vec<(String,)> = cluster.coordinator().query_as(unnested).await.unwrap();
    assert_eq!(rows.into_iter().map(|(text,)| text).collect::<Vec<_>>(), texts);
    Victim::is_untouched(&other).await;
}

async fn hostile_text_goes_through_copy_unchanged(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    let row = |(i, text): (i64, &str)| Wallet {
        balance: i,
        tag: format!("{text}{i}"),
        note: (i % 7 != 0).then(|| text.to_owned()),
        ..Wallet::new(*fest.key(), 1)
    };
    let rows: Vec<_> = (0..).zip(HOSTILE).map(row).collect();
    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    for row in &rows {
        copy.send(row).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), u64::try_from(rows.len()).unwrap());
    let mut out: Vec<Wallet> = fest.copy_out().await.unwrap().try_collect().await.unwrap();
    out.sort_by_key(|row| row.balance);
    assert_eq!(out, rows);
    Victim::is_untouched(&other).await;
}

async fn a_tenants_key_of_hostile_text_is_that_tenant_alone(place: Place) {
    let cluster = place.cluster().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    for text in HOSTILE {
        let tenant = cluster.tenant(text.to_owned()).await.unwrap();
        let (label, own) = (
            Label { tenant: text.to_owned(), name: format!("of {text}") },
            Victim { owner: text.to_owned(), id: 1, secret: "own".to_owned() },
        );
        tenant.insert(&label).await.unwrap();
        tenant.insert(&own).await.unwrap();
    }
    for text in HOSTILE {
        let tenant = cluster.tenant(text.to_owned()).await.unwrap();
        let label = Label { tenant: text.to_owned(), name: format!("of {text}") };
        assert_eq!(tenant.select::<Label>().all().await.unwrap(), std::slice::from_ref(&label), "{text:?}");
        let mine = sql!("SELECT owner, secret FROM victims WHERE owner = :owner", entities(Victim));
        let mine: Vec<(String, String)> = tenant.query_as(mine).await.unwrap();
        assert_eq!(mine, [(text.to_owned(), "own".to_owned())], "{text:?}");
        // The one statement in which the key stands as a literal.
        let out: Vec<Label> = tenant.copy_out().await.unwrap().try_collect().await.unwrap();
        assert_eq!(out, std::slice::from_ref(&label), "{text:?}");
        let mut copy = tenant.copy_in::<Label>().await.unwrap();
        copy.send(&Label { name: "copied".to_owned(), ..label }).await.unwrap();
        copy.finish().await.unwrap();
        assert!(tenant.delete::<Label>("copied".to_owned()).await.unwrap());
    }
    Victim::is_untouched(&other).await;
}

async fn hostile_slugs_and_mails_are_looked_up_as_they_are(place: Place) {
    let cluster = place.cluster().await;
    let other = Victim::placed(&cluster, crate::support::schema()).await;
    let (reference, festivals, users) =
        (cluster.reference(), cluster.directory::<Festival>(), cluster.directory::<User>());
    for text in HOSTILE {
        let (slug, code) = (text.to_owned(), text.to_owned());
        let fest = Festival { id: secrets::id(), slug: slug.clone(), region: Region::EU, name: slug.clone() };
        assert!(festivals.find_by(Festival::SLUG, text).await.unwrap().is_none(), "{text:?}");
        reference.insert(&fest).await.unwrap();
        reference.upsert(&Country { code: code.clone(), name: code.clone() }).await.unwrap();
        let user = User { id: secrets::id(), email: text.to_owned(), country: Some(code.clone()) };
        reference.insert(&user).await.unwrap();
        assert_eq!(reference.get::<Country>(code).await.unwrap().name, text);
        assert_eq!(*users.find_by(User::EMAIL, text).await.unwrap().unwrap(), user);
    }
    for text in HOSTILE {
        let found = reference.select::<Festival>().filter(Festival::SLUG.eq(text)).all().await.unwrap();
        assert_eq!(found.len(), 1, "{text:?}");
        assert_eq!(festivals.find(found[0].id).await.unwrap().unwrap().slug, text);
    }
    Victim::is_untouched(&other).await;
}

async fn a_zero_byte_is_refused_plainly_wherever_it_is(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let refused = |what: &str, error: Error| {
        // Before it was sent, or by the server; never as a broken connection.
        let by_server = error.code().is_some_and(|code| code.code().starts_with("22"));
        assert!(matches!(error.kind(), ErrorKind::Usage | ErrorKind::Codec) || by_server, "{what}: {error:?}");
        assert!(!error.is_outcome_unknown(), "{what}: {error:?}");
    };
    let zero = || "a\0'b".to_owned();
    let wallet = Wallet { note: Some(zero()), ..Wallet::new(*fest.key(), 1) };
    refused("insert", fest.insert(&wallet).await.unwrap_err());
    refused("insert_many", fest.insert_many(&[Wallet::new(*fest.key(), 1), wallet]).await.unwrap_err());
    refused("filter", fest.select::<Wallet>().filter(Wallet::NOTE.eq(zero())).all().await.unwrap_err());
    refused("pattern", fest.select::<Wallet>().filter(Wallet::NOTE.like(zero())).all().await.unwrap_err());
    refused("key", fest.get::<Seat>((zero(), 1)).await.unwrap_err());
    refused("raw", fest.execute(sql!("SELECT :text::text", text = zero())).await.unwrap_err());
    refused("array", fest.execute(sql!("SELECT :texts::text[]", texts = vec![zero()])).await.unwrap_err());
    let document = Everything { value: json!({"a": "\0"}), ..everything(*fest.key(), 1) };
    refused("document", fest.insert(&document).await.unwrap_err());
    let found = cluster.directory::<User>().find_by(User::EMAIL, zero()).await;
    refused("directory", found.unwrap_err());
    let tenant = async { cluster.tenant(zero()).await?.count::<Label>().await };
    refused("tenant", tenant.await.unwrap_err());
    let out = async {
        let tenant = cluster.tenant(zero()).await?;
        tenant.copy_out::<Label>().await?.try_collect::<Vec<_>>().await
    };
    refused("copy_out", out.await.unwrap_err());
    assert_eq!(cluster.metrics().retries, 0);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}
