//! Guests in a few lines: an honest formatter in WebAssembly text, of which a test replaces what it needs.
//!
//! Every function of the contract has a body here that keeps it. The canonical ABI fixes where the fields of a
//! returned value lie; the offsets below are those of `wit/v1`.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The honest formatter makes the record `1` of each event, accepts all settings and judges by status.
pub(crate) struct Guest {
    memory: &'static str,
    imports: String,
    extra: String,
    describe: String,
    configure: String,
    format: String,
    interpret: String,
    allocate: String,
    wasi_version: String,
}

#[allow(dead_code, reason = "each test binary uses some of it")]
impl Guest {
    pub(crate) fn honest() -> Guest {
        Guest {
            memory: "(memory (export \"memory\") 4)",
            imports: String::new(),
            extra: String::new(),
            describe: "(i32.const 1024)".to_owned(),
            configure: "(i32.const 2048)".to_owned(),
            format: RECORD_PER_EVENT.to_owned(),
            interpret: "(i32.const 8192)".to_owned(),
            allocate: ALLOCATE.to_owned(),
            wasi_version: "0.2.0".to_owned(),
        }
    }

    /// Its first memory is replaced; the data needs four pages.
    pub(crate) fn memory(self, memory: &'static str) -> Guest {
        Guest { memory, ..self }
    }

    /// Further fields of the module: functions, tables, a start function, data.
    pub(crate) fn extra(self, extra: &str) -> Guest {
        Guest { extra: format!("{}\n{extra}", self.extra), ..self }
    }

    /// A function of WASI to import: `import("wasi:cli/exit", "exit", "(func $exit (param i32))")`.
    pub(crate) fn import(self, interface: &str, name: &str, function: &str) -> Guest {
        let imports = format!("{}\n(import \"{interface}@VERSION\" \"{name}\" {function})", self.imports);
        Guest { imports, ..self }
    }

    pub(crate) fn wasi_version(self, version: &str) -> Guest {
        Guest { wasi_version: version.to_owned(), ..self }
    }

    /// Returns the address of a description.
    pub(crate) fn describe(self, body: &str) -> Guest {
        Guest { describe: body.to_owned(), ..self }
    }

    /// Returns the address of a profile or of setting problems.
    pub(crate) fn configure(self, body: &str) -> Guest {
        Guest { configure: body.to_owned(), ..self }
    }

    /// Takes `$events` and `$count`; returns the address of records or of a refusal.
    pub(crate) fn format(self, body: &str) -> Guest {
        Guest { format: body.to_owned(), ..self }
    }

    /// Takes `$status` among others; returns the address of a verdict.
    pub(crate) fn interpret(self, body: &str) -> Guest {
        Guest { interpret: body.to_owned(), ..self }
    }

    /// Takes `$size`; returns the address of so many bytes. The host calls it for what it hands over.
    pub(crate) fn allocate(self, body: &str) -> Guest {
        Guest { allocate: body.to_owned(), ..self }
    }

    /// The guest writes this many bytes of its memory, from the given address, to standard output.
    pub(crate) fn printing(self) -> Guest {
        self.import("wasi:cli/stdout", "get-stdout", "(func $get-stdout (result i32))")
            .import(
                "wasi:io/streams",
                "[method]output-stream.blocking-write-and-flush",
                "(func $write (param i32 i32 i32 i32))",
            )
            .extra(
                "(global $stdout (mut i32) (i32.const -1))
                 (func $print (param $at i32) (param $length i32)
                   (if (i32.eq (global.get $stdout) (i32.const -1)) (then (global.set $stdout (call $get-stdout))))
                   (call $write (global.get $stdout) (local.get $at) (local.get $length) (i32.const 9000)))",
            )
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        self.encode(true)
    }

    /// For guests that only a host with other settings would take.
    pub(crate) fn component_unchecked(&self) -> Vec<u8> {
        self.encode(false)
    }

