//! What a restart must not forget.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use siemaphore_registry::{Outcome, PluginConfig, PluginState, Policy, Registry, RegistryConfig};
use siemaphore_sandbox::{GuestLimits, Sandbox, SandboxConfig};

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
    let config = RegistryConfig {
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

#[test]
fn what_was_in_use_formats_before_the_folder_is_looked_at() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let plugin = bench.registry.get("acme").unwrap();
    plugin.report(&plugin.active().unwrap(), Outcome::GoneThrough(1));
    drop(plugin);
    let title = |registry: &Registry| {
        registry.get("acme").unwrap().active().unwrap().formatter.description().title.clone()
    };
    // A newer file is taken once the way back from it is there.
    let bench = bench.restart_and_ask(
        |plugins| fs::write(plugins.join("acme.wasm"), guest("third")).unwrap(),
        |registry| assert_eq!(title(registry), "second"),
    );
    assert_eq!(title_of(&bench), "third");
    bench.registry.roll_back("acme").unwrap();
    assert_eq!(title_of(&bench), "second");
}

#[test]
fn a_plugin_whose_file_is_gone_goes_on_for_whoever_asks_for_it() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let mut handle = None;
    let mut bench = bench.restart_and_ask(
        |plugins| fs::remove_file(plugins.join("acme.wasm")).unwrap(),
        |registry| handle = registry.get("acme"),
    );
    let status = bench.wait_for_error("acme", "the file is gone");
    assert_eq!((status.state, status.title.as_deref()), (PluginState::Draining, Some("second")));
    bench.write("acme.wasm", &guest("second"));
    let status = bench.wait("acme", |status| status.is_some_and(|status| status.error.is_none()));
    assert_eq!(status.unwrap().state, PluginState::Active);
    drop(handle);
}

#[test]
fn what_came_of_a_versions_work_is_not_forgotten() {
    let mut bench = with_two_versions(Policy::Immediate);
    let plugin = bench.registry.get("acme").unwrap();
    plugin.report(&plugin.active().unwrap(), Outcome::Refused(40));
    plugin.report(&plugin.active().unwrap(), Outcome::GoneThrough(60));
    drop(plugin);
    bench.wait_for_title("acme", "second");
    let bench = bench.restart(|_| ());
    let plugin = bench.registry.get("acme").unwrap();
    let new = plugin.active().unwrap();
    plugin.report(&new, Outcome::GoneThrough(60));
    assert!(!plugin.report(&new, Outcome::Refused(40)), "the stream was as bad before");
    assert_eq!(title_of(&bench), "second");
}

#[test]
fn a_version_that_refuses_settings_is_tried_again_after_a_restart() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let plugin = bench.registry.get("acme").unwrap();
    assert!(plugin.report(&plugin.active().unwrap(), Outcome::Unfit("`token` is missing")));
    assert_eq!(title_of(&bench), "first");
    drop(plugin);
    bench.registry.reload();
    assert_eq!(title_of(&bench), "first", "not before");
    assert_eq!(title_of(&bench.restart(|_| ())), "second");
}

#[test]
fn what_cannot_be_restored_is_not_forgotten_and_the_version_before_stands_in() {
    let mut bench = with_two_versions(Policy::Manual);
    bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some()));
    bench.registry.promote("acme").unwrap();
    let kept = bench.path.with_file_name("state").join("plugins");
    let digest = bench.active("acme").digest.clone();
    let component = kept.join(digest).with_extension("wasm");
    let whole = fs::read(&component).unwrap();
    let bench = bench.restart(|plugins| {
        fs::write(plugins.join("acme.wasm"), guest("third")).unwrap();
        fs::write(&component, "damage").unwrap();
    });
    let status = bench.registry.list().remove(0);
    assert_eq!((status.title.as_deref(), status.candidate.is_some()), (Some("first"), true));
    let bench = bench.restart(|_| fs::write(&component, &whole).unwrap());
    assert_eq!(title_of(&bench), "second");
}

