//! Between the contract's functions and the [`Formatter`] trait.

use std::sync::OnceLock;

use crate::bindings::exports::siemaphore::formatter::formatter::{Description, Records, Rejection};
use crate::{Event, Formatter, RequestProfile, Response, SettingProblem, Verdict, Writer, settings};

/// Exports a [`Formatter`] from a component.
///
/// It also makes [`bump`](crate::bump) the allocator. A formatter that allocates much and frees it again for every
/// event, such as one that parses documents into trees, keeps the ordinary one:
/// `siemaphore_sdk::export!(MyFormatter, allocator = std);`
///
/// Natively it does nothing: there a formatter is an ordinary library.
#[macro_export]
macro_rules! export {
    ($formatter:ty) => {
        $crate::export!($formatter, allocator = std);

        #[cfg(target_family = "wasm")]
        #[global_allocator]
        static SIEMAPHORE_ALLOCATOR: $crate::bump::Bump<$crate::bump::WasmMemory> =
            $crate::bump::Bump::new($crate::bump::WasmMemory::new());
    };
    ($formatter:ty, allocator = std) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::exports::siemaphore::formatter::formatter as contract;

            static CONFIGURED: std::sync::OnceLock<$formatter> = std::sync::OnceLock::new();

            struct Component;

            impl contract::Guest for Component {
                fn describe() -> contract::Description {
                    $crate::export::describe::<$formatter>()
                }

                fn configure(
                    settings: String,
                    destination: String,
                ) -> Result<contract::RequestProfile, Vec<contract::SettingProblem>> {
                    $crate::export::configure(&CONFIGURED, &settings, &destination)
                }

                fn format(events: Vec<contract::Event>) -> Result<contract::Records, String> {
                    $crate::export::format(&CONFIGURED, events)
                }

                fn interpret(response: contract::Response) -> contract::Verdict {
                    $crate::export::interpret(&CONFIGURED, &response)
                }
            }

    $crate::bindings::export_bindings!(Component with_types_in $crate::bindings);
        };
    };
}

/// What a record adds to its document, roughly: the last buffer can grow in place.
const RECORD_OVERHEAD_BYTES: usize = 384;

pub fn describe<F: Formatter>() -> Description {
    let product = F::describe();
    Description {
        name: product.name.to_owned(),
        version: product.version.to_owned(),
        vendor: product.vendor.to_owned(),
        title: product.title.to_owned(),
        summary: product.summary.to_owned(),
        settings_schema: settings::schema::<F::Settings>(),
        settings_example: product.settings_example.to_owned(),
        endpoint_example: product.endpoint_example.to_owned(),
        secret_name: product.secret_name.to_owned(),
        authentication: product.authentication,
    }
}

pub fn configure<F: Formatter>(
    configured: &OnceLock<F>,
    settings: &str,
    destination: &str,
) -> Result<RequestProfile, Vec<SettingProblem>> {
    let settings = settings::parse(settings).map_err(|problem| vec![problem])?;
    let (formatter, profile) = F::configure(settings, destination)?;
    match configured.set(formatter) {
        Ok(()) => Ok(profile),
        Err(_) => Err(vec![SettingProblem::at([], "this instance has been configured already")]),
    }
}

pub fn format<F: Formatter>(configured: &OnceLock<F>, events: Vec<Event>) -> Result<Records, String> {
    let formatter = configured.get().ok_or("this instance has not been configured")?;
    let records = format_with(formatter, &events);
    // The instance ends with this call: walking through the events to free them would be work for nothing.
    std::mem::forget(events);
    Ok(records)
}

pub fn interpret<F: Formatter>(configured: &OnceLock<F>, response: &Response) -> Verdict {
    configured.get().map_or(Verdict::Standard, |formatter| formatter.interpret(response))
}

/// All records in one buffer, which is allocated last and once: the sizes of the events say how much it will hold.
pub(crate) fn format_with<F: Formatter>(formatter: &F, events: &[Event]) -> Records {
    let mut ends = Vec::with_capacity(events.len());
    let mut rejected = Vec::new();
    let documents: usize = events.iter().map(|event| event.document.len()).sum();
    let mut writer = Writer::with_capacity(documents + events.len() * RECORD_OVERHEAD_BYTES);
    for (index, event) in (0..).zip(events) {
        let start = writer.len();
        if let Err(reason) = format_one(formatter, event, &mut writer) {
            writer.truncate(start);
            rejected.push(Rejection { index, reason });
        }
        // The sandbox allows 16 MiB.
        ends.push(u32::try_from(writer.len()).unwrap_or(u32::MAX));
    }
    Records { data: writer.into_bytes(), ends, rejected }
}

#[inline]
fn format_one<F: Formatter>(formatter: &F, event: &Event, writer: &mut Writer) -> Result<(), String> {
    let start = writer.len();
    formatter.format(event, writer).map_err(|rejected| rejected.0)?;
    if writer.len() > start { Ok(()) } else { Err("the formatter wrote nothing for this event".to_owned()) }
}

/// How the host places arguments into the guest: once for every string of every event, so it goes straight to the
/// guest's allocator instead of through the C library's.
///
/// # Safety
///
/// As the canonical ABI prescribes: `old` is null with `old_len` zero, or an allocation of this function.
#[cfg(target_family = "wasm")]
#[unsafe(export_name = "cabi_realloc")]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, new_len: usize) -> *mut u8 {
    use std::alloc::{Layout, alloc, realloc};

    if new_len == 0 {
        return std::ptr::without_provenance_mut(align);
    }
    // SAFETY: the canonical ABI gives alignments that are powers of two, and lengths within the guest's memory.
    let placed = unsafe {
        if old_len == 0 {
            alloc(Layout::from_size_align_unchecked(new_len, align))
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_len, align), new_len)
        }
    };
    if placed.is_null() {
        core::arch::wasm32::unreachable();
    }
    placed
}
