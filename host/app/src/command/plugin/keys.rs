//! `siemaphore plugin keygen` and `siemaphore plugin sign`: for whoever publishes formatters. No host runs and none is
//! asked.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::json;
use siemaphore_registry::signature::{self, SigningKey};

use crate::cli::{Keygen, Sign};
use crate::command::Failure;
use crate::command::output;
use crate::command::plugin::file::{PluginFile, write_whole};
use crate::print;

/// A private key has a hundred bytes.
const LONGEST_KEY_BYTES: u64 = 64 * 1024;
/// Who may read a private key, beside its owner, could sign with it.
const OTHERS: u32 = 0o077;

pub(crate) fn keygen(command: Keygen) -> Result<(), Failure> {
    let Keygen { file, json } = command;
    let (key, pem) = SigningKey::generate().ok_or_else(|| anyhow!("the system gives no random numbers"))?;
    let public_file = with_extension(&file, ".pub");
    refuse_existing(&file)?;
    refuse_existing(&public_file)?;
    let write = |text: &[u8]| output::create(&file)?.write_all(text).context("cannot write the key");
    write(pem.as_bytes())?;
    let public = key.public_key();
    if let Err(error) = write_whole(&public_file, public.to_pem().as_bytes()) {
        // Half a pair would only be in the way of the next try.
        fs::remove_file(&file).ok();
        return Err(error.into());
    }
    if json {
        return Ok(print::json(&json!({
            "private_key_file": file,
            "public_key_file": public_file,
            "public_key": public.to_base64(),
            "fingerprint": public.fingerprint(),
        }))?);
    }
    print::line(format_args!(
        "private key  {}   keep it where plugins are published, not on a host",
        file.display()
    ));
    print::line(format_args!("public key   {}   {}", public_file.display(), public.fingerprint()));
    print::line(format_args!(
        "\nA host that takes only what is signed with it has this in its configuration:\n\n[plugins]\ntrusted_keys = [\"{}\"]",
        public.to_base64()
    ));
    Ok(())
}

pub(crate) async fn sign(command: Sign) -> Result<(), Failure> {
    let Sign { file, key, json } = command;
    let signed = tokio::task::spawn_blocking(move || signed(&file, &key)).await??;
    if json {
        return Ok(print::json(&json!({
            "file": signed.file.path,
            "digest": signed.file.digest(),
            "signature_file": signed.signature_file,
            "fingerprint": signed.fingerprint,
        }))?);
    }
    print::line(format_args!("signature  {}", signed.signature_file.display()));
    print::line(format_args!("of         {}   SHA-256 {}", signed.file.path.display(), signed.file.digest()));
    print::line(format_args!("by         {}", signed.fingerprint));
    Ok(())
}

struct Signed {
    file: PluginFile,
    signature_file: PathBuf,
    fingerprint: String,
}

fn signed(file: &Path, key_file: &Path) -> Result<Signed> {
    let key = read_key(key_file)?;
    let file = PluginFile::read(file)?;
    // What no host would load was named by mistake: the source, or a module.
    file.verify()?;
    let signature_file = signature::path_of(&file.path);
    write_whole(&signature_file, &key.sign(&file.component))?;
    Ok(Signed { file, signature_file, fingerprint: key.public_key().fingerprint() })
}

fn read_key(file: &Path) -> Result<SigningKey> {
    let opened = fs::File::open(file).with_context(|| format!("cannot read the key {}", file.display()))?;
    let others_can_read = opened.metadata()?.permissions().mode() & OTHERS != 0;
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = opened.take(LONGEST_KEY_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("cannot read the key {}", file.display()))?;
    let key = SigningKey::parse(&text)
        .map_err(|error| anyhow!("{} cannot sign: {error}\n  hint: {}", file.display(), error.hint()))?;
    // Of a public key it would be no news.
    if others_can_read {
        print::aside(format_args!(
            "warning: others can read the private key {}; `chmod 600` it",
            file.display()
        ));
    }
    Ok(key)
}

fn with_extension(file: &Path, extension: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(extension);
    path.into()
}

/// A half that is there belongs to another, which somebody may still sign with or trust.
fn refuse_existing(file: &Path) -> Result<()> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        _ => Err(anyhow!(
            "{} is there already, and plugins may have been signed with its pair\n  \
             hint: it is not overwritten; name another file for the pair",
            file.display()
        )),
    }
}
