//! The ranges themselves: the special-purpose registries of IANA, and where clouds keep their metadata services.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::AddressKind;

/// Services that hand out credentials of the machine or the container.
pub(super) const METADATA_V4: [Ipv4Addr; 8] = [
    Ipv4Addr::new(169, 254, 169, 254), // AWS, Azure, Google Cloud, OpenStack and most others
    Ipv4Addr::new(169, 254, 170, 2),   // AWS ECS tasks
    Ipv4Addr::new(169, 254, 170, 23),  // AWS EKS pod identity
    Ipv4Addr::new(168, 63, 129, 16),   // Azure's platform channel: a public address, reachable only inside
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(169, 254, 0, 23),    // Tencent Cloud
    Ipv4Addr::new(169, 254, 42, 42),   // Scaleway
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud, the older form
];

pub(super) const METADATA_V6: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),   // AWS
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),    // AWS EKS pod identity
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),    // Google Cloud
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),     // Scaleway
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe), // OpenStack
];

/// The first match counts.
pub(super) const SPECIAL_V4: [(Ipv4Net, AddressKind); 15] = [
    (v4([0, 0, 0, 0], 8), AddressKind::Unspecified),
    (v4([255, 255, 255, 255], 32), AddressKind::Broadcast),
    (v4([224, 0, 0, 0], 4), AddressKind::Multicast),
    (v4([127, 0, 0, 0], 8), AddressKind::Loopback),
    (v4([10, 0, 0, 0], 8), AddressKind::Private),
    (v4([172, 16, 0, 0], 12), AddressKind::Private),
    (v4([192, 168, 0, 0], 16), AddressKind::Private),
    (v4([169, 254, 0, 0], 16), AddressKind::LinkLocal),
    (v4([100, 64, 0, 0], 10), AddressKind::SharedCarrier),
    (v4([192, 0, 2, 0], 24), AddressKind::Documentation),
    (v4([198, 51, 100, 0], 24), AddressKind::Documentation),
    (v4([203, 0, 113, 0], 24), AddressKind::Documentation),
    (v4([198, 18, 0, 0], 15), AddressKind::Benchmark),
    (v4([192, 0, 0, 0], 24), AddressKind::Reserved),
    (v4([240, 0, 0, 0], 4), AddressKind::Reserved),
];

/// The first match counts. What is neither here nor in [`GLOBAL_V6`] is reserved.
pub(super) const SPECIAL_V6: [(Ipv6Net, AddressKind); 13] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), AddressKind::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), AddressKind::Loopback),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), AddressKind::Tunnel),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), AddressKind::Multicast),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::Private),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), AddressKind::Private),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), AddressKind::Documentation),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), AddressKind::Documentation),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), AddressKind::Benchmark),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), AddressKind::Tunnel),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Tunnel),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), AddressKind::Reserved),
];

/// Global unicast: all that is handed out for the public internet.
pub(super) const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
const V4_COMPATIBLE: Ipv6Net = v6([0, 0, 0, 0, 0, 0, 0, 0], 96);
/// NAT64 prefixes of a site's own choice. Where in them the IPv4 address is, the site decides, so they are not
/// unwrapped; outside global unicast, they are reserved and need `allow`.
const NAT64_LOCAL: Ipv6Net = v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48);

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(segments: [u16; 8], length: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}

/// The IPv4 address that packets to `address` reach: v4-mapped and NAT64.
pub(super) fn translated_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4_mapped().or_else(|| NAT64.contains(&address).then(|| low_v4(address)))
}

/// The IPv4 addresses that a tunnel address carries: for Teredo the server and the client.
pub(super) fn tunnelled_v4(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let [_, b, c, d, _, _, _, _] = address.segments();
    if SIX_TO_FOUR.contains(&address) {
        [Some(v4_of(b, c)), None]
    } else if TEREDO.contains(&address) {
        [Some(v4_of(c, d)), Some(Ipv4Addr::from_bits(!low_v4(address).to_bits()))]
    } else if is_isatap(address) || NAT64_LOCAL.contains(&address) || is_v4_compatible(address) {
        [Some(low_v4(address)), None]
    } else {
        [None, None]
    }
}

/// An interface identifier that carries an IPv4 address, in any network.
pub(super) fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, e, f, _, _] = address.segments();
    (e == 0 || e == 0x0200) && f == 0x5efe
}

/// Without `::` and `::1`, which have that form but are something else.
fn is_v4_compatible(address: Ipv6Addr) -> bool {
    V4_COMPATIBLE.contains(&address) && address.to_bits() > 1
}

fn low_v4(address: Ipv6Addr) -> Ipv4Addr {
    let [_, _, _, _, _, _, g, h] = address.segments();
    v4_of(g, h)
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}
