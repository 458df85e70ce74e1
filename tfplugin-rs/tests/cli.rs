//! The example providers under the real command line tools: what Terraform and OpenTofu themselves accept.
//!
//! Runs every `terraform` and `tofu` on PATH, and those that `TFPLUGIN_CLIS` names, one path a line.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "support/binary.rs"]
mod binary;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The commands to test with, each once.
fn clis() -> Vec<PathBuf> {
    let named = std::env::var("TFPLUGIN_CLIS").unwrap_or_default();
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| ["terraform", "tofu"].map(|name| folder.join(name)))
        .chain(named.lines().map(PathBuf::from))
        .filter(|path| path.is_file());
    let found: BTreeSet<PathBuf> = found.map(|path| path.canonicalize().unwrap()).collect();
    assert!(
        !found.is_empty(),
        "there is neither terraform nor tofu on PATH; install one, or name one in TFPLUGIN_CLIS"
    );
    found.into_iter().collect()
}

/// A folder with a configuration, in which a command runs with one example provider.
struct Work {
    cli: PathBuf,
    folder: TempDir,
}

impl Work {
    fn new(cli: &Path, provider: &str, configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = binary::binary(&format!("terraform-provider-{provider}"));
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        std::os::unix::fs::symlink(
            binary,
            plugins.join(format!("terraform-provider-{provider}")),
        )
        .unwrap();
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"tfplugin/{provider}\" = {plugins:?}\n  }}\n  direct {{}}\n}}\n"
        );
        fs::write(folder.path().join("cli.tfrc"), settings).unwrap();
        let work = Self {
            cli: cli.to_owned(),
            folder,
        };
        work.write(&format!(
            "terraform {{\n  required_providers {{\n    {provider} = {{ source = \"tfplugin/{provider}\" }}\n  }}\n}}\n{configuration}"
        ));
        work
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, configuration: &str) {
        fs::write(self.path().join("main.tf"), configuration).unwrap();
    }

    fn replace(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join("main.tf")).unwrap();
        assert!(text.contains(from), "{from} is not in the configuration");
        self.write(&text.replace(from, to));
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(&self.cli)
            .args(arguments)
            .arg("-no-color")
            .current_dir(self.path())
            .env("TF_CLI_CONFIG_FILE", self.path().join("cli.tfrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_LOG")
            .env_remove("TF_REATTACH_PROVIDERS")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
        (status.code().unwrap_or(-1), text)
    }

    /// Runs a command that has to end with this code, and says this.
    #[track_caller]
    fn expect(&self, code: i32, arguments: &[&str], says: &[&str]) -> String {
        let (found, text) = self.run(arguments);
        let cli = self.cli.display();
        assert_eq!(found, code, "{cli} {arguments:?}:\n{text}");
        // Messages are wrapped and framed, so only the words count.
        let words = text
            .replace(['│', '╵', '╷'], " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for expected in says {
            assert!(
                words.contains(expected),
                "{cli} {arguments:?} does not say `{expected}`:\n{text}"
            );
        }
        text
    }

    fn state(&self, address: &str) -> serde_json::Value {
        let state = fs::read_to_string(self.path().join("terraform.tfstate")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        let (kind, name) = address.split_once('.').unwrap();
        let resources = state["resources"].as_array().unwrap();
        let found = resources
            .iter()
            .find(|it| it["type"] == kind && it["name"] == name && it["mode"] == "managed");
        found.expect("it is not in the state")["instances"][0].clone()
    }
}

const APPLY: &[&str] = &["apply", "-auto-approve"];
const PLAN: &[&str] = &["plan", "-detailed-exitcode"];
const DESTROY: &[&str] = &["destroy", "-auto-approve"];

