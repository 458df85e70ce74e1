//! What happens when our own code panics: the trace goes to standard error in the form that Terraform and OpenTofu
//! recognise and show, and the call that panicked gets a message in place of its answer.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use super::log;

/// For whom panics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A host, which collects what follows the word `panic` at level DEBUG and shows it when the run has failed:
    /// Terraform 1.11 even without logging, OpenTofu 1.12 with `TF_LOG` alone, since its go-plugin skips the lines of
    /// a logger that is off, and logs bare text at ERROR. A line of JSON keeps its level with all of them.
    Host,
    /// A person at a terminal.
    Person,
}

thread_local! {
    /// Where the latest panic of this thread was: its payload does not say.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Prints panics as Go does.
pub(crate) fn install_hook(reader: Reader) {
    std::panic::set_hook(Box::new(move |panic| {
        let message = message(panic.payload());
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        PLACE.with_borrow_mut(|latest| latest.clone_from(&place));
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let backtrace = Backtrace::force_capture();
        let text = format!("panic: {message}\n\nin thread '{thread}' at {place}\n{backtrace}\n");
        let text = match reader {
            Reader::Host => text.lines().map(|line| log::line("debug", line)).collect(),
            Reader::Person => text,
        };
        // Where standard error is closed there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

/// Runs a future to its end; a panic inside it comes back as its message and its place.
pub(crate) async fn catch<T>(future: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|payload| {
            // A future is polled, and so panics, on the thread that this goes on with.
            let (message, place) = (message(payload.as_ref()), PLACE.take());
            if place.is_empty() {
                message
            } else {
                format!("{message} (at {place})")
            }
        })
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_comes_back_as_its_message() {
        let name = "x";
        assert_eq!(
            catch(async { panic!("no {name}") }).await,
            Err::<(), _>("no x".to_owned())
        );
        assert_eq!(catch(async { 1 }).await, Ok(1));
    }
}
