use super::*;

fn kind_of(address: &str) -> Option<AddressKind> {
    check(address.parse().expect(address), &EgressPolicy::default()).err().map(|refused| refused.kind)
}

fn allowing(ranges: &[&str]) -> EgressPolicy {
    EgressPolicy { allow: ranges.iter().map(|range| range.parse().expect(range)).collect() }
}

#[test]
fn public_addresses_are_open() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2600::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        assert_eq!(kind_of(address), None, "{address}");
    }
}

#[test]
fn every_special_range_is_closed_from_its_first_to_its_last_address() {
    use AddressKind::*;
    for (address, kind) in [
        ("0.0.0.0", Unspecified),
        ("0.255.255.255", Unspecified),
        ("10.0.0.0", Private),
        ("10.255.255.255", Private),
        ("100.64.0.0", SharedCarrier),
        ("100.127.255.255", SharedCarrier),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("169.254.0.0", LinkLocal),
        ("169.254.255.255", LinkLocal),
        ("172.16.0.0", Private),
        ("172.31.255.255", Private),
        ("192.0.0.0", Reserved),
        ("192.0.2.1", Documentation),
        ("192.168.0.0", Private),
        ("192.168.255.255", Private),
        ("198.18.0.0", Benchmark),
        ("198.19.255.255", Benchmark),
        ("198.51.100.7", Documentation),
        ("203.0.113.7", Documentation),
        ("224.0.0.0", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.0", Reserved),
        ("255.255.255.254", Reserved),
        ("255.255.255.255", Broadcast),
        ("::", Unspecified),
        ("::1", Loopback),
        ("100::1", Reserved),
        ("2001:db8::1", Documentation),
        ("3fff:fff::1", Documentation),
        ("2001:2::1", Benchmark),
        ("2001:10::1", Reserved),
        ("4000::1", Reserved),
        ("5f00::1", Reserved),
        ("fc00::1", Private),
        ("fdff::1", Private),
        ("fe80::1", LinkLocal),
        ("febf::1", LinkLocal),
        ("fec0::1", Private),
        ("ff02::1", Multicast),
    ] {
        assert_eq!(kind_of(address), Some(kind), "{address}");
    }
}

#[test]
fn an_ipv4_address_inside_an_ipv6_address_does_not_hide() {
    use AddressKind::*;
    for (address, kind) in [
        ("::ffff:127.0.0.1", Loopback),
        ("::ffff:10.1.2.3", Private),
        ("::ffff:0.0.0.0", Unspecified),
        ("::ffff:169.254.169.254", Metadata),
        ("64:ff9b::7f00:1", Loopback),
        ("64:ff9b::10.0.0.1", Private),
        ("64:ff9b::169.254.169.254", Metadata),
        ("64:ff9b:1::10.0.0.1", Reserved),
        ("64:ff9b:1::169.254.169.254", Metadata),
        ("2002:0a00:0001::1", Tunnel),
        ("2002:0808:0808::1", Tunnel),
        ("2002:a9fe:a9fe::1", Metadata),
        ("2001:0:808:808::1", Tunnel),
        ("2001:0:a9fe:a9fe::1", Metadata),
        // The client of a Teredo address is stored inverted.
        ("2001:0:808:808:0:0:5601:5601", Metadata),
        ("::10.0.0.1", Tunnel),
        ("::169.254.169.254", Metadata),
        ("2600::5efe:10.0.0.1", Tunnel),
        ("2600::200:5efe:169.254.169.254", Metadata),
        ("fe80::5efe:169.254.169.254", Metadata),
    ] {
        assert_eq!(kind_of(address), Some(kind), "{address}");
    }
}

#[test]
fn metadata_services_are_never_dialled_whatever_is_allowed() {
    let everything = allowing(&["0.0.0.0/0", "::/0"]);
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::a9fe:a9fe",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "2600::5efe:169.254.169.254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ] {
        let refused = check(address.parse().expect(address), &everything).expect_err(address);
        assert!(refused.kind.is_never_dialled(), "{address} is {}", refused.kind);
        assert!(refused.hint().contains("never"), "{}", refused.hint());
    }
}

