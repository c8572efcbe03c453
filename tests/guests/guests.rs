//! Hostile guests, one file for each way to misbehave and named for it. Each has `component()`, the bytes of its file.
//!
//! They are WebAssembly text around an honest formatter (host/sandbox/tests/support/guest.rs), so that a reader sees
//! all of what makes them hostile. Whoever tests against them includes this file as a module.
//!
//! **To add one**: write `NAME.rs` here, declare it below, and name it in [`every_guest`]. Then
//! host/sandbox/tests/hostile.rs does not compile until `host/sandbox/tests/hostile/` has a function `NAME` that says
//! what the sandbox makes of it, and a test there fails for a file that is not named.

#[path = "../../host/sandbox/tests/support/guest.rs"]
mod guest;
pub(crate) mod handmade;

pub(crate) mod a_limit_of_nothing;
pub(crate) mod asks_for_another_host;
pub(crate) mod asks_for_another_path;
pub(crate) mod asks_for_the_credentials_header;
pub(crate) mod asks_for_the_hosts_header;
pub(crate) mod burns_after_the_check;
pub(crate) mod compile_bomb;
pub(crate) mod core_module;
pub(crate) mod data_outside_its_memory;
pub(crate) mod data_over_the_cap;
pub(crate) mod deep_recursion;
pub(crate) mod delivered_on_a_500;
pub(crate) mod empty_records;
pub(crate) mod endless_loop_after_format;
pub(crate) mod endless_loop_at_start_up;
pub(crate) mod endless_loop_in_allocation;
pub(crate) mod endless_loop_in_configure;
pub(crate) mod endless_loop_in_describe;
pub(crate) mod endless_loop_in_format;
pub(crate) mod endless_loop_in_interpret;
pub(crate) mod endless_tail_calls;
pub(crate) mod ends_itself;
pub(crate) mod ends_of_another_count;
pub(crate) mod ends_over_the_cap;
pub(crate) mod ends_past_the_data;
pub(crate) mod ends_that_decrease;
pub(crate) mod escapes_and_markup_in_hints;
pub(crate) mod escapes_in_its_title;
pub(crate) mod floods_standard_output;
pub(crate) mod handles_without_end;
pub(crate) mod imports_http;
pub(crate) mod imports_sockets;
pub(crate) mod imports_the_unknown;
pub(crate) mod imports_threads;
pub(crate) mod invalid_utf8_in_its_title;
pub(crate) mod invalid_utf8_in_records;
pub(crate) mod leaks_across_batches;
pub(crate) mod memory_at_start_up;
pub(crate) mod memory_growth;
pub(crate) mod memory_growth_in_many_memories;
pub(crate) mod no_webassembly;
pub(crate) mod raw_newlines_in_records;
pub(crate) mod reads_the_system;
pub(crate) mod rejections_over_the_cap;
pub(crate) mod rejects_after_the_check;
pub(crate) mod rejects_everything;
pub(crate) mod schema_bomb;
pub(crate) mod schema_over_its_cap;
pub(crate) mod sixteen_gigabytes_claimed;
pub(crate) mod sleeps_an_hour;
pub(crate) mod table_growth;
pub(crate) mod traps_after_the_check;
pub(crate) mod traps_on_everything;
pub(crate) mod traps_on_one_event;
pub(crate) mod truncated_file;
pub(crate) mod wrong_world;

#[allow(unused_imports, reason = "each test binary uses some of it")]
pub(crate) use guest::Guest;

