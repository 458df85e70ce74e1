//! One provider in process, driven as Terraform's core drives it, against a sandbox of its own on
//! loopback; and what a test wants to know of the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fkaks_sandbox::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, Options, Running, Sandbox, Settings};
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;
use terraform_provider_fkaks::arm::{
    ArmId, Call, Client, Clock, Environment, Settings as ArmSettings, Write,
};
use terraform_provider_fkaks::provider::Fkaks;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::testing::{Core, Instance, Outcome};
use tfplugin_rs::value::{Value, to_json};
use tokio_util::sync::CancellationToken;

use crate::fixtures::Fixture;
use crate::requests::{Exchange, Point};
use crate::scenes::{Scene, standing, surroundings};
use crate::shapes::{shape_of, steady};
use crate::told::{SECRET, shown};

/// How much faster the provider's clock runs than the one on the wall.
pub const SPEED: u32 = 50;

/// A sandbox with what the fixture stands on, and a provider.
pub struct Lab {
    /// The fixture.
    pub fixture: &'static Fixture,
    /// The host that plays core.
    pub core: Core,
    /// Whether configurations get short timeouts, for cases that wait for them.
    pub hurried: bool,
    sandbox: Running,
    /// The authority that signs for the hosts behind the sandbox as a proxy.
    authority: NamedTempFile,
    /// The ids that were there before, in lower case.
    before: BTreeSet<String>,
}

impl Lab {
    /// A sandbox with the fixture's surroundings.
    pub async fn of(fixture: &'static Fixture) -> Self {
        let scene = surroundings(fixture).await;
        Self::at(fixture, &scene).await
    }

    /// The same with what a creation has made, and the state that it left.
    ///
    /// # Errors
    /// The creation fails.
    pub async fn standing(
        fixture: &'static Fixture,
        hurried: bool,
    ) -> Result<(Self, Instance), String> {
        let (scene, instance) = standing(fixture, hurried).await?;
        let mut lab = Self::at(fixture, &scene).await;
        lab.hurried = hurried;
        Ok((lab, instance))
    }

    /// A sandbox with nothing.
    pub async fn bare(fixture: &'static Fixture) -> Self {
        Self::start(fixture, Options::default()).await
    }

    async fn at(fixture: &'static Fixture, scene: &Scene) -> Self {
        let options = Options {
            world: Some(scene.world.clone()),
            ..Options::default()
        };
        let mut lab = Self::start(fixture, options).await;
        lab.before.clone_from(&scene.before);
        for actor in (fixture.actors)() {
            lab.control("POST", "/_sandbox/actors", &actor);
        }
        lab
    }

    async fn start(fixture: &'static Fixture, options: Options) -> Self {
        let options = Options {
            settings: Settings {
                unwatched_ms: 200,
                ..Settings::default()
            },
            ..options
        };
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let authority = NamedTempFile::new().expect("a file");
        std::fs::write(authority.path(), &sandbox.ca_pem).expect("the authority");
        let core = core(&sandbox, &authority).await;
        Self {
            fixture,
            core,
            hurried: false,
            sandbox,
            authority,
            before: BTreeSet::new(),
        }
    }

    /// Everything as it is, for labs that begin here. `before` is what was there before the resource.
    pub fn scene(&self, before: BTreeSet<String>) -> Scene {
        Scene {
            world: self.sandbox.world(),
            before,
        }
    }

    /// Makes what the fixture stands on, as someone else would.
    pub async fn prepare(&self) {
        let clock = Clock::fast(SPEED);
        let settings = ArmSettings {
            clock: Some(clock.clone()),
            ..ArmSettings::default()
        };
        let client = settings
            .or_environment(&environment(&self.sandbox, &self.authority))
            .and_then(Client::new)
            .expect("a client");
        for (id, body) in (self.fixture.stands_on)() {
            let call = Call::new(&clock, Duration::from_secs(600), CancellationToken::new());
            let id = ArmId::parse(&id).expect("an ARM id");
            let write = Write::default();
            let made = match client.put(&call, &id, &body, write).await {
                Ok(pending) => pending.wait(&call).await,
                Err(error) => Err(error),
            };
            made.unwrap_or_else(|error| panic!("what the fixture stands on: {id}: {error}"));
        }
    }

