//! Showing the figures.

use std::time::Duration;

use serde_json::{Value, json};
use siemaphore_model::formatter::Description;
use siemaphore_sandbox::{Figures, Fuel, GuestLimits};

use crate::command::plugin::bench::measure::Measured;
use crate::command::plugin::offline::Named;
use crate::print;

pub(super) struct Report {
    pub(super) named: Named,
    pub(super) description: Description,
    pub(super) limits: GuestLimits,
    /// To verify, compile and describe.
    pub(super) loading: Duration,
    pub(super) measured: Measured,
    /// Of one opening, and of one event in the mean.
    pub(super) fuel: Fuel,
}

impl Report {
    pub(super) fn as_json(&self) -> Value {
        let Measured { opening, events, batches, rejected, total, most } = &self.measured;
        let limits = &self.limits;
        json!({
            "plugin": self.named.name,
            "version": self.description.version,
            "digest": self.named.digest(),
            "events": events,
            "batches": batches,
            "rejected": rejected,
            "events_per_second": self.events_per_second(),
            "cpu_ns_per_event": each(total.cpu.as_nanos(), *events),
            "most_cpu_us_per_batch": micros(most.cpu),
            "cpu_limit_us": micros(limits.cpu),
            "fuel_per_event": self.fuel.format,
            "fuel_to_open": self.fuel.opening,
            "peak_memory_bytes": most.peak_memory_bytes,
            "memory_limit_bytes": limits.memory_bytes,
            "document_bytes_per_event": each(total.input_bytes.into(), *events),
            "output_bytes_per_event": each(total.output_bytes.into(), *events),
            "most_output_bytes_per_batch": most.output_bytes,
            "output_limit_bytes": limits.output_bytes,
            "most_log_bytes_per_batch": most.log_bytes,
            "log_limit_bytes": limits.log_bytes,
            "load_us": micros(self.loading),
            "open_us": micros(*opening),
        })
    }

    pub(super) fn show(&self) {
        let Measured { opening, events, batches, rejected, total, most } = &self.measured;
        let GuestLimits { memory_bytes, cpu, output_bytes, log_bytes, .. } = &self.limits;
        print::line(format_args!("{}   version {}\n", self.named, self.description.version));
        let mut table = print::table(&["figure", "measured", "limit", "used"]);
        let mut row = |cells: [String; 4]| {
            table.add_row(cells.map(print::cell));
        };
        let free =
            |figure: &str, measured: String| [figure.to_owned(), measured, String::new(), String::new()];
        let bytes = |figure: &str, measured: u64, limit: u64| {
            let used = share(u128::from(measured), u128::from(limit));
            [figure.to_owned(), print::size(measured), print::size(limit), used]
        };
        row(free("events a second", grouped(self.events_per_second())));
        row(free("CPU time an event", duration(Duration::from_nanos(each(total.cpu.as_nanos(), *events)))));
        row([
            "CPU time of the slowest batch".to_owned(),
            duration(most.cpu),
            duration(*cpu),
            share(most.cpu.as_nanos(), cpu.as_nanos()),
        ]);
        row(free("fuel an event", grouped(self.fuel.format)));
        row(free("fuel to start and configure", grouped(self.fuel.opening)));
        row(bytes("peak memory", most.peak_memory_bytes, *memory_bytes));
        row(free("record of an event", print::size(each(total.output_bytes.into(), *events))));
        row(bytes("records of the largest batch", most.output_bytes, *output_bytes));
        row(bytes("log output of a batch", most.log_bytes, *log_bytes));
        row(free("load: verify, compile, describe", duration(self.loading)));
        row(free("start and configure", duration(*opening)));
        print::show(&table);
        if *rejected > 0 {
            print::line(format_args!("{} of {events} events were rejected by the formatter", rejected));
        }
        let Figures { input_bytes, wall, .. } = total;
        print::aside(format_args!(
            "\n{} events of {} in the mean, in {batches} batches, each in a fresh instance on one thread, within {}.\n\
             Times are of this machine and its load now. Fuel, about one an instruction, is the same everywhere.",
            grouped(*events),
            print::size(each((*input_bytes).into(), *events)),
            duration(*wall),
        ));
    }

    fn events_per_second(&self) -> u64 {
        let nanos = self.measured.total.wall.as_nanos().max(1);
        u64::try_from(u128::from(self.measured.events) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
    }
}

fn each(total: u128, events: u64) -> u64 {
    u64::try_from(total / u128::from(events.max(1))).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// `0.4 %`
fn share(of: u128, limit: u128) -> String {
    let tenths = of * 1_000 / limit.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `27.10 µs`, `2.00 s`
fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.2} µs", duration.as_secs_f64() * 1e6),
        1_000_000..1_000_000_000 => format!("{:.2} ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let durations = [0, 999, 27_100, 1_500_000, 2_000_000_000].map(Duration::from_nanos);
        assert_eq!(durations.map(duration), ["0 ns", "999 ns", "27.10 µs", "1.50 ms", "2.00 s"]);
        assert_eq!([share(1, 3), share(0, 0), share(5, 5)], ["33.3 %", "0.0 %", "100.0 %"]);
    }
}
