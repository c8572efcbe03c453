//! Every way to authenticate, a SIEM that sends back everything in every form, and a search for the secrets in all
//! that the host leaves behind: log lines, answers, metrics, files, its command line.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::echo::{ECHOES, Echo, MARKER, Seen, answer};
use crate::support::events::{lines, numbered};
use crate::support::hunt::Hunt;
use crate::support::{Host, PATIENCE, asked_over, files_below, get, request, run};

/// Of each destination its own, with characters that are written differently in URLs, JSON and HTML, as far as its
/// scheme takes them.
const SECRETS: [(&str, &str); 12] = [
    ("prefixed", "Zk7+wQ/4vR~p\"2xJ&b=9nTqLs0"),
    ("header", "h3Mv8-Yc5Kd1_Rf6Pw0Xg9Ta2"),
    ("bearer", "b+Uq4/Ne7Wz2%41Lo9Si3=Vk6"),
    ("basic", "p@Jt5:Gh8 Ox1\\Dm4'Cy7<Bq0>"),
    ("url-path", "T0Qk9Mw3X/B7v&R4n+L1z/pW6~yZ3cJ5='hT0uEaG"),
    ("body-field", "R0\"uT3<x/K9+m%2BQ7&vL5'zN1=\\d"),
    ("hmac", "g~Yb4+Hn8/Kp2 \"Xs6&Wd0=Rt3"),
    ("standard-webhooks", "whsec_UvImZaYMEtKJGF2VDuiBNgkWb2sRPReNbA/TkB/yOaE="),
    (
        "azure-shared-key",
        "GglfIPk5VlDPk4C47bIkprJIoekk6P0K4uGpSSozBfGAUvImZaYMEtKJGF2VDuiBNgkWb2sRPReNbA/TkB/yOQ==",
    ),
    ("google", include_str!("../../host/delivery/tests/attempt/test-only-service-account.json")),
    ("aws", "wJ4lr+UtnF/MI7K9DENGbPx2fiCYq8Lz5VoTg6Rh"),
    ("oauth2", "o~Fr6.Ia9~Ez3.Hn7~Ku2.Pl5~"),
];
/// Those whose requests have the secret itself.
const SENT: usize = 6;
/// A line of the Google account's private key. The rest of its file is common words.
const GOOGLE_KEY_LINE: &str = "38zQ1xiG8LnUgCakS/+WVy/uxb7B8c+kYtXATbXJRf5DMPyBQ2ce3fT17zn4rrCf";
/// Beside the one of `basic`, as during a rotation.
const NEXT_SECRET: &str = "n<8Kd2/Qe5+Zt7%Wb4&Yx1=Lp6~Uf";
/// Has no secret of its own, but a token.
const MANAGED_IDENTITY: &str = "managed-identity";
const SESSION_TOKEN: &str = "FwoG+ZXIvYXdzE/BYaDH8c7Kq2mV5xN9tR3w==";
const USER: &str = "svc-u4Tq9";
const ACCESS_TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.k3Vw8Rz1Xb6Yd0Qm.s-9_Tg4HpLc2NfUaEj7WiOv5";
const SOURCE_TOKEN: &str = "w8Gd+n3/Yk81Bd42Fc~Qx7Lm";
const STATUSES: [u16; 8] = [400, 401, 403, 413, 429, 302, 503, 200];

fn destinations() -> impl Iterator<Item = &'static str> {
    SECRETS.iter().map(|(name, _)| *name).chain([MANAGED_IDENTITY])
}

fn hunt(siem: &Echo) -> Hunt {
    let pair = |secret: &str| STANDARD.encode(format!("{USER}:{secret}"));
    let pairs = [pair(SECRETS[3].1), pair(NEXT_SECRET)];
    let mut secrets = vec![ACCESS_TOKEN, SOURCE_TOKEN];
    secrets.extend(pairs.iter().map(String::as_str));
    secrets.extend([GOOGLE_KEY_LINE, SESSION_TOKEN, NEXT_SECRET]);
    secrets.extend(SECRETS.iter().filter(|(name, _)| *name != "google").map(|(_, secret)| *secret));
    let client_key = siem.client_pem();
    let key_line = client_key.lines().skip_while(|line| !line.contains("PRIVATE KEY")).nth(1);
    secrets.extend(key_line);
    Hunt::for_secrets(secrets)
}