/// Hands the names of all guests to another macro.
#[allow(unused_macros, reason = "for those who test every guest")]
macro_rules! every_guest {
    ($with:ident) => {
        $with! {
            a_limit_of_nothing
            asks_for_another_host
            asks_for_another_path
            asks_for_the_credentials_header
            asks_for_the_hosts_header
            burns_after_the_check
            compile_bomb
            core_module
            data_outside_its_memory
            data_over_the_cap
            deep_recursion
            delivered_on_a_500
            empty_records
            endless_loop_after_format
            endless_loop_at_start_up
            endless_loop_in_allocation
            endless_loop_in_configure
            endless_loop_in_describe
            endless_loop_in_format
            endless_loop_in_interpret
            endless_tail_calls
            ends_itself
            ends_of_another_count
            ends_over_the_cap
            ends_past_the_data
            ends_that_decrease
            escapes_and_markup_in_hints
            escapes_in_its_title
            floods_standard_output
            handles_without_end
            imports_http
            imports_sockets
            imports_the_unknown
            imports_threads
            invalid_utf8_in_its_title
            invalid_utf8_in_records
            leaks_across_batches
            memory_at_start_up
            memory_growth
            memory_growth_in_many_memories
            no_webassembly
            raw_newlines_in_records
            reads_the_system
            rejections_over_the_cap
            rejects_after_the_check
            rejects_everything
            schema_bomb
            schema_over_its_cap
            sixteen_gigabytes_claimed
            sleeps_an_hour
            table_growth
            traps_after_the_check
            traps_on_everything
            traps_on_one_event
            truncated_file
            wrong_world
        }
    };
}
#[allow(unused_imports, reason = "for those who test every guest")]
pub(crate) use every_guest;

/// How the type of an event begins that no check knows of. Guests that behave in the check and not after tell by it.
#[allow(dead_code, reason = "each test binary uses some of it")]
pub(crate) const UNCHECKED_TYPE: &str = "unchecked.";

/// The body of a function that never returns.
const ENDLESS: &str = "(loop $l (br $l)) (unreachable)";

/// What `format` returns: its data, and where each record ends.
struct Records {
    data: String,
    data_length: usize,
    ends: String,
    count: usize,
}

fn records(data: &[u8], ends: &[u32]) -> Records {
    let escaped = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let end_bytes: Vec<u8> = ends.iter().flat_map(|end| end.to_le_bytes()).collect();
    Records { data: escaped(data), data_length: data.len(), ends: escaped(&end_bytes), count: ends.len() }
}

/// Returns the same records whatever the events are.
fn lying(records: &Records) -> Guest {
    let Records { data, data_length, ends, count } = records;
    Guest::honest()
        .extra(&format!("(data (i32.const 0x10000) \"{data}\") (data (i32.const 0x20000) \"{ends}\")"))
        .format(&format!(
            "(i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (i32.const {data_length}))
             (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (i32.const {count}))
             (i32.const 4096)"
        ))
}

/// Addresses and lengths as they lie in memory.
fn words(words: &[usize]) -> String {
    let bytes = words.iter().flat_map(|&word| u32::try_from(word).unwrap_or_default().to_le_bytes());
    bytes.map(|byte| format!("\\{byte:02x}")).collect()
}

/// The content type that a request cannot do without.
const CONTENT_TYPE: &str = "(data (i32.const 660) \"application/json\") (data (i32.const 2076) \"\\94\\02\\00\\00\\10\\00\\00\\00\")";

/// An honest guest but for the path of its request.
fn asking_for_path(path: &str) -> Guest {
    Guest::honest().extra(&format!(
        "{CONTENT_TYPE} (data (i32.const 700) \"{path}\") (data (i32.const 2060) \"{}\")",
        words(&[700, path.len()])
    ))
}

/// An honest guest but for a header of its request.
fn asking_for_header(name: &str) -> Guest {
    Guest::honest().extra(&format!(
        "{CONTENT_TYPE} (data (i32.const 700) \"{name}forged\") (data (i32.const 760) \"{}\")
         (data (i32.const 2084) \"{}\")",
        words(&[700, name.len(), 700 + name.len(), 6]),
        words(&[760, 1])
    ))
}

/// A component of which nothing is known but what it wants.
fn importing(interface: &str) -> Vec<u8> {
    text(&format!("(component (import \"{interface}\" (instance)))"))
}

fn text(component: &str) -> Vec<u8> {
    wat::parse_str(component).expect("the text is WebAssembly")
}
