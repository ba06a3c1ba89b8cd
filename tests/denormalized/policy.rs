//! Row level security holds no row back from what it follows.

use shardwise::Region;

use super::stage::{Booth, Sale, sale, schema};
use crate::policy::stage::Stage;
use crate::support::model::Festival;
use crate::support::place::{Place, in_both_modes};
use shardwise::Uuid;

in_both_modes![an_application_role_writes_rows_that_follow];

async fn an_application_role_writes_rows_that_follow(place: Place) {
    let stage = Stage::new(place).await;
    let owner = stage.as_owner().await;
    owner.admin().apply(&schema()).await.unwrap();
    let diff = owner.admin().diff(&schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let app = stage.as_app().await;
    let id = Uuid::new_v4();
    let festival = Festival { id, slug: id.to_string(), region: Region::EU, name: "Open Air".to_owned() };
    owner.reference().insert(&festival).await.unwrap();
    let fest = app.tenant(id).await.unwrap();
    let booth = Booth { festival_id: id, id: Uuid::new_v4(), name: "Bar".to_owned(), motto: None };
    fest.insert(&booth).await.unwrap();
    let one = sale(&booth, None, 5);
    fest.insert(&one).await.unwrap();
    fest.update_columns::<Booth>(booth.id).set(Booth::NAME, "Grill".to_owned()).run().await.unwrap();
    owner.reference().update_columns::<Festival>(id).set(Festival::NAME, "Closed Air".to_owned()).run().await.unwrap();
    // Nobody can have the functions work for a table of their own.
    for client in stage.app_by_hand().await {
        client
            .batch_execute("CREATE TEMP TABLE mine (festival_id uuid, booth_id uuid, booth_name text)")
            .await
            .unwrap();
        for function in ["sales_denormalized", "sales_booth_id_followed"] {
            let sql = format!("CREATE TRIGGER x BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function}()");
            let error = client.batch_execute(&sql).await.expect_err(&sql);
            assert_eq!(error.code().unwrap().code(), "42501", "{sql}: {error:?}");
        }
    }
    let stored = fest.get::<Sale>(one.id).await.unwrap();
    assert_eq!((stored.booth_name.as_str(), stored.festival_name.as_str()), ("Grill", "Closed Air"));
}
