//! `siemaphore plugin install`: a file checked, put into the plugin folder whole, and followed until it is active.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};
use siemaphore_registry::signature::{self, TrustedKeys};
use siemaphore_registry::{RegistryConfig, is_valid_name};
use siemaphore_sandbox::{Configuration, Formatter, LoadError, memory_advice};

use crate::cli::Install;
use crate::command::Failure;
use crate::command::adoption::Use;
use crate::command::plugin::file::{PluginFile, write_whole};
use crate::command::plugin::offline::Named;
use crate::command::plugin::signed::{self, Signed};
use crate::config::{self, PluginPlace};
use crate::control::Client;
use crate::print;

/// The host looks at its folder when it is asked to. What takes longer than that is told and left to it.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);

pub(crate) async fn run(command: Install) -> Result<(), Failure> {
    let Install { file, key, asking } = command;
    let config = &asking.configured.config;
    let PluginPlace { folder, trusted_keys } = config::plugin_place(config)?;
    let folder = folder.ok_or_else(|| {
        anyhow!(
            "{} names no plugin folder\n  hint: write `folder = \"plugins\"` under [plugins], make that folder, \
             and start the host again",
            config.display()
        )
    })?;
    let keys = [trusted_keys, signed::read_keys(&key)?];
    let host = Client::running_host(&config::state_folder(config)?).await?;
    let path = config.clone();
    let examined = tokio::task::spawn_blocking(move || examine(&file, &folder, &keys, &path)).await??;
    check_not_sent_back(&examined, host.as_ref()).await?;
    let installed = tokio::task::spawn_blocking(move || put(examined)).await??;
    let state = match &host {
        None => State::NoHost,
        Some(host) => follow(host, &installed).await?,
    };
    if asking.json {
        print::json(&Told { installed: &installed, state: &state })?;
    } else {
        state.show(&installed);
    }
    match state {
        State::Active | State::Candidate | State::NoHost => Ok(()),
        State::NotAdopted { destinations } if destinations.iter().all(Use::waits_for_promotion) => Ok(()),
        State::NotAdopted { .. } | State::Refused { .. } | State::Waiting { .. } => Err(Failure::Said),
    }
}

/// A file that lies in the plugin folder now.
#[derive(Debug, Serialize)]
struct Installed {
    name: String,
    file: PathBuf,
    digest: String,
    version: String,
    signature: Signed,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    installed: &'a Installed,
    #[serde(flatten)]
    state: &'a State,
}

/// What the host made of it.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Active,
    /// It is active, and these destinations keep another version.
    NotAdopted {
        destinations: Vec<Use>,
    },
    /// The policy of the plugin is `manual`: an operator decides.
    Candidate,
    Refused {
        error: String,
    },
    /// The host has neither taken nor refused it.
    Waiting {
        /// What the host says of the formatter instead.
        plugin_state: Option<String>,
    },
    NoHost,
}

/// A file that passed every check, and where it belongs.
struct Examined {
    named: Named,
    digest: String,
    version: String,
    signature: Signed,
    /// The bytes of the signature beside it.
    beside: Option<Vec<u8>>,
    target: PathBuf,
}

/// Of each set of keys, the host's and the person's, one has to have signed the file, unless the set is empty.
fn examine(file: &Path, folder: &Path, keys: &[TrustedKeys; 2], config: &Path) -> Result<Examined> {
    let file = PluginFile::read(file)?;
    check_name(&file.name)?;
    if !folder.is_dir() {
        return Err(anyhow!(
            "{} is not a folder\n  hint: make it, and start the host again",
            folder.display()
        ));
    }
    let beside = signed::read_beside(&file.path)?;
    let [by_hosts, by_persons] =
        keys.each_ref().map(|keys| Signed::of(&file.path, &file.component, beside.as_deref(), keys));
    let signature = match by_hosts? {
        signed @ Signed::By { .. } => by_persons.map(|_| signed)?,
        Signed::No | Signed::Unverified => by_persons?,
    };
    let digest = file.digest();
    let named = Named::from(file);
    // One with a mistake elsewhere is the host's to judge.
    let plugins = config::load(config).ok().map(|config| config.plugins);
    if let Some(plugins) = &plugins {
        check_pin(&named, &digest, plugins, config)?;
    }
    let formatter = plugins.map_or_else(|| named.load(), |plugins| load(&named, &plugins))?;
    check_laws(&named, &formatter)?;
    let version = formatter.description().version.clone();
    let target = folder.join(&named.name).with_extension("wasm");
    Ok(Examined { named, digest, version, signature, beside, target })
}

