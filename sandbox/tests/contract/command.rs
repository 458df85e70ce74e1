//! The sandbox as a command: it tells where it listens, and ends when it is asked to.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn it_ends_on_a_signal_while_standard_input_stays_open() {
    let mut child = started();
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert!(has_ended(&mut child), "still running 10 s after SIGTERM");
}

#[test]
fn it_ends_with_the_process_that_started_it() {
    let mut child = started();
    drop(child.stdin.take());
    assert!(
        has_ended(&mut child),
        "still running 10 s after the end of standard input"
    );
}

/// A sandbox that has told its address.
fn started() -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fkaks-sandbox"))
        .args(["serve", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line:?}");
    child
}

fn has_ended(child: &mut Child) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    false
}
