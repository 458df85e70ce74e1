//! The naming rules of the resource types in scope, as functions for the checks of a schema.
//!
//! Sources: Microsoft Learn, "Naming rules and restrictions for Azure resources" and "Resolve
//! reserved resource name errors"; for Microsoft.Network, the service's own `InvalidResourceName`
//! message. Where these differ the wider one stands: Azure has the last word, and a name that it
//! takes is never refused here.

/// The rule of [`resource_group`], for documentation.
pub const RESOURCE_GROUP: &str = "1 to 90 letters, digits, underscores, hyphens, periods and \
                                  parentheses; the last is no period";

/// The rule of [`virtual_network`], for documentation.
pub const VIRTUAL_NETWORK: &str = "2 to 64 letters, digits, underscores, periods and hyphens; \
                                   the first is a letter or digit, the last is one or an underscore";

/// The rule of the names of most network resources, for documentation.
pub const NETWORK_RESOURCE: &str = "1 to 80 letters, digits, underscores, periods and hyphens; \
                                    the first is a letter or digit, the last is one or an underscore";

/// The rule of [`registry`], for documentation.
pub const REGISTRY: &str = "5 to 50 letters and digits, without reserved words such as `microsoft`";

/// The rule of [`key_vault`], for documentation.
pub const KEY_VAULT: &str = "3 to 24 letters, digits and hyphens; the first is a letter, the last a letter \
                             or digit, and no two hyphens follow each other";

/// The rule of [`cluster`], for documentation.
pub const CLUSTER: &str = "1 to 63 letters, digits, underscores and hyphens; the first and the last \
                           are a letter or digit";

/// The rule of [`node_pool`], for documentation.
pub const NODE_POOL: &str = "1 to 12 lower-case letters and digits; the first is a letter";

/// The rule of [`private_dns_zone`], for documentation.
pub const PRIVATE_DNS_ZONE: &str = "2 to 34 labels, joined by periods, each of 1 to 63 letters, \
                                    digits, underscores and hyphens";

/// Words that no name with a public endpoint may be.
const RESERVED: [&str; 37] = [
    "access",
    "app_browsers",
    "app_code",
    "app_data",
    "app_globalresources",
    "app_localresources",
    "app_themes",
    "app_webreferences",
    "azure",
    "bing",
    "bizspark",
    "biztalk",
    "cortana",
    "directx",
    "dotnet",
    "dynamics",
    "excel",
    "exchange",
    "forefront",
    "groove",
    "hololens",
    "hyperv",
    "kinect",
    "lync",
    "msdn",
    "o365",
    "office",
    "office365",
    "onedrive",
    "onenote",
    "outlook",
    "powerpoint",
    "sharepoint",
    "skype",
    "visio",
    "visualstudio",
    "xbox",
];

/// Words that no such name may contain.
const RESERVED_WITHIN: [&str; 2] = ["microsoft", "windows"];

/// What no such name may begin with.
const RESERVED_START: &str = "login";

/// Checks the name of a resource group.
///
/// # Errors
/// What is wrong with it.
pub fn resource_group(name: &str) -> Result<(), String> {
    length(name, 1, 90)?;
    characters(name, "letters, digits and any of _-.()", |c| {
        c.is_alphanumeric() || "_-.()".contains(c)
    })?;
    if name.ends_with('.') {
        return Err(format!("{name:?} ends with a period"));
    }
    Ok(())
}

/// Checks the name of a virtual network.
///
/// # Errors
/// What is wrong with it.
pub fn virtual_network(name: &str) -> Result<(), String> {
    network(name, 2, 64)
}

