//! One test: a scenario's files in a folder of their own, one command, one sandbox. Steps are written against this.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{self, Cli, Ran};
use super::sandbox::{self, Sandbox, block_on};
use super::text::words;

/// What a plan may do with a resource, as the JSON plan names it.
pub mod action {
    pub const CREATE: &[&str] = &["create"];
    pub const UPDATE: &[&str] = &["update"];
    pub const DELETE: &[&str] = &["delete"];
    pub const REPLACE: &[&str] = &["delete", "create"];
}

/// One scenario under one command against one sandbox.
pub struct Session {
    /// The command that runs.
    pub cli: Cli,
    /// The local Azure.
    pub sandbox: Sandbox,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    foreign: BTreeSet<String>,
}

/// What a plan would do.
pub struct Plan {
    ran: Ran,
    /// The plan as `show -json` gives it.
    pub json: Value,
}

impl Session {
    /// Copies the scenario, starts a sandbox, makes the foreign objects of `foreign.json`, and installs modules.
    ///
    /// The options are those of `fkaks-sandbox serve`.
    pub fn start(scenario: &Path, cli: &Cli, options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("fkaks-").tempdir().unwrap();
        let below = |name: &str| folder.path().join(name);
        copy(scenario, &below("configuration"));
        // A configuration has the repository's modules as its neighbours: `../modules/NAME`.
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("modules"),
            &below("modules"),
        );
        for name in ["home", "tls", "plugins"] {
            fs::create_dir(below(name)).unwrap();
        }
        let provider = env!("CARGO_BIN_EXE_terraform-provider-fkaks");
        std::os::unix::fs::symlink(provider, below("plugins/terraform-provider-fkaks")).unwrap();
        let overrides = format!(
            "dev_overrides {{ \"fkaks/fkaks\" = {:?} }}",
            below("plugins")
        );
        fs::write(
            below("cli.tfrc"),
            format!("provider_installation {{\n  {overrides}\n  direct {{}}\n}}\n"),
        )
        .unwrap();
        let sandbox = Sandbox::start(&below("tls"), options);
        let (cli, variables, foreign) = (cli.clone(), BTreeMap::new(), BTreeSet::new());
        let mut session = Self {
            cli,
            sandbox,
            folder,
            variables,
            foreign,
        };
        session.make_foreign_objects();
        if calls_modules(&session.file("")) {
            session.run(&["get"]).must_succeed();
        }
        session
    }

    /// Destroys what the test left, and panics unless the sandbox then holds only what it held before the test.
    pub fn finish(self) {
        if self.has_state() {
            self.destroy();
        }
        let left: Vec<String> = self
            .sandbox
            .resources()
            .difference(&self.foreign)
            .cloned()
            .collect();
        assert!(
            left.is_empty(),
            "all is destroyed, but Azure still has:\n{}",
            left.join("\n")
        );
        let lost: Vec<String> = self
            .foreign
            .difference(&self.sandbox.resources())
            .cloned()
            .collect();
        assert!(
            lost.is_empty(),
            "someone else's objects were deleted:\n{}",
            lost.join("\n")
        );
    }

    /// Runs the scenario's `*.tftest.hcl` files.
    pub fn run_tests(&mut self) {
        self.run(&["test"]).must_succeed();
    }

    /// Checks the configuration; no Azure is needed for it.
    pub fn validate(&self) {
        self.run(&["validate"]).must_succeed();
    }

    /// Applies, and panics when that fails.
    pub fn apply(&self) -> Ran {
        self.run(&["apply", "-auto-approve"]).must_succeed()
    }

    /// Destroys, and panics when that fails.
    pub fn destroy(&self) {
        self.run(&["destroy", "-auto-approve"]).must_succeed();
    }

    /// Plans, and panics when that fails.
    pub fn plan(&self) -> Plan {
        let ran = self.run(&["plan", "-detailed-exitcode", "-out=test.plan"]);
        assert!(matches!(ran.code, Some(0 | 2)), "{ran}");
        let shown = self.run(&["show", "-json", "test.plan"]).must_succeed();
        Plan {
            ran,
            json: serde_json::from_str(&shown.stdout).unwrap(),
        }
    }

    /// Imports by id, and panics when that fails.
    pub fn import(&self, address: &str, id: &str) {
        self.run(&["import", address, id]).must_succeed();
    }

    /// Takes a resource out of the state and leaves it in Azure.
    pub fn forget(&self, address: &str) {
        self.run(&["state", "rm", address]).must_succeed();
    }

    /// The attributes of a resource in the state; null when it is not there.
    pub fn state(&self, address: &str) -> Value {
        let shown = self.run(&["show", "-json"]).must_succeed();
        let state: Value = serde_json::from_str(&shown.stdout).unwrap();
        let find = |module: &Value| {
            let resources = module["resources"].as_array()?;
            resources
                .iter()
                .find(|resource| resource["address"] == address)
                .map(|found| found["values"].clone())
        };
        let root = &state["values"]["root_module"];
        let children = root["child_modules"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        std::iter::once(root)
            .chain(children)
            .find_map(find)
            .unwrap_or(Value::Null)
    }

    /// Sets a variable of the configuration for the commands to come; text that is no string is HCL.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.variables
            .insert(format!("TF_VAR_{variable}"), value.to_owned());
    }

    /// Writes a file of the configuration.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Removes a file of the configuration.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    /// Runs the command with these arguments to its end, whatever that is.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        block_on(cli::run(self.command(arguments)))
    }

    /// Starts the command and kills it and its plugins at once, as a lost machine would, when the sandbox has seen
    /// that many more writes. Returns false when the command ended before.
    pub fn kill_at_write(&self, arguments: &[&str], write: usize) -> bool {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let wanted = self.sandbox.writes() + write;
        let mut child = command.spawn().unwrap();
        let mut ended = false;
        self.sandbox
            .wait_until(&format!("write {write}, or the end of the command"), || {
                ended = child.try_wait().unwrap().is_some();
                ended || self.sandbox.writes() >= wanted
            });
        let killed = !ended && kill_group(&child);
        child.wait().unwrap();
        if killed {
            let _ = fs::remove_file(self.file(".terraform.tfstate.lock.info"));
        }
        killed
    }

    /// Whether the state still lists a resource.
    fn has_state(&self) -> bool {
        let text = fs::read_to_string(self.file("terraform.tfstate")).unwrap_or_default();
        let state: Value = serde_json::from_str(&text).unwrap_or_default();
        state["resources"]
            .as_array()
            .is_some_and(|resources| !resources.is_empty())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let arguments = with_no_color(arguments);
        self.cli
            .command(&self.file(""), &arguments, &self.environment())
    }

    fn environment(&self) -> Vec<(String, String)> {
        let below = |name: &str| self.folder.path().join(name).display().to_string();
        let mut environment: Vec<(String, String)> = [
            ("HOME", below("home")),
            ("TF_CLI_CONFIG_FILE", below("cli.tfrc")),
            (
                "SSL_CERT_FILE",
                self.sandbox.certificate().display().to_string(),
            ),
            ("ARM_METADATA_HOSTNAME", self.sandbox.host().to_owned()),
            // The hosts of registries and of Log Analytics are the sandbox, too, and no others are reached.
            ("HTTPS_PROXY", self.sandbox.proxy()),
            ("NO_PROXY", "localhost,127.0.0.1".to_owned()),
            ("ARM_TENANT_ID", sandbox::TENANT.to_owned()),
            ("ARM_SUBSCRIPTION_ID", sandbox::SUBSCRIPTION.to_owned()),
            ("ARM_CLIENT_ID", sandbox::CLIENT.to_owned()),
            ("ARM_CLIENT_SECRET", sandbox::SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        environment.extend(self.variables.clone());
        environment
    }

    /// Makes what `foreign.json` lists (`id`, `api_version`, `body`), as another client of Azure would.
    fn make_foreign_objects(&mut self) {
        if let Ok(text) = fs::read_to_string(self.file("foreign.json")) {
            let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
            for object in &objects {
                let (id, version) = (
                    object["id"].as_str().unwrap(),
                    object["api_version"].as_str().unwrap(),
                );
                self.sandbox.put(id, version, &object["body"]);
            }
        }
        self.foreign = self.sandbox.resources();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("configuration").join(name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("FKAKS_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            let log = serde_json::to_string_pretty(&self.sandbox.requests()).unwrap_or_default();
            let _ = fs::write(self.folder.path().join("requests.json"), log);
            eprintln!("kept: {}", self.folder.path().display());
        }
    }
}

impl Plan {
    /// Panics unless the plan has nothing to do.
    #[track_caller]
    pub fn must_be_empty(&self, sentence: &str) {
        assert!(
            self.ran.code == Some(0),
            "{sentence}; but the plan is not empty:\n{}",
            self.ran
        );
    }

    /// Panics when a `check` block of the configuration does not hold.
    #[track_caller]
    pub fn must_pass_its_checks(&self) {
        let checks = self.json["checks"].as_array();
        let failed: Vec<&Value> = checks
            .into_iter()
            .flatten()
            .filter(|check| check["status"] != "pass")
            .collect();
        assert!(failed.is_empty(), "{failed:#?}\n{}", self.ran);
    }

    /// What the plan does with the resource of this address: empty when nothing.
    pub fn actions(&self, address: &str) -> Vec<&str> {
        let changes = self.json["resource_changes"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let change = changes.iter().find(|change| change["address"] == address);
        let actions = change.and_then(|change| change["change"]["actions"].as_array());
        let actions = actions
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str);
        actions.filter(|action| *action != "no-op").collect()
    }

    /// Panics unless the plan does this with the resource of this address.
    #[track_caller]
    pub fn must(&self, expected: &[&str], address: &str) {
        assert!(
            self.actions(address) == expected,
            "expected {expected:?} of {address}:\n{}",
            self.ran
        );
    }

    /// Everything that the plan printed, as words.
    pub fn words(&self) -> String {
        self.ran.words()
    }
}

impl Ran {
    /// Panics unless the command succeeded.
    #[track_caller]
    pub fn must_succeed(self) -> Self {
        assert!(self.code == Some(0), "{self}");
        self
    }

    /// Panics unless the command failed and said all of this, wherever its lines break.
    #[track_caller]
    pub fn must_fail_saying(self, expected: &[&str]) -> Self {
        assert!(self.code == Some(1), "expected a failure:\n{self}");
        self.must_say(expected)
    }

    /// Panics unless the command said all of this, wherever its lines break.
    #[track_caller]
    pub fn must_say(self, expected: &[&str]) -> Self {
        let said = self.words();
        let missing: Vec<&&str> = expected
            .iter()
            .filter(|text| !said.contains(&words(text)))
            .collect();
        assert!(
            missing.is_empty(),
            "expected it to say {missing:?}:\n{self}"
        );
        self
    }
}

/// Commands that print for people must not colour what tests read.
fn with_no_color<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = arguments.to_vec();
    let position = usize::from(arguments.first() == Some(&"state")) + 1;
    if arguments.first() != Some(&"state") {
        arguments.insert(position, "-no-color");
    }
    arguments
}

/// Kills a command and everything that it started; false when it has ended already.
fn kill_group(child: &Child) -> bool {
    let script = format!("kill -s KILL -- -{}", child.id());
    let kill = Command::new("sh")
        .args(["-c", &script])
        .stderr(Stdio::null())
        .status();
    kill.unwrap().success()
}

fn calls_modules(configuration: &Path) -> bool {
    fs::read_dir(configuration).unwrap().any(|entry| {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        text.lines().any(|line| line.starts_with("module \""))
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
