//! The files of a run: configuration, secrets, state, log. Two organisations, five destinations, and a store that is
//! so small that blocks are deleted, pages given back and the write-ahead log emptied all the time.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use siemaphore_receiver::{Acknowledgement, Certificate, SentinelWorkspace, Siem as StandIn};
use tempfile::TempDir;

use crate::payload::Organization;
use crate::siem::Siem;

const HEC_TOKEN: &str = "oracle-hec-token";
const DATADOG_KEY: &str = "oracle-datadog-key";
const CLIENT_ID: &str = "66666666-7777-8888-9999-000000000000";
const CLIENT_SECRET: &str = "oracle-client-secret";
const DCR: &str = "dcr-0123456789abcdef0123456789abcdef";
const STREAM: &str = "Custom-AiEvents_CL";

/// What is kept after delivery is next to nothing. The size limit is far above what can wait: nothing may expire.
const STORE: &str = "[store]\nsize_limit = \"512 MiB\"\nkeep_for = \"1s\"\nkeep_size = \"256 KiB\"\ndisk_reserve = \"64 MiB\"\n";

/// So many requests may wait for a confirmation, for each that may be in flight.
const UNCONFIRMED_PER_REQUEST: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Splunk,
    /// Two indexers behind a balancer, and an event is delivered when it is indexed.
    IndexedSplunk,
    Datadog,
    Sentinel,
}

/// One destination of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    pub(crate) name: &'static str,
    pub(crate) organization: Organization,
    pub(crate) kind: Kind,
    /// Whether its SIEM misbehaves.
    pub(crate) is_troubled: bool,
    pub(crate) concurrency: u32,
    pub(crate) batch_events: u32,
}

impl Destination {
    /// What a kill can send twice: everything that is in flight, or answered and not settled, or not confirmed.
    pub(crate) fn in_flight(&self) -> u64 {
        let waiting = if self.kind == Kind::IndexedSplunk { UNCONFIRMED_PER_REQUEST } else { 0 };
        u64::from(self.concurrency) * u64::from(self.batch_events) * (1 + waiting)
    }
}

pub(crate) const DESTINATIONS: [Destination; 5] = [
    // Never in trouble: whatever arrives twice here was sent twice because of a kill.
    Destination {
        name: "calm",
        organization: Organization::Acme,
        kind: Kind::Splunk,
        is_troubled: false,
        concurrency: 3,
        batch_events: 40,
    },
    Destination {
        name: "splunk",
        organization: Organization::Acme,
        kind: Kind::Splunk,
        is_troubled: true,
        concurrency: 3,
        batch_events: 25,
    },
    Destination {
        name: "datadog",
        organization: Organization::Acme,
        kind: Kind::Datadog,
        is_troubled: true,
        concurrency: 2,
        batch_events: 30,
    },
    Destination {
        name: "sentinel",
        organization: Organization::Acme,
        kind: Kind::Sentinel,
        is_troubled: true,
        concurrency: 2,
        batch_events: 30,
    },
    Destination {
        name: "indexed",
        organization: Organization::Umbra,
        kind: Kind::IndexedSplunk,
        is_troubled: true,
        concurrency: 2,
        batch_events: 20,
    },
];

impl Kind {
    fn formatter(self) -> &'static str {
        match self {
            Kind::Splunk | Kind::IndexedSplunk => "splunk",
            Kind::Datadog => "datadog",
            Kind::Sentinel => "sentinel",
        }
    }

    pub(crate) fn siem(self) -> StandIn {
        match self {
            Kind::Splunk => StandIn::splunk_hec(HEC_TOKEN),
            Kind::IndexedSplunk => {
                let indexers = Acknowledgement::after_polls(0).behind_balancer(2);
                StandIn::splunk_hec_acknowledging(HEC_TOKEN, indexers)
            }
            Kind::Datadog => StandIn::datadog(DATADOG_KEY),
            Kind::Sentinel => StandIn::sentinel(SentinelWorkspace {
                dcr_immutable_id: DCR.to_owned(),
                stream: STREAM.to_owned(),
                tenant: "11111111-2222-3333-4444-555555555555".to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.to_owned(),
            }),
        }
    }

    fn secret(self) -> &'static str {
        match self {
            Kind::Splunk | Kind::IndexedSplunk => HEC_TOKEN,
            Kind::Datadog => DATADOG_KEY,
            Kind::Sentinel => CLIENT_SECRET,
        }
    }
}

