//! JSON at the speed of copying: written straight into the batch's buffer, and read by scanning, never as a tree.
//!
//! A formatter sees documents that the host has already parsed and checked. So nothing here validates: a document is
//! spliced as it is, and the scanner only looks for where members begin and end. On broken JSON the scanner stops
//! early; it never fails otherwise.

mod beside;
mod cut;
mod flatten;
mod names;
mod outline;
pub mod scan;
mod text;
mod writer;

pub use beside::write_beside;
pub use cut::cut;
pub use flatten::flatten;
pub use names::Names;
pub use outline::Outline;
pub use writer::{Object, Writer};