/// What a host would refuse is told before the file that is there is replaced.
async fn check_not_sent_back(examined: &Examined, host: Option<&Client>) -> Result<()> {
    let Examined { named, digest, version, .. } = examined;
    let name = &named.name;
    let Some(host) = host else { return Ok(()) };
    let listed: Vec<Listed> = host.get("/v1/plugins").await?;
    let plugin = listed.into_iter().find(|plugin| plugin.name == *name);
    let sent_back = plugin.and_then(|plugin| plugin.sent_back);
    match sent_back.filter(|sent_back| sent_back.digest == *digest) {
        None => Ok(()),
        Some(SentBack { reason, .. }) => Err(anyhow!(
            "{named} is not installed: version {version} was sent back: {reason}\n  \
             hint: mend the formatter and install the new build, or run `siemaphore plugin promote {name}` to try this \
             version again"
        )),
    }
}

/// The configuration takes one file only, and this is another.
fn check_pin(named: &Named, digest: &str, plugins: &RegistryConfig, config: &Path) -> Result<()> {
    let name = &named.name;
    let pinned = plugins.own.get(name).and_then(|own| own.digest.as_deref());
    match pinned.filter(|wanted| *wanted != digest) {
        None => Ok(()),
        Some(wanted) => Err(anyhow!(
            "{named} is not installed: its digest is {digest}, and the [[plugin]] `{name}` of {} takes {wanted} only\n  \
             hint: write `digest = \"{digest}\"` there; stop the host, install the file, and start the host again",
            config.display()
        )),
    }
}

/// Within what the host would give it.
fn load(named: &Named, plugins: &RegistryConfig) -> Result<Formatter> {
    let limits = plugins.own.get(&named.name).map_or(&plugins.limits, |own| &own.limits);
    named.load_within(limits.clone())?.map_err(|error| {
        let advice = match &error {
            LoadError::Fault(fault) => memory_advice(&named.component, fault),
            _ => None,
        };
        let hint = match advice {
            Some(advice) => format!("{advice}, or under [[plugin]] for this one, and start the host again"),
            None => error.hint().to_owned(),
        };
        anyhow!("{named} is not installed: {error}\n  hint: {hint}")
    })
}

fn put(examined: Examined) -> Result<Installed> {
    let Examined { named, digest, version, signature, beside, target } = examined;
    // Before the component: a host reads both once it sees the component change.
    put_signature(&signature::path_of(&target), beside.as_deref())?;
    write_whole(&target, &named.component)?;
    Ok(Installed { name: named.name, file: target, digest, version, signature })
}

fn check_name(name: &str) -> Result<()> {
    if siemaphore_bundle::formatters().iter().any(|one| one.name == name) {
        return Err(anyhow!(
            "`{name}` is the name of a built-in formatter\n  hint: give the file another name: it becomes the formatter's"
        ));
    }
    if !is_valid_name(name) {
        return Err(anyhow!(
            "`{name}` is not a plugin name\n  hint: name the file with lowercase letters, digits and hyphens, at most 64, and `.wasm`"
        ));
    }
    Ok(())
}

/// What no host should be given: it would fail on events that others take.
fn check_laws(named: &Named, formatter: &Formatter) -> Result<()> {
    let settings = formatter.description().settings_example.clone();
    let configuration = Configuration { settings, destination: "install".to_owned() };
    let report = siemaphore_laws::check(formatter, &configuration);
    let report = report.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))?;
    match report.broken.first() {
        None => Ok(()),
        Some(broken) => Err(anyhow!("{named} is not installed: {broken}\n  hint: {}", broken.hint())),
    }
}

/// One that is left from an earlier file would be of other bytes.
fn put_signature(path: &Path, signature: Option<&[u8]>) -> Result<()> {
    match signature {
        Some(signature) => write_whole(path, signature),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        },
    }
}

/// A formatter as the host lists it.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    state: String,
    digest: Option<String>,
    error: Option<String>,
    /// It waits for `promote`.
    candidate: Option<Candidate>,
    sent_back: Option<SentBack>,
    destinations: Vec<Use>,
}

