//! What a restart must not forget.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use siemaphore_registry::{Outcome, PluginConfig, PluginState, Policy};
use siemaphore_sandbox::GuestLimits;

use crate::bench::{Bench, guest};

fn title_of(bench: &Bench) -> String {
    bench.active("acme").formatter.description().title.clone()
}

fn with_two_versions(policy: Policy) -> Bench {
    let mut bench = Bench::keeping(policy);
    bench.write("acme.wasm", &guest("first"));
    bench.wait_for_title("acme", "first");
    bench.write("acme.wasm", &guest("second"));
    bench
}

#[test]
fn a_version_that_was_sent_back_stays_so_and_the_one_before_formats() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let plugin = bench.registry.get("acme").unwrap();
    assert!(plugin.report(&plugin.active().unwrap(), Outcome::Failed("it trapped")));
    drop(plugin);
    let mut bench = bench.restart(|_| ());
    assert_eq!(title_of(&bench), "first");
    bench.wait_for_error("acme", "this version was sent back: it trapped");
    // A file that was mended while the host was away is taken.
    let bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), guest("mended")).unwrap());
    assert_eq!(title_of(&bench), "mended");
}

#[test]
fn the_way_back_is_there_after_a_restart() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let bench = bench.restart(|_| ());
    assert_eq!(title_of(&bench), "second");
    assert!(bench.registry.list().remove(0).is_new);
    bench.registry.roll_back("acme").unwrap();
    assert_eq!(title_of(&bench), "first");
}

#[test]
fn a_version_that_waited_for_an_operator_still_waits() {
    let mut bench = with_two_versions(Policy::Manual);
    bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some()));
    let bench = bench.restart(|_| ());
    let status = bench.registry.list().remove(0);
    assert_eq!((status.title.as_deref(), status.candidate.is_some()), (Some("first"), true));
    bench.registry.promote("acme").unwrap();
    let bench = bench.restart(|_| ());
    assert_eq!(title_of(&bench), "second");
}

#[test]
fn a_file_that_broke_while_the_host_was_away_leaves_the_version_that_was_in_use() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let mut bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), "nonsense").unwrap());
    assert_eq!(title_of(&bench), "second");
    bench.wait_for_error("acme", "is not WebAssembly");
}

#[test]
fn a_plugin_whose_file_was_removed_while_the_host_was_away_is_gone() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let bench = bench.restart(|plugins| fs::remove_file(plugins.join("acme.wasm")).unwrap());
    assert!(bench.registry.get("acme").is_none());
    let kept = bench.path.with_file_name("state").join("plugins");
    let components = fs::read_dir(kept).unwrap().filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "wasm"))
    });
    assert_eq!(components.count(), 0, "nothing is kept of it");
}

#[test]
fn what_is_kept_is_for_its_owner_and_damage_to_it_costs_the_way_back_only() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let kept = bench.path.with_file_name("state").join("plugins");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o700);
    let list = kept.join("versions.json");
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);
    let bench = bench.restart(|_| fs::write(&list, "{").unwrap());
    assert_eq!(title_of(&bench), "second");
    assert!(bench.registry.roll_back("acme").is_err());
    // A component that is not what its name says is not loaded.
    let bench = bench.restart(|plugins| {
        fs::write(plugins.join("acme.wasm"), "nonsense").unwrap();
        for entry in fs::read_dir(&kept).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                fs::write(path, guest("an intruder")).unwrap();
            }
        }
    });
    assert_eq!(bench.registry.list().remove(0).state, PluginState::Quarantined);
}

#[test]
fn only_the_file_with_the_pinned_digest_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = siemaphore_registry::Artifact::new("acme", guest("wanted")).digest().to_owned();
    let own = PluginConfig {
        limits: GuestLimits::default(),
        policy: Policy::Immediate,
        digest: Some(wanted.clone()),
    };
    let config = siemaphore_registry::RegistryConfig {
        folder: Some(folder.path().to_owned()),
        own: [("acme".to_owned(), own)].into(),
        ..Default::default()
    };
    let mut bench = Bench::with(folder, config);
    bench.write("acme.wasm", &guest("another"));
    let status = bench.wait_for_error("acme", &format!("the configuration takes {wanted} only"));
    assert_eq!(status.state, PluginState::Quarantined);
    bench.write("acme.wasm", &guest("wanted"));
    assert_eq!(bench.wait_for_title("acme", "wanted").error, None);
}
