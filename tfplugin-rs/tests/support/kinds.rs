//! A provider with everything that a schema can have, and that misbehaves on request. It manages nothing: what it makes
//! is what was planned, and what it reads is what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Action, Applied, Change, Configuration, Context, DataSource, Diagnostics, EphemeralResource,
    Function, FunctionError, FunctionSignature, Import, Imported, ListResource, Listed, Move,
    Opened, Parameter, Plan, Private, Provider, Renewed, Resource, Stored,
};
use tfplugin_rs::schema::{Attribute, Block, Check, Computed, Kind, Literal, Nesting, Schema};
use tfplugin_rs::value::{Path, Type, Value};

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

struct All;

const PART: &[Attribute] = &[
    Attribute::required("size", Kind::Number).describe("A size."),
    Attribute::optional("note", Kind::String).describe("A note."),
    Attribute::optional_computed("label", Kind::String, Computed::Fixed).describe("A label."),
    Attribute::optional("weight", Kind::Integer)
        .describe("A weight.")
        .default_to(Literal::Integer(1)),
];

const LINE: &[Attribute] = &[Attribute::required("x", Kind::String).describe("A value.")];

const fn block(name: &'static str, nesting: Nesting) -> Block {
    Block {
        name,
        nesting,
        attributes: LINE,
        blocks: &[],
        min_items: 0,
        max_items: 0,
        description: "A block.",
    }
}

/// The schema of `kinds_all`.
pub const SCHEMA: Schema = Schema {
    version: 1,
    blocks: &[
        block("rule", Nesting::List),
        block("choice", Nesting::Set),
        block("zone", Nesting::Map),
        block("limit", Nesting::Single),
    ],
    ..Schema::new(
        "Everything that a schema can have.",
        &[
            Attribute::required("name", Kind::String)
                .describe("A name.")
                .replaces(),
            Attribute::optional("number", Kind::Number).describe("Any number."),
            Attribute::optional("whole", Kind::Integer)
                .describe("A whole number.")
                .checked(&[Check::Range(1, 9)]),
            Attribute::optional("flag", Kind::Bool).describe("A flag."),
            Attribute::optional("anything", Kind::Dynamic).describe("Anything."),
            Attribute::optional("key", Kind::String)
                .describe("A key.")
                .sensitive(),
            Attribute::optional("secret", Kind::String)
                .describe("A secret.")
                .write_only(),
            Attribute::optional("old", Kind::String)
                .describe("Old.")
                .deprecated("Use `name`."),
            Attribute::optional("list", Kind::List(&Kind::String)).describe("A list."),
            Attribute::optional("set", Kind::Set(&Kind::String)).describe("A set."),
            Attribute::optional("map", Kind::Map(&Kind::Number)).describe("A map."),
            Attribute::optional("single", Kind::Nested(Nesting::Single, PART)).describe("A part."),
            Attribute::optional("parts", Kind::Nested(Nesting::List, PART))
                .describe("Parts by position."),
            Attribute::optional("members", Kind::Nested(Nesting::Map, PART))
                .describe("Parts by name."),
            Attribute::optional("bag", Kind::Nested(Nesting::Set, PART)).describe("Parts."),
            Attribute::optional("exposure", Kind::String)
                .describe("An exposure.")
                .default_to(Literal::String("private")),
            Attribute::optional_computed("location", Kind::String, Computed::Fixed)
                .describe("A place."),
            Attribute::computed("id", Kind::String, Computed::Fixed).describe("The id."),
            Attribute::computed("url", Kind::String, Computed::Follows(&["exposure"]))
                .describe("A URL."),
            Attribute::computed("revision", Kind::String, Computed::Volatile)
                .describe("A revision."),
            Attribute::computed(
                "drift",
                Kind::List(&Kind::String),
                Computed::Always(Literal::EmptyList),
            )
            .describe("Drift."),
        ],
    )
};

/// What was unknown in a plan, made up: all computed values of the schema are texts.
fn settled(value: Value) -> Value {
    match value {
        Value::Unknown(_) => Value::from("made"),
        Value::List(items) => Value::List(items.into_iter().map(settled).collect()),
        Value::Set(items) => Value::Set(items.into_iter().map(settled).collect()),
        Value::Map(members) => Value::Map(
            members
                .into_iter()
                .map(|(name, member)| (name, settled(member)))
                .collect(),
        ),
        known => known,
    }
}

