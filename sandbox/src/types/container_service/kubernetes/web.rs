//! What programs of a run command reach over the network: the identity endpoint of the node, and the
//! data plane of key vaults.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::auth::{self, Subject};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::container_service::agent_pools;
use crate::types::key_vault::data_plane;

/// How long a token of the identity endpoint lives, in seconds.
const LIFETIME: u64 = 86_400;

/// The network as a pod of the cluster sees it.
pub struct Web<'a> {
    /// Everything that there is.
    pub world: &'a World,
    /// The cluster.
    pub cluster: &'a ResourceId,
}

impl Web<'_> {
    /// Status and body of a GET; `None` when nobody knows the host.
    #[must_use]
    pub fn get(&self, url: &str, headers: &[(String, String)]) -> Option<(u16, Value)> {
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let header = |name: &str| {
            let mut found = headers.iter().filter(|(given, _)| given == name);
            found.next().map(|(_, value)| value.as_str())
        };
        match (scheme, host) {
            ("http", "169.254.169.254") => Some(self.identity(path, &query, header("metadata"))),
            ("https", host) => {
                let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
                let ask = data_plane::Ask {
                    path,
                    query: &query,
                    token,
                    subnets: &self.subnets(),
                };
                data_plane::get(self.world, host, &ask)
            }
            _ => None,
        }
    }

    /// The subnets that pods of the cluster come from.
    fn subnets(&self) -> Vec<ResourceId> {
        let pools = self.world.list(self.cluster.as_str(), agent_pools::NAME);
        let subnet_of = |pool: &Resource| {
            let own = pool.text("/properties/podSubnetID");
            own.or(pool.text("/properties/vnetSubnetID"))
                .and_then(ResourceId::parse)
        };
        pools.filter_map(subnet_of).collect()
    }

    /// The identity endpoint of a node (Microsoft Learn, "How to use managed identities for Azure resources on
    /// an Azure VM to acquire an access token").
    fn identity(
        &self,
        path: &str,
        query: &BTreeMap<String, String>,
        metadata: Option<&str>,
    ) -> (u16, Value) {
        let bad = |what: &str| {
            let body = json!({ "error": "invalid_request", "error_description": what });
            (400, body)
        };
        if path != "metadata/identity/oauth2/token" {
            return (404, json!({ "error": "Not found" }));
        }
        if metadata.is_none_or(|value| !value.eq_ignore_ascii_case("true")) {
            return bad("Required metadata header not specified");
        }
        if query
            .get("api-version")
            .is_none_or(|version| version.as_str() < "2018-02-01")
        {
            return bad("Required query variable 'api-version' is missing");
        }
        let Some(resource) = query.get("resource") else {
            return bad("Required query variable 'resource' is missing");
        };
        let identities = self.identities();
        let wanted = query.get("client_id");
        let found = identities
            .iter()
            .find(|client| wanted.is_none_or(|wanted| client.eq_ignore_ascii_case(wanted)));
        if wanted.is_none() && identities.len() > 1 {
            return bad(
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
            );
        }
        let Some(client) = found else {
            return bad("Identity not found");
        };
        let subject = Subject {
            tenant: &self.world.tenant,
            client,
            audience: resource,
        };
        let token = auth::issue(self.world, &subject, LIFETIME);
        let now = self.world.now / 1000;
        let body = json!({
            "access_token": token, "client_id": client, "token_type": "Bearer", "resource": resource,
            "expires_in": LIFETIME.to_string(), "ext_expires_in": LIFETIME.to_string(),
            "expires_on": (now + LIFETIME).to_string(), "not_before": now.to_string(),
        });
        (200, body)
    }

    /// Client ids of the identities that the nodes have: the kubelets' and the add-ons'.
    fn identities(&self) -> Vec<String> {
        let cluster = self.world.get(self.cluster.as_str());
        let of = |pointer: &str| {
            cluster
                .and_then(|cluster: &Resource| cluster.at(pointer))
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let kubelets = of("/properties/identityProfile").into_iter();
        let addons = of("/properties/addonProfiles").into_iter();
        kubelets
            .map(|(_, identity)| identity)
            .chain(addons.map(|(_, addon)| addon["identity"].clone()))
            .filter_map(|identity| identity["clientId"].as_str().map(ToOwned::to_owned))
            .collect()
    }
}
