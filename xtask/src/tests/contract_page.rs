//! `docs/contract.md` is made from `wit/v1/formatter.wit`, so that the two cannot differ. With `SIEMAPHORE_UPDATE_DOCS=1`
//! the page is written instead of compared.
//!
//! The WIT is read line by line, as it is written: documentation above what it is about, a member on a line or all
//! members on one, `// ----` before a part.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const OPENING: &str = "\
# The contract of formatters

What a formatter exports, from [wit/v1/formatter.wit](../wit/v1/formatter.wit), of which this page is made. How to write a formatter:
[the guide](writing-a-formatter.md). Names are as in the WIT; each SDK writes them as its language does: `event-type` is `event_type` in Rust
and Python and `eventType` in JavaScript. The authentication schemes are those of [authentication](authentication.md).
";

#[test]
fn the_page_about_the_contract_is_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = root.join("docs/contract.md");
    let made = page_of(&fs::read_to_string(root.join("wit/v1/formatter.wit")).unwrap());
    if std::env::var_os("SIEMAPHORE_UPDATE_DOCS").is_some() {
        fs::write(&page, &made).unwrap();
    }
    let kept = fs::read_to_string(&page).unwrap();
    assert!(
        kept == made,
        "docs/contract.md is out of date: run this test with SIEMAPHORE_UPDATE_DOCS=1 and look at it"
    );
}

/// What stands under one heading of the page.
enum Entry {
    Part(String),
    Function { name: String, signature: String, about: Vec<String> },
    Type { kind: String, name: String, about: Vec<String>, members: Vec<Member> },
}

/// A field, a case, or a value of an enumeration.
struct Member {
    name: String,
    holds: Option<String>,
    about: Vec<String>,
}

fn page_of(wit: &str) -> String {
    let (package, entries) = read(wit);
    let types: BTreeSet<&str> = entries.iter().filter_map(Entry::type_name).collect();
    let mut page = format!("{OPENING}\n{}\n", paragraphs(&package));
    for entry in &entries {
        page.push('\n');
        entry.write(&types, &mut page);
    }
    page
}

/// The documentation of the package, and what follows it.
fn read(wit: &str) -> (Vec<String>, Vec<Entry>) {
    let (mut package, mut entries, mut about) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = wit.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("///") {
            about.push(text.trim().to_owned());
        } else if let Some(part) = line.strip_prefix("// ----") {
            entries.push(Entry::Part(part.trim_end_matches('-').trim().to_owned()));
        } else if line.starts_with("package ") {
            package = std::mem::take(&mut about);
        } else if let Some((name, signature)) = line.split_once(": func") {
            let signature = format!("{name}: func{}", signature.trim_end_matches(';'));
            entries.push(Entry::Function {
                name: name.to_owned(),
                signature,
                about: std::mem::take(&mut about),
            });
        } else if let Some((kind, rest)) =
            line.split_once(' ').filter(|(kind, _)| ["enum", "record", "variant"].contains(kind))
        {
            let (name, body) = rest.split_once('{').unwrap();
            let members = match body.trim().strip_suffix('}') {
                Some(body) => split(body).into_iter().map(|member| Member::of(&member, Vec::new())).collect(),
                None => members(&mut lines),
            };
            let about = std::mem::take(&mut about);
            entries.push(Entry::Type { kind: kind.to_owned(), name: name.trim().to_owned(), about, members });
        }
    }
    (package, entries)
}

/// The members on the lines up to the closing brace.
fn members<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<Member> {
    let (mut members, mut about) = (Vec::new(), Vec::new());
    for line in lines.take_while(|line| *line != "}") {
        match line.strip_prefix("///") {
            Some(text) => about.push(text.trim().to_owned()),
            None => members.push(Member::of(line.trim_end_matches(','), std::mem::take(&mut about))),
        }
    }
    members
}

/// At the commas that are outside all brackets.
fn split(body: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for character in body.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

impl Member {
    /// `name: type`, `name(type)` or `name`.
    fn of(text: &str, about: Vec<String>) -> Member {
        let (name, holds) = match (text.split_once(": "), text.split_once('(')) {
            (Some((name, holds)), _) => (name, Some(holds)),
            (None, Some((name, holds))) => (name, Some(holds.trim_end_matches(')'))),
            (None, None) => (text, None),
        };
        Member { name: name.to_owned(), holds: holds.map(str::to_owned), about }
    }
}

impl Entry {
    fn type_name(&self) -> Option<&str> {
        match self {
            Entry::Type { name, .. } => Some(name),
            _ => None,
        }
    }

    fn write(&self, types: &BTreeSet<&str>, page: &mut String) {
        match self {
            Entry::Part(title) => writeln!(page, "## {title}").unwrap(),
            Entry::Function { name, signature, about } => {
                writeln!(page, "### `{name}`\n\n```wit\n{signature}\n```\n\n{}", paragraphs(about)).unwrap();
            }
            Entry::Type { kind, name, about, members } => {
                writeln!(page, "### {name}").unwrap();
                if !about.is_empty() {
                    writeln!(page, "\n{}", paragraphs(about)).unwrap();
                }
                write_members(kind, members, types, page);
            }
        }
    }
}

fn write_members(kind: &str, members: &[Member], types: &BTreeSet<&str>, page: &mut String) {
    if kind == "enum" && members.iter().all(|member| member.about.is_empty()) {
        let names: Vec<String> = members.iter().map(|member| format!("`{}`", member.name)).collect();
        return writeln!(page, "\nOne of {}.", names.join(", ")).unwrap();
    }
    match kind {
        "record" => page.push_str("\n| field | type | meaning |\n|---|---|---|\n"),
        "variant" => page.push_str("\n| case | with | meaning |\n|---|---|---|\n"),
        _ => page.push_str("\n| value | meaning |\n|---|---|\n"),
    }
    for Member { name, holds, about } in members {
        let holds = match (kind, holds) {
            ("enum", _) => String::new(),
            (_, Some(holds)) => format!(" {} |", linked(holds, types)),
            (_, None) => " |".to_owned(),
        };
        let about = about.join(" ").replace('|', "\\|");
        let about = if about.is_empty() { String::new() } else { format!(" {about}") };
        writeln!(page, "| `{name}` |{holds}{about} |").unwrap();
    }
}

/// The type as code, with a link to the first of ours in it.
fn linked(holds: &str, types: &BTreeSet<&str>) -> String {
    let mut words = holds.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    match words.find(|word| types.contains(word)) {
        Some(of_ours) => format!("[`{holds}`](#{of_ours})"),
        None => format!("`{holds}`"),
    }
}

/// The lines as they are written: an empty one ends a paragraph, and a list is one in Markdown too.
fn paragraphs(about: &[String]) -> String {
    about.join("\n")
}
