//! Puts a [`FaultyDisk`] under SQLite: a VFS that passes everything on to the system's own and asks the disk first.
//!
//! The only unsafe code of this crate, and of its tests. SQLite calls these functions with files that `open` has made
//! and with buffers of the sizes that it says; nothing here keeps a pointer beyond the call but those to the disk and to
//! the system's VFS, which live as long as the process.
#![allow(unsafe_code, reason = "SQLite takes a VFS as C functions and pointers")]

use crate::faulty_disk::{Call, Fault, FaultyDisk};
use rusqlite::ffi;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls the same method of the system's file.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {
        // SAFETY: the system's file behind ours was opened by the system's VFS, and the arguments are SQLite's own.
        unsafe {
            let system = system_file($file);
            match (*system).pMethods.as_ref().and_then(|methods| methods.$method) {
                Some(method) => method(system $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    };
}

struct Shim {
    disk: &'static FaultyDisk,
    system: *mut ffi::sqlite3_vfs,
}

/// A file of ours; the system's file lies right behind it, as large as `szOsFile` asks for.
#[repr(C)]
struct ShimFile {
    base: ffi::sqlite3_file,
    disk: &'static FaultyDisk,
    /// None for files without a name.
    path: *mut PathBuf,
}

/// Registers a new disk; gives it and the name of its VFS. Both stay for the rest of the process.
pub(crate) fn register() -> (&'static FaultyDisk, String) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("faulty-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let disk: &'static FaultyDisk = Box::leak(Box::default());
    // SAFETY: the system's VFS is registered once and never goes; a copy of it with other names and functions is a VFS.
    // What is leaked here is valid for as long as SQLite may use it.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!system.is_null());
        let shim = Box::leak(Box::new(Shim { disk, system }));
        let vfs = Box::leak(Box::new(*system));
        vfs.zName = CString::new(name.clone()).unwrap().into_raw();
        vfs.pNext = std::ptr::null_mut();
        vfs.szOsFile = size_of::<ShimFile>() as c_int + (*system).szOsFile;
        vfs.pAppData = std::ptr::from_mut(shim).cast();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        assert_eq!(ffi::sqlite3_vfs_register(vfs, 0), ffi::SQLITE_OK);
    }
    (disk, name)
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// What SQLite is told when a call fails.
fn code(call: Call, fault: Fault) -> c_int {
    match (call, fault) {
        (Call::Write, Fault::Full) => ffi::SQLITE_FULL,
        (Call::Write, Fault::Broken) => ffi::SQLITE_IOERR_WRITE,
        (Call::Truncate, _) => ffi::SQLITE_IOERR_TRUNCATE,
        (Call::Sync, _) => ffi::SQLITE_IOERR_FSYNC,
        (Call::Open, _) => ffi::SQLITE_CANTOPEN,
    }
}

unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite's names end with a zero.
    let name = unsafe { CStr::from_ptr(name) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is the one of `register`, and `file` has the `szOsFile` bytes that it asks for.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let shim = &*(*vfs).pAppData.cast::<Shim>();
        if let Some(fault) = shim.disk.begin() {
            return code(Call::Open, fault);
        }
        let Some(system_open) = (*shim.system).xOpen else { return ffi::SQLITE_CANTOPEN };
        let opened = system_open(shim.system, name, system_file(file), flags, out_flags);
        if opened != ffi::SQLITE_OK {
            return opened;
        }
        let path = path_of(name);
        if let Some(path) = &path {
            shim.disk.opened(path);
        }
        let path = path.map_or(std::ptr::null_mut(), |path| Box::into_raw(Box::new(path)));
        file.cast::<ShimFile>().write(ShimFile {
            base: ffi::sqlite3_file { pMethods: &raw const METHODS },
            disk: shim.disk,
            path,
        });
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as for `open`.
    unsafe {
        let shim = &*(*vfs).pAppData.cast::<Shim>();
        if let Some(path) = path_of(name) {
            shim.disk.deleted(&path);
        }
        (*shim.system)
            .xDelete
            .map_or(ffi::SQLITE_IOERR_DELETE, |system| system(shim.system, name, sync_folder))
    }
}

/// The system's file behind one of ours.
unsafe fn system_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: the memory of `file` is `szOsFile` bytes: ours, then the system's.
    unsafe { file.cast::<u8>().add(size_of::<ShimFile>()).cast() }
}

/// The disk and the path of a file; none when it has no name.
unsafe fn parts<'a>(file: *mut ffi::sqlite3_file) -> (&'static FaultyDisk, Option<&'a Path>) {
    // SAFETY: `file` was opened by `open`, and its path lives until `close`.
    unsafe {
        let shim = &*file.cast::<ShimFile>();
        (shim.disk, shim.path.as_ref().map(PathBuf::as_path))
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once, after which nothing uses its path.
    unsafe {
        let path = (*file.cast::<ShimFile>()).path;
        if !path.is_null() {
            drop(Box::from_raw(path));
        }
    }
    pass!(file, xClose)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives `amount` readable bytes.
    let (disk, path, bytes) = unsafe {
        let (disk, path) = parts(file);
        (disk, path, std::slice::from_raw_parts(buffer.cast::<u8>(), amount as usize))
    };
    let fault = disk.begin();
    // A write that fails has written something all the same.
    let written = if fault.is_some() { amount / 2 } else { amount };
    if let Some(path) = path {
        disk.written(path, at as usize, &bytes[..written as usize]);
    }
    let passed = pass!(file, xWrite, buffer, written, at);
    fault.map_or(passed, |fault| code(Call::Write, fault))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: as for `parts`.
    let (disk, path) = unsafe { parts(file) };
    if let Some(fault) = disk.begin() {
        return code(Call::Truncate, fault);
    }
    if let Some(path) = path {
        disk.truncated(path, size as usize);
    }
    pass!(file, xTruncate, size)
}

/// Nothing is passed on: a power cut is played, and the machine's disk need not be waited for.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: as for `parts`.
    let (disk, path) = unsafe { parts(file) };
    let fault = disk.begin();
    if let Some(path) = path {
        disk.synced(path, fault.is_none());
    }
    fault.map_or(ffi::SQLITE_OK, |fault| code(Call::Sync, fault))
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    pass!(file, xRead, buffer, amount, at)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, reserved: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, reserved)
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

/// None: that a write is all or nothing, or in order, is what a power cut must not be able to count on.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    0
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, mapped)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as for `pass`.
    unsafe {
        let system = system_file(file);
        if let Some(methods) = (*system).pMethods.as_ref()
            && let Some(barrier) = methods.xShmBarrier
        {
            barrier(system);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}