#[test]
fn an_allowed_range_opens_what_is_in_it_and_nothing_beside_it() {
    let policy = allowing(&["10.1.0.0/16", "fd12::/16", "127.0.0.0/8"]);
    for (address, open) in [
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("::ffff:10.1.2.3", true),
        ("::ffff:10.2.0.1", false),
        ("64:ff9b::10.1.2.3", true),
        ("2002:0a01:0203::1", false),
        ("fd12::9", true),
        ("fd13::9", false),
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("::1", false),
        ("0.0.0.0", false),
    ] {
        let answer = check(address.parse().expect(address), &policy);
        assert_eq!(answer.is_ok(), open, "{address}: {answer:?}");
    }
}

#[test]
fn a_refusal_names_the_address_and_says_how_to_open_it() {
    let address: IpAddr = "192.168.7.7".parse().expect("an address");
    let refused = check(address, &EgressPolicy::default()).expect_err("it is private");
    assert_eq!(refused.to_string(), "the address 192.168.7.7 is private");
    assert!(refused.hint().contains("[egress]"), "{}", refused.hint());
}

mod properties {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::check_url;

    fn low(prefix: [u16; 6], v4: u32) -> IpAddr {
        let [a, b, c, d, e, f] = prefix;
        let [high, low] = [(v4 >> 16) as u16, v4 as u16];
        IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, high, low))
    }

    /// Addresses near the borders of ranges beside any.
    fn any_v4() -> impl Strategy<Value = u32> {
        let borders: Vec<u32> = ranges::SPECIAL_V4
            .iter()
            .flat_map(|(net, _)| [net.network().to_bits(), net.broadcast().to_bits()])
            .flat_map(|border| [border.wrapping_sub(1), border, border.wrapping_add(1)])
            .chain(ranges::METADATA_V4.map(Ipv4Addr::to_bits))
            .collect();
        prop_oneof![any::<u32>(), proptest::sample::select(borders)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

        #[test]
        fn an_address_is_judged_alike_in_every_form_that_leads_to_it(v4 in any_v4()) {
            let judge = |address| check(address, &EgressPolicy::default()).map_err(|refused| refused.kind);
            let plain = judge(IpAddr::V4(v4.into()));
            prop_assert_eq!(judge(low([0, 0, 0, 0, 0, 0xffff], v4)), plain);
            prop_assert_eq!(judge(low([0x64, 0xff9b, 0, 0, 0, 0], v4)), plain);
        }

        #[test]
        fn a_tunnel_leads_nowhere_whatever_it_carries(v4 in any_v4(), host in any::<u16>()) {
            let (high, lower) = ((v4 >> 16) as u16, v4 as u16);
            for address in [
                IpAddr::V6(Ipv6Addr::new(0x2002, high, lower, 0, 0, 0, 0, host)),
                IpAddr::V6(Ipv6Addr::new(0x2001, 0, high, lower, 0, 0, host, host)),
                low([0x64, 0xff9b, 1, 0, 0, 0], v4),
                low([0x2600, host, 0, 0, 0, 0x5efe], v4),
                low([0, 0, 0, 0, 0, 0], v4),
            ] {
                prop_assert!(check(address, &EgressPolicy::default()).is_err(), "{}", address);
            }
        }

        /// Parsing turns a spelling into its address before anybody asks whether it is open.
        #[test]
        fn every_spelling_in_a_url_is_judged_as_its_address(v4 in any_v4()) {
            let [a, b, c, d] = v4.to_be_bytes();
            let judge = |host: String| {
                let url = Url::parse(&format!("https://{host}/")).expect("a URL");
                check_url(&url, &EgressPolicy::default(), false)
            };
            let plain = judge(format!("{a}.{b}.{c}.{d}"));
            for spelling in [
                format!("{v4}"),
                format!("{v4:#x}"),
                format!("0{v4:o}"),
                format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
                format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
                format!("{a}.{}", v4 & 0x00ff_ffff),
                format!("{a}.{b}.{}", v4 & 0xffff),
                format!("{a}.{b}.{c}.{d}."),
            ] {
                prop_assert_eq!(&judge(spelling.clone()), &plain, "{}", spelling);
            }
        }
    }
}