    /// Another process: nothing is remembered but the state.
    pub async fn restart(&mut self) {
        self.core = core(&self.sandbox, &self.authority).await;
    }

    /// Creation or change to that configuration.
    pub async fn apply(&self, config: &Json, prior: Option<Instance>) -> Outcome {
        let name = self.fixture.resource;
        let config = self.config(config);
        self.core.apply(name, &config, prior).await
    }

    /// Refresh, then creation or change, as `apply` on the command line.
    pub async fn whole_apply(&self, config: &Json, prior: Option<Instance>) -> Outcome {
        let prior = match prior {
            None => None,
            Some(prior) => {
                let read = self.core.refresh(prior).await;
                if read.diagnostics.has_errors() {
                    return read;
                }
                read.instance
            }
        };
        self.apply(config, prior).await
    }

    /// The configuration as core would send it.
    pub fn config(&self, config: &Json) -> Value {
        let mut config = config.clone();
        if self.hurried {
            config["timeouts"] =
                json!({ "create": "3m", "read": "3m", "update": "3m", "delete": "3m" });
        }
        self.core
            .config(self.fixture.resource, &config)
            .unwrap_or_else(|error| panic!("{}: the configuration: {error}", self.fixture))
    }

    /// What a data source answers to the fixture's configuration.
    pub async fn read_data(&self) -> (Option<Json>, Diagnostics) {
        let config = (self.fixture.config)();
        let (found, told) = self.core.read_data(self.fixture.resource, &config).await;
        let found = found.map(|found| to_json(&found).expect("a known answer"));
        (found, told)
    }

