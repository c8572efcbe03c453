//! Customers' components are compiled by a child of the host, which has limits and can be ended.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use siemaphore_sandbox::{
    CodeCache, CodeSource, Compiler, CompilerLimits, Configuration, GuestLimits, LoadError, Sandbox,
    SandboxConfig,
};

use crate::guests::compile_bomb;
use crate::support::events::numbered;
use crate::support::formatter::{bundled, handmade, rebuilt};
use crate::support::{Destination, Entry, Host, Kind, Scene};

fn child(limits: CompilerLimits) -> Compiler {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_siemaphore"));
    Compiler::Child { program, arguments: vec!["compile-component".into()], limits }
}

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxConfig { formatting_threads: 1, queue: 1 }).expect("a sandbox")
}

fn refusal(limits: CompilerLimits, component: &[u8]) -> LoadError {
    let code = CodeSource::new(child(limits), None);
    sandbox().load_from(&code, "guest", component, GuestLimits::default()).expect_err("it is refused")
}

#[test]
fn code_of_a_child_formats_and_is_found_again_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let cache = || Some(CodeCache::new(folder.path().join("code")));
    let compiled = CodeSource::new(child(CompilerLimits::default()), cache());
    let configuration = Configuration { settings: "{}".to_owned(), destination: "d".to_owned() };
    let component = bundled("datadog");
    let formatter = sandbox().load_from(&compiled, "guest", component, GuestLimits::default()).unwrap();
    formatter.configure(&configuration).unwrap();
    // A compiler that is not there is not missed.
    let nobody = || Compiler::Child {
        program: "/nowhere/at/all".into(),
        arguments: Vec::new(),
        limits: CompilerLimits::default(),
    };
    let kept = CodeSource::new(nobody(), cache());
    let formatter = sandbox().load_from(&kept, "guest", component, GuestLimits::default()).unwrap();
    formatter.configure(&configuration).unwrap();
    // Another component is not in the cache.
    let other = rebuilt(component, "another");
    let error = sandbox().load_from(&kept, "guest", &other, GuestLimits::default()).unwrap_err();
    assert!(error.to_string().contains("the compiler does not start"), "{error}");
    // Damage is noticed, and a folder that others can write to is not believed.
    let file = std::fs::read_dir(folder.path().join("code")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert!(sandbox().load_from(&kept, "guest", component, GuestLimits::default()).is_err());
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert!(sandbox().load_from(&kept, "guest", component, GuestLimits::default()).is_ok());
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o770);
    std::fs::set_permissions(folder.path().join("code"), open).unwrap();
    assert!(sandbox().load_from(&kept, "guest", component, GuestLimits::default()).is_err());
}

#[test]
fn a_component_that_takes_a_compiler_too_long_or_too_much_memory_is_refused() {
    let bomb = compile_bomb::component();
    let brief = CompilerLimits { cpu: Duration::from_secs(1), ..CompilerLimits::default() };
    let error = refusal(brief, &bomb);
    assert!(error.to_string().contains("more than 1 s of CPU time"), "{error}");
    let small = CompilerLimits { memory_bytes: 160 << 20, ..CompilerLimits::default() };
    let error = refusal(small, &bomb);
    assert!(error.to_string().contains("more than 160 MiB of memory"), "{error}");
    let late = CompilerLimits { wall: Duration::from_millis(100), ..CompilerLimits::default() };
    let error = refusal(late, &bomb);
    assert!(error.to_string().contains("it took longer than"), "{error}");
}

#[test]
fn what_is_wrong_with_a_component_is_told_as_without_a_child() {
    let limits = CompilerLimits::default;
    let truncated = &bundled("splunk")[..20_000];
    let own = sandbox().load("guest", truncated, GuestLimits::default()).unwrap_err();
    assert_eq!(refusal(limits(), truncated).to_string(), own.to_string());
    assert!(matches!(refusal(limits(), b"text"), LoadError::NotWasm { .. }));
}

#[tokio::test]
async fn a_component_that_never_compiles_neither_holds_up_the_others_nor_the_hosts_end() {
    let scene = Scene::new().splunk().start().await;
    scene.install("bomb.wasm", &compile_bomb::component());
    let compiling = |line: &Entry| line.message == "compiling" && line.field("formatter") == "bomb";
    scene.host.log.wait(0, "the compiler at work", compiling).await;
    scene.send(&numbered("meanwhile", 10)).await;
    scene.splunk().arrived(10).await;
    // It is to look at the folder, which waits for the compiler too.
    scene.host.signal(Signal::HUP);
    // Waits for as long as any story does, and the bomb takes longer.
    scene.stop().await;
}

#[tokio::test]
async fn a_host_starts_beside_a_file_that_never_compiles_and_ends_while_it_waits_for_one() {
    let scene = Scene::new().splunk().plugin("bomb.wasm", &compile_bomb::component()).start().await;
    scene.send(&numbered("meanwhile", 10)).await;
    scene.splunk().arrived(10).await;
    scene.stop().await;
    // One that a destination cannot do without is waited for, until somebody wants an end.
    let by_bomb = Destination::to(Kind::Splunk).formatted_by("bomb");
    let stage = Scene::new().plugin("bomb.wasm", &compile_bomb::component()).to(by_bomb).set().await;
    let (status, log) = Host::end_at_line(&stage.configuration(), "compiling").await;
    assert!(status.success(), "{log:?}");
    assert!(log.iter().any(|line| line.contains("stopped before it was ready")), "{log:?}");
}

#[tokio::test]
async fn a_second_start_finds_all_its_plugins_compiled_and_checked() {
    const PLUGINS: usize = 20;
    let mut building = Scene::new().splunk();
    for number in 0..PLUGINS {
        building = building.plugin(&format!("plugin-{number}.wasm"), &handmade(&format!("words {number}")));
    }
    let mut scene = building.start().await;
    let compiled =
        |scene: &Scene| scene.host.log.all().iter().filter(|line| line.contains("\"compiling\"")).count();
    until_all_are_active(&scene, PLUGINS).await;
    assert_eq!(compiled(&scene), PLUGINS);
    assert!(scene.host.terminate().await.success());
    scene.restart().await;
    until_all_are_active(&scene, PLUGINS).await;
    assert_eq!(compiled(&scene), 0);
    scene.stop().await;
}

async fn until_all_are_active(scene: &Scene, plugins: usize) {
    for number in 0..plugins {
        scene.until_plugin(&format!("plugin-{number}"), "active", |plugin| plugin["state"] == "active").await;
    }
}
