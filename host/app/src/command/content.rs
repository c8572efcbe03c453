//! `siemaphore content`: what comes with a formatter for the SIEM itself.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::json;
use siemaphore_bundle::{Bundled, Content, formatters};

use crate::cli;
use crate::command::Failure;
use crate::config::nearest;
use crate::print;

pub(crate) fn run(asked: &cli::Content) -> Result<(), Failure> {
    let Some(name) = &asked.formatter else { return list(asked.json) };
    let files = chosen(formatter(name)?, asked.file.as_deref())?;
    match &asked.out {
        Some(folder) => write_all(folder, &files),
        None if asked.json => {
            let files: Vec<_> =
                files.iter().map(|one| json!({ "file": one.file, "text": one.text })).collect();
            Ok(print::json(&files)?)
        }
        None => {
            show(&files);
            Ok(())
        }
    }
}

fn list(as_json: bool) -> Result<(), Failure> {
    let all = || formatters().iter().flat_map(|one| one.content.iter().map(move |file| (one.name, file)));
    if as_json {
        let files: Vec<_> = all()
            .map(|(name, content)| json!({ "formatter": name, "file": content.file, "bytes": content.text.len() }))
            .collect();
        return Ok(print::json(&files)?);
    }
    let mut table = print::table(&["formatter", "file", "size"]);
    for (name, content) in all() {
        let size = print::size(content.text.len() as u64);
        table.add_row(vec![print::cell(name), print::cell(content.file), print::cell(size)]);
    }
    print::show(&table);
    print::line("`siemaphore content FORMATTER` prints the files, `--out FOLDER` writes them");
    Ok(())
}

fn formatter(name: &str) -> Result<&'static Bundled, Failure> {
    let with_content: Vec<&str> =
        formatters().iter().filter(|one| !one.content.is_empty()).map(|one| one.name).collect();
    let Some(found) = formatters().iter().find(|one| one.name == name) else {
        let hint = nearest(name, &with_content).map_or_else(
            || format!("one of: {}", with_content.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(anyhow!("there is no built-in formatter `{name}`\n  hint: {hint}").into());
    };
    if found.content.is_empty() {
        let with_content = with_content.join(", ");
        return Err(
            anyhow!("`{name}` comes without content for its SIEM; these have some: {with_content}").into()
        );
    }
    Ok(found)
}

fn chosen(formatter: &'static Bundled, file: Option<&str>) -> Result<Vec<&'static Content>, Failure> {
    let Some(file) = file else { return Ok(formatter.content.iter().collect()) };
    let found = formatter.content.iter().find(|content| content.file == file);
    let names: Vec<&str> = formatter.content.iter().map(|content| content.file).collect();
    let missing = || anyhow!("`{}` has no file `{file}`; it has {}", formatter.name, names.join(", "));
    Ok(vec![found.ok_or_else(missing)?])
}

/// One file as it is, so that it can be piped; several with their names between them, as `head` prints them.
fn show(files: &[&Content]) {
    if let [only] = files {
        return print::bytes(only.text.as_bytes());
    }
    for (place, content) in files.iter().enumerate() {
        let gap = if place == 0 { "" } else { "\n" };
        print::bytes(format!("{gap}==> {} <==\n{}", content.file, content.text).as_bytes());
    }
}

/// Never over a file that is there: it may have been edited for this SIEM.
fn write_all(folder: &Path, files: &[&Content]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for content in files {
        let path = folder.join(content.file);
        let written = OpenOptions::new().write(true).create_new(true).open(&path);
        match written.and_then(|mut file| file.write_all(content.text.as_bytes())) {
            Ok(()) => print::line(format_args!("{}", path.display())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(anyhow!(
                    "{} is there already; move it away, or choose another folder",
                    path.display()
                )
                .into());
            }
            Err(error) => {
                return Err(anyhow!(error).context(format!("{} cannot be written", path.display())).into());
            }
        }
    }
    Ok(())
}
