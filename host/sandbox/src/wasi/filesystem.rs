//! `wasi:filesystem`: no folder is open, so there is no descriptor, and no method of one can ever be called.

use wasmtime::component::{Linker, Resource, Val};
use wasmtime::{Result, StoreContextMut, bail};

use super::io::resource;
use super::versioned;
use crate::guest::Guest;

struct Descriptor;
struct DirectoryEntryStream;

/// Toolchains import them all; they must be there to link.
const METHODS: &[&str] = &[
    "descriptor.read-via-stream",
    "descriptor.write-via-stream",
    "descriptor.append-via-stream",
    "descriptor.advise",
    "descriptor.sync-data",
    "descriptor.get-flags",
    "descriptor.get-type",
    "descriptor.set-size",
    "descriptor.set-times",
    "descriptor.read",
    "descriptor.write",
    "descriptor.read-directory",
    "descriptor.sync",
    "descriptor.create-directory-at",
    "descriptor.stat",
    "descriptor.stat-at",
    "descriptor.set-times-at",
    "descriptor.link-at",
    "descriptor.open-at",
    "descriptor.readlink-at",
    "descriptor.remove-directory-at",
    "descriptor.rename-at",
    "descriptor.symlink-at",
    "descriptor.unlink-file-at",
    "descriptor.is-same-object",
    "descriptor.metadata-hash",
    "descriptor.metadata-hash-at",
    "directory-entry-stream.read-directory-entry",
];

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    linker
        .instance(&versioned("wasi:filesystem/preopens"))?
        .func_wrap("get-directories", |_: StoreContextMut<'_, Guest>, (): ()| {
            Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
        })?;

    let mut types = linker.instance(&versioned("wasi:filesystem/types"))?;
    resource::<Descriptor>(&mut types, "descriptor")?;
    resource::<DirectoryEntryStream>(&mut types, "directory-entry-stream")?;
    for method in METHODS {
        // Untyped: the arguments never come, so their two dozen types need no mirror here.
        types.func_new(&format!("[method]{method}"), move |_, _, _, _| {
            bail!("{method} of a descriptor that nobody has")
        })?;
    }
    types.func_new("filesystem-error-code", |_, _, _, results| {
        if let Some(result) = results.first_mut() {
            *result = Val::Option(None);
        }
        Ok(())
    })
}
