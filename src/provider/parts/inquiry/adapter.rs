//! How the framework's call becomes an answer.

use std::marker::PhantomData;
use std::sync::Arc;

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{Context, DataSource, Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::{Path, Value, to_json};

use super::{Inquiry, Unanswered};
use crate::arm::{ArmId, Call, Json};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::parts::apply::ids_in;
use crate::provider::parts::attributes_of;
use crate::provider::parts::seen::Unread;
use crate::provider::parts::world::{Embedding, Halt, World};
use crate::provider::session::SessionSlot;

/// An inquiry as the framework sees it.
pub struct Asked<I> {
    session: SessionSlot,
    inquiry: PhantomData<fn() -> I>,
}

impl<I: Inquiry> Asked<I> {
    /// The data source, on the provider's session.
    pub fn on(session: SessionSlot) -> Arc<dyn DataSource> {
        Arc::new(Self {
            session,
            inquiry: PhantomData,
        })
    }
}

#[async_trait]
impl<I: Inquiry> DataSource for Asked<I> {
    fn type_name(&self) -> &'static str {
        I::NAME
    }

    fn schema(&self) -> Schema {
        I::SCHEMA
    }

    fn timeouts(&self) -> Timeouts {
        I::TIMEOUTS
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        I::validate(config, diagnostics);
    }

    async fn read(
        &self,
        cx: &Context,
        config: Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let session = match self.session.get() {
            Ok(session) => session,
            Err(why) => {
                diagnostics.error(Path::root(), why.summary, why.detail);
                return None;
            }
        };
        let written = to_json(&config).unwrap_or_default();
        let input: I::Input = match serde_json::from_value(written.clone()) {
            Ok(input) => input,
            Err(error) => {
                mistake(diagnostics, error.to_string());
                return None;
            }
        };
        let call = Call::new(session.client.clock(), cx.timeout, cx.stop.clone());
        let surroundings = session.surroundings(&call).await;
        let embedding = Embedding {
            types: &[],
            within: |_, _| Vec::new(),
        };
        let world =
            World::new(session.client.clone(), call, surroundings, embedding).among_strangers();
        let answered = world.resolve(|seen| match I::answer(&input, seen) {
            Ok(answer) => Ok(Ok(answer)),
            Err(Unanswered::Failed(failures)) => Ok(Err(failures)),
            Err(Unanswered::Unread) => Err(Unread),
        });
        let failures = match answered.await.map(|resolved| resolved.value) {
            Ok(Ok(answer)) => {
                for (summary, detail) in answer.warnings {
                    diagnostics.warning(Path::root(), summary, detail);
                }
                let attributes = attributes_of(&answer.output);
                let state = Json::Object(attributes.into_iter().collect());
                return match I::SCHEMA.value_from_json(&state) {
                    Ok(state) => Some(as_written(state, &config)),
                    Err(error) => {
                        mistake(diagnostics, error.to_string());
                        None
                    }
                };
            }
            Ok(Err(failures)) => failures,
            Err(halt) => vec![unread(halt, &written)],
        };
        let caller = session.client.caller();
        for failure in failures {
            failure.report(caller.as_ref(), diagnostics);
        }
        None
    }
}

/// The answer with what the user wrote, as he wrote it.
fn as_written(mut state: Value, config: &Value) -> Value {
    for (name, value) in config.as_map().into_iter().flatten() {
        if !value.is_null() && name != "timeouts" {
            state.set(name, value.clone());
        }
    }
    state
}

fn mistake(diagnostics: &mut Diagnostics, what: String) {
    diagnostics.error(Path::root(), "the provider made a mistake", what);
}

/// A read that failed, by what was read; where that is not known, by what the user asked about.
fn unread(halt: Halt, written: &Json) -> Failure {
    let (cause, about) = match halt {
        Halt::Azure(error) => {
            let about = error.about().and_then(nearest);
            (Cause::Azure(error), about)
        }
        other => (Cause::Bug(other.to_string()), None),
    };
    let asked = || ids_in(written).into_iter().next();
    let nothing = || ArmId::subscription("unknown");
    Failure {
        doing: Doing::Reading,
        id: about.or_else(asked).unwrap_or_else(nothing),
        argument: "",
        cause,
    }
}

/// The object that a path is about: itself, or what it lists is in.
fn nearest(mut path: &str) -> Option<ArmId> {
    loop {
        if let Ok(id) = ArmId::parse(path) {
            return Some(id);
        }
        path = &path[..path.rfind('/')?];
    }
}