impl All {
    async fn apply(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        let Change {
            planned,
            mut private,
            config,
            ..
        } = change;
        let name = planned.get("name").as_str().unwrap_or_default().to_owned();
        let partial = planned.clone();
        let mut state = settled(planned);
        match name.as_str() {
            "panics" => panic!("the author forgot {name}"),
            "fails" => {
                diagnostics.error(Path::attribute("name"), "It failed", "Halfway.");
                return Applied {
                    state: Some(partial),
                    private,
                };
            }
            "vanishes" => {
                diagnostics.error(Path::root(), "It failed at once", "Nothing is there.");
                return Applied {
                    state: None,
                    private,
                };
            }
            "waits" => {
                cx.stop.cancelled().await;
                diagnostics.error(Path::root(), "Interrupted", "It was asked to stop.");
            }
            "lies" => state.set("exposure", "public".into()),
            "tells" => state.set("secret", config.get("secret").clone()),
            _ => {}
        }
        let count = private
            .get("count")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default();
        private.set("count", (count + 1).into());
        Applied {
            state: Some(state),
            private,
        }
    }
}

#[async_trait]
impl Resource for All {
    fn type_name(&self) -> &'static str {
        "kinds_all"
    }

    fn schema(&self) -> Schema {
        SCHEMA
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        if config.get("flag").as_bool() == Some(true) && config.get("key").is_null() {
            diagnostics.error(
                Path::attribute("key"),
                "`key` is missing",
                "With `flag` there has to be one.",
            );
        }
    }

    async fn plan(&self, _: &Context, plan: &mut Plan, diagnostics: &mut Diagnostics) {
        match plan.planned.get("name").as_str() {
            Some("foreseen") => plan.planned.set("id", "foreseen".into()),
            Some("refused") => diagnostics.error(
                Path::attribute("name"),
                "It will not do",
                "This can be known.",
            ),
            Some("promises") => plan.planned.set("exposure", "public".into()),
            _ => {}
        }
    }

    async fn plan_delete(&self, _: &Context, stored: &Stored, diagnostics: &mut Diagnostics) {
        if stored.state.get("name").as_str() == Some("protected") {
            diagnostics.error(
                Path::root(),
                "It is protected",
                "Take the protection away first.",
            );
        }
    }

    async fn create(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        self.apply(cx, change, diagnostics).await
    }

    async fn read(&self, _: &Context, stored: Stored, _: &mut Diagnostics) -> Applied {
        let Stored { mut state, private } = stored;
        match state.get("location").as_str() {
            Some("gone") => {
                return Applied {
                    state: None,
                    private,
                };
            }
            Some("drifting") => state.set("drift", Value::List(vec!["it moved".into()])),
            _ => {}
        }
        Applied {
            state: Some(state),
            private,
        }
    }

    async fn update(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        self.apply(cx, change, diagnostics).await
    }

    async fn delete(&self, _: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied {
        let stays = stored.state.get("name").as_str() == Some("stays");
        if stays {
            diagnostics.error(Path::root(), "It stays", "Someone holds it.");
        }
        Applied {
            state: stays.then_some(stored.state),
            private: stored.private,
        }
    }

    async fn import(&self, _: &Context, import: Import, _: &mut Diagnostics) -> Option<Imported> {
        let id = match import {
            Import::Id(id) => Value::from(id),
            Import::Identity(identity) => identity.get("id").clone(),
        };
        (id.as_str() != Some("nowhere")).then(|| Imported {
            state: Value::object([("id", id), ("name", "imported".into())]),
            private: Private::default(),
        })
    }

    fn upgrade(
        &self,
        version: i64,
        mut state: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        if version != 0 {
            return Err(format!("there never was a version {version}"));
        }
        state["name"] = state["title"].take();
        Ok(state)
    }

    fn move_from(&self, source: &Move) -> Result<Option<Imported>, String> {
        Ok((source.source_type == "other_all").then(|| Imported {
            state: Value::object([("id", Value::from("moved")), ("name", "moved".into())]),
            private: Private::default(),
        }))
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
