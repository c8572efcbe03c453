//! Formatters of customers: the bundled ones under other names, and one that is made of nothing but the contract.

#[path = "../../../host/sandbox/tests/support/guest.rs"]
mod guest;

use guest::Guest;

/// The bytes of a bundled component.
pub(crate) fn bundled(name: &str) -> &'static [u8] {
    let mut all = siemaphore_bundle::formatters().iter();
    all.find(|one| one.name == name).expect("a bundled formatter").component
}

/// The same component with another digest: a custom section at the end says nothing and means nothing.
pub(crate) fn rebuilt(component: &[u8], note: &str) -> Vec<u8> {
    let name = b"note";
    let length = 1 + name.len() + note.len();
    let short = u8::try_from(length).ok().filter(|length| *length < 128).expect("a short note");
    [component, &[0, short, 4], name, note.as_bytes()].concat()
}

/// A customer's formatter in a few lines of WebAssembly text. Each record is `{"message":"<words>","event_key":"<key>"}`,
/// sent in an array to the path where Datadog takes logs.
pub(crate) fn handmade(words: &str) -> Vec<u8> {
    handmade_with(words, "", None)
}

/// As [`handmade`], but traps on an event whose id begins with `~`: no event of a check has one.
pub(crate) fn treacherous(words: &str) -> Vec<u8> {
    // The second field of an event is its id.
    let trap = "(if (i32.eq (i32.const 126) (i32.load8_u (i32.load offset=8
                  (i32.add (local.get $events) (i32.mul (local.get $i) (i32.const 96)))))) (then unreachable))";
    handmade_with(words, trap, None)
}

fn handmade_with(words: &str, before_each: &str, instead_of_format: Option<&str>) -> Vec<u8> {
    let before = format!(r#"{{"message":"{words}","event_key":""#);
    let before_length = before.len();
    // The key has 32 digits, and two characters close the record.
    let record_length = before_length + 32 + 2;
    let text = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let profile = format!(
        r#"(data (i32.const 600) "/api/v2/logsapplication/json")
           (data (i32.const 640) "handmade1.0.0{{}}")
           (data (i32.const 700) "{}\"}}")
           (data (i32.const 1024) "\80\02\00\00\08\00\00\00" "\88\02\00\00\05\00\00\00")
           (data (i32.const 1072) "\8d\02\00\00\02\00\00\00")
           (data (i32.const 2060) "\58\02\00\00\0c\00\00\00")
           (data (i32.const 2076) "\64\02\00\00\10\00\00\00")"#,
        text(&before)
    );
    // An event has 96 bytes and begins with address and length of its key.
    let format = format!(
        "(local $start i32) (local $at i32) (local $ends i32)
         (local.set $start (call $realloc (i32.const 0) (i32.const 0) (i32.const 1)
           (i32.mul (local.get $count) (i32.const {record_length}))))
         (local.set $ends (call $realloc (i32.const 0) (i32.const 0) (i32.const 4)
           (i32.shl (local.get $count) (i32.const 2))))
         (local.set $at (local.get $start))
         (block $done (loop $next
           (br_if $done (i32.eq (local.get $i) (local.get $count)))
           {before_each}
           (memory.copy (local.get $at) (i32.const 700) (i32.const {before_length}))
           (memory.copy (i32.add (local.get $at) (i32.const {before_length}))
             (i32.load (i32.add (local.get $events) (i32.mul (local.get $i) (i32.const 96)))) (i32.const 32))
           (memory.copy (i32.add (local.get $at) (i32.const {after})) (i32.const {closing}) (i32.const 2))
           (local.set $at (i32.add (local.get $at) (i32.const {record_length})))
           (i32.store (i32.add (local.get $ends) (i32.shl (local.get $i) (i32.const 2)))
             (i32.sub (local.get $at) (local.get $start)))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (i32.store (i32.const 4100) (local.get $start))
         (i32.store (i32.const 4104) (i32.sub (local.get $at) (local.get $start)))
         (i32.store (i32.const 4108) (local.get $ends)) (i32.store (i32.const 4112) (local.get $count))
         (i32.const 4096)",
        after = before_length + 32,
        closing = 700 + before_length,
    );
    Guest::honest().extra(&profile).format(instead_of_format.unwrap_or(&format)).component()
}

/// Describes itself and takes every setting, and traps on the first event.
pub(crate) fn broken_on_events() -> Vec<u8> {
    handmade_with("broken", "", Some("(unreachable)"))
}

/// Formats honestly and asks for a path that leads out of the endpoint's.
pub(crate) fn refused_request() -> Vec<u8> {
    Guest::honest()
        .extra(
            "(data (i32.const 600) \"/a/../admin\")
             (data (i32.const 2060) \"\\58\\02\\00\\00\\0b\\00\\00\\00\")",
        )
        .component()
}

/// A file of some kilobytes that takes a compiler minutes and gigabytes: many variables, all changed within loops that lie
/// within each other.
pub(crate) fn compile_bomb() -> Vec<u8> {
    const LOOPS: usize = 2_000;
    const VARIABLES: usize = 2_000;
    let changes: String = (0..VARIABLES)
        .map(|variable| format!("local.get {variable} i32.const 1 i32.add local.set {variable}\n"))
        .collect();
    let (opened, closed) = ("loop\n".repeat(LOOPS), "local.get 0 br_if 0 end\n".repeat(LOOPS));
    let locals = "i32 ".repeat(VARIABLES);
    Guest::honest().extra(&format!("(func (local {locals}) {opened} {changes} {closed})")).component()
}
