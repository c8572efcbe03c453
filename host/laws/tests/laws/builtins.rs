//! The formatters that come with the host, held to what every customer's is held to.

use siemaphore_laws::{Case, Law, check, corpus};
use siemaphore_sandbox::{Configuration, GuestLimits, Sandbox, SandboxConfig};

#[test]
fn every_built_in_formatter_keeps_every_law() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let mut broken = Vec::new();
    for bundled in siemaphore_bundle::formatters() {
        let formatter = sandbox.load(bundled.name, bundled.component, GuestLimits::default()).unwrap();
        let settings = formatter.description().settings_example.clone();
        let configuration = Configuration { settings, destination: "check".to_owned() };
        let report = check(&formatter, &configuration).unwrap();
        broken.extend(report.broken.iter().map(|broken| format!("{}: {broken}", bundled.name)));
        assert!(Law::ALL.iter().all(|law| report.is_checked(*law)), "{}", bundled.name);
        assert_eq!(report.events, corpus().cases().count());
        // Some SIEMs take no event as large as one may be.
        let large = corpus().cases().filter(Case::is_large).count();
        assert!(report.rejected <= large, "{}: {}", bundled.name, report.rejected);
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