/// Takes ordinary events, refuses tests, probes and poisonous events, and echoes in each of its answers.
async fn echoing() -> Echo {
    let (echoes, tokens) = (Mutex::new(BTreeMap::new()), AtomicUsize::new(0));
    // Each destination sees every form in turn, and soon every status, however many requests the others make.
    let next = move |seen: &Seen| {
        let destination = seen.head.split(['/', ' ']).nth(2).unwrap_or_default().to_owned();
        let mut numbers = echoes.lock().unwrap();
        let number: &mut usize = numbers.entry(destination).or_default();
        let (form, round) = (*number % ECHOES.len(), *number / ECHOES.len());
        *number += 1;
        ECHOES[form].1(STATUSES[(form + round) % STATUSES.len()], seen)
    };
    Echo::start(move |_, seen| {
        if seen.head.starts_with("POST /token") || seen.head.starts_with("GET /token") {
            return match tokens.fetch_add(1, Ordering::Relaxed) {
                number if number % 2 == 0 => token(),
                number => refused_token(number, seen),
            };
        }
        if seen.body.contains("poison") {
            return answer(400, "Echo", "", format!("cannot read {}{}", seen.head, seen.body).as_bytes());
        }
        let is_a_trial = seen.body.contains("siemaphore.test") || seen.head.starts_with("GET ");
        if is_a_trial { next(seen) } else { success(seen) }
    })
    .await
}

