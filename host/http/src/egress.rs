//! Which addresses the host may dial.
//!
//! A destination's URL is written by whoever may edit destinations, and a name may resolve to anything. Without this
//! check that person could make the host, with its place in the network, talk to databases, metadata services and
//! itself. Public addresses are open. Everything else is closed and opened only by ranges in the operator's own file,
//! except for what must never be dialled: metadata services (they hand out the machine's credentials), multicast and
//! "this host".
//!
//! An IPv4 address can hide in many IPv6 forms. Those that lead to it (v4-mapped, NAT64) are judged as that address.
//! Tunnels (6to4, Teredo, ISATAP, v4-compatible) are closed as such, and never open to an address inside that is
//! never dialled.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

mod ranges;

/// What the operator opened beside public addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EgressPolicy {
    pub allow: Vec<IpNet>,
}

impl EgressPolicy {
    /// Loopback only: for a receiver on the same machine.
    pub fn loopback() -> Self {
        EgressPolicy {
            allow: vec![
                IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
            ],
        }
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&ip))
    }
}

/// An address that may not be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the address {address} is {kind}")]
pub struct RefusedAddress {
    pub address: IpAddr,
    pub kind: AddressKind,
}

/// Why an address is not simply public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    Metadata,
    Unspecified,
    Multicast,
    Broadcast,
    Loopback,
    Private,
    LinkLocal,
    SharedCarrier,
    Documentation,
    Benchmark,
    Tunnel,
    Reserved,
}

impl AddressKind {
    /// Closed whatever the operator allows.
    pub fn is_never_dialled(self) -> bool {
        matches!(
            self,
            AddressKind::Metadata
                | AddressKind::Unspecified
                | AddressKind::Multicast
                | AddressKind::Broadcast
        )
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressKind::Metadata => "a metadata service",
            AddressKind::Unspecified => "unspecified",
            AddressKind::Multicast => "multicast",
            AddressKind::Broadcast => "broadcast",
            AddressKind::Loopback => "loopback",
            AddressKind::Private => "private",
            AddressKind::LinkLocal => "link-local",
            AddressKind::SharedCarrier => "carrier-grade NAT",
            AddressKind::Documentation => "for documentation",
            AddressKind::Benchmark => "for benchmarks",
            AddressKind::Tunnel => "a tunnel",
            AddressKind::Reserved => "reserved",
        })
    }
}

impl RefusedAddress {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        if self.kind.is_never_dialled() {
            "this address is never dialled; correct the host name of the endpoint"
        } else {
            "if the destination is really there, add its range to `allow` under [egress] in the configuration file"
        }
    }
}

/// Whether `address` may be dialled.
pub fn check(address: IpAddr, policy: &EgressPolicy) -> Result<(), RefusedAddress> {
    let effective = unwrapped(address);
    let Some(kind) = kind(effective) else {
        return Ok(());
    };
    if !kind.is_never_dialled() && (policy.allows(effective) || policy.allows(address)) {
        return Ok(());
    }
    Err(RefusedAddress { address, kind })
}

/// The address that a dial to `address` ends at, as far as the address itself says.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => ranges::translated_v4(v6).map_or(address, IpAddr::V4),
    }
}

/// What makes an address special, or None for a public one.
fn kind(address: IpAddr) -> Option<AddressKind> {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<AddressKind> {
    if ranges::METADATA_V4.contains(&address) {
        return Some(AddressKind::Metadata);
    }
    ranges::SPECIAL_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Option<AddressKind> {
    if ranges::METADATA_V6.contains(&address) {
        return Some(AddressKind::Metadata);
    }
    let tunnelled = ranges::tunnelled_v4(address).into_iter().flatten().find_map(kind_v4);
    if let Some(kind) = tunnelled.filter(|kind| kind.is_never_dialled()) {
        return Some(kind);
    }
    ranges::SPECIAL_V6
        .iter()
        .find(|(net, _)| net.contains(&address))
        .map(|(_, kind)| *kind)
        .or_else(|| ranges::is_isatap(address).then_some(AddressKind::Tunnel))
        .or_else(|| (!ranges::GLOBAL_V6.contains(&address)).then_some(AddressKind::Reserved))
}

#[cfg(test)]
mod tests;
