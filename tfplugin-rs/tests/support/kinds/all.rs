//! The managed resource with everything.

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Applied, Change, Context, Diagnostics, Import, Imported, Move, Plan, Private, Resource, Stored,
};
use tfplugin_rs::schema::{Attribute, Block, Check, Computed, Kind, Literal, Nesting, Schema};
use tfplugin_rs::value::{Path, Value};

/// `kinds_all`.
pub struct All;

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