#[test]
fn the_version_that_an_operator_has_allowed_is_taken_from_its_file_when_nothing_else_is_left_of_it() {
    let mut bench = Bench::keeping(Policy::Manual);
    bench.write("acme.wasm", &guest("first"));
    bench.wait_for_title("acme", "first");
    let kept = bench.path.with_file_name("state").join("plugins");
    let lose = || {
        for entry in fs::read_dir(&kept).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                fs::remove_file(path).unwrap();
            }
        }
    };
    let bench = bench.restart(|_| lose());
    assert_eq!(title_of(&bench), "first");
    // Another file is not what was allowed.
    let mut bench = bench.restart(|plugins| {
        lose();
        fs::write(plugins.join("acme.wasm"), guest("second")).unwrap();
    });
    let status = bench.wait_for_error("acme", "waits for an operator");
    assert_eq!(status.state, PluginState::Quarantined);
    bench.write("acme.wasm", &guest("first"));
    bench.wait_for_title("acme", "first");
}

#[test]
fn without_the_list_of_what_an_operator_has_allowed_every_version_waits_for_a_word() {
    let mut bench = with_two_versions(Policy::Manual);
    bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some()));
    let kept = bench.path.with_file_name("state").join("plugins");
    let bench = bench.restart(|_| fs::write(kept.join("versions.json"), "{").unwrap());
    let bench = bench.restart(|_| ());
    let status = bench.registry.list().remove(0);
    assert_eq!((status.state, status.candidate.is_some()), (PluginState::Waiting, true));
    bench.registry.promote("acme").unwrap();
    let mut bench = bench.restart(|_| ());
    assert_eq!(title_of(&bench), "second");
    assert_eq!(fs::read_to_string(kept.join("versions.json.unreadable")).unwrap(), "{");
    // Another plugin may have been there before as well.
    bench.write("other.wasm", &guest("other"));
    bench.wait("other", |status| status.is_some_and(|status| status.state == PluginState::Waiting));
    let bench = bench.restart(|_| fs::remove_file(kept.join("versions.json.unreadable")).unwrap());
    assert_eq!(bench.active("other").formatter.description().title, "other");
}

#[test]
fn whoever_only_looks_changes_nothing() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let kept = bench.path.with_file_name("state").join("plugins");
    bench.registry.shutdown();
    let list = fs::read(kept.join("versions.json")).unwrap();
    fs::write(bench.path.join("acme.wasm"), guest("third")).unwrap();
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, queue: 1 }).unwrap();
    let looking =
        Registry::open(sandbox, &[], RegistryConfig { is_state_of_another: true, ..bench.config.clone() });
    let looking = looking.unwrap();
    assert_eq!(looking.get("acme").unwrap().active().unwrap().formatter.description().title, "second");
    looking.reload();
    assert_eq!(looking.active("acme").unwrap().formatter.description().title, "third");
    drop(looking);
    assert_eq!(fs::read(kept.join("versions.json")).unwrap(), list);
}

#[test]
fn what_was_asked_for_before_the_first_look_is_kept_too() {
    let bench = Bench::keeping(Policy::Immediate);
    let bench = bench.restart_and_ask(
        |plugins| fs::write(plugins.join("acme.wasm"), guest("asked")).unwrap(),
        |registry| assert!(registry.get("acme").unwrap().active().is_some()),
    );
    let bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), "nonsense").unwrap());
    assert_eq!(title_of(&bench), "asked");
}

#[test]
fn a_kept_component_that_was_damaged_is_kept_anew_from_its_file() {
    let mut bench = Bench::keeping(Policy::Immediate);
    bench.write("acme.wasm", &guest("first"));
    let digest = bench.wait_for_title("acme", "first").digest.unwrap();
    let kept = bench.path.with_file_name("state").join("plugins").join(digest).with_extension("wasm");
    let bench = bench.restart(|_| fs::write(&kept, guest("wrong")).unwrap());
    assert_eq!(title_of(&bench), "first", "of the same length, and from its file");
    let bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), "nonsense").unwrap());
    assert_eq!(title_of(&bench), "first");
}

#[test]
fn a_way_back_that_cannot_be_restored_once_is_not_forgotten() {
    let mut bench = with_two_versions(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    let previous = bench.registry.get("acme").unwrap().previous().unwrap().digest.clone();
    let kept = bench.path.with_file_name("state").join("plugins").join(previous).with_extension("wasm");
    let whole = fs::read(&kept).unwrap();
    let bench = bench.restart(|_| fs::write(&kept, "damage").unwrap());
    assert!(bench.registry.roll_back("acme").is_err());
    let bench = bench.restart(|_| fs::write(&kept, &whole).unwrap());
    bench.registry.roll_back("acme").unwrap();
    assert_eq!(title_of(&bench), "first");
}
