use crate::support::{HOUR, Rig, keep, registration};
use siemaphore_store::{Grant, Registration, Start, StoreError};

#[tokio::test]
async fn a_destination_starts_now_or_with_what_is_still_there() {
    let rig = Rig::new();
    rig.append("acme", 3).await;
    rig.open("late", "acme").await;
    let beginning = Registration { start: Start::Beginning, ..registration("thorough", "acme") };
    rig.store.open_destination(beginning.clone()).await.unwrap();
    rig.append("acme", 2).await;
    assert_eq!((rig.ledger("late").await.accepted, rig.ledger("thorough").await.accepted), (2, 5));
    assert_eq!((rig.ledger("late").await.waiting, rig.ledger("thorough").await.waiting), (2, 5));
    rig.deliver("thorough", 0..u64::MAX).await;
    rig.store.open_destination(beginning).await.unwrap();
    assert_eq!(rig.ledger("thorough").await.waiting, 0, "opening again must not move the cursor");
}

#[tokio::test]
async fn a_destination_cannot_change_its_organisation() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let other = rig.store.open_destination(registration("splunk", "globex")).await;
    assert!(matches!(other, Err(StoreError::OtherOrganization { .. })), "{other:?}");
}

#[tokio::test]
async fn a_destination_that_is_no_longer_configured_pins_nothing_and_adds_up() {
    let rig = Rig::with(|config| config.keep = keep(HOUR, u64::MAX));
    rig.open("gone", "acme").await;
    rig.open("stays", "acme").await;
    let first = rig.append("acme", 3).await;
    rig.store.retain_destinations(&["stays".to_owned()]).await.unwrap();
    rig.deliver("stays", first).await;
    assert_eq!(rig.blocks().await, 1);
    assert_eq!(rig.ledger("gone").await.waiting, 3);
    rig.advance(HOUR);
    rig.expire_all().await;
    assert_eq!(rig.blocks().await, 0);
    assert_eq!(rig.ledger("gone").await.expired, 3);
    assert_eq!(rig.ledger("stays").await.delivered, 3);
}

#[tokio::test]
async fn a_destination_that_comes_back_goes_on_where_it_was() {
    let rig = Rig::with(|config| config.keep = keep(HOUR, u64::MAX));
    rig.open("splunk", "acme").await;
    let first = rig.append("acme", 3).await;
    rig.deliver("splunk", first.start..first.start + 1).await;
    rig.store.retain_destinations(&[]).await.unwrap();
    rig.append("acme", 4).await;
    rig.open("splunk", "acme").await;
    rig.advance(HOUR * 2);
    rig.expire_all().await;
    let ledger = rig.ledger("splunk").await;
    assert_eq!(
        (ledger.delivered, ledger.waiting, rig.blocks().await),
        (1, 6, 2),
        "both blocks are pinned again"
    );
}

#[tokio::test]
async fn a_grant_is_kept_until_it_is_replaced() {
    let rig = Rig::new();
    let grant =
        |digest: &str| Grant { plugin_digest: digest.to_owned(), profile: r#"{"path":"/"}"#.to_owned() };
    assert_eq!(rig.store.granted("splunk").await.unwrap(), None);
    rig.store.grant("splunk", grant("one")).await.unwrap();
    rig.store.grant("splunk", grant("two")).await.unwrap();
    let rig = rig.crashed();
    assert_eq!(rig.store.granted("splunk").await.unwrap(), Some(grant("two")));
}

#[tokio::test]
async fn the_file_beside_the_database_is_never_many_commits_behind() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    for _ in 0..600 {
        rig.append("acme", 1).await;
    }
    let text = std::fs::read(rig.config.folder.join("destinations.json")).unwrap();
    let snapshot: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert!(snapshot["accepted"]["acme"].as_u64().unwrap() > 256, "{snapshot}");
}
