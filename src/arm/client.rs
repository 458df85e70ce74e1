//! The verbs of ARM on ids.

use super::api_versions::ApiVersions;
use super::{ArmId, Call, Clock, Cloud, Error, Json, Settings};

/// Speaks to Azure Resource Manager. Cheap to clone; clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct Client {
    clock: Clock,
    cloud: Cloud,
    versions: ApiVersions,
    subscription_id: Option<String>,
}

/// Who the access token speaks for, as far as it says.
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

/// How a PUT is to be sent.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Create only: `If-None-Match: *`. Only services that say so honour it (private DNS, AKS).
    pub if_none_match: bool,
    /// Query parameters besides the API version.
    pub query: Vec<(String, String)>,
}

/// A write that Azure has accepted, and that may still be under way.
#[derive(Debug)]
#[must_use = "an accepted write may still fail: wait for it"]
pub struct Pending;

impl Client {
    /// A client of these settings. No network I/O.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            clock: settings.clock.unwrap_or_else(Clock::real),
            cloud: Cloud::named(settings.environment.as_deref().unwrap_or_default())?,
            versions: ApiVersions::new(&settings.api_versions)?,
            subscription_id: settings.subscription_id,
        })
    }

    /// The clock that this client waits with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The cloud.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The subscription of resources that name none.
    pub fn default_subscription_id(&self) -> Option<&str> {
        self.subscription_id.as_deref()
    }

    /// The API version that requests on this type use.
    ///
    /// # Errors
    /// [`Error::Settings`] for a type that is in neither the table nor the overrides.
    pub fn api_version(&self, resource_type: &str) -> Result<&str, Error> {
        self.versions
            .of(resource_type)
            .ok_or_else(|| Error::Settings(format!("no API version is known for {resource_type}")))
    }

    /// Who the access token speaks for, once there is one.
    pub fn caller(&self) -> Option<Caller> {
        None
    }

    /// Reads an object.
    pub async fn get(&self, _call: &Call, id: &ArmId) -> Result<Json, Error> {
        Err(unfinished(id))
    }

    /// Lists the children of an object.
    pub async fn list(
        &self,
        _call: &Call,
        parent: &ArmId,
        _child: &str,
    ) -> Result<Vec<Json>, Error> {
        Err(unfinished(parent))
    }

    /// Reads what has no plain id.
    pub async fn get_path(
        &self,
        _call: &Call,
        path: &str,
        _api_version: &str,
    ) -> Result<Json, Error> {
        Err(Error::Settings(path.to_owned()))
    }

    /// Creates or replaces an object.
    pub async fn put(
        &self,
        _call: &Call,
        id: &ArmId,
        _body: &Json,
        _write: Write,
    ) -> Result<Pending, Error> {
        Err(unfinished(id))
    }

    /// Changes an object.
    pub async fn patch(&self, _call: &Call, id: &ArmId, _body: &Json) -> Result<Pending, Error> {
        Err(unfinished(id))
    }

    /// Deletes an object; one that is already gone counts as deleted.
    pub async fn delete(&self, _call: &Call, id: &ArmId) -> Result<Pending, Error> {
        Err(unfinished(id))
    }

    /// Runs an action of an object.
    pub async fn post(
        &self,
        _call: &Call,
        id: &ArmId,
        _action: &str,
        _body: &Json,
    ) -> Result<Pending, Error> {
        Err(unfinished(id))
    }
}

impl Pending {
    /// Follows the operation to its end.
    pub async fn wait(self, call: &Call) -> Result<Json, Error> {
        call.check().map(|()| Json::Null)
    }
}

fn unfinished(id: &ArmId) -> Error {
    Error::Settings(id.to_string())
}
