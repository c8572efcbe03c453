//! The SIEMs' own clients must find a stand-in to be the SIEM.

use std::path::PathBuf;

use siemaphore_receiver::{Certificate, Siem};
use siemaphore_third_party::python;

use crate::sentinel::{RULE, STREAM};
use crate::support::{Lab, iso_hours_from_now};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Runs the script with the endpoint, a file of its authority, and these arguments; away from the runtime's threads,
/// which the stand-in needs.
async fn client(lab: &Lab, script: &'static str, arguments: &[&str], input: &str) {
    let authority = AuthorityFile::of(&lab.certificate);
    let mut all = vec![lab.url(""), authority.0.display().to_string()];
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let input = input.to_owned();
    let run = move || {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        python(script, &all, &input)
    };
    if let Err(failed) = tokio::task::spawn_blocking(run).await {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// Python's TLS reads authorities from files.
struct AuthorityFile(PathBuf);

impl AuthorityFile {
    fn of(certificate: &Certificate) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("official-{}-{number}.pem", std::process::id()));
        std::fs::write(&path, certificate.ca_pem()).expect("a file");
        Self(path)
    }
}

impl Drop for AuthorityFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[tokio::test]
async fn datadogs_client_sends_a_log_in_every_encoding() {
    let lab = Lab::start(Siem::datadog(KEY)).await;
    client(&lab, "datadog_send.py", &[KEY], "").await;
    assert_eq!(lab.taken_whole(), 3);
}

#[tokio::test]
async fn elasticsearchs_client_creates_documents_once() {
    let lab = Lab::start(Siem::elasticsearch(KEY)).await;
    client(&lab, "elasticsearch_bulk.py", &[KEY, "logs-official-default"], "").await;
    assert_eq!(lab.taken_whole(), 3);
}

#[tokio::test]
async fn azures_client_uploads_to_a_stream() {
    let lab = crate::sentinel::sentinel().await;
    let token = crate::sentinel::token(&lab).await;
    client(&lab, "azure_upload.py", &[&token, RULE, STREAM], &iso_hours_from_now(0)).await;
    assert_eq!(lab.taken_whole(), 1);
}

#[tokio::test]
async fn pagerdutys_client_triggers_alerts_of_every_severity() {
    let lab = Lab::start(Siem::pagerduty(KEY)).await;
    client(&lab, "pagerduty_trigger.py", &[KEY], "").await;
    assert_eq!(lab.taken_whole(), 4);
}

#[tokio::test]
async fn slacks_client_sends_a_message() {
    let secret = "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
    let lab = Lab::start(Siem::slack(secret)).await;
    client(&lab, "slack_send.py", &[secret], "").await;
    assert_eq!(lab.taken_whole(), 1);
}
