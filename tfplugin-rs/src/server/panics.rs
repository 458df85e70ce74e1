//! What happens when our own code panics: the trace goes to standard error in the form that Terraform and OpenTofu
//! recognise and show, and the call that panicked gets a message in place of its answer.

use std::any::Any;
use std::backtrace::Backtrace;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

/// Prints panics as Go does. The host recognises the first word, and then shows what follows even without logging.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let message = message(panic.payload());
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let backtrace = Backtrace::force_capture();
        let text = format!("panic: {message}\n\nin thread '{thread}' at {place}\n{backtrace}\n");
        // Where standard error is closed there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

/// Runs a future to its end; a panic inside it comes back as its message.
pub(crate) async fn catch<T>(future: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|payload| message(payload.as_ref()))
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
