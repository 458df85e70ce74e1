//! One call of the protocol from its arrival to its answer: its fields in the log, its panic, its messages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tonic::Response;
use tracing::{Instrument as _, Span};

use super::proto::tfplugin6 as pb;
use super::{handshake, panics, wire};
use crate::schema::{Diagnostics, Severity};
use crate::value::Path;

/// A call that is being answered.
pub(crate) struct Call {
    rpc: &'static str,
    started: Instant,
    span: Span,
}

impl Call {
    /// Begins a call about a type, such as a resource's; none where it is about the provider.
    pub(crate) fn new(rpc: &'static str, provider: &str, type_name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let span = tracing::error_span!(
            "rpc",
            tf_req_id = format!("{}-{number}", std::process::id()),
            tf_rpc = rpc,
            tf_provider_addr = provider,
            tf_proto_version = handshake::PROTOCOL_VERSION,
            tf_resource_type = tracing::field::Empty,
            tf_data_source_type = tracing::field::Empty,
        );
        match rpc {
            _ if type_name.is_empty() => {}
            "ReadDataSource" | "ValidateDataResourceConfig" => {
                span.record("tf_data_source_type", type_name);
            }
            _ => {
                span.record("tf_resource_type", type_name);
            }
        }
        tracing::trace!(parent: &span, "received request");
        Self {
            rpc,
            started: Instant::now(),
            span,
        }
    }

    /// Does the work of the call; a panic in it is told by its message.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        panics::catch(work.instrument(self.span.clone())).await
    }

    /// The answer of a call, complete with what the user is told.
    pub(crate) fn finish<R: Tells + Default>(
        self,
        answer: Result<Option<R>, String>,
        mut diagnostics: Diagnostics,
    ) -> Response<R> {
        let mut response = match answer {
            Ok(answer) => answer.unwrap_or_default(),
            Err(panic) => {
                crashed(self.rpc, &panic, &mut diagnostics);
                R::default()
            }
        };
        self.log(&diagnostics);
        response.tell(wire::diagnostics(diagnostics));
        Response::new(response)
    }

    fn log(&self, diagnostics: &Diagnostics) {
        let errors = diagnostics
            .iter()
            .filter(|it| it.severity == Severity::Error)
            .count();
        let warnings = diagnostics.iter().count() - errors;
        let duration = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::trace!(
            parent: &self.span,
            tf_req_duration_ms = duration,
            diagnostic_error_count = errors,
            diagnostic_warning_count = warnings,
            "served request"
        );
        for diagnostic in diagnostics
            .iter()
            .filter(|it| it.severity == Severity::Error)
        {
            tracing::error!(
                parent: &self.span,
                diagnostic_severity = "ERROR",
                diagnostic_summary = diagnostic.summary,
                diagnostic_detail = diagnostic.detail,
                diagnostic_attribute = %diagnostic.path,
                "response contains error diagnostic"
            );
        }
    }
}

/// An answer that has a place for what the user is told.
pub(crate) trait Tells {
    /// Puts it there.
    fn tell(&mut self, diagnostics: Vec<pb::Diagnostic>);
    /// Takes it from there.
    fn heard(&mut self) -> Vec<pb::Diagnostic>;
}

/// The generated types share a field and no trait.
macro_rules! tells {
    ($($message:path),+ $(,)?) => {
        $(impl Tells for $message {
            fn tell(&mut self, diagnostics: Vec<pb::Diagnostic>) {
                self.diagnostics = diagnostics;
            }

            fn heard(&mut self) -> Vec<pb::Diagnostic> {
                std::mem::take(&mut self.diagnostics)
            }
        })+
    };
}

tells!(
    pb::get_metadata::Response,
    pb::get_provider_schema::Response,
    pb::validate_provider_config::Response,
    pb::validate_resource_config::Response,
    pb::validate_data_resource_config::Response,
    pb::upgrade_resource_state::Response,
    pb::get_resource_identity_schemas::Response,
    pb::upgrade_resource_identity::Response,
    pb::configure_provider::Response,
    pb::read_resource::Response,
    pb::plan_resource_change::Response,
    pb::apply_resource_change::Response,
    pb::import_resource_state::Response,
    pb::move_resource_state::Response,
    pb::read_data_source::Response,
    pb::generate_resource_config::Response,
    pb::validate_ephemeral_resource_config::Response,
    pb::open_ephemeral_resource::Response,
    pb::renew_ephemeral_resource::Response,
    pb::close_ephemeral_resource::Response,
    pb::validate_list_resource_config::Response,
    pb::get_functions::Response,
    pb::plan_action::Response,
    pb::validate_action_config::Response,
    pb::invoke_action::event::Completed,
);

/// A stream tells in an event of its own, the last.
impl Tells for Vec<pb::list_resource::Event> {
    fn tell(&mut self, diagnostic: Vec<pb::Diagnostic>) {
        if !diagnostic.is_empty() {
            self.push(pb::list_resource::Event {
                diagnostic,
                ..Default::default()
            });
        }
    }

    fn heard(&mut self) -> Vec<pb::Diagnostic> {
        self.iter_mut()
            .flat_map(|event| std::mem::take(&mut event.diagnostic))
            .collect()
    }
}

/// Says that the provider's own code failed.
fn crashed(rpc: &str, panic: &str, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        Path::root(),
        format!("The provider crashed in {rpc}"),
        format!(
            "{panic}\n\nThis is a bug in the provider; please report it with what follows the word `panic` in the output \
             of a run with TF_LOG=debug. What this call had changed by then may not be in the state."
        ),
    );
}
