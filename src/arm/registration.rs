//! Resource providers that a subscription has never used must be registered once. azurerm 5 does
//! so only when asked, and so does this: `none` by default, and then the error has the command.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::azure_error::AzureError;
use super::request::{Kind, Request};
use super::retry::Tries;
use super::{ArmId, Call, Client, Error, Json};

/// Registering takes Azure some ten seconds to a minute.
const POLL: Duration = Duration::from_secs(2);

/// Whether to register, and the registrations that are under way.
#[derive(Debug)]
pub(super) struct Registrations {
    allowed: bool,
    under_way: Mutex<HashMap<ArmId, Arc<tokio::sync::Mutex<bool>>>>,
}

impl Registrations {
    /// Takes azurerm's words. Its sets differ in what they register in advance; here nothing is,
    /// so any set but `none` only allows to register what a request turns out to need.
    pub(super) fn new(setting: Option<&str>) -> Result<Self, Error> {
        let allowed = match setting.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "none") => false,
            Some("core" | "extended" | "all" | "legacy") => true,
            Some(_) => {
                return Err(Error::Settings(format!(
                    "resource_provider_registrations: {:?} is none of \"none\", \"core\", \"extended\", \"all\" and \"legacy\"",
                    setting.unwrap_or_default()
                )));
            }
        };
        Ok(Self {
            allowed,
            under_way: Mutex::default(),
        })
    }

    /// Registers the provider that a request lacked, once however many requests lack it.
    pub(super) async fn register(
        &self,
        client: &Client,
        call: &Call,
        request: &Request,
        error: &AzureError,
    ) -> Result<(), Error> {
        let subscription_id = request.subscription_id();
        let Some(namespace) = namespace(request, error) else {
            return Err(error.clone().into());
        };
        if !self.allowed {
            return Err(Error::NotRegistered {
                command: format!(
                    "az provider register --namespace {namespace} --subscription {subscription_id} --wait"
                ),
                namespace,
                subscription_id: subscription_id.to_owned(),
                answer: Box::new(error.clone()),
            });
        }
        let id = ArmId::subscription(subscription_id);
        let key = id.resource(&namespace, "");
        let entry = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default()
            .clone();
        let mut done = call.bound(entry.lock()).await?;
        if *done {
            return Ok(());
        }
        let version = client.api_version("Microsoft.Resources/providers")?;
        let path = format!("{id}/providers/{namespace}");
        tracing::info!(
            namespace,
            subscription_id,
            "registering the resource provider"
        );
        let order = Request::path(
            Kind::Post { repeatable: true },
            &format!("{path}/register"),
            version,
        );
        let mut state = client.send(call, &order, &mut Tries::default()).await?.body;
        while !is_registered(&state) {
            let waiting =
                format!("the registration of {namespace} in subscription {subscription_id}");
            call.sleep(POLL)
                .await
                .map_err(|ended| ended.while_waiting(&waiting, Some(&error.clone().into())))?;
            state = client.get_path(call, &path, version).await?;
        }
        *done = true;
        Ok(())
    }
}

fn is_registered(provider: &Json) -> bool {
    provider["registrationState"]
        .as_str()
        .is_some_and(|state| state.eq_ignore_ascii_case("Registered"))
}

/// The namespace that Azure says is missing; else that of the object.
fn namespace(request: &Request, error: &AzureError) -> Option<String> {
    let targets = error
        .details
        .iter()
        .map(|d| &d.target)
        .chain([&error.target])
        .flatten();
    let named = targets
        .into_iter()
        .find(|target| target.contains('.') && !target.contains('/'))
        .cloned();
    named.or_else(|| {
        request
            .id
            .as_ref()
            .and_then(ArmId::namespace)
            .map(str::to_owned)
    })
}
