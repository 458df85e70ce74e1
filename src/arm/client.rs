//! The verbs of ARM on ids. Each may be sent several times (`send`), none outlasts its `Call`.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::header::HeaderValue;
use tokio::sync::{OnceCell, Semaphore};

use super::api_versions::ApiVersions;
use super::credentials::Tokens;
use super::http::{Http, secure_address};
use super::memory::Memory;
use super::operation::{Attempts, Pending};
use super::registration::Registrations;
use super::request::{Kind, Request, own_path};
use super::retry::Tries;
use super::throttle::Throttle;
use super::{ArmId, Call, Clock, Cloud, Error, Json, Settings, answer, metadata};

/// Speaks to Azure Resource Manager. Cheap to clone; clones share connections, tokens, and what
/// they know about Azure's limits.
#[derive(Clone, Debug)]
pub struct Client(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub clock: Clock,
    pub http: Http,
    pub tokens: Tokens,
    pub memory: Memory,
    pub throttle: Throttle,
    pub registrations: Registrations,
    /// How many requests may be under way at once.
    pub permits: Semaphore,
    pub correlation: Option<HeaderValue>,
    versions: ApiVersions,
    subscription_id: Option<String>,
    /// What the settings say of the cloud, and what its metadata says, once asked.
    preset: Cloud,
    metadata_host: Option<String>,
    discovered: OnceCell<Cloud>,
}

/// How a PUT is to be sent.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Create only: `If-None-Match: *`. Only private DNS, AKS and virtual machines honour it.
    pub if_none_match: bool,
    /// Query parameters besides the API version.
    pub query: Vec<(String, String)>,
}

/// Who the access token speaks for, as far as it says. For messages only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The object id of the user, service principal or managed identity.
    pub object_id: Option<String>,
    /// The application (client) id.
    pub client_id: Option<String>,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// The user's name, if it is a person.
    pub user_name: Option<String>,
}

impl Client {
    /// A client of these settings. No network I/O; the files that hold an id or secret are read.
    ///
    /// # Errors
    /// [`Error::Settings`] for settings that contradict each other or cannot be right.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let clock = settings.clock.clone().unwrap_or_else(Clock::real);
        let (preset, metadata_host) = cloud(&settings)?;
        let correlation = match settings.disable_correlation_request_id {
            Some(true) => None,
            _ => {
                let random = || uuid::Uuid::new_v4().to_string();
                let id = settings
                    .correlation_request_id
                    .clone()
                    .unwrap_or_else(random);
                let value = HeaderValue::from_str(&id);
                Some(value.map_err(|_| {
                    Error::Settings(format!("correlation_request_id: {id:?} is no header value"))
                })?)
            }
        };
        Ok(Self(Arc::new(Inner {
            http: Http::new(&settings),
            tokens: Tokens::new(&settings, &clock)?,
            memory: Memory::new(&clock),
            throttle: Throttle::new(&clock),
            registrations: Registrations::new(settings.resource_provider_registrations.as_deref())?,
            permits: Semaphore::new(settings.max_parallel.unwrap_or(32).max(1)),
            correlation,
            versions: ApiVersions::new(&settings.api_versions)?,
            subscription_id: settings.subscription_id,
            preset,
            metadata_host,
            discovered: OnceCell::new(),
            clock,
        })))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if it does not exist. A 404 for what this client has created a
    /// moment ago is asked again first.
    pub async fn get(&self, call: &Call, id: &ArmId) -> Result<Json, Error> {
        let request = Request::on(Kind::Get, id, self.version_of(id)?, &[]);
        match self.send(call, &request, &mut Tries::default()).await {
            Ok(reply) => {
                self.0.memory.saw(id);
                Ok(reply.body)
            }
            Err(error) => {
                if error.is_not_found() {
                    self.0.memory.missed(id);
                }
                Err(error)
            }
        }
    }

