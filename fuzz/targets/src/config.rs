//! The text layer of the configuration. What comes after it turns checked values into the stages' own types, and so
//! needs the engine; the tests of `host/app` take mutated files through all of it.

#[allow(dead_code, reason = "the application uses the rest")]
#[path = "../../../host/app/src/config/file.rs"]
pub(crate) mod file;
#[allow(dead_code, unused_imports, unused_macros, reason = "the application uses the rest")]
#[path = "../../../host/app/src/config/problem.rs"]
pub(crate) mod problem;
#[path = "../../../host/app/src/config/quantity.rs"]
pub(crate) mod quantity;
