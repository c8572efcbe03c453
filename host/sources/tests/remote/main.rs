//! Sources that ask servers, over real TLS.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

#[path = "../support/rig.rs"]
mod rig;
// The server of the client's own tests.
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../../../http/tests/client/server.rs"]
mod server;

mod pull;
mod sse;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use siemaphore_delivery::{Authentication, ClientConfig, EgressPolicy, FetchConfig};
use siemaphore_secrets::SecretReference;

use crate::server::{Received, Server};

const SECRET: &str = "canary-fetch-token";

/// With a bearer token.
fn fetching(server: &Server, path: &str) -> FetchConfig {
    let secret = server.folder().join("secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    FetchConfig {
        name: "tail".to_owned(),
        url: server.url(path),
        authentication: Authentication::Bearer { secret: SecretReference::File(secret) },
        further_secrets: Vec::new(),
        client: ClientConfig {
            ca_file: Some(server.ca_file()),
            egress: Arc::new(EgressPolicy::loopback()),
            ..ClientConfig::default()
        },
    }
}

fn is_authorized(request: &Received) -> bool {
    request.header("authorization") == Some(&format!("Bearer {SECRET}"))
}
