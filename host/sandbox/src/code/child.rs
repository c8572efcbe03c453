//! One component, one process: the component on its standard input, machine code on its standard output, and what is
//! wrong with the component on standard error.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::code::compile_here;
use crate::error::LoadError;
use crate::limits::{
    COMPILER_CPU, COMPILER_MEMORY_BYTES, COMPILER_WALL, MAX_CODE_BYTES, MAX_COMPONENT_BYTES,
};
use crate::text::clean_line;

/// What the child says of a component that cannot be compiled.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// The signal of a process that has used up its CPU time.
const SIGXCPU: i32 = 24;

/// What the child process does: give it no other work, and start it before any thread.
///
/// Binds itself to its limits first, so that they hold for whoever starts it.
pub fn compile_standard_input() -> ExitCode {
    let compiled = limit_this_process().and_then(|()| {
        let mut component = Vec::new();
        io::stdin().lock().take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut component)?;
        Ok(component)
    });
    let outcome = match compiled {
        Ok(component) => compile_here("", &component).map_err(|error| reason(&error)),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(code) => match io::stdout().lock().write_all(&code) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(reason) => {
            // Whoever reads it may be gone.
            io::stderr().lock().write_all(reason.as_bytes()).unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

/// The parent names the plugin itself.
fn reason(error: &LoadError) -> String {
    match error {
        LoadError::Invalid { reason, .. } | LoadError::Compiler { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

fn limit_this_process() -> io::Result<()> {
    let both = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::As, both(COMPILER_MEMORY_BYTES))?;
    setrlimit(Resource::Cpu, both(COMPILER_CPU.as_secs()))?;
    // A compiler that breaks must not leave a stranger's file on the disk.
    setrlimit(Resource::Core, both(0))?;
    Ok(())
}

/// Machine code, from a child.
pub(crate) fn compile(
    program: &Path,
    arguments: &[OsString],
    plugin: &str,
    component: &[u8],
) -> Result<Vec<u8>, LoadError> {
    let failed = |reason: String| LoadError::Compiler { plugin: plugin.to_owned(), reason };
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|error| failed(format!("the compiler does not start: {error}")))?;
    let ended = feed(child, component).map_err(|error| failed(error.to_string()))?;
    match ended {
        Ended::Late => Err(failed(format!("it took longer than {} s", COMPILER_WALL.as_secs()))),
        Ended::With { status, code, .. } if status.success() && code.len() as u64 <= MAX_CODE_BYTES => {
            Ok(code)
        }
        Ended::With { status, .. } if status.success() => {
            Err(failed(format!("it makes more than {} MiB of machine code", MAX_CODE_BYTES >> 20)))
        }
        Ended::With { status, said, .. } => Err(blame(plugin, status, &said)),
    }
}

/// Whether the component is wrong, or too much for the limits.
fn blame(plugin: &str, status: ExitStatus, said: &str) -> LoadError {
    let plugin = plugin.to_owned();
    let reason = match status.signal() {
        None => return LoadError::Invalid { plugin, reason: clean_line(said) },
        Some(SIGXCPU) => format!("it took more than {} s of CPU time", COMPILER_CPU.as_secs()),
        // An allocation that is refused aborts a program.
        Some(_) if said.contains("memory allocation") => {
            format!("it took more than {} MiB of memory", COMPILER_MEMORY_BYTES >> 20)
        }
        Some(signal) => format!("the compiler was ended by signal {signal}: {}", clean_line(said)),
    };
    LoadError::Compiler { plugin, reason }
}

enum Ended {
    With {
        status: ExitStatus,
        code: Vec<u8>,
        said: String,
    },
    /// It was killed.
    Late,
}

/// Hands over the component and takes what comes, each on a thread: a pipe that nobody empties stops whoever fills it.
fn feed(mut child: Child, component: &[u8]) -> io::Result<Ended> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(output), Some(errors)) = pipes else {
        return Err(io::Error::other("the compiler has no pipes"));
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            // A child that gives up early closes its end: it says why by itself.
            input.write_all(component).unwrap_or_default();
        });
        let code = gather(scope, output, MAX_CODE_BYTES + 1);
        let said = gather(scope, errors, MAX_ANSWER_BYTES);
        let Ok(code) = code.recv_timeout(COMPILER_WALL) else {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::Late);
        };
        // More than is taken: it would wait for ever for somebody to take the rest.
        if code.len() as u64 > MAX_CODE_BYTES {
            child.kill()?;
        }
        let said = said.recv_timeout(COMPILER_WALL).unwrap_or_default();
        let status = child.wait()?;
        Ok(Ended::With { status, code, said: String::from_utf8_lossy(&said).into_owned() })
    })
}

/// Reads a pipe to its end, or to a limit.
fn gather<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    pipe: impl Read + Send + 'scope,
    limit: u64,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    scope.spawn(move || {
        let mut bytes = Vec::new();
        // What could be read of a broken pipe is what there is.
        pipe.take(limit).read_to_end(&mut bytes).unwrap_or_default();
        sender.send(bytes).unwrap_or_default();
    });
    receiver
}