/// In each SIEM's own words, and with the credential in every header.
fn success(seen: &Seen) -> Vec<u8> {
    let (status, body) = match seen.head.split(['/', ' ']).nth(2) {
        Some("header") => (202, "{}"),
        Some("oauth2") => (204, ""),
        _ => (200, r#"{"text":"Success","code":0}"#),
    };
    let value = seen.credential();
    answer(status, "OK", &format!("X-Echo: {value}\r\nSet-Cookie: last={value}\r\n"), body.as_bytes())
}

fn token() -> Vec<u8> {
    let body = format!(r#"{{"token_type":"Bearer","access_token":"{ACCESS_TOKEN}","expires_in":3600}}"#);
    answer(200, "OK", "", body.as_bytes())
}

/// As Entra ID words it, with the request in the description or all over the answer.
fn refused_token(number: usize, seen: &Seen) -> Vec<u8> {
    if number % 4 == 1 {
        return ECHOES[number % ECHOES.len()].1(400, seen);
    }
    let description = format!("AADSTS7000215: Invalid client secret in {}", seen.body);
    let body = serde_json::json!({ "error": "invalid_client", "error_description": description });
    answer(401, "Unauthorized", "", body.to_string().as_bytes())
}

/// A folder with a configuration and what it refers to.
struct Stage {
    folder: TempDir,
    siem: Echo,
}

impl Stage {
    async fn set() -> Stage {
        let stage = Stage { folder: tempfile::tempdir().expect("a folder"), siem: echoing().await };
        fs::write(stage.path("ca.pem"), stage.siem.ca_pem()).expect("a file");
        for (name, secret) in SECRETS.iter().chain(&[
            ("source", SOURCE_TOKEN),
            ("session", SESSION_TOKEN),
            ("next", NEXT_SECRET),
            ("client", &stage.siem.client_pem()),
        ]) {
            let path = stage.path(&format!("{name}.secret"));
            fs::write(&path, secret).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        stage.configure("json", "127.0.0.1:0", "127.0.0.1:0");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self) -> PathBuf {
        self.path("siemaphore.toml")
    }

    fn configure(&self, log: &str, intake: &str, admin: &str) {
        let place = self.folder.path().display();
        let mut text = format!(
            "state = 'state'\n[intake]\nlisten = '{intake}'\n[admin]\nlisten = '{admin}'\n\
             [store]\ndisk_reserve = '64 MiB'\n[egress]\nallow = ['127.0.0.0/8']\n\
             [log]\nformat = '{log}'\nlevel = 'trace'\n\
             [[source]]\nname = 'gateway'\norganization = 'acme'\ntoken = 'file:{place}/source.secret'\n"
        );
        let token_url = self.siem.url("/token");
        for (name, formatter, lines) in [
            ("prefixed", "splunk", String::new()),
            ("header", "datadog", String::new()),
            ("bearer", "splunk", "authentication = { scheme = 'bearer' }\n".to_owned()),
            ("basic", "splunk", format!("authentication = {{ scheme = 'basic', username = '{USER}' }}\n")),
            ("url-path", "splunk", "authentication = { scheme = 'url-path' }\n".to_owned()),
            (
                "body-field",
                "webhook",
                "authentication = { scheme = 'body-field', field = 'routing_key' }\n".to_owned(),
            ),
            (
                "hmac",
                "splunk",
                "authentication = { scheme = 'hmac', header = 'X-Hub-Signature-256', prefix = 'sha256=' }\n"
                    .to_owned(),
            ),
            ("standard-webhooks", "splunk", "authentication = { scheme = 'standard-webhooks' }\n".to_owned()),
            (
                "azure-shared-key",
                "webhook",
                "authentication = { scheme = 'azure-shared-key', workspace_id = 'workspace-1' }\n".to_owned(),
            ),
            (
                "google",
                "splunk",
                format!(
                    "authentication = {{ scheme = 'google-service-account', scope = 's', token_url = '{token_url}' }}\n"
                ),
            ),
            (
                "aws",
                "splunk",
                format!(
                    "authentication = {{ scheme = 'aws-sigv4', region = 'eu-central-1', service = 'logs', \
                     access_key_id = 'AKIDEXAMPLE', session_token = 'file:{place}/session.secret' }}\n"
                ),
            ),
            (
                "oauth2",
                "sentinel",
                format!(
                    "authentication = {{ client_id = '{USER}', token_url = '{token_url}' }}\n\
                     settings = {{ dcr_immutable_id = 'dcr-0123456789abcdef0123456789abcdef', stream = 'Custom-Ai_CL' }}\n"
                ),
            ),
            (
                MANAGED_IDENTITY,
                "splunk",
                format!(
                    "authentication = {{ scheme = 'azure-managed-identity', resource = 'r', token_url = '{token_url}' }}\n"
                ),
            ),
        ] {
            let secret_in_path = if name == "url-path" { "/{secret}" } else { "" };
            let own = format!("'file:{place}/{name}.secret'");
            let secret = match name {
                MANAGED_IDENTITY => String::new(),
                "basic" => format!("secret = [{own}, 'file:{place}/next.secret']\n"),
                _ => format!("secret = {own}\n"),
            };
            // A certificate goes with any scheme; these two are a simple one and one with tokens.
            let certificate = match name {
                "bearer" | "oauth2" => format!(
                    "client_certificate = 'file:{place}/client.secret'\nclient_key = 'file:{place}/client.secret'\n"
                ),
                _ => String::new(),
            };
            text.push_str(&format!(
                "[[destination]]\nname = '{name}'\norganization = 'acme'\nformatter = '{formatter}'\n\
                 endpoint = '{}{secret_in_path}'\nca_file = 'ca.pem'\n{secret}{certificate}{lines}",
                self.siem.url(&format!("/{name}"))
            ));
        }
        fs::write(self.configuration(), text).expect("a file");
    }

    async fn send(&self, host: &Host, events: &[Value]) {
        let bearer = format!("Bearer {SOURCE_TOKEN}");
        let headers = [("content-type", "application/x-ndjson"), ("authorization", bearer.as_str())];
        request(host.intake, "POST", "/v1/events", &headers, lines(events)).await.expect(200);
    }

    fn socket(&self) -> PathBuf {
        self.path("state").join("control.sock")
    }

    async fn got(&self, path: &str) -> String {
        let answer = asked_over(&self.socket(), "GET", path).await;
        assert!(answer.starts_with("200"), "{path}: {answer}");
        answer
    }

    /// What a command of the operator's shows, on both streams.
    async fn asked(&self, command: &[&str]) -> String {
        let configuration = self.configuration();
        let output =
            run(&[command, &["--config", configuration.to_str().expect("a path in UTF-8")]].concat()).await;
        format!("{}\n{}", output.stdout, output.stderr)
    }
}

/// Tests a destination once for each form of an echo.
async fn test_each_form(stage: &Stage, name: &str, hunt: &Hunt) {
    for (form, _) in ECHOES {
        let path = format!("/v1/organizations/acme/destinations/{name}/test");
        let report = asked_over(&stage.socket(), "POST", &path).await;
        assert!(report.contains("event_key"), "{report}");
        hunt.assert_absent(&format!("the report of a test of {name} (next {form})"), report);
    }
}

/// Every answer that the host gives about itself.
async fn assert_answers_are_clean(stage: &Stage, host: &Host, hunt: &Hunt) {
    for path in ["/metrics", "/healthz", "/readyz"] {
        let answer = get(host.admin, path).await.expect(200);
        hunt.assert_absent(path, format!("{:?}\n{}", answer.headers, answer.text));
    }
    for path in [
        "/v1/destinations",
        "/v1/organizations/acme/destinations",
        "/v1/plugins",
        "/v1/dead-letters",
        "/v1/dead-letters/export",
        "/v1/ledger",
        "/v1/store",
        "/v1/store/check",
        "/v1/store/damaged",
    ] {
        hunt.assert_absent(path, stage.got(path).await);
    }
    for name in destinations() {
        let path = format!("/v1/organizations/acme/destinations/{name}");
        hunt.assert_absent(&path, stage.got(&path).await);
        let probe = format!("{path}/probe");
        hunt.assert_absent(&probe, asked_over(&stage.socket(), "POST", &probe).await);
        let test = ["destination", "test", name];
        hunt.assert_absent(&test.join(" "), stage.asked(&test).await);
    }
    assert_commands_are_clean(stage, hunt).await;
}

async fn assert_commands_are_clean(stage: &Stage, hunt: &Hunt) {
    let out = stage.path("out");
    fs::create_dir(&out).expect("a folder");
    let [letters, events, backup] =
        ["letters", "events", "backup"].map(|name| out.join(name).display().to_string());
    let commands: [&[&str]; 16] = [
        &["dead-letters", "show", "1"],
        &["dead-letters", "show", "1", "--json"],
        &["dead-letters", "export", &letters],
        &["ledger", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["export", "--since", "24h", "--out", &events],
        &["backup", &backup],
        &["destination", "list"],
        &["destination", "list", "--json"],
        &["plugin", "list", "--json"],
        &["dead-letters", "list"],
        &["dead-letters", "list", "--json"],
        &["check"],
        &["check", "--json"],
        &["plugin", "reload", "--json"],
    ];
    for command in commands {
        hunt.assert_absent(&command.join(" "), stage.asked(command).await);
    }
    assert_eq!(assert_files_are_clean(&out, hunt), 3, "two exports and a backup");
}

fn assert_files_are_clean(folder: &Path, hunt: &Hunt) -> usize {
    let files = files_below(folder);
    for file in &files {
        hunt.assert_absent(&file.display().to_string(), fs::read(file).expect("a file"));
    }
    files.len()
}

/// Waits until each destination has given a poisonous event up, so that there are dead letters with attempts. It is
/// judged when another event has gone through.
async fn until_dead_letters(stage: &Stage, host: &Host) -> String {
    let start = Instant::now();
    for number in 0.. {
        stage.send(host, &numbered(&format!("later-{number}"), 1)).await;
        let listed = stage.got("/v1/dead-letters").await;
        if destinations().all(|name| listed.contains(&format!("acme/{name}"))) {
            return listed;
        }
        assert!(start.elapsed() < PATIENCE, "no dead letters of all: {listed}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    unreachable!("the loop ends by itself")
}

#[tokio::test]
async fn a_secret_that_every_answer_echoes_is_nowhere_in_what_the_host_leaves_behind() {
    let stage = Stage::set().await;
    let hunt = hunt(&stage.siem);
    let mut host = Host::start(&stage.configuration()).await;
    let mut events = numbered("good", 20);
    events[7]["details"]["model"] = "poison".into();
    stage.send(&host, &events).await;
    let letters = until_dead_letters(&stage, &host).await;
    assert!(letters.contains("the SIEM answered 400") || letters.contains("400"), "{letters}");
    join_all(destinations().map(|name| test_each_form(&stage, name, &hunt))).await;
    assert_answers_are_clean(&stage, &host, &hunt).await;
    let command_line = fs::read(format!("/proc/{}/cmdline", host.pid())).expect("/proc");
    hunt.assert_absent("the command line", command_line);
    assert!(assert_files_are_clean(&stage.path("state"), &hunt) > 2, "there is a store with its log");
    assert!(host.terminate().await.success());
    assert_files_are_clean(&stage.path("state"), &hunt);
    let log = host.log.all().join("\n");
    assert!(log.contains("[secret]"), "the log quotes answers, cleaned: {log}");
    hunt.assert_absent("the JSON log", &log);

    // The same state, logged as text: now its lines are not escaped.
    let (intake, admin) = (host.intake.to_string(), host.admin.to_string());
    stage.configure("text", &intake, &admin);
    let mut host = Host::start_logging_text(&stage.configuration(), host.intake, host.admin).await;
    stage.send(&host, &numbered("more", 5)).await;
    join_all(destinations().map(|name| test_each_form(&stage, name, &hunt))).await;
    assert!(host.terminate().await.success());
    let text_log = host.log.all().join("\n");
    hunt.assert_absent("the text log", &text_log);
    let derived = hunt_for_derived(&stage.siem);
    derived.assert_absent("the JSON log", &log);
    derived.assert_absent("the text log", &text_log);
    assert_files_are_clean(&stage.path("state"), &derived);
    assert_was_echoed(&stage.siem, &hunt);
}

fn is_for(seen: &Seen, destination: &str) -> bool {
    let rest = seen.head.strip_prefix("POST /").and_then(|rest| rest.strip_prefix(destination));
    rest.is_some_and(|rest| rest.starts_with(['/', ' ']))
}

/// So many signatures and claims of each destination are looked for: the first.
const DERIVED_LOOKED_FOR: usize = 12;

/// What was made of the secrets for one request each, as the SIEM and the token endpoint received it.
fn hunt_for_derived(siem: &Echo) -> Hunt {
    let seen = siem.seen();
    let mut derived = Vec::new();
    for name in SECRETS[SENT..].iter().map(|(name, _)| *name).chain(["token"]) {
        let of_destination = seen.iter().filter(|seen| is_for(seen, name)).flat_map(Seen::derived);
        derived.extend(of_destination.take(DERIVED_LOOKED_FOR));
    }
    Hunt::for_secrets(derived.iter().map(String::as_str))
}

/// Without this, a host that authenticates nothing would pass.
fn assert_was_echoed(siem: &Echo, hunt: &Hunt) {
    let seen = siem.seen();
    for (name, _) in &SECRETS[..SENT] {
        let of_destination = seen.iter().find(|seen| is_for(seen, name));
        let seen = of_destination.unwrap_or_else(|| panic!("{name} got no request"));
        for (form, echo) in
            ECHOES.iter().filter(|(form, _)| form.contains("base64") && !form.contains("lines"))
        {
            assert!(hunt.found_in(&echo(400, seen)).is_some(), "{name}: {form} shows nothing to find");
        }
        assert!(String::from_utf8_lossy(&ECHOES[0].1(200, seen)).contains(MARKER));
    }
    assert!(siem.clients() > 0, "no connection showed the client's certificate");
    let next = STANDARD.encode(format!("{USER}:{NEXT_SECRET}"));
    assert!(seen.iter().any(|seen| seen.head.contains(&next)), "the next secret was never tried");
    let by_identity = |seen: &Seen| is_for(seen, MANAGED_IDENTITY) && seen.head.contains(ACCESS_TOKEN);
    assert!(seen.iter().any(by_identity), "no token of the managed identity was sent");
    for (name, _) in &SECRETS[SENT..] {
        let signed = seen.iter().filter(|seen| is_for(seen, name)).flat_map(Seen::derived).count();
        assert!(signed > 0, "{name} was neither signed nor sent with a token");
    }
    let tokens = seen.iter().filter(|seen| seen.head.starts_with("POST /token")).count();
    assert!(tokens >= 2, "{tokens} requests for a token: none was refused");
}
