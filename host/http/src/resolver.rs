//! Names to addresses, with the egress check on every dial.
//!
//! Checking a name once is not enough: its owner can answer differently a moment later. So the check sits where the
//! connection gets its addresses from, and nothing else resolves names.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::egress::{self, EgressPolicy, RefusedAddress};
use crate::url_check::is_localhost;

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;

/// Asks what addresses a name has.
pub trait Lookup: Send + Sync {
    fn lookup<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The operating system's resolver.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Why a name gave no address to dial.
#[derive(Debug, Error)]
pub(crate) enum ResolveError {
    #[error("{0}")]
    Lookup(io::Error),
    #[error("the name has no address")]
    Nothing,
    #[error(transparent)]
    Refused(RefusedAddress),
}

#[derive(Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) policy: Arc<EgressPolicy>,
}

impl GuardedResolver {
    /// The addresses of a name that may be dialled, at least one.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Addresses, ResolveError> {
        let addresses = self.lookup.lookup(name).await.map_err(ResolveError::Lookup)?;
        open_addresses(name, addresses, &self.policy)
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let open = resolver.addresses(name.as_str()).await?.open;
            // The connector fills the port in.
            Ok(Box::new(open.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// What a name leads to.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// Never empty.
    pub(crate) open: Vec<IpAddr>,
    /// The others, which are not used.
    pub(crate) refused: Vec<RefusedAddress>,
}

/// The addresses that may be dialled. A name that has others beside them is fine: those are not used.
fn open_addresses(
    name: &str,
    addresses: Vec<IpAddr>,
    policy: &EgressPolicy,
) -> Result<Addresses, ResolveError> {
    let mut refused = Vec::new();
    let mut open = Vec::new();
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        if is_localhost(name) && !egress::unwrapped(address).is_loopback() {
            continue;
        }
        match egress::check(address, policy) {
            Ok(()) => open.push(address),
            Err(error) => refused.push(error),
        }
    }
    match (open.is_empty(), refused.first()) {
        (false, _) => Ok(Addresses { open, refused }),
        (true, Some(error)) => Err(ResolveError::Refused(*error)),
        (true, None) => Err(ResolveError::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str, addresses: &[&str], policy: &EgressPolicy) -> Result<Vec<String>, ResolveError> {
        let addresses = addresses.iter().map(|address| address.parse().expect(address)).collect();
        let found = open_addresses(name, addresses, policy)?;
        Ok(found.open.iter().map(IpAddr::to_string).collect())
    }

    #[test]
    fn only_the_open_addresses_of_a_name_are_dialled() {
        let addresses = ["10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1", "2600::1"];
        let open = open("siem.example.com", &addresses, &EgressPolicy::default()).expect("two are public");
        assert_eq!(open, ["8.8.8.8", "2600::1"]);
    }

    #[test]
    fn a_name_with_closed_addresses_only_is_refused_by_the_first_of_them() {
        let error = open("siem.example.com", &["169.254.169.254", "10.0.0.1"], &EgressPolicy::default())
            .expect_err("nothing is open");
        assert_eq!(error.to_string(), "the address 169.254.169.254 is a metadata service");
    }

    #[test]
    fn localhost_is_this_machine_or_nothing() {
        let policy = EgressPolicy::loopback();
        assert_eq!(
            open("localhost", &["8.8.8.8", "127.0.0.1"], &policy).expect("one is loopback"),
            ["127.0.0.1"]
        );
        assert!(matches!(open("LOCALHOST.", &["8.8.8.8"], &policy), Err(ResolveError::Nothing)));
    }
}
