//! What a provider offers, by type name, with the schemas and types that the wire needs; made at the first call that
//! asks for it, since a process that is only started must not wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::framework::{
    Action, DataSource, EphemeralResource, Function, FunctionSignature, IdentitySchema,
    ListResource, Provider, Resource,
};
use crate::schema::{Diagnostics, Schema};
use crate::value::{Path, Type, Value};

use super::proto::tfplugin6 as pb;
use super::wire;

/// A thing of the provider, with its schema and the type of its values.
pub(crate) struct Entry<T: ?Sized> {
    pub(crate) it: Arc<T>,
    pub(crate) schema: Schema,
    pub(crate) kind: Type,
}

impl<T: ?Sized> Entry<T> {
    fn new(it: Arc<T>, schema: Schema) -> Self {
        Self {
            it,
            kind: schema.value_type(),
            schema,
        }
    }
}

/// A managed resource.
pub(crate) struct Managed {
    pub(crate) entry: Entry<dyn Resource>,
    pub(crate) identity: IdentitySchema,
    pub(crate) identity_kind: Type,
}

impl Managed {
    pub(crate) fn resource(&self) -> &dyn Resource {
        self.entry.it.as_ref()
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.entry.schema
    }

    pub(crate) fn decode(
        &self,
        message: Option<&pb::DynamicValue>,
        what: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        wire::decode(&self.entry.kind, message, what, diagnostics)
    }

    pub(crate) fn encode(
        &self,
        value: &Value,
        what: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<pb::DynamicValue> {
        wire::encode(&self.entry.kind, value, what, diagnostics)
    }
}

/// A function.
pub(crate) struct Callable {
    pub(crate) it: Arc<dyn Function>,
    pub(crate) signature: FunctionSignature,
}

type ByName<T> = BTreeMap<&'static str, T>;

/// Everything that a provider offers.
pub(crate) struct Registry {
    pub(crate) provider: Entry<dyn Provider>,
    pub(crate) meta: Option<Schema>,
    pub(crate) resources: ByName<Managed>,
    pub(crate) data_sources: ByName<Entry<dyn DataSource>>,
    pub(crate) ephemeral_resources: ByName<Entry<dyn EphemeralResource>>,
    pub(crate) list_resources: ByName<Entry<dyn ListResource>>,
    pub(crate) actions: ByName<Entry<dyn Action>>,
    pub(crate) functions: ByName<Callable>,
}

impl Registry {
    pub(crate) fn new(provider: &Arc<dyn Provider>) -> Self {
        let managed = |it: Arc<dyn Resource>| {
            let schema = it.schema().with_timeouts(&it.timeouts());
            let identity = it.identity_schema();
            (
                it.type_name(),
                Managed {
                    identity_kind: identity.value_type(),
                    identity,
                    entry: Entry::new(it, schema),
                },
            )
        };
        Self {
            provider: Entry::new(Arc::clone(provider), provider.schema()),
            meta: provider.meta_schema(),
            resources: provider.resources().into_iter().map(managed).collect(),
            data_sources: entries(provider.data_sources(), |it| {
                (it.type_name(), it.schema().with_timeouts(&it.timeouts()))
            }),
            ephemeral_resources: entries(provider.ephemeral_resources(), |it| {
                (it.type_name(), it.schema())
            }),
            list_resources: entries(provider.list_resources(), |it| {
                (it.type_name(), it.schema())
            }),
            actions: entries(provider.actions(), |it| (it.type_name(), it.schema())),
            functions: provider
                .functions()
                .into_iter()
                .map(|it| {
                    (
                        it.name(),
                        Callable {
                            signature: it.signature(),
                            it,
                        },
                    )
                })
                .collect(),
        }
    }
}

fn entries<T: ?Sized>(
    things: Vec<Arc<T>>,
    about: impl Fn(&T) -> (&'static str, Schema),
) -> ByName<Entry<T>> {
    things
        .into_iter()
        .map(|it| {
            let (name, schema) = about(&it);
            (name, Entry::new(it, schema))
        })
        .collect()
}

/// The thing of that name, or an error that says that there is none.
pub(crate) fn find<'r, T>(
    things: &'r ByName<T>,
    what: &str,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r T> {
    let found = things.get(name);
    if found.is_none() {
        diagnostics.error(
            Path::root(),
            format!("This provider has no {what} `{name}`"),
            "Another version of the provider may have it: compare the version in `required_providers` with the \
             documentation.",
        );
    }
    found
}