/// The token of an organisation's producers.
pub(crate) fn token(organization: Organization) -> &'static str {
    match organization {
        Organization::Acme => "oracle-acme-token",
        Organization::Umbra => "oracle-umbra-token",
    }
}

/// A folder that goes away when the run ends well, and stays for whoever looks for the cause when it does not.
pub(crate) struct Stage {
    folder: TempDir,
    seed: u64,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "seed {}; the state and the host's log are kept in {}",
                self.seed,
                self.folder.path().display()
            );
        }
    }
}

impl Stage {
    /// Starts the stand-ins and writes everything that the host needs.
    pub(crate) async fn set(seed: u64) -> (Stage, Vec<Arc<Siem>>) {
        let folder = tempfile::Builder::new().prefix("siemaphore-oracle-").tempdir().unwrap();
        let stage = Stage { folder, seed };
        let certificate = Certificate::generate().expect("a certificate");
        fs::write(stage.path("ca.pem"), certificate.ca_pem()).unwrap();
        let mut text = stage.head();
        let mut siems = Vec::new();
        for destination in DESTINATIONS {
            let siem = Siem::start(destination, &certificate).await;
            text.push_str(&stage.destination(&siem));
            siems.push(siem);
        }
        fs::write(stage.configuration(), text).unwrap();
        (stage, siems)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.path("siemaphore.toml")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("host.log")
    }

    /// Where the host answers its operator.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("state/control.sock")
    }

    fn head(&self) -> String {
        let mut text = format!(
            "state = \"state\"\n\
             [intake]\nlisten = \"127.0.0.1:0\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n{STORE}\
             [egress]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\n\
             [log]\nformat = \"json\"\n"
        );
        for organization in Organization::ALL {
            let secret = self.secret(organization.source(), token(organization));
            text.push_str(&format!(
                "[[source]]\nname = \"{}\"\norganization = \"{}\"\nprofile = \"aisg\"\ntoken = \"{secret}\"\n",
                organization.source(),
                organization.name()
            ));
        }
        text
    }

    fn destination(&self, siem: &Siem) -> String {
        let Destination { name, organization, kind, concurrency, batch_events, .. } = siem.destination;
        let organization = organization.name();
        let secret = self.secret(&format!("{organization}-{name}"), kind.secret());
        let mut text = format!(
            "\n[[destination]]\nname = \"{name}\"\norganization = \"{organization}\"\nformatter = \"{}\"\n\
             endpoint = \"{}\"\nca_file = \"ca.pem\"\nsecret = \"{secret}\"\ntimeout = \"2s\"\n\
             concurrency = {concurrency}\nbatch_events = {batch_events}\n\
             retry = {{ shortest = \"200ms\", longest = \"3s\" }}\n",
            kind.formatter(),
            siem.receiver.endpoint(),
        );
        if kind == Kind::IndexedSplunk {
            text.push_str("settings = { indexer_acknowledgement = true }\n");
        }
        if let Some(token_url) = siem.receiver.token_url() {
            text.push_str(&format!(
                "authentication = {{ client_id = \"{CLIENT_ID}\", token_url = \"{token_url}\" }}\n\
                 settings = {{ dcr_immutable_id = \"{DCR}\", stream = \"{STREAM}\" }}\n"
            ));
        }
        text
    }

    /// Writes a secret as the host wants it, readable by its owner only, and gives the reference to it.
    fn secret(&self, name: &str, secret: &str) -> String {
        let path = self.path(&format!("{name}.secret"));
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(secret.as_bytes()).unwrap();
        format!("file:{}", path.display())
    }
}
