//! Lists the producers' documented events, so that the corpus has each as soon as it is in its folder.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const FIXTURES: &str = "../../tests/fixtures/producers";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = fs::canonicalize(PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(FIXTURES))?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut listing = String::from("const DOCUMENTED: &[(&str, &str)] = &[\n");
    for producer in entries(&folder)?.iter().filter(|entry| entry.is_dir()) {
        for event in entries(producer)? {
            writeln!(
                listing,
                "({:?}, include_str!({event:?})),",
                format!("{}/{}", stem(producer), stem(&event))
            )?;
        }
    }
    listing.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("documented.rs"), listing)?;
    Ok(())
}

/// In order of their names: the corpus is the same on every machine.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
