//! Turns what went wrong into what a person reads: what cannot be done and why, the evidence,
//! `Fix:` with HCL to paste, then what Azure said with its code and request id.
//!
//! This is the one place where an error of `arm` becomes a diagnostic.

mod nouns;
mod remedies;

use std::fmt::Write as _;

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::Path;

pub use self::nouns::noun;
use crate::arm::{ArmId, Caller, Error};

/// What was being done to an object when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A first PUT.
    Creating,
    /// A later PUT or PATCH.
    Changing,
    /// A DELETE.
    Deleting,
    /// A GET.
    Reading,
    /// An import of an image into a registry.
    ImportingImage,
    /// The deletion of an image in a registry's data plane.
    DeletingImage,
    /// A command in a cluster.
    RunningCommand,
}

/// Something that could not be done.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was being done.
    pub doing: Doing,
    /// To which object.
    pub id: ArmId,
    /// The argument that it is about; empty for the whole resource.
    pub argument: &'static str,
    /// Why it could not be done.
    pub cause: Cause,
}

/// Why something could not be done.
#[derive(Debug, Clone)]
pub enum Cause {
    /// Azure refused, or could not be reached.
    Azure(Error),
    /// It exists, and this resource did not make it.
    Exists {
        /// The resource type that would own it.
        resource: &'static str,
        /// Whether the id is the resource's own, and so can be imported.
        importable: bool,
        /// Another way out, where there is one.
        remedy: Option<String>,
    },
    /// It must be kept, for these reasons.
    Kept(Vec<String>),
    /// A reason of ours.
    Plain {
        /// In a few words.
        why: String,
        /// What shows it, a line each.
        evidence: Vec<String>,
        /// The way out.
        fix: String,
    },
    /// A mistake in this provider.
    Bug(String),
}

impl Failure {
    /// Adds the failure to what the user is told.
    pub fn report(&self, caller: Option<&Caller>, diagnostics: &mut Diagnostics) {
        let path = match self.argument {
            "" => Path::root(),
            argument => argument
                .split('.')
                .fold(Path::root(), |path, step| path.then(step)),
        };
        let (summary, detail) = self.text(caller);
        diagnostics.error(path, summary, detail);
    }

    fn text(&self, caller: Option<&Caller>) -> (String, String) {
        let subject = format!("{} {}", noun(&self.id), self.id.name());
        let cannot = match self.doing {
            Doing::Creating => "cannot be created",
            Doing::Changing => "cannot be changed",
            Doing::Deleting => "cannot be deleted",
            Doing::Reading => "cannot be read",
            Doing::ImportingImage => "cannot import the image",
            Doing::DeletingImage => "cannot delete the image",
            Doing::RunningCommand => "cannot run the command",
        };
        let mut detail = String::new();
        let why = match &self.cause {
            Cause::Exists {
                resource,
                importable,
                remedy,
            } => {
                let _ = writeln!(
                    detail,
                    "It is there already, and this resource did not make it:"
                );
                let _ = writeln!(detail, "- {}", self.id);
                let _ = writeln!(
                    detail,
                    "\nNothing is adopted silently, so that no two configurations fight over it."
                );
                if *importable {
                    let _ = write!(
                        detail,
                        "\nFix: take it over with an import block (and your resource's address):\n\n  \
                         import {{\n    to = {resource}.example\n    id = \"{}\"\n  }}\n",
                        self.id
                    );
                }
                if let Some(remedy) = remedy {
                    let _ = write!(
                        detail,
                        "\n{}: {remedy}\n",
                        if *importable { "Or" } else { "Fix" }
                    );
                }
                "it exists already".to_owned()
            }
            Cause::Kept(reasons) => {
                for reason in reasons {
                    let _ = writeln!(detail, "- {reason}");
                }
                "something else still depends on it".to_owned()
            }
            Cause::Plain { why, evidence, fix } => {
                let _ = writeln!(detail, "- {}", self.id);
                for line in evidence {
                    let _ = writeln!(detail, "- {line}");
                }
                let _ = write!(detail, "\nFix: {fix}\n");
                why.clone()
            }
            Cause::Bug(what) => {
                let _ = writeln!(
                    detail,
                    "{what}\n\nThis is a mistake in the provider, not in your configuration. \
                     Please report it with these lines."
                );
                "the provider made a mistake".to_owned()
            }
            Cause::Azure(error) => {
                let _ = writeln!(detail, "- {}", self.id);
                for held in error.undrained().unwrap_or_default() {
                    let (namespace, pod) = (held.namespace, held.pod);
                    let _ = writeln!(
                        detail,
                        "- the disruption budget {namespace}/{} lets the pod {namespace}/{pod} not go",
                        held.budget
                    );
                }
                if let Some(fix) = remedies::of(self, error, caller) {
                    let _ = write!(detail, "\nFix: {fix}\n");
                }
                said(error, &mut detail);
                reason(error)
            }
        };
        (
            format!("{subject} {cannot}: {why}"),
            detail.trim_end().to_owned(),
        )
    }
}

/// What was wrong, in a few words.
fn reason(error: &Error) -> String {
    if error.is_not_registered() {
        return "its resource provider is not registered".to_owned();
    }
    if error.is_credentials() {
        return "there is no way to log in to Azure".to_owned();
    }
    if error.is_stopped() {
        return "it was interrupted".to_owned();
    }
    if error.is_timeout() {
        return "its timeout has expired".to_owned();
    }
    if error.is_transport() {
        return "Azure cannot be reached".to_owned();
    }
    if error.is_forbidden() {
        return "a permission is missing, or a policy forbids it".to_owned();
    }
    if error.undrained().is_some() {
        return "its nodes could not be drained".to_owned();
    }
    match error.azure() {
        Some(azure) => {
            let message = azure.message.split(['\n', '\r']).next().unwrap_or_default();
            let sentence = message.split_once(". ").map_or(message, |(first, _)| first);
            let sentence = sentence.trim().trim_end_matches('.');
            if sentence.is_empty() {
                error.code().unwrap_or("Azure refused").to_owned()
            } else {
                sentence.chars().take(160).collect()
            }
        }
        None => error.to_string(),
    }
}

/// Azure's own words, with its code and request ids.
fn said(error: &Error, detail: &mut String) {
    let Some(azure) = error.azure() else {
        let _ = write!(detail, "\n{error}\n");
        return;
    };
    let _ = write!(detail, "\nAzure said: {azure}\n");
}