    /// A request to the sandbox's remote control.
    pub fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let (status, answer) = self.sandbox.control(method, path, Some(body));
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Sets a fault.
    pub fn fault(&self, point: &Point, after: u32, count: Option<u32>, effect: &Json) {
        let fault = json!({
            "match": { "method": point.method, "path": point.path },
            "after": after, "count": count, "effect": effect,
        });
        self.control("POST", "/_sandbox/faults", &fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.control("DELETE", "/_sandbox/faults", &json!({}));
    }

    /// How many requests the faults have hit.
    pub fn hits(&self) -> u64 {
        let faults = self.control("GET", "/_sandbox/faults", &json!({}));
        let faults = faults["value"].as_array().into_iter().flatten();
        faults.filter_map(|fault| fault["hit"].as_u64()).sum()
    }

    /// Waits until a request that came has been answered, whoever listens.
    pub async fn until_answered(&self, point: &Point) {
        while self.answered(point) <= point.nth as usize {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Changes settings of the sandbox.
    pub fn settings(&self, settings: &Json) {
        self.control("PATCH", "/_sandbox/settings", settings);
    }

    /// All requests to Resource Manager since they were forgotten.
    pub fn requests(&self) -> Vec<Exchange> {
        let log = self.control("GET", "/_sandbox/requests", &json!({}));
        let mut entries: Vec<&Json> = log["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["kind"] == "arm")
            .collect();
        entries.sort_by_key(|entry| entry["number"].as_u64());
        entries
            .into_iter()
            .map(|entry| Exchange {
                method: entry["method"].as_str().unwrap_or_default().to_owned(),
                path: entry["path"].as_str().unwrap_or_default().to_owned(),
                body: entry["body"].clone(),
            })
            .collect()
    }

    /// The requests since they were forgotten that change something.
    pub fn writes(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests
            .filter(Exchange::writes)
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    /// The requests since they were forgotten, as places for faults. Of the polls of operations
    /// the first and the last are enough: those between are alike.
    pub fn points(&self) -> Vec<Point> {
        let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
        let requests = self.requests().into_iter();
        let points: Vec<Point> = requests
            .map(|request| {
                let (path, writes) = (shape_of(&request.path), request.writes());
                let count = counts
                    .entry((request.method.clone(), path.to_lowercase()))
                    .or_default();
                *count += 1;
                Point {
                    method: request.method,
                    path,
                    nth: *count - 1,
                    writes,
                }
            })
            .collect();
        let last = |point: &Point| {
            let key = (point.method.clone(), point.path.to_lowercase());
            counts
                .get(&key)
                .is_some_and(|count| point.nth + 1 == *count)
        };
        points
            .into_iter()
            .filter(|point| !point.polls() || point.nth == 0 || last(point))
            .collect()
    }

    /// How many requests were answered there.
    fn answered(&self, point: &Point) -> usize {
        let requests = self.requests().into_iter();
        requests
            .filter(|request| {
                request.method == point.method
                    && shape_of(&request.path).eq_ignore_ascii_case(&point.path)
            })
            .count()
    }

    /// Empties the request log.
    pub fn forget_requests(&self) {
        self.control("DELETE", "/_sandbox/requests", &json!({}));
    }

    /// What this resource has made, consequences included: ids in lower case.
    pub fn made(&self) -> BTreeSet<String> {
        &self.all_ids() - &self.before
    }

    /// The same, with `*` for random ids.
    pub fn made_shapes(&self) -> Vec<String> {
        let mut shapes: Vec<String> = self.made().iter().map(|id| shape_of(id)).collect();
        shapes.sort();
        shapes
    }

    /// Everything that is stored and was not there before, by id, without what differs between
    /// two runs.
    pub fn made_bodies(&self) -> BTreeMap<String, Json> {
        let made = self.made();
        self.bodies()
            .into_iter()
            .filter(|(id, _)| made.contains(id))
            .map(|(id, body)| (shape_of(&id), steady(&body)))
            .collect()
    }

    /// Everything that is stored, by id in lower case, without what changes with the time alone.
    pub fn bodies(&self) -> BTreeMap<String, Json> {
        let mut stored = self.control("GET", "/_sandbox/resources?full", &json!({}));
        let stored = stored["value"].as_array_mut().map(std::mem::take);
        let bodies = stored.into_iter().flatten().map(|mut body| {
            if let Some(properties) = body["properties"].as_object_mut() {
                properties.remove("freeTrialRemainingTime");
            }
            (body["id"].as_str().unwrap_or_default().to_lowercase(), body)
        });
        bodies.collect()
    }

    /// One stored object.
    pub fn body(&self, id: &str) -> Option<Json> {
        self.bodies().remove(&id.to_lowercase())
    }

    /// The ids of everything that is stored, in lower case.
    pub fn all_ids(&self) -> BTreeSet<String> {
        let stored = self.control("GET", "/_sandbox/resources", &json!({}));
        let stored = stored["value"].as_array().into_iter().flatten();
        stored
            .filter_map(|id| Some(id.as_str()?.to_lowercase()))
            .collect()
    }

    /// Whether an operation is still running.
    pub fn is_busy(&self) -> bool {
        let operations = self.control("GET", "/_sandbox/operations", &json!({}));
        let operations = operations["value"].as_array().into_iter().flatten();
        operations
            .into_iter()
            .any(|operation| operation["outcome"].is_null())
    }
}

/// A provider in a process of its own, as far as its memory goes.
async fn core(sandbox: &Running, authority: &NamedTempFile) -> Core {
    let provider = Fkaks::with(Clock::fast(SPEED), environment(sandbox, authority));
    let core = Core::start(provider).await.expect("a socket");
    let told = core.configure(&json!({})).await;
    assert!(!told.has_errors(), "{}", shown(&told));
    core
}

fn environment(sandbox: &Running, authority: &NamedTempFile) -> Environment {
    let authority = authority.path().display().to_string();
    [
        // What is not Resource Manager is reached through the sandbox as well.
        ("HTTPS_PROXY", sandbox.base_url.as_str()),
        ("SSL_CERT_FILE", authority.as_str()),
        ("ARM_RESOURCE_MANAGER_ENDPOINT", sandbox.base_url.as_str()),
        ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", &sandbox.base_url),
        ("ARM_TENANT_ID", DEFAULT_TENANT),
        ("ARM_SUBSCRIPTION_ID", DEFAULT_SUBSCRIPTION),
        ("ARM_CLIENT_ID", "00000000-0000-0000-0000-0000000000c1"),
        ("ARM_CLIENT_SECRET", SECRET),
        ("ARM_USE_CLI", "false"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
