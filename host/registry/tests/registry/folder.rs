//! The watched folder, with real files, real events and real components. Nothing sleeps: each step waits for the
//! registry to say that its listing changed.

use std::fs;
use std::path::Path;

use siemaphore_registry::{Origin, PluginState, Registry, RegistryConfig, RegistryError};
use siemaphore_sandbox::{Configuration, Sandbox, SandboxConfig};

use crate::bench::{Bench, guest};

#[test]
fn a_file_dropped_in_becomes_active_and_formats() {
    let mut bench = Bench::start();
    assert!(bench.registry.get("acme").is_none());
    bench.write("acme.wasm", &guest("first"));
    let status = bench.wait_for_title("acme", "first");
    assert_eq!((status.state, status.error), (PluginState::Active, None));
    assert_eq!(status.origin, Origin::File(bench.path.join("acme.wasm")));
    assert_eq!(status.digest.unwrap().len(), 64);
    let configuration = Configuration { settings: "{}".to_owned(), destination: "d1".to_owned() };
    bench.active("acme").formatter.format(&configuration, &[]).unwrap();
}

#[test]
fn a_built_in_formatter_is_compiled_when_it_is_first_asked_for() {
    let bench = Bench::start();
    let status = bench.registry.list().remove(0);
    assert_eq!((status.state, status.version, status.error), (PluginState::Available, None, None));
    bench.write("splunk.wasm", &guest("other"));
    bench.registry.reload();
    assert!(bench.registry.get("splunk").unwrap().active().is_some());
    let status = bench.registry.list().remove(0);
    assert_eq!(status.state, PluginState::Active);
    assert!(status.error.unwrap().contains("built-in"), "the file of that name stays refused");
}

#[test]
fn what_is_in_the_folder_at_the_start_is_loaded_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acme.wasm"), guest("early")).unwrap();
    fs::write(folder.path().join("broken.wasm"), "nonsense").unwrap();
    let bench = {
        let path = folder.path().to_owned();
        Bench::over(folder, &path)
    };
    let names: Vec<_> = bench.registry.list().into_iter().map(|status| (status.name, status.state)).collect();
    assert_eq!(
        names,
        [
            ("acme".to_owned(), PluginState::Active),
            ("broken".to_owned(), PluginState::Quarantined),
            ("splunk".to_owned(), PluginState::Available),
        ]
    );
}

#[test]
fn a_replaced_file_swaps_the_version_and_wakes_whoever_uses_it() {
    let mut bench = Bench::start();
    bench.write("acme.wasm", &guest("first"));
    bench.wait_for_title("acme", "first");
    let plugin = bench.registry.get("acme").unwrap();
    let (old, changes) = (plugin.active().unwrap(), plugin.changes());
    bench.write("acme.wasm", &guest("second"));
    bench.wait_for_title("acme", "second");
    assert!(changes.has_changed().unwrap());
    assert_ne!(plugin.active().unwrap().digest, old.digest);
    // A batch that began with the old version ends with it.
    assert_eq!(old.formatter.description().title, "first");
}

#[test]
fn a_broken_replacement_leaves_the_running_version_and_says_why() {
    let mut bench = Bench::start();
    bench.write("acme.wasm", &guest("good"));
    let good = bench.wait_for_title("acme", "good");
    bench.write("acme.wasm", b"this is no component");
    let broken = bench.wait_for_error("acme", "is not WebAssembly");
    assert_eq!((broken.state, &broken.digest), (PluginState::Active, &good.digest));
    assert!(broken.error.unwrap().contains("; put a `.wasm` component there"));
    assert_eq!(bench.active("acme").formatter.description().title, "good");
    // And the next good one heals it.
    bench.write("acme.wasm", &guest("better"));
    assert_eq!(bench.wait_for_title("acme", "better").error, None);
}

#[test]
fn a_half_written_file_does_not_load_until_the_rest_is_there() {
    let mut bench = Bench::start();
    let component = guest("whole");
    let (first, rest) = component.split_at(component.len() / 2);
    let path = bench.path.join("acme.wasm");
    fs::write(&path, first).unwrap();
    let half = bench.wait("acme", |status| status.is_some_and(|status| status.error.is_some())).unwrap();
    assert_eq!((half.state, half.version), (PluginState::Quarantined, None));
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, rest).unwrap();
    drop(file);
    assert_eq!(bench.wait_for_title("acme", "whole").error, None);
}

#[test]
fn a_file_renamed_into_place_is_loaded() {
    let mut bench = Bench::start();
    bench.write("acme.wasm.part", &guest("moved"));
    let path = |name: &str| bench.path.join(name);
    fs::rename(path("acme.wasm.part"), path("acme.wasm")).unwrap();
    bench.wait_for_title("acme", "moved");
    assert_eq!(bench.registry.list().len(), 2);
}

