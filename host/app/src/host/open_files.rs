//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, and gives what holds then. The soft limit is low, often 1,024, for the sake
/// of programs that use `select`, and this is none.
pub(crate) fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let holds = if raised.is_ok() { maximum } else { current };
    // Absent means unlimited.
    holds.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}
