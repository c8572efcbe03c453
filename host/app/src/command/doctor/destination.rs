//! One destination: its name, its TLS, and whether it takes the credential.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use siemaphore_http::{Certificate, ClientIdentity, Examination, ExamineError, TlsExamination};
use siemaphore_pipeline::{ProbeReport, TestReport};

use crate::command::destination_name::DestinationName;
use crate::command::doctor::configuration::{Configured, Server};
use crate::command::doctor::finding::Finding;
use crate::control::Client;
use crate::host;
use crate::print;

/// Renewing a certificate takes people and tickets.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const SECONDS_A_DAY: u64 = 24 * 60 * 60;

pub(crate) async fn check(server: &Server, configured: &Configured, host: Option<&Client>) -> Vec<Finding> {
    let client = match server.client().await {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::failed(format!("tls {}", server.id), error.to_string(), error.hint())];
        }
    };
    let mut findings = client_certificate(server).await;
    match client.examine(&server.endpoint).await {
        Ok(examination) => findings.extend(examined(server, &examination)),
        // A server that cannot be reached cannot be asked for more.
        Err(error) => {
            findings.push(unreachable(server, &error));
            return findings;
        }
    }
    findings.push(authentication(server, configured, host).await);
    findings
}

async fn client_certificate(server: &Server) -> Vec<Finding> {
    let check = format!("client certificate {}", server.id);
    match server.identity().await {
        None => Vec::new(),
        Some(Ok(identity)) => vec![certificate_finding(check, &identity)],
        Some(Err(error)) => vec![Finding::failed(check, error.to_string(), error.hint())],
    }
}

fn certificate_finding(check: String, identity: &ClientIdentity) -> Finding {
    let now = SystemTime::now();
    if let Err(error) = identity.check_time(now) {
        return Finding::failed(check, error.to_string(), error.hint());
    }
    let certificate = identity.certificate();
    let left = certificate.not_after.duration_since(now).unwrap_or_default();
    let days = print::count(left.as_secs() / SECONDS_A_DAY, "day");
    let text = format!("{}, expires in {days}\nissuer {}", certificate.subject, certificate.issuer);
    match left < EXPIRES_SOON {
        true => Finding::warning(check, text, "put a renewed certificate and its key in place of these"),
        false => Finding::ok(check, text),
    }
}

fn examined(server: &Server, examination: &Examination) -> Vec<Finding> {
    let Examination { addresses, refused, tls } = examination;
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    let check = format!("name {}", server.id);
    let host = server.endpoint.host_str().unwrap_or_default();
    let text = format!("{host} is {}", addresses.join(", "));
    let name = match refused.first() {
        None => Finding::ok(check, text),
        Some(first) => {
            let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
            Finding::warning(check, format!("{text}; not dialled: {}", refused.join(", ")), first.hint())
        }
    };
    let tls = match tls {
        Some(tls) => tls_finding(server, tls),
        None => Finding::ok(format!("tls {}", server.id), "plain http to this machine"),
    };
    vec![name, tls]
}

fn tls_finding(server: &Server, tls: &TlsExamination) -> Finding {
    let check = format!("tls {}", server.id);
    let Some(certificate) = &tls.certificate else {
        return Finding::warning(
            check,
            format!("{}, but the certificate cannot be read", tls.version),
            "replace it",
        );
    };
    let left = certificate.not_after.duration_since(SystemTime::now()).unwrap_or_default();
    let text = format!(
        "{}, expires in {}\n{}",
        tls.version,
        print::count(left.as_secs() / SECONDS_A_DAY, "day"),
        described(certificate)
    );
    match left < EXPIRES_SOON {
        true => Finding::warning(check, text, "renew the server's certificate before it expires"),
        false => Finding::ok(check, text),
    }
}

/// The server's own words, to be compared with what its operator knows.
fn described(certificate: &Certificate) -> String {
    let Certificate { issuer, fingerprint, pin, .. } = certificate;
    format!("issuer {issuer}\nSHA-256 {fingerprint}\npin {pin}")
}

fn unreachable(server: &Server, error: &ExamineError) -> Finding {
    let mut text = error.error.to_string();
    if let Some(certificate) = &error.certificate {
        let until = certificate.not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let until = print::time(u64::try_from(until.as_millis()).unwrap_or(u64::MAX));
        text = format!("{text}\nit presents: {}\nvalid until {until}", described(certificate));
    }
    Finding::failed(format!("connect {}", server.id), text, error.error.hint())
}

/// What a probe found, from here or from the host.
#[derive(Debug, Deserialize)]
struct Probed {
    has_probe: bool,
    ok: bool,
    request: Option<String>,
    status: Option<u16>,
    reason: String,
    hint: String,
}

impl From<ProbeReport> for Probed {
    fn from(ProbeReport { has_probe, report }: ProbeReport) -> Probed {
        let TestReport { ok, request, status, reason, hint, .. } = report;
        Probed { has_probe, ok, request, status, reason, hint }
    }
}

/// By the formatter's probe, which stores nothing. From here where the secrets are here, else by the host.
async fn authentication(server: &Server, configured: &Configured, host: Option<&Client>) -> Finding {
    let check = format!("auth {}", server.id);
    let prepared = configured.prepared.as_ref();
    let found = prepared.and_then(|prepared| {
        let one = prepared.destinations.iter().find(|one| one.config.id() == server.id)?;
        Some((prepared, one))
    });
    let probed = match (found, host) {
        (Some((prepared, one)), _) => {
            let config = host::pipeline_config(&one.config);
            siemaphore_pipeline::probe(&config, &prepared.sandbox, &one.plugin, &one.target).await.into()
        }
        (None, Some(host)) => match host.post(&DestinationName::from_id(&server.id).path("probe")).await {
            Ok(probed) => probed,
            Err(error) => return Finding::error(check, &error, "see the log of the host"),
        },
        (None, None) => {
            return Finding::warning(
                check,
                "not tried: the configuration is not right",
                "mend the configuration first",
            );
        }
    };
    verdict(check, &server.id, &probed)
}

fn verdict(check: String, id: &str, probed: &Probed) -> Finding {
    let Probed { has_probe, ok, request, status, reason, hint } = probed;
    // Most SIEMs have no harmless request: nothing was asked, and nothing is wrong.
    if !has_probe {
        return Finding::ok(
            check,
            format!("not tried: {reason}\n`siemaphore destination test {id}` sends an event the whole way"),
        );
    }
    match (ok, status, request) {
        (true, status, request) => {
            let probe = request.as_deref().unwrap_or("the probe");
            let status = status.map(|status| format!(" with {status}")).unwrap_or_default();
            Finding::ok(
                check,
                format!(
                    "{probe} is answered{status}\nthat proves no event: `siemaphore destination test {id}` sends one \
                     the whole way"
                ),
            )
        }
        (false, Some(status), _) => Finding::failed(check, format!("{reason} ({status})"), hint),
        (false, None, _) => Finding::failed(check, reason, hint),
    }
}
