//! What a registry tells of logins and of what is done to repositories: sent to where its diagnostic
//! settings say at that moment. (Columns: Azure Monitor reference, "ContainerRegistryLoginEvents" and
//! "ContainerRegistryRepositoryEvents"; operations: Microsoft Learn, "Monitor Azure Container Registry".)

use serde_json::{Value, json};

use super::who::Who;
use super::{Visit, host_of};
use crate::store::World;
use crate::types::operational_insights::tables;

/// What is done to an image.
pub struct Deed<'a> {
    /// `Pull`, `Push`, `Delete` or `Untag`.
    pub operation: &'a str,
    /// The repository.
    pub repository: &'a str,
    /// The tag by which the image was named.
    pub tag: Option<&'a str>,
    /// The digest of the manifest.
    pub digest: &'a str,
    /// The media type of the manifest.
    pub kind: &'a str,
    /// The length of the manifest.
    pub size: usize,
}

/// Someone logged in.
pub fn login(world: &mut World, visit: &Visit<'_>, who: &Who) {
    let columns = common(world, visit, "Login", who);
    send(world, visit, "ContainerRegistryLoginEvents", &columns);
}

/// Someone did something to a repository.
pub fn repository(world: &mut World, visit: &Visit<'_>, who: &Who, deed: &Deed<'_>) {
    let mut columns = common(world, visit, deed.operation, who);
    columns["ArtifactType"] = json!("Tag");
    columns["Repository"] = json!(deed.repository);
    columns["Digest"] = json!(deed.digest);
    columns["MediaType"] = json!(deed.kind);
    columns["Size"] = json!(deed.size);
    if let Some(tag) = deed.tag {
        columns["Tag"] = json!(tag);
    }
    send(world, visit, "ContainerRegistryRepositoryEvents", &columns);
}

fn common(world: &mut World, visit: &Visit<'_>, operation: &str, who: &Who) -> Value {
    json!({
        "OperationName": operation,
        "CallerIpAddress": visit.address,
        "Identity": who.identity(&visit.registry),
        "LoginServer": host_of(&visit.registry),
        "Region": visit.registry.text("/location"),
        "UserAgent": visit.request.header("user-agent"),
        "UserTenantId": world.tenant,
        "CorrelationId": world.guid(),
        "DurationMs": 0,
    })
}

fn send(world: &mut World, visit: &Visit<'_>, category: &str, columns: &Value) {
    let time = world.now;
    tables::send(world, visit.registry.id.as_str(), category, columns, time);
}
