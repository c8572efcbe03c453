//! Official clients, run away from the runtime's threads, which the stand-ins need.

use tokio::task::spawn_blocking;

pub(crate) async fn python(script: &'static str, arguments: &[&str], input: &str) -> String {
    run(siemaphore_third_party::python, script, arguments, input).await
}

pub(crate) async fn node(script: &'static str, arguments: &[&str], input: &str) -> String {
    run(siemaphore_third_party::node, script, arguments, input).await
}

async fn run(
    program: fn(&str, &[&str], &str) -> String,
    script: &'static str,
    arguments: &[&str],
    input: &str,
) -> String {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let input = input.to_owned();
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        program(script, &arguments, &input)
    };
    match spawn_blocking(run).await {
        Ok(printed) => printed,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
