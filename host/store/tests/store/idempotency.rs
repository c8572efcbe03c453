use crate::support::{HOUR, Rig, events, plain};
use siemaphore_store::{Append, AppendError, Appended, Idempotency};

fn keyed(count: u64, digest: u8) -> Append {
    let idempotency = Idempotency {
        source: "gateway".to_owned(),
        key: "k1".to_owned(),
        digest: [digest; 32],
        answer: format!("{count} accepted"),
    };
    Append { idempotency: Some(idempotency), ..plain("acme", events("acme", count)) }
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_stored_again() {
    let rig = Rig::new();
    assert_eq!(rig.store.repeated("gateway", "k1", &[1; 32]).await.unwrap(), None);
    assert!(matches!(rig.store.append(keyed(3, 1)).await.unwrap(), Appended::Stored { count: 3, .. }));
    let rig = rig.crashed();
    let repeated = rig.store.append(keyed(3, 1)).await.unwrap();
    assert_eq!(repeated, Appended::Repeated { answer: "3 accepted".to_owned() });
    assert_eq!(rig.store.repeated("gateway", "k1", &[1; 32]).await.unwrap().as_deref(), Some("3 accepted"));
    assert_eq!(rig.store.repeated("other", "k1", &[1; 32]).await.unwrap(), None);
    assert_eq!(rig.store.status().await.unwrap().events, 3);
}

#[tokio::test]
async fn a_key_with_other_events_is_refused() {
    let rig = Rig::new();
    rig.store.append(keyed(3, 1)).await.unwrap();
    let reused = rig.store.append(keyed(3, 2)).await;
    assert!(matches!(reused, Err(AppendError::KeyReused)), "{reused:?}");
    let reused = rig.store.repeated("gateway", "k1", &[2; 32]).await;
    assert!(matches!(reused, Err(AppendError::KeyReused)), "{reused:?}");
    assert_eq!(rig.store.status().await.unwrap().events, 3);
}

#[tokio::test]
async fn of_concurrent_requests_with_one_key_one_is_stored() {
    let rig = Rig::new();
    let appends: Vec<_> = (0..20)
        .map(|_| {
            let store = rig.store.clone();
            tokio::spawn(async move { store.append(keyed(3, 1)).await.unwrap() })
        })
        .collect();
    let mut stored = 0;
    for append in appends {
        stored += usize::from(matches!(append.await.unwrap(), Appended::Stored { .. }));
    }
    assert_eq!((stored, rig.store.status().await.unwrap().events), (1, 3));
}

#[tokio::test]
async fn a_key_without_events_is_remembered() {
    let rig = Rig::new();
    assert!(matches!(rig.store.append(keyed(0, 1)).await.unwrap(), Appended::Stored { count: 0, .. }));
    assert!(matches!(rig.store.append(keyed(0, 1)).await.unwrap(), Appended::Repeated { .. }));
    assert_eq!(rig.blocks().await, 0);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let rig = Rig::new();
    rig.store.append(keyed(3, 1)).await.unwrap();
    rig.advance(HOUR * 23);
    assert!(matches!(rig.store.append(keyed(3, 1)).await.unwrap(), Appended::Repeated { .. }));
    rig.advance(HOUR);
    rig.store.expire().await.unwrap();
    let keys: u64 =
        rig.database().query_row("SELECT count(*) FROM idempotency_keys", [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 0);
    assert!(matches!(rig.store.append(keyed(3, 2)).await.unwrap(), Appended::Stored { .. }));
}
