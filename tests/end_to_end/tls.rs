//! SIEMs that demand a client certificate, and SIEMs whose key is pinned.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use serde_json::Value;
use siemaphore_receiver::ReceiverConfig;

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, ids};

/// An authority of clients.
struct Clients(CertifiedIssuer<'static, KeyPair>);

impl Clients {
    fn new() -> Clients {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        Clients(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// A certificate and its key, as one file holds them.
    fn issue(&self) -> String {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["siemaphore".to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&key, &self.0).expect("a certificate").pem() + &key.serialize_pem()
    }

    fn demanding(&self) -> Destination {
        let client_authority = Some(self.0.der().clone());
        Destination::to(Kind::Splunk)
            .receiver(ReceiverConfig { client_authority, ..ReceiverConfig::default() })
    }
}

async fn held_because(scene: &Scene, why: &str, hint: &str) -> Value {
    let view = scene
        .until("splunk", "held", |view| {
            let error = &view["status"]["last_error"];
            error["reason"].as_str().is_some_and(|reason| reason.contains(why))
        })
        .await;
    assert_eq!(view["status"]["state"], "holding", "{view:#}");
    assert!(view["status"]["last_error"]["hint"].as_str().is_some_and(|own| own.contains(hint)), "{view:#}");
    assert_eq!(scene.splunk().totals().requests, 0, "{view:#}");
    view
}

#[tokio::test]
async fn a_siem_that_demands_a_client_certificate_is_served_with_one_and_a_replaced_one_needs_no_restart() {
    let clients = Clients::new();
    let both = "client_certificate = \"client.pem\"\nclient_key = \"file:CLIENT\"";
    let stage = Scene::new().to(clients.demanding().with(both)).set().await;
    // Of an authority that the server does not know.
    let file = stage.secret_file("client", &Clients::new().issue());
    stage.edit(|text| text.replace("client.pem", &file).replace("CLIENT", &file));
    let scene = stage.start(None).await;
    scene.send(&numbered("mutual", 20)).await;
    held_because(
        &scene,
        "it does not take the client certificate",
        "trusts the client certificate's authority",
    )
    .await;
    // The right one goes where the wrong one is.
    scene.correct_secret("client", &clients.issue());
    scene.until_test_succeeds("splunk").await;
    let mut arrived = scene.splunk().arrived(21).await;
    arrived.retain(|received| !received.raw.contains("siemaphore.test"));
    assert_eq!(ids(&arrived), numbered_ids("mutual", 20));
    scene.stop().await;
}

#[tokio::test]
async fn without_a_client_certificate_the_operator_is_told_that_one_is_demanded() {
    let scene = Scene::new().to(Clients::new().demanding()).start().await;
    scene.send(&numbered("bare", 3)).await;
    let view = held_because(&scene, "demands a client certificate", "`client_certificate`").await;
    assert_eq!(view["ledger"]["waiting"], 3, "{view:#}");
    scene.stop().await;
}

#[tokio::test]
async fn a_key_that_is_not_pinned_gets_nothing_and_is_named_so_that_it_can_be_compared() {
    let another = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let pinned = format!("certificate_pins = [\"{another}\"]");
    let mut scene = Scene::new().to(Destination::to(Kind::Splunk).with(&pinned)).start().await;
    scene.send(&numbered("pinned", 10)).await;
    let view = held_because(&scene, "not one of the pinned ones", "certificate_pins").await;
    let reason = view["status"]["last_error"]["reason"].as_str().expect("a reason");
    let seen =
        reason.split_whitespace().find(|word| word.starts_with("sha256//")).expect("the pin that was seen");
    let seen = seen.trim_end_matches(|after: char| !matches!(after, '='));
    assert!(scene.host.terminate().await.success());
    let text = std::fs::read_to_string(scene.configuration()).expect("the configuration");
    std::fs::write(scene.configuration(), text.replace(another, seen)).expect("a file");
    scene.restart().await;
    assert_eq!(ids(&scene.splunk().arrived(10).await), numbered_ids("pinned", 10));
    scene.stop().await;
}