#[derive(Debug, Deserialize)]
struct SentBack {
    digest: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Candidate {
    digest: String,
}

/// Lets the host look at its folder, and asks until the file is active or refused.
async fn follow(host: &Client, installed: &Installed) -> Result<State> {
    let begun = Instant::now();
    let mut listed: Vec<Listed> = host.post("/v1/plugins/reload").await?;
    loop {
        let plugin = listed.into_iter().find(|plugin| plugin.name == installed.name);
        let plugin_state = plugin.as_ref().map(|plugin| plugin.state.clone());
        if let Some(state) = plugin.and_then(|plugin| judge(plugin, &installed.digest)) {
            return Ok(state);
        }
        if begun.elapsed() >= PATIENCE {
            return Ok(State::Waiting { plugin_state });
        }
        tokio::time::sleep(BETWEEN_QUESTIONS).await;
        listed = host.get("/v1/plugins").await?;
    }
}

/// `None` for as long as the host has not made up its mind about these bytes.
fn judge(plugin: Listed, digest: &str) -> Option<State> {
    let Listed { state, digest: active, error, candidate, destinations, .. } = plugin;
    match error {
        Some(error) => Some(State::Refused { error }),
        None if candidate.is_some_and(|candidate| candidate.digest == digest) => Some(State::Candidate),
        None if state == "active" && active.as_deref() == Some(digest) => adopted(destinations, digest),
        None => None,
    }
}

/// Each destination decides for itself whether it takes up what is active.
fn adopted(mut destinations: Vec<Use>, digest: &str) -> Option<State> {
    if !destinations.iter().all(|one| one.has_judged(digest)) {
        return None;
    }
    destinations.retain(|one| one.not_adopted.is_some());
    Some(if destinations.is_empty() { State::Active } else { State::NotAdopted { destinations } })
}

impl State {
    fn show(&self, installed: &Installed) {
        let Installed { name, file, version, digest, signature } = installed;
        let short: String = digest.chars().take(12).collect();
        let signed = match signature {
            Signed::By { fingerprint, .. } => format!(", signed by {fingerprint}"),
            Signed::Unverified => ", with its signature".to_owned(),
            Signed::No => String::new(),
        };
        print::line(format_args!("installed  {}   version {version}   {short}{signed}", file.display()));
        match self {
            State::Active => print::line(format_args!(
                "active     the running host formats with it wherever a destination has `formatter = \"{name}\"`"
            )),
            State::NotAdopted { destinations } => {
                for destination in destinations {
                    tell_kept(destination);
                }
            }
            State::Candidate => print::line(format_args!(
                "waits      for `siemaphore plugin promote {name}`; `siemaphore plugin diff` shows what it would change"
            )),
            State::NoHost => print::line("no host runs: the next one takes it when it starts"),
            State::Refused { error } => {
                print::aside(format_args!("error: the host does not take {name}: {error}"));
            }
            State::Waiting { plugin_state } => print::aside(format_args!(
                "error: {name} is not active after {PATIENCE:?}; the host lists it as {}\n  \
                 hint: `siemaphore plugin list` shows when it is; the host's log says what it waits for",
                plugin_state.as_deref().unwrap_or("nothing"),
            )),
        }
    }
}

/// To wait for an operator's word is a success; a version that a destination cannot use is none.
fn tell_kept(destination: &Use) {
    let Some(told) = destination.told() else { return };
    match destination.waits_for_promotion() {
        true => print::line(format_args!("waits      {}\n  hint: {}", told.text, told.hint)),
        false => print::aside(format_args!("error: {}\n  hint: {}", told.text, told.hint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::adoption::NotAdopted;

    fn listed(state: &str, digest: Option<&str>, error: Option<&str>) -> Listed {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Listed {
            name: "acme".to_owned(),
            state: state.to_owned(),
            digest: text(digest),
            error: text(error),
            candidate: None,
            sent_back: None,
            destinations: Vec::new(),
        }
    }

    /// A destination that formats with one version and keeps back from another.
    fn used(digest: &str, not_adopted: Option<&str>) -> Use {
        let not_adopted = not_adopted.map(|digest| NotAdopted {
            digest: digest.to_owned(),
            reason: "it asks for another request".to_owned(),
            hint: "promote it".to_owned(),
            waits_for_promotion: true,
        });
        Use {
            destination: "acme/siem".to_owned(),
            version: None,
            digest: Some(digest.to_owned()),
            not_adopted,
        }
    }

    #[test]
    fn only_these_bytes_being_active_counts_as_success() {
        let judged = |plugin| judge(plugin, "0a");
        assert!(matches!(judged(listed("active", Some("0a"), None)), Some(State::Active)));
        assert!(judged(listed("active", Some("0b"), None)).is_none(), "the version from before");
        assert!(judged(listed("quarantined", None, None)).is_none());
        assert!(matches!(judged(listed("active", Some("0b"), Some("no"))), Some(State::Refused { .. })));
        assert!(matches!(judged(listed("quarantined", None, Some("no"))), Some(State::Refused { .. })));
        let candidate = |digest: &str| Some(Candidate { digest: digest.to_owned() });
        let waiting = |digest| Listed { candidate: candidate(digest), ..listed("active", Some("0b"), None) };
        assert!(matches!(judged(waiting("0a")), Some(State::Candidate)));
        assert!(judged(waiting("0c")).is_none());
    }

    #[test]
    fn a_destination_that_keeps_another_version_is_waited_for_and_told() {
        let judged = |destinations: &[Use]| {
            let plugin = Listed { destinations: destinations.to_vec(), ..listed("active", Some("0a"), None) };
            judge(plugin, "0a")
        };
        let (takes, keeps) = (used("0a", None), used("0b", Some("0a")));
        assert!(matches!(judged(std::slice::from_ref(&takes)), Some(State::Active)));
        assert!(judged(&[takes.clone(), used("0b", None)]).is_none(), "one has not looked at it yet");
        assert!(judged(&[used("0b", Some("0c"))]).is_none(), "it has looked at another one");
        match judged(&[takes, keeps]) {
            Some(State::NotAdopted { destinations }) => assert_eq!(destinations.len(), 1),
            other => panic!("{other:?}"),
        }
    }
}
