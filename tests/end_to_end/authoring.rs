//! A formatter of one's own, from nothing: the commands of `docs/writing-a-formatter.md`, as a person types them.
//!
//! The packages that a person installs from a registry are those of `cargo xtask third-party`, by the same lock files,
//! so the three commands that install are replaced by links to them. Everything else runs as it stands on the page.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use siemaphore_third_party::{node_modules, python_environment};
use tempfile::TempDir;

const GUIDE: &str = include_str!("../../docs/writing-a-formatter.md");

/// What a command printed and how it ended.
struct Ended {
    succeeded: bool,
    stdout: String,
    stderr: String,
}

impl Ended {
    #[track_caller]
    fn well(self) -> Ended {
        assert!(self.succeeded, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let Ended { stdout, stderr, .. } = self;
        assert!(stdout.contains(text) || stderr.contains(text), "no `{text}` in {stdout}{stderr}");
    }
}

/// Runs a program to its end. Compilers take their time on a busy machine, so nothing here waits for a limit.
fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    Ended {
        succeeded: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command as a person's shell would start it: without what cargo has set for this test, and without a network.
fn as_a_person(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    const KEPT: [&str; 3] = ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_cargo = ["CARGO", "RUST", "SIEMAPHORE"].iter().any(|prefix| text.starts_with(prefix));
        if of_cargo && !KEPT.contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
    command.current_dir(folder).env("CARGO_NET_OFFLINE", "true").env("NO_COLOR", "1");
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn siemaphore(folder: &Path, arguments: &[&str]) -> Ended {
    ended(as_a_person(env!("CARGO_BIN_EXE_siemaphore"), folder).args(arguments))
}

/// The guide's blocks of commands for a language, in order, as one script.
fn script(language: &str) -> String {
    let mut script = String::from("set -eu\n");
    let (own, own_start) = (format!("```sh {language}"), "```sh");
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if line == own || line == own_start {
            for command in lines.by_ref().take_while(|line| *line != "```") {
                script += &format!("{}\n", installed(command));
            }
        }
    }
    script
}

/// A command that installs, as a link to what has been installed.
fn installed(command: &str) -> String {
    let link = |from: PathBuf, to: &str| format!("ln -s '{}' {to}", from.canonicalize().unwrap().display());
    match command {
        // The toolchain of this repository has it.
        "rustup target add wasm32-wasip2" => "true".to_owned(),
        "npm ci" => link(node_modules(), "node_modules"),
        "python3 -m venv .venv && .venv/bin/pip install --require-hashes --requirement requirements.txt" => {
            link(python_environment(), ".venv")
        }
        other => other.to_owned(),
    }
}

/// The guide's configuration, as the person has written it before `check`.
fn configuration() -> &'static str {
    let (_, rest) = GUIDE.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// Goes through the guide in a folder of its own.
fn follow(language: &str) -> (TempDir, Ended) {
    let folder = tempfile::tempdir().unwrap();
    let script = script(language);
    assert!(script.lines().count() > 10, "the guide has lost its commands: {script}");
    let script = script.replace("siemaphore check\n", "cp ../siemaphore.toml . && siemaphore check\n");
    fs::write(folder.path().join("siemaphore.toml"), configuration()).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_siemaphore")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let paths = [binary.to_owned()].into_iter().chain(std::env::split_paths(&path));
    let mut shell = as_a_person("sh", folder.path());
    shell.args(["-c", &script]).env("PATH", std::env::join_paths(paths).unwrap());
    shell.env("GATEWAY_TOKEN", "0123456789abcdef0123456789abcdef").env("SIEM_API_KEY", "key-of-the-siem");
    let followed = ended(&mut shell).well();
    (folder, followed)
}

/// What every language leads to: the same component by its behaviour.
fn leads_to_a_formatter(language: &str, name: &str) {
    let (folder, followed) = follow(language);
    let built = followed.stdout.lines().find(|line| line.starts_with("dist/my-siem.wasm, "));
    assert!(built.is_some_and(|line| line.ends_with(name)), "{name}: {built:?}");
    let project = folder.path().join("my-siem");
    followed.shows("2 samples: 2 the same");
    followed.shows(&format!("language        {name}"));
    // The page shows what is printed.
    let shown = fs::read_to_string(project.join("snapshots/blocked.txt")).unwrap();
    assert!(GUIDE.contains(shown.trim_end()), "the guide shows another request than\n{shown}");
}

#[test]
fn the_guide_leads_to_a_formatter_in_rust() {
    leads_to_a_formatter("rust", "Rust");
}

#[test]
fn the_guide_leads_to_a_formatter_in_javascript() {
    leads_to_a_formatter("javascript", "JavaScript");
}

#[test]
fn the_guide_leads_to_a_formatter_in_python() {
    leads_to_a_formatter("python", "Python");
}

#[test]
fn a_new_project_never_overwrites_and_never_takes_a_name_that_the_host_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let new = |arguments: &[&str]| siemaphore(folder.path(), &[&["plugin", "new"], arguments].concat());
    new(&["acme", "--lang", "python", "here"]).well().shows("siemaphore plugin build");
    let settings = folder.path().join("here/settings.json");
    fs::write(&settings, "mine").unwrap();

    let again = new(&["acme", "--lang", "rust", "here"]);
    assert!(!again.succeeded);
    again.shows("nothing is overwritten");
    assert_eq!(fs::read_to_string(&settings).unwrap(), "mine");
    assert!(!folder.path().join("here/Cargo.toml").exists(), "a project in two languages");

    for (name, said) in [("splunk", "built-in"), ("My_Siem", "lowercase"), ("../up", "lowercase")] {
        let refused = new(&[name, "--lang", "javascript"]);
        assert!(!refused.succeeded);
        refused.shows(said);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was written");
}

#[test]
fn a_projects_files_are_for_whom_the_persons_umask_says_and_a_private_key_is_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_siemaphore");
    let script = format!(
        "umask 022; set -eu; '{binary}' plugin new acme --lang python --json; '{binary}' plugin keygen publisher.key"
    );
    let made = ended(as_a_person("sh", folder.path()).args(["-c", &script])).well();
    made.shows("src/formatter.py");
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    let modes = ["acme", "acme/src", "acme/src/formatter.py", "publisher.key", "publisher.key.pub"].map(mode);
    assert_eq!(modes.map(|mode| format!("{mode:o}")), ["755", "755", "644", "600", "644"]);
}

#[test]
fn a_build_without_its_tools_says_what_to_run_and_keeps_the_last_component() {
    let folder = tempfile::tempdir().unwrap();
    for (language, said) in [("javascript", "run `npm ci`"), ("python", "run `python3 -m venv .venv")] {
        siemaphore(folder.path(), &["plugin", "new", language, "--lang", language]).well();
        let project = folder.path().join(language);
        let component = project.join(format!("dist/{language}.wasm"));
        fs::create_dir(project.join("dist")).unwrap();
        fs::write(&component, "the last one").unwrap();
        let built = siemaphore(&project, &["plugin", "build"]);
        assert!(!built.succeeded);
        built.shows(said);
        assert_eq!(fs::read_to_string(&component).unwrap(), "the last one");
        assert_eq!(fs::read_dir(project.join("dist")).unwrap().count(), 1, "rubbish is left");
    }
    for (named, said) in [(".", "no formatter's project is in ."), ("nowhere", "there is no folder nowhere")]
    {
        let nothing = siemaphore(folder.path(), &["plugin", "build", named]);
        assert!(!nothing.succeeded && nothing.stderr.contains(said), "{}", nothing.stderr);
        nothing.shows("siemaphore plugin new");
    }
}

#[test]
fn a_broken_source_is_told_in_the_authors_own_lines_and_builds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    siemaphore(folder.path(), &["plugin", "new", "acme", "--lang", "javascript"]).well();
    let project = folder.path().join("acme");
    std::os::unix::fs::symlink(node_modules().canonicalize().unwrap(), project.join("node_modules")).unwrap();
    let source = project.join("src/formatter.js");
    let broken = fs::read_to_string(&source).unwrap().replace("function configure", "function konfigure");
    fs::write(&source, broken).unwrap();
    let built = siemaphore(&project, &["plugin", "build"]);
    assert!(!built.succeeded);
    let told = "src/formatter.js:";
    assert!(
        built.stderr.contains(told) && built.stderr.contains("configure is not defined"),
        "{}",
        built.stderr
    );
    assert!(built.stderr.lines().count() <= 2, "more than the error and its hint: {}", built.stderr);
    assert!(!project.join("dist/acme.wasm").exists());
    fs::write(&source, "functin configure() {}\n").unwrap();
    siemaphore(&project, &["plugin", "build"]).shows("src/formatter.js:1: SyntaxError: ");
    let in_json = siemaphore(&project, &["plugin", "build", "--json"]);
    assert!(!in_json.succeeded);
    let told: serde_json::Value = serde_json::from_str(&in_json.stdout).unwrap();
    let error = &told["error"];
    assert!(error["reason"].as_str().unwrap().starts_with("src/formatter.js:1: "), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--verbose"), "{error}");
}