#[test]
fn notes_are_made_changed_repaired_imported_and_destroyed() {
    for cli in clis() {
        let notes = tempfile::tempdir().unwrap();
        let folder = notes.path().display();
        let work = Work::new(
            &cli,
            "note",
            &format!(
                "provider \"note\" {{ folder = \"{folder}\" }}\n\
                 resource \"note_file\" \"a\" {{\n  name = \"a\"\n  text = \"hello\"\n}}\n\
                 resource \"note_file\" \"b\" {{\n  name = \"b\"\n  text = \"length ${{note_file.a.length}}\"\n}}\n\
                 data \"note_file\" \"b\" {{\n  name = note_file.b.name\n}}\n\
                 output \"text\" {{ value = data.note_file.b.text }}\n"
            ),
        );
        work.expect(0, &["validate"], &["Success"]);
        work.expect(2, PLAN, &["2 to add"]);
        work.expect(0, APPLY, &["2 added", "length 5"]);
        work.expect(0, PLAN, &["No changes"]);
        assert_eq!(
            fs::read_to_string(notes.path().join("b")).unwrap(),
            "length 5"
        );
        work.replace("\"hello\"", "\"longer\"");
        work.expect(0, APPLY, &["2 changed", "length 6"]);
        fs::write(notes.path().join("a"), "scribbled").unwrap();
        work.expect(2, PLAN, &["scribbled"]);
        fs::remove_file(notes.path().join("b")).unwrap();
        work.expect(0, APPLY, &["1 added, 1 changed"]);
        work.expect(0, PLAN, &["No changes"]);
        work.expect(0, &["state", "rm", "note_file.a"], &[]);
        work.expect(
            0,
            &["import", "note_file.a", &format!("{folder}/a")],
            &["Import successful"],
        );
        work.expect(0, PLAN, &["No changes"]);
        work.replace("name = \"a\"", "name = \"c\"");
        work.expect(0, APPLY, &["1 added", "1 destroyed"]);
        work.replace("name = \"c\"", "name = \"c/d\"");
        work.expect(
            1,
            &["validate"],
            &["`name` is not valid", "Fix: leave out the folder"],
        );
        work.replace("name = \"c/d\"", "name = \"c\"");
        work.expect(0, DESTROY, &["2 destroyed"]);
        assert_eq!(fs::read_dir(notes.path()).unwrap().count(), 0);
    }
}

const EVERYTHING: &str = r#"
variable "late" { default = "a" }
resource "kinds_all" "first" { name = var.late }
resource "kinds_all" "all" {
  name     = "all"
  number   = 0.1
  whole    = 3
  flag     = false
  anything = { a = 1, b = [true, "x"], c = null, late = kinds_all.first.id }
  key      = "k"
  list     = ["b", "a", kinds_all.first.id]
  set      = ["b", "a", kinds_all.first.id]
  map      = { x = 1.5, y = 123456789012345678901234567890, z = 9223372036854775807 }
  single   = { size = 1, note = "é${kinds_all.first.id}" }
  parts    = [{ size = 1 }, { size = 2, label = "mine", weight = 5 }]
  members  = { one = { size = 1 }, two = { size = 2, note = kinds_all.first.url } }
  bag      = [{ size = 1 }, { size = 2, note = kinds_all.first.url }]
  timeouts = { create = "1h" }
  rule { x = "1" }
  rule { x = kinds_all.first.id }
  choice { x = "1" }
  choice { x = kinds_all.first.id }
  limit { x = "1" }
  zone "a" { x = "1" }
}
data "kinds_echo" "all" {
  input = { n = 0.1, big = 123456789012345678901234567890, id = kinds_all.all.id }
}
output "echo" { value = data.kinds_echo.all.output }
"#;

#[test]
fn values_of_every_kind_pass_through_core_unharmed() {
    for cli in clis() {
        let work = Work::new(&cli, "kinds", EVERYTHING);
        work.expect(0, &["validate"], &["Success"]);
        work.expect(0, APPLY, &["2 added"]);
        work.expect(0, PLAN, &["No changes"]);
        let all = work.state("kinds_all.all");
        assert_eq!(all["attributes"]["number"].to_string(), "0.1");
        assert_eq!(
            all["attributes"]["map"]["z"].to_string(),
            "9223372036854775807"
        );
        assert_eq!(
            all["attributes"]["map"]["y"].to_string(),
            "123456789012345678901234567890"
        );
        assert_eq!(all["attributes"]["parts"][1]["label"], "mine");
        assert_eq!(all["attributes"]["members"]["one"]["weight"], 1);
        assert_eq!(all["schema_version"], 1);
        work.replace(
            "{ size = 1 }, { size = 2, label",
            "{ size = 3 }, { size = 2, label",
        );
        work.expect(0, APPLY, &["1 changed"]);
        work.expect(0, PLAN, &["No changes"]);
        // What depends on a replaced resource is planned in the same run, and one apply is enough.
        work.replace("default = \"a\"", "default = \"b\"");
        work.expect(0, APPLY, &["1 added, 0 changed, 1 destroyed"]);
        work.expect(0, PLAN, &["No changes"]);
        work.expect(0, DESTROY, &["2 destroyed"]);
    }
}

