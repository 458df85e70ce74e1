//! A whole provider: `note_file` keeps a text in a file, and the data source `note_file` reads one.
//!
//! `cargo build --example terraform-provider-note` makes a binary that Terraform and OpenTofu start; name its folder
//! under `dev_overrides` for `tfplugin/note` in the CLI's configuration.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Applied, Change, Configuration, Context, DataSource, Diagnostics, Import, Imported, Private,
    Provider, Resource, Stored,
};
use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Schema};
use tfplugin_rs::value::{Path, Value};

fn main() -> ExitCode {
    tfplugin_rs::serve(Notes::default())
}

/// Where notes are kept: known once the provider is configured.
type Folder = Arc<OnceLock<PathBuf>>;

#[derive(Default)]
struct Notes {
    folder: Folder,
}

#[async_trait]
impl Provider for Notes {
    fn name(&self) -> &'static str {
        "note"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn address(&self) -> String {
        "tfplugin/note".to_owned()
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] = &[Attribute::required("folder", Kind::String)
            .describe("The folder that the notes are kept in.")];
        Schema::new("Keeps notes in files.", ATTRIBUTES)
    }

    async fn configure(&self, _: &Context, request: Configuration, diagnostics: &mut Diagnostics) {
        match request.config.get("folder").as_str() {
            // A provider is configured once a process.
            Some(folder) => drop(self.folder.set(PathBuf::from(folder))),
            // At plan the folder may come from a resource that is not there yet.
            None if request.config.get("folder").is_unknown() => {}
            None => diagnostics.error(
                Path::attribute("folder"),
                "`folder` is missing",
                "Say where to keep the notes.",
            ),
        }
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(NoteFile {
            folder: Arc::clone(&self.folder),
        })]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(NoteLookup {
            folder: Arc::clone(&self.folder),
        })]
    }
}

/// A note in a file of its own.
struct NoteFile {
    folder: Folder,
}

const SCHEMA: Schema = Schema::new(
    "A note in a file.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name of the file.")
            .checked(&[Check::Text("a name without `/`", |name| {
                match name.contains('/') {
                    true => Err(format!(
                        "`{name}` is no plain file name. Fix: leave out the folder."
                    )),
                    false => Ok(()),
                }
            })])
            .replaces(),
        Attribute::required("text", Kind::String).describe("What the note says."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe("The path of the file."),
        Attribute::computed("length", Kind::Integer, Computed::Follows(&["text"]))
            .describe("The bytes of the text."),
    ],
);

impl NoteFile {
    fn path(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
        let folder = self.folder.get();
        if folder.is_none() {
            let summary = "The folder of the notes is not known yet";
            diagnostics.error(
                Path::root(),
                summary,
                "Fix: give the provider a folder that needs no resource.",
            );
        }
        folder.map(|folder| folder.join(name))
    }

    fn write(
        &self,
        planned: &Value,
        prior: Option<Value>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let text = planned.get("text").as_str().unwrap_or_default();
        let path = self.path(
            planned.get("name").as_str().unwrap_or_default(),
            diagnostics,
        )?;
        if let Err(error) = fs::write(&path, text) {
            let summary = format!("{} cannot be written", path.display());
            diagnostics.error(Path::attribute("name"), summary, error.to_string());
            return prior;
        }
        Some(state(planned.get("name").clone(), &path, text))
    }
}

fn state(name: Value, path: &std::path::Path, text: &str) -> Value {
    Value::object([
        ("name", name),
        ("text", text.into()),
        ("id", path.display().to_string().into()),
        (
            "length",
            i64::try_from(text.len()).unwrap_or(i64::MAX).into(),
        ),
    ])
}

#[async_trait]
impl Resource for NoteFile {
    fn type_name(&self) -> &'static str {
        "note_file"
    }

    fn schema(&self) -> Schema {
        SCHEMA
    }

    async fn create(&self, _: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        Applied {
            state: self.write(&change.planned, None, diagnostics),
            private: change.private,
        }
    }

    async fn read(&self, _: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied {
        let Stored {
            state: prior,
            private,
        } = stored;
        let name = prior.get("name").as_str().unwrap_or_default();
        let Some(path) = self.path(name, diagnostics) else {
            return Applied {
                state: Some(prior),
                private,
            };
        };
        let state = match fs::read_to_string(&path) {
            Ok(text) => Some(state(name.into(), &path, &text)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                diagnostics.error(
                    Path::root(),
                    format!("{} cannot be read", path.display()),
                    error.to_string(),
                );
                Some(prior)
            }
        };
        Applied { state, private }
    }

    async fn update(&self, _: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        Applied {
            state: self.write(&change.planned, change.prior, diagnostics),
            private: change.private,
        }
    }

    async fn delete(&self, _: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied {
        let Stored { state, private } = stored;
        let path = PathBuf::from(state.get("id").as_str().unwrap_or_default());
        let state = match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                diagnostics.error(
                    Path::root(),
                    format!("{} cannot be deleted", path.display()),
                    error.to_string(),
                );
                Some(state)
            }
            _ => None,
        };
        Applied { state, private }
    }

    async fn import(
        &self,
        _: &Context,
        import: Import,
        diagnostics: &mut Diagnostics,
    ) -> Option<Imported> {
        let id = match import {
            Import::Id(id) => id,
            Import::Identity(identity) => {
                identity.get("id").as_str().unwrap_or_default().to_owned()
            }
        };
        let name = PathBuf::from(&id)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if name.is_none() {
            diagnostics.error(
                Path::root(),
                format!("`{id}` is no file"),
                "Import a note by the path of its file.",
            );
        }
        let state = Value::object([("name", Value::from(name?)), ("id", id.into())]);
        Some(Imported {
            state,
            private: Private::default(),
        })
    }
}

/// Looks a note up.
struct NoteLookup {
    folder: Folder,
}

#[async_trait]
impl DataSource for NoteLookup {
    fn type_name(&self) -> &'static str {
        "note_file"
    }

    fn schema(&self) -> Schema {
        const ATTRIBUTES: &[Attribute] = &[
            Attribute::required("name", Kind::String).describe("The name of the file."),
            Attribute::computed("text", Kind::String, Computed::Volatile)
                .describe("What the note says."),
        ];
        Schema::new("Reads a note.", ATTRIBUTES)
    }

    async fn read(
        &self,
        _: &Context,
        mut config: Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let path = self.folder.get()?.join(config.get("name").as_str()?);
        match fs::read_to_string(&path) {
            Ok(text) => config.set("text", text.into()),
            Err(error) => {
                let summary = format!("{} cannot be read", path.display());
                diagnostics.error(Path::attribute("name"), summary, error.to_string());
            }
        }
        Some(config)
    }
}