    fn encode(&self, validate: bool) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).expect("the guest's text is WebAssembly");
        let mut resolve = Resolve::default();
        resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v1")).expect("wit/v1");
        let version = self.wasi_version.as_str();
        resolve
            .push_str("wasi.wit", &format!("package test:wasi;\n{}", WASI.replace("VERSION", version)))
            .expect("wasi.wit");
        let package = resolve.push_str("world.wit", &WORLD.replace("VERSION", version)).expect("world");
        let world = resolve.select_world(&[package], None).expect("world");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
        ComponentEncoder::default()
            .validate(validate)
            .module(&module)
            .expect("module")
            .encode()
            .expect("component")
    }

    fn module(&self) -> String {
        let Guest { memory, imports, extra, describe, configure, format, interpret, allocate, wasi_version } =
            self;
        let imports = imports.replace("VERSION", wasi_version);
        format!(
            r#"(module {imports}
              {memory}
              {DATA}
              (global $heap (mut i32) (i32.const 0x30000))
              (func $realloc (export "cabi_realloc")
                (param i32 i32 i32) (param $size i32) (result i32) (local $at i32) {allocate})
              {extra}
              (func (export "siemaphore:formatter/formatter@1.0.0#describe") (result i32) {describe})
              (func (export "siemaphore:formatter/formatter@1.0.0#configure")
                (param i32 i32 i32 i32) (result i32) {configure})
              (func (export "siemaphore:formatter/formatter@1.0.0#format")
                (param $events i32) (param $count i32) (result i32) (local $i i32) {format})
              (func (export "siemaphore:formatter/formatter@1.0.0#interpret")
                (param $phase i32) (param i32 i32) (param $status i32) (param i32 i32 i32 i32 i32 i32 i32)
                (result i32) {interpret}))"#
        )
    }
}

const WASI: &str = include_str!("wasi.wit");

/// What a module does not import is left out of its component.
const WORLD: &str = "
    package test:guest;
    world guest {
      import wasi:cli/environment@VERSION;
      import wasi:cli/exit@VERSION;
      import wasi:cli/stdin@VERSION;
      import wasi:cli/stdout@VERSION;
      import wasi:clocks/monotonic-clock@VERSION;
      import wasi:clocks/wall-clock@VERSION;
      import wasi:filesystem/preopens@VERSION;
      import wasi:random/random@VERSION;
      include siemaphore:formatter/siem-formatter@1.0.0;
    }";

/// 1024: a description with a name, version and title; its schema and its example are `{}`. 2048: a profile for
/// `POST /`, JSON array, 500 records, 1 MiB a body, 256 KiB a record. 8192: the verdict `standard`, because it is all
/// zeros.
const DATA: &str = r#"
    (data (i32.const 512) "guest1.0.0Test Guest/{}")
    (data (i32.const 1024) "\00\02\00\00\05\00\00\00" "\05\02\00\00\05\00\00\00"
                           "\00\00\00\00\00\00\00\00" "\0a\02\00\00\0a\00\00\00")
    (data (i32.const 1064) "\15\02\00\00\02\00\00\00" "\15\02\00\00\02\00\00\00")
    (data (i32.const 2060) "\14\02\00\00\01\00\00\00")
    (data (i32.const 2136) "\f4\01\00\00\00\00\10\00\00\00\04\00")"#;

const ALLOCATE: &str = "
    (local.set $at (global.get $heap))
    (global.set $heap
      (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))))
    (local.get $at)";

/// 4096: result discriminant, then address and length of data, ends and rejections.
const RECORD_PER_EVENT: &str = "
    (memory.fill (i32.const 0x10000) (i32.const 49) (local.get $count))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $i) (local.get $count)))
      (i32.store (i32.add (i32.const 0x20000) (i32.shl (local.get $i) (i32.const 2)))
                 (i32.add (local.get $i) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (local.get $count))
    (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (local.get $count))
    (i32.const 4096)";
