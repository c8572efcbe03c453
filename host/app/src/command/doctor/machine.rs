//! What the machine lets a process have: open files and memory.

use std::fs;

use rustix::process::{Resource, getrlimit};

use crate::command::doctor::finding::Finding;
use crate::print;

/// Connections of producers take half of the open files; with fewer than this they soon have to wait.
const ENOUGH_FILES: u64 = 4096;
/// The database's caches, the compiled formatters, and a guest for each thread.
const ENOUGH_MEMORY_BYTES: u64 = 512 * 1024 * 1024;

pub(crate) fn check() -> Vec<Finding> {
    vec![open_files(), memory()]
}

/// The hard limit: a host raises the soft one to it.
fn open_files() -> Finding {
    let check = "open files";
    match getrlimit(Resource::Nofile).maximum {
        None => Finding::ok(check, "no limit"),
        Some(limit) if limit >= ENOUGH_FILES => Finding::ok(check, format!("{limit} allowed")),
        Some(limit) => Finding::warning(
            check,
            format!("{limit} allowed in this shell: at most {} producers connect at once", limit / 2),
            format!(
                "allow {ENOUGH_FILES}: `LimitNOFILE={ENOUGH_FILES}` in a systemd unit, `ulimit -n` in a shell"
            ),
        ),
    }
}

fn memory() -> Finding {
    let check = "memory";
    let Some(available) = available_bytes() else {
        return Finding::ok(check, "not known on this system");
    };
    let text = format!("{} available", print::size(available));
    match available < ENOUGH_MEMORY_BYTES {
        true => Finding::warning(check, text, "give it 512 MiB, or lower `memory` in [plugins]"),
        false => Finding::ok(check, text),
    }
}

/// What is left of the machine's memory, or of the container's where that is less.
fn available_bytes() -> Option<u64> {
    let machine = meminfo_available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let container = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(most, used)| most.saturating_sub(used));
    Some(container.map_or(machine, |container| container.min(machine)))
}

fn meminfo_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let meminfo = "MemTotal:       16384 kB\nMemFree:  5 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(meminfo_available(meminfo), Some(2048 * 1024));
        assert_eq!(meminfo_available("MemTotal: 1 kB"), None);
    }
}
