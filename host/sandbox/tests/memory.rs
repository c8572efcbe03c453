//! No formatter ever has a secret in its memory: not while it formats, and not while it reads the answer of a server
//! that sends the whole request back.
//!
//! The engine of these tests takes its guests' memories from here, so that every byte of each can be looked at once
//! the instance is gone. Each search also has to find what a guest must know, else it would prove nothing.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../tests/canary/echo.rs"]
mod echo;
#[path = "support/events.rs"]
mod events;
#[path = "../../../tests/canary/hunt.rs"]
mod hunt;
#[path = "support/memories.rs"]
mod memories;
#[path = "support/responses.rs"]
mod responses;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use echo::{ECHOES, Echo, MARKER, answer};
use events::events;
use http::HeaderName;
use hunt::Hunt;
use memories::Memories;
use responses::response;
use siemaphore_delivery::{
    Answer, Authentication, ClientConfig, Cookies, EgressPolicy, FramedBody, GrantedProfile, Group, Target,
    TargetConfig, follow_up_response_for_guest, frame, response_for_guest,
};
use siemaphore_model::formatter::{Pending, RequestProfile};
use siemaphore_sandbox::{Configuration, Formatter, GuestLimits, Sandbox, SandboxConfig};
use siemaphore_secrets::{SecretReference, Secrets};

/// With characters that are written differently in URLs, JSON and HTML.
const SECRET: &str = "Zk7+wQ/4vR~p\"2xJ&b=9nTqLs0";
const USER: &str = "svc-u4Tq9";
const ACCESS_TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.k3Vw8Rz1Xb6Yd0Qm.s-9_Tg4HpLc2NfUaEj7WiOv5";
const STATUSES: [u16; 7] = [200, 400, 401, 403, 413, 429, 503];

/// Every form of every secret that takes part.
fn hunt() -> Hunt {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{SECRET}"));
    Hunt::for_secrets([SECRET, ACCESS_TOKEN, &pair])
}

/// A server that gives tokens, and sends everything else back in the next form with the next status.
async fn echoing() -> Echo {
    Echo::start(|number, seen| {
        if seen.head.starts_with("POST /token") {
            let body = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":3600}}"#);
            return answer(200, "OK", "", body.as_bytes());
        }
        let (_, echo) = ECHOES[number % ECHOES.len()];
        echo(STATUSES[number % STATUSES.len()], seen)
    })
    .await
}

