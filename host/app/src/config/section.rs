//! The sections that stand alone: listeners, store, egress, log.

use std::net::SocketAddr;
use std::path::Path;

use siemaphore_http::{EgressPolicy, IpNet};
use siemaphore_intake::IntakeConfig;
use siemaphore_store::{Keep, StoreConfig};

use crate::config::problem::at;
use crate::config::{Problems, file, quantity};
use crate::control;
use crate::log::LogConfig;

/// Intake: `74` and `10`, as in "SI" on a telephone's keys.
const INTAKE_LISTEN: &str = "127.0.0.1:7410";
const ADMIN_LISTEN: &str = "127.0.0.1:7411";

pub(crate) fn listen(
    problems: &mut Problems<'_>,
    section: &str,
    written: Option<&str>,
    behind_proxy: bool,
) -> Option<SocketAddr> {
    let default = if section == "intake" { INTAKE_LISTEN } else { ADMIN_LISTEN };
    let path = at![section, "listen"];
    let Ok(address) = written.unwrap_or(default).parse::<SocketAddr>() else {
        let reason = format!("`{}` is not an address to listen on", written.unwrap_or_default());
        problems.add(path, reason, format!("write an IP address and a port, such as \"{default}\""));
        return None;
    };
    if !address.ip().is_loopback() && !behind_proxy {
        problems.add(
            path,
            format!("{address} can be reached from other machines, and this listener has no TLS"),
            format!("listen on a loopback address, or set `behind_proxy = true` in [{section}] when TLS ends at a proxy in front"),
        );
    }
    Some(address)
}

pub(crate) fn intake(problems: &mut Problems<'_>, section: &file::Intake) -> IntakeConfig {
    let mut config = IntakeConfig::default();
    if let Some(limit) = bytes(problems, "intake", "body_limit", section.body_limit.as_deref()) {
        config.decompressed_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
        config.body_bytes = config.decompressed_bytes;
    }
    config
}

pub(crate) fn store(problems: &mut Problems<'_>, section: &file::Store, state: &Path) -> StoreConfig {
    let mut config = StoreConfig::new(state.join("store"));
    if let Some(size) = bytes(problems, "store", "size_limit", section.size_limit.as_deref()) {
        at_least(
            problems,
            "size_limit",
            size,
            SMALLEST_STORE_BYTES,
            "nothing would be kept long enough to deliver",
        );
        config.size_limit_bytes = size;
    }
    if let Some(size) = bytes(problems, "store", "disk_reserve", section.disk_reserve.as_deref()) {
        at_least(
            problems,
            "disk_reserve",
            size,
            SMALLEST_RESERVE_BYTES,
            "settling and deleting need space too",
        );
        config.disk_reserve_bytes = size;
    }
    let keep_size = bytes(problems, "store", "keep_size", section.keep_size.as_deref());
    let keep_for = section.keep_for.as_deref();
    let keep_for =
        keep_for.and_then(|text| problems.check(at!["store", "keep_for"], quantity::duration(text)));
    config.keep =
        Keep { age: keep_for.unwrap_or(config.keep.age), bytes: keep_size.unwrap_or(config.keep.bytes) };
    config
}

/// Some blocks of each of a few organisations.
const SMALLEST_STORE_BYTES: u64 = 16 * 1024 * 1024;
/// The write-ahead log at its longest, and as much again.
const SMALLEST_RESERVE_BYTES: u64 = 64 * 1024 * 1024;

fn at_least(problems: &mut Problems<'_>, key: &str, size: u64, smallest: u64, why: &str) {
    if size < smallest {
        let least = bytesize::ByteSize(smallest);
        problems.add(
            at!["store", key],
            format!("{} is too small: {why}", bytesize::ByteSize(size)),
            format!("write at least \"{least}\""),
        );
    }
}

/// A socket's path is part of its address, which has room for this much.
const SOCKET_PATH_BYTES: usize = 107;

pub(crate) fn state(problems: &mut Problems<'_>, state: &Path) {
    let socket = control::socket_path(state);
    if socket.as_os_str().len() > SOCKET_PATH_BYTES {
        problems.add(
            at!["state"],
            format!(
                "{} is longer than the {SOCKET_PATH_BYTES} bytes that a socket's path may have",
                socket.display()
            ),
            "choose a state folder with a shorter path",
        );
    }
}

/// Two listeners cannot share a port; 0 asks for any.
pub(crate) fn different(problems: &mut Problems<'_>, intake: Option<SocketAddr>, admin: Option<SocketAddr>) {
    if let (Some(intake), Some(admin)) = (intake, admin)
        && intake == admin
        && intake.port() != 0
    {
        problems.add(
            at!["admin", "listen"],
            format!("intake and admin would both listen on {admin}"),
            "give one of them another port",
        );
    }
}

pub(crate) fn egress(problems: &mut Problems<'_>, section: &file::Egress) -> EgressPolicy {
    let mut policy = EgressPolicy::default();
    for (index, network) in section.allow.iter().enumerate() {
        match network.parse::<IpNet>() {
            Ok(network) => policy.allow.push(network),
            Err(_) => problems.add(
                at!["egress", "allow", index],
                format!("`{network}` is not a network"),
                "write an address and a prefix length, such as \"10.0.0.0/8\" or \"192.168.1.7/32\"",
            ),
        }
    }
    policy
}

pub(crate) fn log(problems: &mut Problems<'_>, section: &file::Log) -> LogConfig {
    let mut config = LogConfig::default();
    match section.format.as_deref() {
        None | Some("text") => {}
        Some("json") => config.json = true,
        Some(other) => {
            let reason = format!("`{other}` is not a log format");
            problems.add(at!["log", "format"], reason, "write \"text\" or \"json\"");
        }
    }
    if let Some(level) = &section.level {
        match tracing_subscriber::EnvFilter::try_new(level) {
            Ok(_) => config.level.clone_from(level),
            Err(error) => problems.add(
                at!["log", "level"],
                format!("`{level}` is not a log level: {error}"),
                "write \"error\", \"warn\", \"info\" or \"debug\"",
            ),
        }
    }
    config
}

fn bytes(problems: &mut Problems<'_>, section: &str, key: &str, written: Option<&str>) -> Option<u64> {
    written.and_then(|text| problems.check(at![section, key], quantity::bytes(text)))
}