    /// Lists the children of an object, all pages: `list(&zone, "A")`, `list(&group, "resources")`,
    /// `list(&group, "providers/Microsoft.Network/privateEndpoints")`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn list(&self, call: &Call, parent: &ArmId, child: &str) -> Result<Vec<Json>, Error> {
        let (path, _) = child.split_once('?').unwrap_or((child, ""));
        let kind = match path.strip_prefix("providers/") {
            Some(kind) => kind.to_owned(),
            // What lies directly below a group or subscription belongs to Microsoft.Resources.
            None if parent.namespace().is_none() => format!("Microsoft.Resources/{path}"),
            None => format!("{}/{path}", parent.resource_type()),
        };
        self.list_path(call, &format!("{parent}/{child}"), self.api_version(&kind)?)
            .await
    }

    /// Lists what has no plain id, all pages.
    ///
    /// # Errors
    /// As [`Client::get`]; [`Error::Protocol`] if a next page lies on a foreign host.
    pub async fn list_path(
        &self,
        call: &Call,
        path_and_query: &str,
        api_version: &str,
    ) -> Result<Vec<Json>, Error> {
        let first = Request::path(Kind::Get, path_and_query, api_version);
        let (mut request, mut items, mut pages) = (first.clone(), Vec::new(), HashSet::new());
        loop {
            let mut body = self.send(call, &request, &mut Tries::default()).await?.body;
            let wrong = |message: String| Error::Protocol {
                method: "GET".into(),
                about: first.about.clone(),
                message,
            };
            match body.get_mut("value").map(Json::take) {
                Some(Json::Array(page)) => items.extend(page),
                _ => return Err(wrong("the answer is no list: it has no \"value\"".into())),
            }
            let Some(next) = answer::get(&body, "nextLink")
                .and_then(Json::as_str)
                .filter(|link| !link.is_empty())
            else {
                return Ok(items);
            };
            let endpoint = &self.cloud().resource_manager;
            let Some(path) = own_path(endpoint, next) else {
                return Err(wrong(format!(
                    "the next page lies outside {endpoint}, where no token is sent"
                )));
            };
            if !pages.insert(path.to_owned()) {
                return Err(wrong("the pages of the list form a circle".into()));
            }
            request = first.follow(path.to_owned());
        }
    }

    /// Reads what has no plain id: usages, registrations, availability checks.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_path(
        &self,
        call: &Call,
        path_and_query: &str,
        api_version: &str,
    ) -> Result<Json, Error> {
        let request = Request::path(Kind::Get, path_and_query, api_version);
        Ok(self.send(call, &request, &mut Tries::default()).await?.body)
    }

    /// Creates or replaces an object. Resolves when Azure has accepted the request.
    ///
    /// # Errors
    /// With [`Write::if_none_match`], [`Error::is_precondition_failed`] if the object exists; not
    /// if it is our own, made by an attempt whose answer was lost.
    pub async fn put(
        &self,
        call: &Call,
        id: &ArmId,
        body: &Json,
        write: Write,
    ) -> Result<Pending, Error> {
        let mut request =
            Request::on(Kind::Put, id, self.version_of(id)?, &write.query).with_body(body);
        request.create_only = write.if_none_match;
        Pending::send(self, call, request).await
    }

    /// Changes some properties of an object. Resolves when Azure has accepted the request.
    ///
    /// # Errors
    /// Azure's.
    pub async fn patch(&self, call: &Call, id: &ArmId, body: &Json) -> Result<Pending, Error> {
        let request = Request::on(Kind::Patch, id, self.version_of(id)?, &[]).with_body(body);
        Pending::send(self, call, request).await
    }

    /// Changes properties of an object that others write too, with a body that holds what they have
    /// written. It is never sent again as it is: `None` means that it may succeed when it is made of
    /// what the object is now. The pause before that is over by then.
    ///
    /// # Errors
    /// Azure's.
    pub async fn patch_once(
        &self,
        call: &Call,
        id: &ArmId,
        body: &Json,
        attempts: &mut Attempts,
    ) -> Result<Option<Json>, Error> {
        let mut request = Request::on(Kind::Patch, id, self.version_of(id)?, &[]).with_body(body);
        request.ages = true;
        Pending::once(self, call, request, attempts).await
    }

    /// Deletes an object; one that is already gone counts as deleted. Resolves when Azure has
    /// accepted the request.
    ///
    /// # Errors
    /// Azure's.
    pub async fn delete(&self, call: &Call, id: &ArmId) -> Result<Pending, Error> {
        Pending::send(
            self,
            call,
            Request::on(Kind::Delete, id, self.version_of(id)?, &[]),
        )
        .await
    }

    /// Runs an action of an object: `post(&registry, "listCredentials", &Json::Null)`. Resolves
    /// when Azure has accepted the request. An action that only reads (by its name) is sent again
    /// when its answer is lost; others are not.
    ///
    /// # Errors
    /// Azure's.
    pub async fn post(
        &self,
        call: &Call,
        id: &ArmId,
        action: &str,
        body: &Json,
    ) -> Result<Pending, Error> {
        let verb = action.rsplit('/').next().unwrap_or_default();
        let repeatable = ["list", "check", "get", "register", "resolve", "validate"]
            .iter()
            .any(|word| verb.starts_with(word));
        self.act(call, id, action, body, repeatable).await
    }

    /// Runs an action that changes nothing, whatever its name says: it is sent again when its
    /// answer is lost. Resolves when Azure has accepted the request.
    ///
    /// # Errors
    /// Azure's.
    pub async fn ask(
        &self,
        call: &Call,
        id: &ArmId,
        action: &str,
        body: &Json,
    ) -> Result<Pending, Error> {
        self.act(call, id, action, body, true).await
    }

    async fn act(
        &self,
        call: &Call,
        id: &ArmId,
        action: &str,
        body: &Json,
        repeatable: bool,
    ) -> Result<Pending, Error> {
        let (namespace, path) = match action.strip_prefix("providers/") {
            Some(kind) => (Some(kind.to_owned()), action),
            None => (None, action),
        };
        let version = match namespace {
            Some(kind) => self.api_version(&kind)?,
            None => self.version_of(id)?,
        };
        let mut request =
            Request::path(Kind::Post { repeatable }, &format!("{id}/{path}"), version);
        request.id = Some(id.clone());
        if !body.is_null() {
            request = request.with_body(body);
        }
        Pending::send(self, call, request).await
    }

    /// The API version that requests on this type use.
    ///
    /// # Errors
    /// [`Error::Settings`] for a type that neither the table nor the user's overrides know.
    pub fn api_version(&self, resource_type: &str) -> Result<&str, Error> {
        self.0.versions.of(resource_type).ok_or_else(|| {
            Error::Settings(format!(
                "no API version is known for {resource_type}: name one in the provider's api_versions"
            ))
        })
    }

    /// Notes that an object was not there, and that our PUT has made it.
    pub fn made(&self, id: &ArmId) {
        self.0.memory.made(id);
    }

    /// Whether this client has made the object, which was not there before.
    pub fn has_made(&self, id: &ArmId) -> bool {
        self.0.memory.has_made(id)
    }

    /// Whether an object lies in something that this client has made within the last two minutes,
    /// a group for example, and so need not be looked for before it is made. What Azure makes by
    /// itself is not meant.
    pub fn lies_in_new(&self, id: &ArmId) -> bool {
        self.0.memory.lies_in_new(id)
    }

    /// The cloud. Names as the settings say until the metadata of a custom cloud has been read,
    /// which happens with the first request or [`Client::discover`].
    pub fn cloud(&self) -> &Cloud {
        self.0.discovered.get().unwrap_or(&self.0.preset)
    }

    /// The cloud, after reading its metadata if the settings name a metadata host.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn discover(&self, call: &Call) -> Result<&Cloud, Error> {
        let Some(host) = &self.0.metadata_host else {
            return Ok(&self.0.preset);
        };
        let ask = || metadata::discover(call, &self.0.http, host, &self.0.preset);
        self.0.discovered.get_or_try_init(ask).await
    }

    /// The subscription of resources that name none.
    pub fn default_subscription_id(&self) -> Option<&str> {
        self.0.subscription_id.as_deref()
    }

    /// Who the access token speaks for, once there is one.
    pub fn caller(&self) -> Option<Caller> {
        self.0.tokens.caller()
    }

    /// The clock that this client waits with.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn version_of(&self, id: &ArmId) -> Result<&str, Error> {
        self.api_version(&id.resource_type())
    }
}

/// The cloud as the settings describe it, and the host to ask for more.
fn cloud(settings: &Settings) -> Result<(Cloud, Option<String>), Error> {
    let mut cloud = Cloud::named(settings.environment.as_deref().unwrap_or_default())?;
    if let Some(endpoint) = &settings.resource_manager_endpoint {
        cloud.resource_manager = secure_address("resource_manager_endpoint", endpoint)?;
        cloud.audience.clone_from(&cloud.resource_manager);
    }
    if let Some(audience) = &settings.resource_manager_audience {
        cloud.audience = audience.trim_end_matches('/').to_owned();
    }
    if let Some(authority) = &settings.authority_host {
        cloud.authority = secure_address("authority_host", authority)?;
    }
    let metadata_host = match &settings.metadata_host {
        Some(host) => Some(secure_address("metadata_host", host)?),
        None => None,
    };
    if metadata_host.is_some() && settings.resource_manager_endpoint.is_some() {
        return Err(Error::Settings(
            "metadata_host and resource_manager_endpoint both say where Azure Resource Manager is: set one of them".into(),
        ));
    }
    Ok((cloud, metadata_host))
}
