//! Formatters as the tools of three languages made them, in the sandbox: kept files that have to go on working.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "support/guest.rs"]
mod guest;
#[path = "support/responses.rs"]
mod responses;

use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;

use events::events;
use guest::Guest;
use responses::response;
use siemaphore_model::Event;
use siemaphore_model::formatter::{Fate, Verdict};
use siemaphore_sandbox::{
    CodeCache, CodeSource, Compiler, Configuration, ConfigureError, Fault, FaultKind, Formatter, GuestLimits,
    Language, Limit, LoadError, Sandbox, SandboxConfig, memory_advice, memory_at_start, memory_for,
};

const LANGUAGES: [Language; 3] = [Language::Rust, Language::JavaScript, Language::Python];

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

/// With the memory that is proposed for each.
static FORMATTERS: LazyLock<[Formatter; 3]> = LazyLock::new(|| {
    LANGUAGES.map(|language| {
        let loaded = load(language, memory_for(&component(language)));
        loaded.unwrap_or_else(|error| panic!("{}: {error}", language.as_str()))
    })
});

/// Machine code is compiled once for all limits: an engine takes Cranelift seconds.
static CODE: LazyLock<(tempfile::TempDir, CodeSource)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().join("code"));
    (folder, CodeSource::new(Compiler::Here, Some(cache)))
});

fn load(language: Language, memory_bytes: u64) -> Result<Formatter, LoadError> {
    let limits = GuestLimits { memory_bytes, ..GuestLimits::default() };
    SANDBOX.load_from(&CODE.1, "acme", &component(language), limits)
}

fn component(language: Language) -> Vec<u8> {
    let file = format!("../../tests/fixtures/components/{}.wasm.zst", language.as_str().to_lowercase());
    let file = File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    zstd::decode_all(file).unwrap()
}

fn configuration(settings: &str) -> Configuration {
    Configuration { settings: settings.to_owned(), destination: "d1".to_owned() }
}

fn soc() -> Configuration {
    configuration(r#"{"team":"soc"}"#)
}

#[test]
fn a_component_of_1_0_0_in_each_language_is_described_and_configured() {
    for (formatter, language) in FORMATTERS.iter().zip(LANGUAGES) {
        let description = formatter.description();
        assert_eq!((description.name.as_str(), description.version.as_str()), ("acme", "0.1.0"));
        assert!(description.settings_schema.contains("The team that owns these events."));
        let profile = formatter.configure(&configuration(&description.settings_example)).unwrap();
        assert_eq!(profile.path, "/api/events", "{language:?}");
        assert_eq!(profile.limits.records, 500);
        let Err(ConfigureError::Refused(problems)) = formatter.configure(&configuration("{}")) else {
            panic!("{language:?} takes no settings")
        };
        assert_eq!(problems[0].pointer, "/team");
    }
}

#[test]
fn the_same_events_become_the_same_records_in_every_language() {
    let events = events(300, 700);
    let all: Vec<Event<'_>> = events.iter().collect();
    let records = FORMATTERS.each_ref().map(|formatter| formatter.format(&soc(), &all).unwrap().records);
    let first: Vec<&[u8]> = records[0].iter().collect();
    assert_eq!(first.len(), 300);
    let record: serde_json::Value = serde_json::from_slice(first[7]).unwrap();
    assert_eq!((&record["team"], &record["event"]["number"]), (&"soc".into(), &7.into()));
    for (records, language) in records.iter().zip(LANGUAGES) {
        assert_eq!(records.iter().collect::<Vec<_>>(), first, "{language:?}");
        assert!(records.rejected.is_empty());
    }
}

#[test]
fn the_largest_call_fits_into_the_memory_that_is_proposed() {
    // Just below 2,000 events and 4 MiB, the most that a guest is given at once.
    let events = events(1_950, 2_100);
    let all: Vec<Event<'_>> = events.iter().collect();
    for (formatter, language) in FORMATTERS.iter().zip(LANGUAGES) {
        let figures = formatter.format(&soc(), &all).unwrap().figures;
        let (peak, limit) = (figures.peak_memory_bytes, formatter.limits().memory_bytes);
        assert!(peak <= limit, "{language:?} needs {peak} of {limit}");
    }
}

#[test]
fn an_answer_is_interpreted_in_every_language() {
    let refused = response(200, r#"{"refused":[{"index":3,"reason":"too old"}]}"#);
    for formatter in FORMATTERS.iter() {
        let Verdict::Partial(partial) = formatter.interpret(&soc(), &refused).unwrap() else {
            panic!("not partial")
        };
        assert_eq!(
            (partial.runs[0].first, &partial.runs[0].fate),
            (3, &Fate::Rejected("too old".to_owned()))
        );
        assert_eq!(formatter.interpret(&soc(), &response(200, "{}")).unwrap(), Verdict::Standard);
    }
}

#[test]
fn the_language_of_a_component_is_told_without_running_it() {
    for language in LANGUAGES {
        assert_eq!(Language::of(&component(language)), language);
    }
    let handmade = Guest::honest().component();
    assert_eq!(Language::of(&handmade), Language::Unknown);
    assert_eq!(Language::of(&component(Language::Rust)[..1_000]), Language::Unknown);
    assert_eq!(Language::of(b"no component"), Language::Unknown);
}

/// What loading and configuring end with under this memory limit.
fn fault(language: Language, memory_bytes: u64) -> Fault {
    match load(language, memory_bytes) {
        Err(LoadError::Fault(fault)) => fault,
        Err(other) => panic!("{other}"),
        Ok(formatter) => match formatter.configure(&soc()) {
            Err(ConfigureError::Fault(fault)) => fault,
            other => panic!("{other:?}"),
        },
    }
}

#[test]
fn a_limit_that_is_too_small_is_answered_with_the_language_and_one_that_is_not() {
    // The code is in the cache by then.
    assert_eq!(FORMATTERS.len(), 3);
    for language in [Language::JavaScript, Language::Python] {
        let (component, fault) = (component(language), fault(language, 8 << 20));
        let advice = memory_advice(&component, &fault).unwrap_or_else(|| panic!("{fault}"));
        assert!(advice.contains(language.as_str()) && advice.contains("\"64 MiB\""), "{advice}");
        // A formatter that has enough and goes on asking is not given more.
        let enough = Limit::Memory { limit_bytes: memory_for(&component) };
        let greedy = Fault { kind: FaultKind::Limit(enough), ..fault };
        assert_eq!(memory_advice(&component, &greedy), None);
    }
}

#[test]
fn what_a_component_starts_with_counts_for_the_limit_that_it_needs() {
    let module = |mebibytes: u64| {
        let pages = mebibytes * 16;
        let text = format!("(component (core module (memory {pages})) (core module (memory 16)))");
        wat::parse_str(text).expect("the text is WebAssembly")
    };
    assert_eq!(memory_at_start(&module(7)), 8 << 20, "all memories of all its modules");
    let needed = [1, 31, 32, 200, 300].map(|mebibytes| memory_for(&module(mebibytes)) >> 20);
    assert_eq!(needed, [64, 64, 128, 256, 384]);
    let fault = fault(Language::Python, 8 << 20);
    let advice = memory_advice(&module(300), &fault).unwrap();
    assert!(advice.contains("301 MiB") && advice.contains("less data"), "{advice}");
}
