//! A provider with everything that a schema can have, and that misbehaves on request. It manages nothing: what it makes
//! is what was planned, and what it reads is what it is told.

pub mod all;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Action, Configuration, Context, DataSource, Diagnostics, EphemeralResource, Function,
    FunctionError, FunctionSignature, ListResource, Listed, Opened, Parameter, Private, Provider,
    Renewed, Resource,
};
use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Schema};
use tfplugin_rs::value::{Path, Type, Value};

use all::All;

/// The provider.
pub struct Kinds;

#[async_trait]
impl Provider for Kinds {
    fn name(&self) -> &'static str {
        "kinds"
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn address(&self) -> String {
        "tfplugin/kinds".to_owned()
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] = &[Attribute::optional("mode", Kind::String)
            .describe("How it behaves.")
            .checked(&[Check::OneOf(&["plain", "odd"])])];
        Schema::new("Everything.", ATTRIBUTES)
    }

    async fn configure(&self, _: &Context, request: Configuration, diagnostics: &mut Diagnostics) {
        if request.config.get("mode").as_str() == Some("odd") {
            diagnostics.warning(Path::attribute("mode"), "This is odd", "But it works.");
        }
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(All)]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Echo)]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(Join)]
    }

    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(Token)]
    }

    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(Ping)]
    }

    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(ListAll)]
    }
}

struct Echo;

#[async_trait]
impl DataSource for Echo {
    fn type_name(&self) -> &'static str {
        "kinds_echo"
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] = &[
            Attribute::required("input", Kind::Dynamic).describe("Anything."),
            Attribute::computed("output", Kind::Dynamic, Computed::Volatile).describe("The same."),
        ];
        Schema::new("An echo.", ATTRIBUTES)
    }

    async fn read(&self, _: &Context, config: Value, _: &mut Diagnostics) -> Option<Value> {
        let input = config.get("input").clone();
        Some(Value::object([("input", input.clone()), ("output", input)]))
    }
}

struct Join;

impl Function for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn signature(&self) -> FunctionSignature {
        let text = |name| Parameter {
            name,
            kind: Type::String,
            allow_null: false,
            description: "A text.",
        };
        FunctionSignature {
            parameters: vec![text("separator")],
            variadic: Some(text("parts")),
            returns: Type::String,
            summary: "Joins texts",
            description: "Joins texts.",
        }
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let texts: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
        match texts.split_first() {
            Some((&"panic", _)) => panic!("no way to join"),
            Some((separator, parts)) if !parts.is_empty() => Ok(Value::from(parts.join(separator))),
            _ => Err(FunctionError {
                text: "There is nothing to join.".to_owned(),
                argument: Some(0),
            }),
        }
    }
}

struct Token;

#[async_trait]
impl EphemeralResource for Token {
    fn type_name(&self) -> &'static str {
        "kinds_token"
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] = &[
            Attribute::required("audience", Kind::String).describe("Whom it is for."),
            Attribute::computed("token", Kind::String, Computed::Volatile)
                .describe("The token.")
                .sensitive(),
        ];
        Schema::new("A token.", ATTRIBUTES)
    }

    async fn open(&self, _: &Context, config: Value, _: &mut Diagnostics) -> Option<Opened> {
        let mut private = Private::default();
        private.set("renewals", 0.into());
        let mut result = config;
        result.set("token", "t0k3n".into());
        Some(Opened {
            result,
            renew_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)),
            private,
        })
    }

    async fn renew(&self, _: &Context, mut private: Private, _: &mut Diagnostics) -> Renewed {
        private.set("renewals", 1.into());
        Renewed {
            renew_at: None,
            private,
        }
    }

    async fn close(&self, _: &Context, private: Private, diagnostics: &mut Diagnostics) {
        if private.get("renewals").is_none() {
            diagnostics.error(Path::root(), "It was never opened", "");
        }
    }
}

struct Ping;

#[async_trait]
impl Action for Ping {
    fn type_name(&self) -> &'static str {
        "kinds_ping"
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] =
            &[Attribute::required("times", Kind::Integer).describe("How often.")];
        Schema::new("A ping.", ATTRIBUTES)
    }

    async fn invoke(
        &self,
        _: &Context,
        config: Value,
        progress: &(dyn Fn(String) + Send + Sync),
        diagnostics: &mut Diagnostics,
    ) {
        let times = config.get("times").as_i64().unwrap_or_default();
        for time in 1..=times {
            progress(format!("ping {time}"));
        }
        match times {
            0 => diagnostics.warning(Path::attribute("times"), "Nothing to do", "Zero times."),
            13 => panic!("no luck"),
            _ => {}
        }
    }
}

struct ListAll;

#[async_trait]
impl ListResource for ListAll {
    fn type_name(&self) -> &'static str {
        "kinds_all"
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] =
            &[Attribute::optional("prefix", Kind::String).describe("How ids begin.")];
        Schema::new("Finds everything.", ATTRIBUTES)
    }

    async fn list(
        &self,
        _: &Context,
        config: Value,
        include_resource: bool,
        limit: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Listed> {
        let prefix = config.get("prefix").as_str().unwrap_or("x").to_owned();
        diagnostics.warning(Path::root(), "There may be more", "This is only a test.");
        (0..limit)
            .map(|number| {
                let id = Value::from(format!("{prefix}{number}"));
                let state = Value::Map(BTreeMap::from([("id".to_owned(), id.clone())]));
                Listed {
                    identity: Value::object([("id", id)]),
                    display_name: format!("number {number}"),
                    resource: include_resource.then_some(state),
                }
            })
            .collect()
    }
}
