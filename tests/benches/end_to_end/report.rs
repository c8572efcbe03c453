//! The table that a run ends with.

use std::time::Duration;

/// The most CPU seconds of the host per million events.
const CPU_BAR: f64 = 8.0;

pub(crate) struct Figures {
    pub(crate) events: u64,
    /// Of the request bodies that the producer sent.
    pub(crate) sent_bytes: u64,
    /// From the first request until the last was answered: everything is on disk.
    pub(crate) accepted: Duration,
    /// Until everything was delivered.
    pub(crate) delivered: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_memory_bytes: u64,
}

pub(crate) fn print(alone: &Figures, beside_a_burner: &Figures) {
    let Figures { events, sent_bytes, accepted, delivered, cpu, peak_memory_bytes } = alone;
    let (events, megabytes) = (*events as f64, *sent_bytes as f64 / 1e6);
    let seconds = delivered.as_secs_f64();
    let cpu_per_million = cpu.as_secs_f64() / events * 1e6;
    let slowed = beside_a_burner.delivered.as_secs_f64();
    let verdict = if cpu_per_million <= CPU_BAR { "reached" } else { "MISSED" };
    let bar = format!("at most {CPU_BAR} s: {verdict}");
    let rows = [
        ("events", format!("{events:.0} of {:.0} bytes", *sent_bytes as f64 / events), ""),
        ("accepted", format!("{:.0} events/s", events / accepted.as_secs_f64()), ""),
        ("delivered", format!("{:.0} events/s", events / seconds), ""),
        ("throughput", format!("{:.1} MB/s in", megabytes / seconds), ""),
        ("CPU of the host", format!("{cpu_per_million:.2} s per million events"), bar.as_str()),
        ("", format!("{:.2} cores busy", cpu.as_secs_f64() / seconds), ""),
        ("peak memory", format!("{:.0} MB", *peak_memory_bytes as f64 / 1e6), ""),
        (
            "with a neighbour",
            format!("{:.0} events/s, {:.2} as many", events / slowed, seconds / slowed),
            "none lost",
        ),
    ];
    println!("\nend to end: HTTP in, fsync, sandboxed Splunk formatter, gzip, TLS out\n");
    println!("{:<16}  {:<30}  bar", "", "measured");
    for (name, measured, bar) in rows {
        println!("{name:<16}  {measured:<30}  {bar}");
    }
    println!("\nthe neighbour is a destination whose plugin uses up its CPU limit on every batch\n");
}