/// The usual SIEM of each way to authenticate.
fn ways_to_authenticate(server: &Echo, secret: &SecretReference) -> [(&'static str, Authentication); 5] {
    let header = |name, prefix: &str| Authentication::Header {
        header: HeaderName::from_static(name),
        prefix: prefix.to_owned(),
        secret: secret.clone(),
    };
    let token_url = server.url("/token").parse().unwrap();
    [
        ("splunk", header("authorization", "Splunk ")),
        ("datadog", header("dd-api-key", "")),
        ("splunk", Authentication::Bearer { secret: secret.clone() }),
        ("datadog", Authentication::Basic { username: USER.to_owned(), secret: secret.clone() }),
        (
            "sentinel",
            Authentication::OAuth2ClientCredentials {
                token_url,
                client_id: USER.to_owned(),
                secret: secret.clone(),
                scope: "https://monitor.azure.com/.default".to_owned(),
            },
        ),
    ]
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// One destination: a formatter that was asked what it wants, and the SIEM that it may have it from.
struct Destination {
    formatter: Formatter,
    configuration: Configuration,
    granted: GrantedProfile,
    target: Target,
}

impl Destination {
    fn new(
        sandbox: &Sandbox,
        name: &str,
        server: &Echo,
        authentication: Authentication,
        folder: &Path,
    ) -> Self {
        let component =
            siemaphore_bundle::formatters().iter().find(|one| one.name == name).unwrap().component;
        let formatter = sandbox.load(name, component, GuestLimits::default()).unwrap();
        let settings = formatter.description().settings_example.clone();
        let configuration = Configuration { settings, destination: "acme/echo".to_owned() };
        let profile = formatter.configure(&configuration).unwrap();
        // So that every formatter also reads the answers to follow-ups.
        let profile = RequestProfile { follow_up_path: Some("/ack".to_owned()), sticky: true, ..profile };
        let endpoint = server.url("").parse().unwrap();
        let granted = GrantedProfile::check(&profile, &authentication, &endpoint).unwrap();
        let client = ClientConfig {
            ca_file: Some(folder.join("ca.pem")),
            egress: Arc::new(EgressPolicy::loopback()),
            ..ClientConfig::default()
        };
        let config = TargetConfig {
            destination: "echo".to_owned(),
            endpoint,
            authentication,
            client,
            client_certificate: None,
            further_secrets: Vec::new(),
        };
        let target = Target::new(config, Arc::new(Secrets::new())).unwrap();
        Destination { formatter, configuration, granted, target }
    }

    fn formatted(&self) -> FramedBody {
        let events = events(3, 200);
        let formatted =
            self.formatter.format(&self.configuration, &events.iter().collect::<Vec<_>>()).unwrap();
        let records: Vec<&[u8]> = formatted.records.iter().collect();
        frame(&self.granted, &records).bodies.into_iter().next().unwrap().body
    }

    async fn attempt(&self, body: &FramedBody) -> Answer {
        self.target.attempt(&self.granted, &Group::default(), body, None).await.unwrap()
    }

    async fn follow_up(&self, cookies: &Cookies) -> Answer {
        let pending = Pending { after_ms: 0, query: Vec::new(), body: b"{}".to_vec(), state: Vec::new() };
        self.target.follow_up(&self.granted, &Group::default(), &pending, cookies).await.unwrap()
    }
}

#[tokio::test]
async fn the_memory_of_every_guest_is_free_of_secrets_after_an_answer_that_echoes_them() {
    let memories = Memories::default();
    let config = SandboxConfig { formatting_threads: 1, ..SandboxConfig::default() };
    let sandbox = Sandbox::with_engine(&config, |engine| memories.observe(engine)).unwrap();
    let server = echoing().await;
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("ca.pem"), server.ca_pem());
    write(&folder.path().join("secret"), SECRET);
    let reference = SecretReference::File(folder.path().join("secret"));
    let hunt = hunt();
    for (name, authentication) in ways_to_authenticate(&server, &reference) {
        let destination = Destination::new(&sandbox, name, &server, authentication, folder.path());
        memories.take();
        let body = destination.formatted();
        let formatting = memories.take();
        assert!(formatting.hold("evt_00000002"), "{name}: the memory of `format` was not read");
        formatting.assert_free_of_secrets(&hunt, &format!("{name} while it formats"));
        let mut cookies = Cookies::default();
        for (number, (form, _)) in ECHOES.iter().enumerate() {
            let answer = destination.attempt(&body).await;
            cookies.keep(&answer);
            let first = response_for_guest(&answer, 3, 1000);
            let answer = destination.follow_up(&cookies).await;
            let second = follow_up_response_for_guest(&answer, vec![7; 16], 3, 1000);
            for response in [first, second] {
                // A guest may break over an answer; its memory is looked at all the same.
                drop(destination.formatter.interpret(&destination.configuration, &response));
                let interpreting = memories.take();
                assert!(interpreting.hold(MARKER), "{name}: the memory of `interpret` was not read");
                interpreting.assert_free_of_secrets(&hunt, &format!("{name} number {number} ({form})"));
            }
        }
    }
    let shown: String = server.seen().iter().map(|seen| format!("{}\n{}\n", seen.head, seen.body)).collect();
    for wanted in
        ["Splunk Zk7+", "dd-api-key: Zk7+", "Bearer Zk7+", "Basic ", "Bearer eyJ0", "client_secret="]
    {
        let found = shown.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase());
        assert!(found, "no request had `{wanted}`, so nothing was echoed");
    }
}

/// The search itself: what the host would hand to a guest without cleaning is found.
#[tokio::test]
async fn an_answer_that_nobody_cleaned_would_be_noticed_in_every_form() {
    let memories = Memories::default();
    let sandbox = Sandbox::with_engine(&SandboxConfig::default(), |engine| memories.observe(engine)).unwrap();
    let component =
        siemaphore_bundle::formatters().iter().find(|one| one.name == "splunk").unwrap().component;
    let formatter = sandbox.load("splunk", component, GuestLimits::default()).unwrap();
    let configuration = Configuration {
        settings: formatter.description().settings_example.clone(),
        destination: "acme/echo".to_owned(),
    };
    let seen = echo::Seen {
        head: format!("POST /in HTTP/1.1\r\nauthorization: Splunk {SECRET}\r\n\r\n"),
        body: String::new(),
    };
    let hunt = hunt();
    for (form, echo) in ECHOES.iter().filter(|(form, _)| !form.contains("compressed") && !is_cut_up(form)) {
        memories.take();
        drop(formatter.interpret(&configuration, &response(400, echo(400, &seen))));
        assert!(memories.take().hold_a_secret(&hunt), "{form} went unnoticed");
    }
}

/// Forms with something in between, which only a guest that puts them together would show.
fn is_cut_up(form: &str) -> bool {
    form.contains("chunks") || form.contains("dump")
}