/// Checks the name of a subnet. Names that Azure demands for a use, such as `GatewaySubnet`, are
/// in [`super::purpose`].
///
/// # Errors
/// What is wrong with it.
pub fn subnet(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a network's peering.
///
/// # Errors
/// What is wrong with it.
pub fn peering(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a private endpoint.
///
/// # Errors
/// What is wrong with it.
pub fn private_endpoint(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a private endpoint's network interface.
///
/// # Errors
/// What is wrong with it.
pub fn network_interface(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a private endpoint's DNS zone group.
///
/// # Errors
/// What is wrong with it.
pub fn private_dns_zone_group(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a private DNS zone's link to a network.
///
/// # Errors
/// What is wrong with it.
pub fn virtual_network_link(name: &str) -> Result<(), String> {
    network(name, 1, 80)
}

/// Checks the name of a private DNS zone.
///
/// # Errors
/// What is wrong with it.
pub fn private_dns_zone(name: &str) -> Result<(), String> {
    let labels: Vec<_> = name.split('.').collect();
    if !(2..=34).contains(&labels.len()) {
        return Err(format!(
            "{name:?} has {} labels, and a zone has 2 to 34, joined by periods",
            labels.len()
        ));
    }
    for label in labels {
        length(label, 1, 63).map_err(|error| format!("in {name:?} the label {error}"))?;
    }
    characters(
        name,
        "letters, digits, underscores, hyphens and periods",
        |c| c.is_ascii_alphanumeric() || "_-.".contains(c),
    )
}

/// Checks the name of a container registry. It becomes a public host name.
///
/// # Errors
/// What is wrong with it.
pub fn registry(name: &str) -> Result<(), String> {
    characters(name, "letters and digits", |c| c.is_ascii_alphanumeric())?;
    length(name, 5, 50)?;
    reserved(name)
}

/// Checks the name of a key vault. It becomes a public host name.
///
/// # Errors
/// What is wrong with it.
pub fn key_vault(name: &str) -> Result<(), String> {
    characters(name, "letters, digits and hyphens", |c| {
        c.is_ascii_alphanumeric() || c == '-'
    })?;
    length(name, 3, 24)?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(format!("{name:?} does not begin with a letter"));
    }
    if name.ends_with('-') {
        return Err(format!("{name:?} does not end with a letter or digit"));
    }
    if name.contains("--") {
        return Err(format!("{name:?} has two hyphens that follow each other"));
    }
    Ok(())
}

/// Checks the name of an AKS cluster.
///
/// # Errors
/// What is wrong with it.
pub fn cluster(name: &str) -> Result<(), String> {
    length(name, 1, 63)?;
    characters(name, "letters, digits, underscores and hyphens", |c| {
        c.is_ascii_alphanumeric() || "_-".contains(c)
    })?;
    let ends = |c: char| c.is_ascii_alphanumeric();
    if name.starts_with(ends) && name.ends_with(ends) {
        Ok(())
    } else {
        Err(format!(
            "{name:?} does not begin and end with a letter or digit"
        ))
    }
}

/// Checks the name of a Linux node pool of an AKS cluster.
///
/// # Errors
/// What is wrong with it.
pub fn node_pool(name: &str) -> Result<(), String> {
    length(name, 1, 12)?;
    characters(name, "lower-case letters and digits", |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit()
    })?;
    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err(format!("{name:?} does not begin with a lower-case letter"))
    }
}

/// The name is to be part of a public host name, where some words are reserved.
fn reserved(name: &str) -> Result<(), String> {
    let lower = name.to_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return Err(format!("{name:?} is a word that Azure reserves"));
    }
    if let Some(word) = RESERVED_WITHIN.iter().find(|word| lower.contains(*word)) {
        return Err(format!(
            "{name:?} contains {word:?}, which Azure reserves in names with a public endpoint"
        ));
    }
    if lower.starts_with(RESERVED_START) {
        return Err(format!(
            "{name:?} begins with {RESERVED_START:?}, which Azure reserves at the start of names \
             with a public endpoint"
        ));
    }
    Ok(())
}

/// The common rule of Microsoft.Network.
fn network(name: &str, least: usize, most: usize) -> Result<(), String> {
    length(name, least, most)?;
    characters(
        name,
        "letters, digits, underscores, periods and hyphens",
        |c| c.is_ascii_alphanumeric() || "_.-".contains(c),
    )?;
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(format!("{name:?} does not begin with a letter or digit"));
    }
    if !name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!(
            "{name:?} does not end with a letter, digit or underscore"
        ));
    }
    Ok(())
}

fn length(name: &str, least: usize, most: usize) -> Result<(), String> {
    let count = name.chars().count();
    if (least..=most).contains(&count) {
        Ok(())
    } else {
        Err(format!(
            "{name:?} is {count} long, and {least} to {most} characters are possible"
        ))
    }
}

fn characters(name: &str, allowed: &str, is_allowed: fn(char) -> bool) -> Result<(), String> {
    match name.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => Err(format!(
            "{name:?} has {c:?} in it, and only {allowed} are possible"
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    type Rule = fn(&str) -> Result<(), String>;

    #[test]
    fn names_that_azure_takes_are_taken() {
        let cases: [(Rule, &[&str]); 6] = [
            (
                resource_group,
                &["rg", "fk_(prod).rg-1", "Überwachung", "-rg-"],
            ),
            (virtual_network, &["fk-vnet", "a_", "10.net"]),
            (
                subnet,
                &["a", "GatewaySubnet", "fk-subnet-private-endpoints"],
            ),
            (
                private_dns_zone,
                &["privatelink.azurecr.io", "corp.internal", "_tcp.x"],
            ),
            (key_vault, &["kv-images", "Kv1", "a-b-c"]),
            (
                registry,
                &["fkacrprivate", "azureregistry", "mylogin", "Acr01"],
            ),
        ];
        for (rule, names) in cases {
            for name in names {
                assert_eq!(rule(name), Ok(()), "{name}");
            }
        }
    }

    #[test]
    fn names_that_azure_refuses_are_refused_with_the_reason() {
        let long = "a".repeat(81);
        let cases: [(Rule, &str, &str); 20] = [
            (resource_group, "", "0 long"),
            (resource_group, "rg.", "ends with a period"),
            (resource_group, "rg/1", "'/'"),
            (virtual_network, "v", "1 long"),
            (virtual_network, "-vnet", "does not begin"),
            (subnet, "pe-", "does not end"),
            (subnet, "my subnet", "' '"),
            (private_endpoint, &long, "81 long"),
            (private_dns_zone, "azurecr", "1 labels"),
            (private_dns_zone, "privatelink..io", "0 long"),
            (key_vault, "kv", "2 long"),
            (key_vault, "kv_images", "'_'"),
            (key_vault, "1-images", "does not begin with a letter"),
            (key_vault, "kv-", "does not end"),
            (key_vault, "kv--images", "two hyphens"),
            (registry, "my-registry", "'-'"),
            (registry, "acr", "3 long"),
            (registry, "azure", "reserves"),
            (registry, "mywindowsimages", "\"windows\""),
            (registry, "LoginServer", "begins with \"login\""),
        ];
        for (rule, name, reason) in cases {
            let error = rule(name).unwrap_err();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }
}
