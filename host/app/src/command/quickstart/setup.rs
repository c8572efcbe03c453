//! The parts of a demonstration: pretend SIEMs, their secrets, a configuration, a host.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use siemaphore_http::{Client, ClientConfig, EgressPolicy, Request};
use siemaphore_receiver::{Certificate, Receiver, SentinelWorkspace, Siem};
use tempfile::TempDir;
use url::Url;

use crate::config::prepare::prepare;
use crate::config::{self, Problem};
use crate::host::Host;

const HEC_TOKEN: &str = "3f1b8a52-7c1e-4b8f-9a55-0f6d2f1c7e10";
const DATADOG_KEY: &str = "0123456789abcdef0123456789abcdef";
const DCR: &str = "dcr-0123456789abcdef0123456789abcdef";
const STREAM: &str = "Custom-AiEvents_CL";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT_ID: &str = "66666666-7777-8888-9999-000000000000";
const CLIENT_SECRET: &str = "quickstart-client-secret";
const SOURCE_TOKEN: &str = "quickstart";

/// A pretend SIEM.
pub(crate) struct PretendSiem {
    pub(crate) name: &'static str,
    pub(crate) receiver: Receiver,
}

/// Everything that runs.
pub(crate) struct Demonstration {
    host: Host,
    siems: Vec<PretendSiem>,
    client: Client,
    intake: Url,
    sent: AtomicUsize,
    /// Removed when dropped, after the host has let go of it.
    folder: TempDir,
}

impl Demonstration {
    pub(crate) async fn start() -> Result<Demonstration> {
        let folder = tempfile::Builder::new().prefix("siemaphore-quickstart-").tempdir()?;
        let certificate = Certificate::generate()?;
        fs::write(folder.path().join("ca.pem"), certificate.ca_pem())?;
        let mut siems = Vec::new();
        for (name, siem) in pretend() {
            siems.push(PretendSiem { name, receiver: Receiver::start(siem, &certificate).await? });
        }
        let text = configuration(folder.path(), &siems)?;
        let config = config::from_text(text, folder.path()).map_err(unexpected)?;
        let host = Host::start(prepare(config).await.map_err(unexpected)?).await?;
        let intake = Url::parse(&format!("http://{}/v1/events", host.intake_address()))?;
        let egress = EgressPolicy::loopback().into();
        let client = Client::new(&ClientConfig { egress, allow_plaintext: true, ..ClientConfig::default() })?;
        Ok(Demonstration { host, siems, client, intake, sent: AtomicUsize::new(0), folder })
    }

    pub(crate) fn siems(&self) -> &[PretendSiem] {
        &self.siems
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn intake(&self) -> &Url {
        &self.intake
    }

    pub(crate) fn source_token(&self) -> &'static str {
        SOURCE_TOKEN
    }

    pub(crate) fn configuration_file(&self) -> std::path::PathBuf {
        self.folder.path().join("siemaphore.toml")
    }

    /// Events sent by this demonstration itself.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends events as a producer would: over HTTP, with the source's token.
    pub(crate) async fn send(&self, events: &[String]) -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {SOURCE_TOKEN}"))?);
        let body = Bytes::from(events.join("\n"));
        let request = Request { method: Method::POST, url: self.intake.clone(), headers, body };
        let answer = self.client.send(request).await.context("the intake does not answer")?;
        if answer.status != 200 {
            return Err(anyhow!(
                "the intake answered {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ));
        }
        self.sent.fetch_add(events.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Stops the host first, so that nothing is in flight when the SIEMs go.
    pub(crate) async fn stop(self, grace: Duration) -> Result<()> {
        self.host.drain(grace).await?;
        for siem in self.siems {
            siem.receiver.stop().await;
        }
        Ok(self.folder.close()?)
    }
}

fn pretend() -> [(&'static str, Siem); 3] {
    [
        ("splunk", Siem::splunk_hec(HEC_TOKEN)),
        ("datadog", Siem::datadog(DATADOG_KEY)),
        (
            "sentinel",
            Siem::sentinel(SentinelWorkspace {
                dcr_immutable_id: DCR.to_owned(),
                stream: STREAM.to_owned(),
                tenant: TENANT.to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.to_owned(),
            }),
        ),
    ]
}

/// Writes the secrets and a configuration as an operator would, and returns the latter.
fn configuration(folder: &Path, siems: &[PretendSiem]) -> Result<String> {
    for (name, secret) in [
        ("source", SOURCE_TOKEN),
        ("splunk", HEC_TOKEN),
        ("datadog", DATADOG_KEY),
        ("sentinel", CLIENT_SECRET),
    ] {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(name).with_extension("secret"))?;
        file.write_all(secret.as_bytes())?;
    }
    let place = folder.display();
    let mut text = format!(
        "state = \"state\"\n\n\
         [intake]\nlisten = \"127.0.0.1:0\"\n\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\n\
         [store]\ndisk_reserve = \"64 MiB\"\n\n\
         # The pretend SIEMs are on this machine.\n[egress]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\n\n\
         [[source]]\nname = \"quickstart\"\norganization = \"acme\"\ntoken = \"file:{place}/source.secret\"\n"
    );
    for siem in siems {
        let (name, endpoint) = (siem.name, siem.receiver.endpoint());
        text.push_str(&format!(
            "\n[[destination]]\nname = \"{name}\"\norganization = \"acme\"\nformatter = \"{name}\"\nendpoint = \"{endpoint}\"\n\
             secret = \"file:{place}/{name}.secret\"\nca_file = \"ca.pem\"\n"
        ));
        if let Some(token_url) = siem.receiver.token_url() {
            text.push_str(&format!(
                "authentication = {{ client_id = \"{CLIENT_ID}\", token_url = \"{token_url}\" }}\n\
                 settings = {{ dcr_immutable_id = \"{DCR}\", stream = \"{STREAM}\" }}\n"
            ));
        }
    }
    fs::write(folder.join("siemaphore.toml"), &text)?;
    Ok(text)
}

fn unexpected(problems: Vec<Problem>) -> anyhow::Error {
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow!(
        "the demonstration's own configuration is wrong, which is a fault of Siemaphore: {}",
        all.join("; ")
    )
}
