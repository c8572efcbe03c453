//! Which language a component was written in and what memory it starts with, told from its bytes without running it.
//!
//! Toolchains leave their name in a `producers` section, and componentize-py the names of its libraries in the modules
//! that it links. Nothing is decided by it but what a person is told: a component can say what it likes.

use wasmtime::wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader};

use crate::fault::{Call, Fault, FaultKind, Limit};
use crate::limits::GuestLimits;

const COMPONENTIZE_JS: &str = "ComponentizeJS";
/// Libraries that componentize-py links, and so modules of every component that it makes.
const COMPONENTIZE_PY: &str = "libcomponentize_py_runtime";
const RUST_BINDINGS: &str = "wit-bindgen-rust";
const MIB: u64 = 1 << 20;
/// What the largest call adds to what a component starts with: 25 MiB in JavaScript, 11 MiB in Python, 11 MiB in Rust,
/// measured with 4 MiB of documents.
const ROOM_FOR_A_CALL: u64 = 32 * MIB;
const PAGE_BYTES: u64 = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    JavaScript,
    Python,
    Unknown,
}

impl Language {
    /// Reads the sections' outsides: milliseconds for the largest component. Damaged bytes are `Unknown`.
    pub fn of(component: &[u8]) -> Language {
        Traces::read(component).unwrap_or_default().language()
    }

    /// For people: `JavaScript`.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::JavaScript => "JavaScript",
            Language::Python => "Python",
            Language::Unknown => "unknown",
        }
    }
}

/// What the memories of a component begin with, before it is given anything.
pub fn memory_at_start(component: &[u8]) -> u64 {
    Traces::read(component).unwrap_or_default().start_bytes
}

/// The memory limit that a component works with: what it starts with (an engine, an interpreter and all that was loaded
/// when it was built are part of that), and room for the largest call. Never below the default, and above the ceiling
/// when no limit is large enough.
pub fn memory_for(component: &[u8]) -> u64 {
    memory_at_start(component)
        .saturating_add(ROOM_FOR_A_CALL)
        .next_multiple_of(GuestLimits::default().memory_bytes)
}

/// What the operator can do when a formatter has used up its memory before it was given anything to format; none when
/// that is not what happened, or when the limit should be enough.
pub fn memory_advice(component: &[u8], fault: &Fault) -> Option<String> {
    let FaultKind::Limit(Limit::Memory { limit_bytes }) = fault.kind else { return None };
    let before_events = matches!(fault.call, Call::Instantiate | Call::Describe | Call::Configure);
    let enough = memory_for(component);
    if !before_events || limit_bytes >= enough {
        return None;
    }
    let traces = Traces::read(component).unwrap_or_default();
    let (language, start) = (traces.language().as_str(), traces.start_bytes.div_ceil(MIB));
    let beginning = format!("the formatter (language: {language}) starts with {start} MiB");
    Some(if enough > GuestLimits::CEILING.memory_bytes {
        let most = GuestLimits::CEILING.memory_bytes / MIB;
        format!("{beginning}, and {most} MiB is the most that one is given: build it with less data")
    } else {
        format!("{beginning}: set `memory = \"{} MiB\"` under [plugins] in the configuration", enough / MIB)
    })
}

/// What toolchains have left in a component and in what it is made of.
#[derive(Default)]
struct Traces {
    javascript: bool,
    python: bool,
    rust: bool,
    /// What the memories of all its modules begin with.
    start_bytes: u64,
}

impl Traces {
    fn read(component: &[u8]) -> wasmtime::wasmparser::Result<Traces> {
        let mut traces = Traces::default();
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::CustomSection(section) => {
                    if let KnownCustom::Producers(producers) = section.as_known() {
                        traces.read_producers(producers)?;
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let bytes = memory?.initial.saturating_mul(PAGE_BYTES);
                        traces.start_bytes = traces.start_bytes.saturating_add(bytes);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        traces.python |= export?.name.starts_with(COMPONENTIZE_PY);
                    }
                }
                _ => {}
            }
        }
        Ok(traces)
    }

    fn read_producers(&mut self, producers: ProducersSectionReader<'_>) -> wasmtime::wasmparser::Result<()> {
        for field in producers {
            let field = field?;
            for value in field.values {
                let name = value?.name;
                self.javascript |= name == COMPONENTIZE_JS;
                self.rust |= name == RUST_BINDINGS || (field.name == "language" && name == "Rust");
            }
        }
        Ok(())
    }

    /// Parts of both engines are written in Rust, so that comes last.
    fn language(&self) -> Language {
        match self {
            Traces { javascript: true, .. } => Language::JavaScript,
            Traces { python: true, .. } => Language::Python,
            Traces { rust: true, .. } => Language::Rust,
            _ => Language::Unknown,
        }
    }
}
