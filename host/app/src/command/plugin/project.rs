//! A formatter's project: the folder that `docs/writing-a-formatter.md` describes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cli::Language;

/// A folder whose manifest says what is in it.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) language: Language,
    /// The formatter's name, which the manifest calls the package's.
    pub(crate) name: String,
    /// None where the manifest has it from elsewhere.
    version: Option<String>,
}

impl Project {
    /// Reads the manifest that is there.
    pub(crate) fn find(folder: &Path) -> Result<Project> {
        if !folder.is_dir() {
            bail!(
                "there is no folder {}\n  hint: name a project's folder, or begin one with `siemaphore plugin new`",
                folder.display()
            );
        }
        for language in [Language::Rust, Language::JavaScript, Language::Python] {
            let manifest = folder.join(language.manifest());
            if !manifest.is_file() {
                continue;
            }
            let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
            let read = language.name_and_version_in(&text).with_context(|| manifest.display().to_string());
            let (name, version) = read?;
            // It becomes part of paths.
            if !siemaphore_registry::is_valid_name(&name) {
                let manifest = manifest.display();
                bail!("{manifest}: `{name}` is no formatter's name; {NAME_RULE}");
            }
            return Ok(Project { folder: folder.to_owned(), language, name, version });
        }
        bail!(
            "no formatter's project is in {}: there is no Cargo.toml, package.json or pyproject.toml\n  \
             hint: name a project's folder, or begin one with `siemaphore plugin new`",
            folder.display()
        )
    }

    /// What keeps the version that the formatter says of itself from being the project's; none when they are the same.
    pub(crate) fn version_problem(&self, described: &str) -> Option<String> {
        let version = self.version.as_deref().filter(|version| *version != described)?;
        Some(format!(
            "the formatter says that it is version {described}, and {} that it is {version}\n  hint: write the same \
             version in both, and build again",
            self.language.manifest()
        ))
    }

    /// The component, once it is built.
    pub(crate) fn component(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}.wasm", self.name))
    }
}

pub(crate) const NAME_RULE: &str = "use at most 64 lowercase letters, digits and hyphens, as in `my-siem`";

impl Language {
    /// The file that says what a project is.
    fn manifest(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::JavaScript => "package.json",
            Language::Python => "pyproject.toml",
        }
    }

    fn name_and_version_in(self, manifest: &str) -> Result<(String, Option<String>)> {
        let (value, table) = match self {
            Language::Rust => (toml::from_str::<Value>(manifest)?, "/package"),
            Language::JavaScript => (serde_json::from_str(manifest)?, ""),
            Language::Python => (toml::from_str(manifest)?, "/project"),
        };
        let text = |key: &str| Some(value.pointer(&format!("{table}/{key}"))?.as_str()?.to_owned());
        let name = text("name")
            .with_context(|| format!("there is no `{}`", format!("{table}/name").replace('/', " ").trim()))?;
        Ok((name, text("version")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Result<Project> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(file), text)?;
        Project::find(folder.path())
    }

    #[test]
    fn the_manifest_says_language_and_name() {
        for (file, text, language) in [
            ("Cargo.toml", "[package]\nname = \"acme\"", Language::Rust),
            ("package.json", "{\"name\":\"acme\"}", Language::JavaScript),
            ("pyproject.toml", "[project]\nname = \"acme\"", Language::Python),
        ] {
            let project = found(file, text).unwrap();
            assert_eq!((project.name.as_str(), project.language), ("acme", language));
            assert!(project.component().ends_with("dist/acme.wasm"));
        }
    }

    #[test]
    fn a_folder_without_a_usable_manifest_says_what_is_missing() {
        for (file, text, said) in [
            ("README.md", "", "siemaphore plugin new"),
            ("Cargo.toml", "[workspace]", "there is no `package name`"),
            ("package.json", "{\"name\":\"../x\"}", "lowercase letters"),
            ("pyproject.toml", "project", "pyproject.toml"),
        ] {
            let error = found(file, text).err().unwrap();
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }
}
