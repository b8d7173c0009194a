//! Handing messages to a command of the operator's.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::outcome::quote;
use crate::{OutboundMessage, Outcome};

/// How much a command's standard error may say before the rest is thrown away.
const ERROR_BYTES_MAX: u64 = 4 << 10;

/// Runs `command` (a program and its arguments, no shell) with the message's body on its standard input and
/// `GROUNDWATCH_ARN` and `GROUNDWATCH_DELIVERY_ID` in its environment. Exit code 0 accepts it; anything else,
/// or no end within `timeout`, and it is tried again.
pub(crate) async fn run(command: &[String], message: &OutboundMessage, timeout: Duration) -> Outcome {
    match tokio::time::timeout(timeout, run_to_its_end(command, message)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::unavailable(format!("cannot run the command: {error}")),
        // Whoever is dropped is killed.
        Err(_) => Outcome::unavailable("the command did not end in time"),
    }
}

async fn run_to_its_end(command: &[String], message: &OutboundMessage) -> std::io::Result<Outcome> {
    let (program, arguments) = command.split_first().expect("a target's command has a program");
    let mut child = Command::new(program)
        .args(arguments)
        .env("GROUNDWATCH_ARN", &message.arn)
        .env("GROUNDWATCH_DELIVERY_ID", &message.id)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = child.stdin.take().expect("piped");
    let mut errors = child.stderr.take().expect("piped");
    let write = async {
        // A command may decide without reading: its exit code counts.
        let _ = input.write_all(&message.body).await;
        drop(input);
    };
    let read = async {
        let mut said = Vec::new();
        let _ = (&mut errors).take(ERROR_BYTES_MAX).read_to_end(&mut said).await;
        // The rest has to be taken, or the command waits forever.
        let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
        said
    };
    let ((), said) = tokio::join!(write, read);
    let status = child.wait().await?;
    if status.success() {
        return Ok(Outcome::accepted());
    }
    let said = quote(&said);
    let colon = if said.is_empty() { "" } else { ": " };
    Ok(Outcome::unavailable(format!("the command ended with {status}{colon}{said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(script: &str, timeout: Duration, expected: Outcome) {
        let command = ["sh", "-c", script].map(str::to_owned);
        let message = OutboundMessage::json("arn:a", "7", r#"{"a":1}"#);
        assert_eq!(run(&command, &message, timeout).await, expected, "{script}");
    }

    #[tokio::test]
    async fn the_exit_code_decides() {
        let long = Duration::from_secs(30);
        check(
            r#"[ "$(cat)$GROUNDWATCH_ARN$GROUNDWATCH_DELIVERY_ID" = '{"a":1}arn:a7' ]"#,
            long,
            Outcome::accepted(),
        )
        .await;
        check("exit 0", long, Outcome::accepted()).await;
        let failed = Outcome::unavailable("the command ended with exit status: 3: no");
        check("echo no >&2; exit 3", long, failed).await;
        let late = Outcome::unavailable("the command did not end in time");
        check("exec tail -f /dev/null", Duration::from_millis(50), late).await;
        // More on standard error than a pipe holds.
        check("head -c 200000 /dev/zero >&2", long, Outcome::accepted()).await;
    }

    #[tokio::test]
    async fn a_program_that_is_missing_may_come() {
        let outcome =
            run(&["/nowhere".to_owned()], &OutboundMessage::json("a", "1", ""), Duration::from_secs(9)).await;
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    }
}
