//! One component, one process: the component on its standard input, machine code on its standard output, and what is
//! wrong with the component on standard error.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, kill_process, set_parent_process_death_signal, setrlimit,
};

use crate::code::compile_here;
use crate::error::LoadError;
use crate::limits::{CompilerLimits, MAX_CODE_BYTES, MAX_COMPONENT_BYTES};
use crate::text::clean_line;

/// What the child says of a component that cannot be compiled.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// The signals of a process that has used up its CPU time.
const SIGXCPU: i32 = 24;
const SIGKILL: i32 = 9;

/// What the child process does: give it no other work, and start it before any thread.
///
/// Binds itself to its limits first, so that they hold for whoever starts it.
pub fn compile_standard_input(limits: &CompilerLimits) -> ExitCode {
    let component = limit_this_process(limits).and_then(|()| {
        let mut component = Vec::new();
        io::stdin().lock().take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut component)?;
        Ok(component)
    });
    let outcome = match component {
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

fn limit_this_process(limits: &CompilerLimits) -> io::Result<()> {
    let both = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    // When memory is short, it is not the host that goes. Some containers do not allow to say so.
    fs::write("/proc/self/oom_score_adj", "1000").unwrap_or_default();
    setrlimit(Resource::As, both(limits.memory_bytes))?;
    setrlimit(Resource::Cpu, both(limits.cpu.as_secs()))?;
    // A host that is killed cannot end its children.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A compiler that breaks must not leave a stranger's file on the disk.
    setrlimit(Resource::Core, both(0))?;
    Ok(())
}

/// What one child is for.
pub(crate) struct Work<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [OsString],
    pub(crate) limits: &'a CompilerLimits,
    pub(crate) plugin: &'a str,
    pub(crate) component: &'a [u8],
}

impl Work<'_> {
    fn start(&self) -> io::Result<Child> {
        Command::new(self.program)
            .args(self.arguments)
            .arg(self.limits.memory_bytes.to_string())
            .arg(self.limits.cpu.as_secs().to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    fn failed(&self, reason: impl ToString) -> LoadError {
        LoadError::Compiler { plugin: self.plugin.to_owned(), reason: reason.to_string() }
    }
}

/// The children that run, so that they can be ended with the host.
#[derive(Debug, Default)]
pub(crate) struct Children(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    stopped: bool,
    /// None of them has been waited for, so each number is still its child's.
    children: Vec<Pid>,
}

impl Children {
    /// Machine code, from a child.
    pub(crate) fn compile(&self, work: &Work<'_>) -> Result<Vec<u8>, LoadError> {
        let child = self.start(work)?;
        let mut ended = feed(child, work).map_err(|error| work.failed(error))?;
        let status = self.reap(&mut ended.child).map_err(|error| work.failed(error))?;
        let code = ended.code.ok_or_else(|| {
            work.failed(format_args!("it took longer than {} s", work.limits.wall.as_secs()))
        })?;
        if code.len() as u64 > MAX_CODE_BYTES {
            return Err(
                work.failed(format_args!("it makes more than {} MiB of machine code", MAX_CODE_BYTES >> 20))
            );
        }
        if status.success() { Ok(code) } else { Err(blame(work, status, &ended.said)) }
    }

    pub(crate) fn stop(&self) {
        let mut running = self.lock();
        running.stopped = true;
        for child in &running.children {
            // One that has ended by itself is waited for soon.
            kill_process(*child, Signal::KILL).unwrap_or_default();
        }
    }

    fn start(&self, work: &Work<'_>) -> Result<Child, LoadError> {
        let mut running = self.lock();
        if running.stopped {
            return Err(work.failed("the host is stopping"));
        }
        let child = work
            .start()
            .map_err(|error| work.failed(format_args!("the compiler does not start: {error}")))?;
        running.children.push(Pid::from_child(&child));
        Ok(child)
    }

    fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut running = self.lock();
        // From now on its number may be somebody else's.
        running.children.retain(|running| *running != Pid::from_child(child));
        child.wait()
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the component is wrong, or too much for the limits.
fn blame(work: &Work<'_>, status: ExitStatus, said: &str) -> LoadError {
    let Work { plugin, limits, .. } = work;
    match status.signal() {
        None => LoadError::Invalid { plugin: (*plugin).to_owned(), reason: clean_line(said) },
        // At its limit a process gets the one, and where both limits are the same, the other.
        Some(SIGXCPU | SIGKILL) => work
            .failed(format_args!("it took more than {} s of CPU time, or was killed", limits.cpu.as_secs())),
        // An allocation that is refused aborts a program.
        Some(_) if said.contains("memory allocation") => {
            work.failed(format_args!("it took more than {} MiB of memory", limits.memory_bytes >> 20))
        }
        Some(signal) => {
            work.failed(format_args!("the compiler was ended by signal {signal}: {}", clean_line(said)))
        }
    }
}

/// A child that has nothing more to say, and was not waited for.
struct Ended {
    child: Child,
    /// None when it took too long, and was killed for it.
    code: Option<Vec<u8>>,
    said: String,
}

/// Hands over the component and takes what comes, each on a thread: a pipe that nobody empties stops whoever fills it.
fn feed(mut child: Child, work: &Work<'_>) -> io::Result<Ended> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(output), Some(errors)) = pipes else {
        return Err(io::Error::other("the compiler has no pipes"));
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            // A child that gives up early closes its end: it says why by itself.
            input.write_all(work.component).unwrap_or_default();
        });
        let code = gather(scope, output, MAX_CODE_BYTES + 1);
        let said = gather(scope, errors, MAX_ANSWER_BYTES);
        let code = code.recv_timeout(work.limits.wall).ok();
        // It is late, or would wait for ever for somebody to take the rest.
        if code.as_ref().is_none_or(|code| code.len() as u64 > MAX_CODE_BYTES) {
            child.kill()?;
        }
        let said = said.recv().unwrap_or_default();
        Ok(Ended { child, code, said: String::from_utf8_lossy(&said).into_owned() })
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