/// Minor version of a command; both projects are at major version 1.
fn minor_version(cli: &Path) -> u32 {
    let output = Command::new(cli)
        .args(["version", "-json"])
        .env_remove("TF_CLI_CONFIG_FILE")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap();
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = version["terraform_version"].as_str().unwrap();
    version.split('.').nth(1).unwrap().parse().unwrap()
}

#[test]
fn functions_secrets_and_identities_work_where_the_cli_has_them() {
    for cli in clis() {
        let minor = minor_version(&cli);
        let mut configuration = String::new();
        if minor >= 8 {
            configuration +=
                "output \"joined\" { value = provider::kinds::join(\"-\", \"a\", \"b\") }\n";
        }
        if minor >= 11 {
            configuration += "ephemeral \"kinds_token\" \"t\" { audience = \"me\" }\n\
                resource \"kinds_all\" \"a\" {\n  name = \"a\"\n  secret = ephemeral.kinds_token.t.token\n}\n";
        }
        if minor >= 12 {
            configuration += "import {\n  to = kinds_all.i\n  identity = { id = \"/i\" }\n}\n\
                resource \"kinds_all\" \"i\" { name = \"imported\" }\n";
        }
        let work = Work::new(&cli, "kinds", &configuration);
        let joined: &[&str] = if minor >= 8 {
            &["joined = \"a-b\""]
        } else {
            &[]
        };
        work.expect(0, APPLY, joined);
        work.expect(0, PLAN, &["No changes"]);
        if minor >= 11 {
            let state = work.state("kinds_all.a");
            assert!(
                state["attributes"]["secret"].is_null() && !state.to_string().contains("t0k3n"),
                "{state}"
            );
        }
        if minor >= 12 {
            assert_eq!(work.state("kinds_all.i")["identity"]["id"], "/i");
        }
        work.expect(0, DESTROY, &[]);
    }
}

#[test]
fn mistakes_are_shown_on_their_lines_and_all_at_once() {
    for cli in clis() {
        let configuration = "resource \"kinds_all\" \"a\" {\n  name = \"a\"\n  whole = 12\n  flag = true\n  old = \"x\"\n}\n";
        let work = Work::new(&cli, "kinds", configuration);
        let says = [
            "`whole` is not valid",
            "`key` is missing",
            "`old` is deprecated",
            "main.tf line 8",
        ];
        work.expect(1, &["validate"], &says);
    }
}

#[test]
fn a_failed_creation_is_tainted_and_the_next_apply_replaces_it() {
    for cli in clis() {
        let work = Work::new(
            &cli,
            "kinds",
            "resource \"kinds_all\" \"a\" { name = \"fails\" }\n",
        );
        work.expect(1, APPLY, &["It failed", "Halfway."]);
        assert_eq!(work.state("kinds_all.a")["status"], "tainted");
        work.replace("\"fails\"", "\"works\"");
        work.expect(0, APPLY, &["1 added, 0 changed, 1 destroyed"]);
        work.expect(0, DESTROY, &["1 destroyed"]);
    }
}

#[test]
fn a_panic_is_an_error_of_its_call_and_its_trace_is_shown() {
    for cli in clis() {
        let work = Work::new(
            &cli,
            "kinds",
            "resource \"kinds_all\" \"a\" { name = \"panics\" }\n",
        );
        let says = [
            "The provider crashed in ApplyResourceChange",
            "the author forgot panics (at",
            "kinds/all.rs:",
        ];
        work.expect(1, APPLY, &says);
        let (_, text) = work.run_with(APPLY, &[("TF_LOG", "debug")]);
        assert!(
            text.contains(": panic: the author forgot panics"),
            "{}:\n{text}",
            cli.display()
        );
    }
}

#[test]
fn states_of_older_versions_are_upgraded_in_place() {
    for cli in clis() {
        let work = Work::new(
            &cli,
            "kinds",
            "resource \"kinds_all\" \"a\" { name = \"a\" }\n",
        );
        work.expect(0, APPLY, &["1 added"]);
        let file = work.path().join("terraform.tfstate");
        let mut state: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let instance = &mut state["resources"][0]["instances"][0];
        instance["schema_version"] = 0.into();
        instance["attributes"]["title"] = instance["attributes"]["name"].take();
        instance["attributes"]
            .as_object_mut()
            .unwrap()
            .remove("name");
        instance["attributes"]["long_gone"] = "x".into();
        state["serial"] = 99.into();
        fs::write(&file, state.to_string()).unwrap();
        work.expect(0, PLAN, &["No changes"]);
    }
}
