//! Attempts against real servers over real TLS.

// The server of the client's own tests.
#[path = "../../../http/tests/client/server.rs"]
mod server;

mod authentication;
mod cleaning;
mod client_certificate;
mod failures;
mod fetching;
mod google;
mod managed_identity;
mod oauth2;
mod requests;
mod rotation;
mod warnings;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::{
    Answer, AttemptError, Authentication, ClientConfig, EgressPolicy, FramedBody, GrantedProfile, Group,
    Target, TargetConfig, frame,
};
use siemaphore_model::formatter::{Compression, Framing, Limits, Method, Probe, RequestProfile};
use siemaphore_secrets::{SecretReference, Secrets};
use url::Url;

use crate::server::Server;

/// A profile that most tests are content with.
fn profile() -> RequestProfile {
    RequestProfile {
        method: Method::Post,
        path: "/in".into(),
        query: Vec::new(),
        content_type: "application/json".into(),
        headers: Vec::new(),
        follow_up_path: Some("/ack".into()),
        sticky: true,
        framing: Framing::JsonArray,
        limits: Limits { records: 1000, body_bytes: 1_000_000, record_bytes: 100_000 },
        compression: vec![Compression::Gzip],
        probe: Some(Probe { get: true, path: "/health".into(), query: Vec::new(), body: Vec::new() }),
        replay_window: None,
    }
}

fn group() -> Group {
    Group { organization: "acme".into(), project: Some("chat".into()), producer: "aisg".into() }
}

fn client_config(server: &Server) -> ClientConfig {
    ClientConfig {
        ca_file: Some(server.ca_file()),
        egress: Arc::new(EgressPolicy::loopback()),
        ..ClientConfig::default()
    }
}

/// Writes the secret that [`secret_reference`] points at.
fn write_secret(server: &Server, value: &str) {
    let path = server.folder().join("secret");
    fs::write(&path, value).expect("the secret is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
}

fn secret_reference(server: &Server) -> SecretReference {
    SecretReference::File(server.folder().join("secret"))
}

/// Lets time pass for caches, without waiting. Only this step is virtual: with the clock stopped for longer, timeouts
/// would go off while a socket is busy.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A destination whose SIEM is `server`.
struct Destination {
    target: Target,
    granted: GrantedProfile,
}

impl Destination {
    fn new(server: &Server, authentication: Authentication) -> Self {
        Self::with(server, authentication, profile(), client_config(server))
    }

    fn with(
        server: &Server,
        authentication: Authentication,
        profile: RequestProfile,
        client: ClientConfig,
    ) -> Self {
        Self::at(server.url(""), authentication, profile, client)
    }

    fn at(
        endpoint: Url,
        authentication: Authentication,
        profile: RequestProfile,
        client: ClientConfig,
    ) -> Self {
        let client_certificate = None;
        Self::of(
            TargetConfig {
                destination: "test".into(),
                endpoint,
                authentication,
                client,
                client_certificate,
                further_secrets: Vec::new(),
            },
            &profile,
        )
    }

    fn of(config: TargetConfig, profile: &RequestProfile) -> Self {
        let granted = GrantedProfile::check(profile, &config.authentication, &config.endpoint);
        let target = Target::new(config, Arc::new(Secrets::new())).expect("a target");
        Destination { target, granted: granted.expect("granted") }
    }

    async fn send(&self) -> Result<Answer, AttemptError> {
        self.target.attempt(&self.granted, &group(), &self.body(&[br#"{"a":1}"#]), None).await
    }

    fn body(&self, records: &[&[u8]]) -> FramedBody {
        frame(&self.granted, records).bodies.into_iter().next().expect("a body").body
    }
}
