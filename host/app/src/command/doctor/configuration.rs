//! The configuration, as `check` checks it, and what the other checks need of it.

use std::path::Path;

use siemaphore_delivery::{ClientCertificate, ClientCertificateError};
use siemaphore_http::{Client, ClientConfig, ClientError, ClientIdentity};
use siemaphore_secrets::Secrets;
use siemaphore_sources::Kind;
use url::Url;

use crate::command::doctor::finding::Finding;
use crate::config::prepare::{Prepared, prepare};
use crate::config::{self, Config, Problem, unconnected};

/// As much of a configuration as is right.
pub(crate) struct Configured {
    pub(crate) findings: Vec<Finding>,
    /// The enabled destinations: known as soon as the file itself is right.
    pub(crate) servers: Vec<Server>,
    /// The sources that fetch, by name.
    pub(crate) fetched: Vec<(String, Kind)>,
    /// None when a formatter, a setting or a secret is wrong.
    pub(crate) prepared: Option<Prepared>,
}

/// Where a destination is.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// `organization/name`
    pub(crate) id: String,
    pub(crate) endpoint: Url,
    client: ClientConfig,
    certificate: Option<ClientCertificate>,
}

impl Server {
    /// What is shown to it; none where no certificate is configured.
    pub(crate) async fn identity(&self) -> Option<Result<ClientIdentity, ClientCertificateError>> {
        Some(self.certificate.as_ref()?.read(&Secrets::new()).await)
    }

    /// A client that shows the certificate, if it can be had.
    pub(crate) async fn client(&self) -> Result<Client, ClientError> {
        let client = Client::new(&self.client)?;
        match self.identity().await {
            Some(Ok(identity)) => client.showing(&identity),
            _ => Ok(client),
        }
    }
}

impl Configured {
    /// A running host has secrets of its own environment: what is missing here need not be missing there.
    pub(crate) async fn read(file: &Path, has_host: bool) -> Configured {
        let config = match config::load(file) {
            Ok(config) => config,
            Err(problems) => {
                let findings = problems.iter().map(|problem| finding(problem, false)).collect();
                return Configured { findings, servers: Vec::new(), fetched: Vec::new(), prepared: None };
            }
        };
        let servers = servers(&config);
        let fetched = config.sources.iter();
        let fetched = fetched.filter_map(|source| Some((source.name.clone(), source.fetched()?.clone())));
        let fetched = fetched.collect();
        let warnings = unconnected(&config).iter().map(warning).collect::<Vec<_>>();
        match prepare(config).await {
            Ok(prepared) => {
                let (sources, destinations) = (prepared.sources.len(), prepared.destinations.len());
                let text = format!("{}: sources: {sources}, destinations: {destinations}", file.display());
                let findings = [vec![Finding::ok("configuration", text)], warnings].concat();
                Configured { findings, servers, fetched, prepared: Some(prepared) }
            }
            Err(problems) => {
                let findings = problems.iter().map(|problem| finding(problem, has_host));
                let findings = findings.chain(warnings).collect();
                Configured { findings, servers, fetched, prepared: None }
            }
        }
    }
}

fn servers(config: &Config) -> Vec<Server> {
    let enabled = config.destinations.iter().filter(|destination| destination.enabled);
    let servers = enabled.map(|destination| Server {
        id: destination.id(),
        endpoint: destination.endpoint.clone(),
        client: destination.client.clone(),
        certificate: destination.client_certificate.clone(),
    });
    servers.collect()
}

fn warning(problem: &Problem) -> Finding {
    Finding::warning("configuration", placed(problem), &problem.hint)
}

fn placed(problem: &Problem) -> String {
    let place = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    format!("{place}{}", problem.reason)
}

fn finding(problem: &Problem, has_host: bool) -> Finding {
    let reason = placed(problem);
    match has_host {
        true => Finding::warning(
            "configuration",
            format!("{reason}; the running host is not concerned, but could not be started from here"),
            &problem.hint,
        ),
        false => Finding::failed("configuration", reason, &problem.hint),
    }
}