#[test]
fn a_deleted_file_retires_a_plugin_that_nobody_uses() {
    let mut bench = Bench::start();
    bench.write("acme.wasm", &guest("unused"));
    bench.wait_for_title("acme", "unused");
    fs::remove_file(bench.path.join("acme.wasm")).unwrap();
    bench.wait("acme", |status| status.is_none());
    assert!(bench.registry.get("acme").is_none());
}

#[test]
fn a_deleted_file_leaves_a_plugin_to_those_who_use_it() {
    let mut bench = Bench::start();
    bench.write("acme.wasm", &guest("in use"));
    bench.wait_for_title("acme", "in use");
    let plugin = bench.registry.get("acme").unwrap();
    fs::remove_file(bench.path.join("acme.wasm")).unwrap();
    let status = bench.wait_for_error("acme", "the file is gone");
    assert_eq!(status.state, PluginState::Draining);
    assert!(plugin.active().is_some());
    // The file comes back: the same plugin goes on.
    bench.write("acme.wasm", &guest("back"));
    bench.wait_for_title("acme", "back");
    assert_eq!(plugin.active().unwrap().formatter.description().title, "back");
    fs::remove_file(bench.path.join("acme.wasm")).unwrap();
    drop(plugin);
    bench.wait("acme", |status| status.is_none());
}

#[test]
fn the_names_of_built_in_formatters_are_reserved() {
    let mut bench = Bench::start();
    bench.write("splunk.wasm", &guest("imposter"));
    let status = bench.wait_for_error("splunk", "`splunk` is the name of a built-in formatter");
    assert_eq!((status.state, status.origin), (PluginState::Available, Origin::Builtin));
    assert_eq!(bench.active("splunk").formatter.description().title, "builtin");
}

#[test]
fn a_name_that_cannot_be_one_is_refused_with_what_to_do() {
    let mut bench = Bench::start();
    bench.write("My Plugin.wasm", &guest("named"));
    let status = bench.wait_for_error("My Plugin", "is not a plugin name");
    assert_eq!(status.state, PluginState::Quarantined);
    assert!(status.error.unwrap().contains("lowercase letters, digits and hyphens"));
    assert!(bench.registry.get("My Plugin").unwrap().active().is_none());
    fs::remove_file(bench.path.join("My Plugin.wasm")).unwrap();
    bench.wait("My Plugin", |status| status.is_none());
}

#[test]
fn reload_looks_without_an_event() {
    let bench = Bench::start();
    bench.registry.shutdown();
    bench.write("acme.wasm", &guest("asked"));
    let list = bench.registry.reload();
    assert!(list.iter().any(|status| status.title.as_deref() == Some("asked")), "{list:#?}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, queue: 1 }).unwrap();
    let folder = Path::new("/nowhere/at/all").to_owned();
    let config = RegistryConfig { folder: Some(folder), ..RegistryConfig::default() };
    let error = Registry::open(sandbox, &[], config).map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::Folder { .. }));
    assert_eq!(error.to_string(), "the plugin folder /nowhere/at/all cannot be read");
}

#[test]
fn a_folder_that_was_replaced_is_watched_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("plugins");
    fs::create_dir(&folder).unwrap();
    let mut bench = Bench::over(parent, &folder);
    fs::rename(&folder, folder.with_extension("old")).unwrap();
    fs::create_dir(&folder).unwrap();
    bench.write("first.wasm", &guest("first"));
    bench.wait_for_title("first", "first");
    bench.write("second.wasm", &guest("second"));
    bench.wait_for_title("second", "second");
}

#[test]
fn other_files_hide_no_plugin() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..1_100 {
        fs::write(folder.path().join(format!("{number}.txt")), "").unwrap();
    }
    fs::write(folder.path().join("acme.wasm"), guest("acme")).unwrap();
    let path = folder.path().to_owned();
    let bench = Bench::over(folder, &path);
    bench.active("acme");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_claims_no_length_and_has_no_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc/self/pagemap", folder.path().join("endless.wasm")).unwrap();
    let path = folder.path().to_owned();
    let bench = Bench::over(folder, &path);
    let listed = bench.registry.list().into_iter().find(|plugin| plugin.name == "endless").unwrap();
    assert_eq!(listed.state, PluginState::Quarantined);
}

#[test]
fn a_thousand_new_files_hide_no_plugin_that_is_known() {
    let mut bench = Bench::start();
    bench.write("acme.wasm", &guest("known"));
    bench.wait_for_title("acme", "known");
    let plugin = bench.registry.get("acme").unwrap();
    for number in 0..1_100 {
        bench.write(&format!("{number}.wasm"), b"nonsense");
    }
    bench.write("acme.wasm", &guest("changed"));
    bench.wait_for_title("acme", "changed");
    drop(plugin);
}

#[test]
fn what_is_no_file_is_listed_with_what_to_do() {
    let mut bench = Bench::start();
    fs::create_dir(bench.path.join("acme.wasm")).unwrap();
    let status = bench.wait_for_error("acme", "it is not a file");
    assert_eq!(status.state, PluginState::Quarantined);
    assert!(status.error.unwrap().contains("remove it"));
}
