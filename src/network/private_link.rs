//! Facts of private endpoints of container registries: members, zone, record and host names, and
//! how many addresses an endpoint takes.
//!
//! Source: Microsoft Learn, "Connect privately to an Azure container registry using Azure Private
//! Link", and `privateLinkResources` of Microsoft.ContainerRegistry 2025-11-01.

/// The group id (sub-resource) of every private endpoint of a registry.
pub const GROUP_ID: &str = "registry";

/// What stands before a public DNS name to make the zone of its private names.
pub const ZONE_PREFIX: &str = "privatelink.";

/// The DNS suffixes of registries: public cloud, US Government, China.
pub const REGISTRY_SUFFIXES: [&str; 3] = ["azurecr.io", "azurecr.us", "azurecr.cn"];

/// The time to live that zone groups give their records, in seconds.
pub const ZONE_GROUP_TTL: u32 = 10;

/// What an address of a registry's private endpoint leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The registry's own API, behind its login server.
    Registry,
    /// The layers of one region, behind that region's data endpoint.
    Data {
        /// The region, lower case without spaces.
        region: String,
    },
}

impl Member {
    /// The members of a registry in these regions, its home among them; sorted, each once.
    #[must_use]
    pub fn all<'a>(regions: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut members: Vec<_> = regions
            .into_iter()
            .map(|region| Self::Data {
                region: region.to_lowercase().replace(' ', ""),
            })
            .collect();
        members.push(Self::Registry);
        members.sort();
        members.dedup();
        members
    }

    /// The member of a `requiredMemberName`, such as `registry_data_westeurope`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if name == GROUP_ID {
            return Some(Self::Registry);
        }
        let region = name.strip_prefix("registry_data_")?;
        (!region.is_empty()).then(|| Self::Data {
            region: region.to_owned(),
        })
    }

    /// The member name that Azure uses.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Registry => GROUP_ID.to_owned(),
            Self::Data { region } => format!("registry_data_{region}"),
        }
    }

    /// The region that it serves; the registry's API is in all of them.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Registry => None,
            Self::Data { region } => Some(region),
        }
    }

    /// The name of its record set in the zone. The host is the first label of the login server,
    /// which is more than the registry's name where it has a domain name label.
    #[must_use]
    pub fn record_name(&self, login_server: &str) -> String {
        let host = host_and_suffix(login_server).0;
        match self {
            Self::Registry => host,
            Self::Data { region } => format!("{host}.{region}.data"),
        }
    }

    /// The name that clients ask for.
    #[must_use]
    pub fn fqdn(&self, login_server: &str) -> String {
        let suffix = host_and_suffix(login_server).1;
        format!("{}.{suffix}", self.record_name(login_server))
    }
}

/// The zone of the private names of registries under a suffix, such as `azurecr.io`.
#[must_use]
pub fn zone_name(suffix: &str) -> String {
    format!("{ZONE_PREFIX}{}", suffix.to_lowercase())
}

/// The zone of the private names of a registry.
#[must_use]
pub fn zone_of(login_server: &str) -> String {
    zone_name(&host_and_suffix(login_server).1)
}

/// How many addresses a private endpoint takes in its subnet for a registry with so many
/// replicas beside its home region: its API, its home's data and one for each replica.
#[must_use]
pub const fn addresses_needed(replicas: u32) -> u32 {
    2 + replicas
}

/// Checks that a zone holds the private names of registries under a suffix.
///
/// # Errors
/// When its name is another; there are well-known mistakes, and the error names them.
pub fn check_zone(zone: &str, suffix: &str) -> Result<(), String> {
    let wanted = zone_name(suffix);
    let zone = zone.to_lowercase();
    if zone == wanted {
        return Ok(());
    }
    let because = if zone == suffix {
        "it would hide the public names of all registries from the linked networks".to_owned()
    } else if zone
        .strip_suffix(&wanted)
        .is_some_and(|rest| rest.ends_with('.'))
    {
        format!(
            "data endpoints have no zone of their own: their records are \
             <registry>.<region>.data in {wanted}"
        )
    } else {
        format!("private names of registries under {suffix} are looked up in {wanted} alone")
    };
    Err(format!(
        "the zone {zone:?} cannot hold the records of a registry: {because}"
    ))
}

/// Checks that an image reference names its registry by the login server.
///
/// # Errors
/// When it names a host of the private zone: the registry's certificate covers `*.azurecr.io`
/// and not the names below `privatelink`. The error holds the reference to use.
pub fn check_image_reference(image: &str) -> Result<(), String> {
    let (host, rest) = image.split_at(image.find('/').unwrap_or(image.len()));
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    let Some((suffix, registry)) = REGISTRY_SUFFIXES.iter().find_map(|suffix| {
        let zone = format!(".{}", zone_name(suffix));
        let lower = name.to_lowercase();
        let registry = lower.strip_suffix(&zone)?;
        Some((suffix, registry.to_owned()))
    }) else {
        return Ok(());
    };
    // A data endpoint is no registry to name either: images are asked for at the login server.
    let registry = registry.split('.').next().unwrap_or_default();
    Err(format!(
        "{name:?} is a name of the private DNS zone, and the registry's certificate does not cover \
         it. Private networks resolve the ordinary name to the private address: use \
         \"{registry}.{suffix}{port}{rest}\""
    ))
}

/// The first label of a login server and what follows it, in lower case.
fn host_and_suffix(login_server: &str) -> (String, String) {
    let login_server = login_server.to_lowercase();
    match login_server.split_once('.') {
        Some((host, suffix)) => (host.to_owned(), suffix.to_owned()),
        None => (login_server, REGISTRY_SUFFIXES[0].to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn members_records_and_names_follow_from_the_login_server() {
        let members = Member::all(["West Europe", "northeurope", "westeurope"]);
        let told: Vec<_> = members
            .iter()
            .map(|member| {
                (
                    member.name(),
                    member.record_name("MyReg.azurecr.io"),
                    member.fqdn("MyReg.azurecr.io"),
                )
            })
            .collect();
        let expected = [
            ("registry", "myreg", "myreg.azurecr.io"),
            (
                "registry_data_northeurope",
                "myreg.northeurope.data",
                "myreg.northeurope.data.azurecr.io",
            ),
            (
                "registry_data_westeurope",
                "myreg.westeurope.data",
                "myreg.westeurope.data.azurecr.io",
            ),
        ]
        .map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(told, expected);
        for member in members {
            assert_eq!(Member::parse(&member.name()), Some(member));
        }
    }

    #[test]
    fn names_of_other_services_are_no_members() {
        for name in ["", "blob", "registry_data_", "registry_westeurope"] {
            assert_eq!(Member::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_domain_name_label_is_part_of_the_records() {
        let member = Member::Data {
            region: "eastus".to_owned(),
        };
        assert_eq!(
            member.fqdn("myreg-a1b2c3d4.azurecr.us"),
            "myreg-a1b2c3d4.eastus.data.azurecr.us"
        );
        assert_eq!(
            zone_of("myreg-a1b2c3d4.azurecr.us"),
            "privatelink.azurecr.us"
        );
    }

    #[test]
    fn an_endpoint_takes_one_address_more_for_each_replica() {
        assert_eq!(addresses_needed(0), 2);
        assert_eq!(
            addresses_needed(2),
            u32::try_from(Member::all(["a", "b", "c"]).len()).unwrap()
        );
    }

    #[test]
    fn zones_of_the_wrong_name_are_refused_with_the_reason() {
        assert_eq!(check_zone("privatelink.AzureCR.io", "azurecr.io"), Ok(()));
        for (zone, reason) in [
            ("azurecr.io", "would hide the public names"),
            ("westeurope.privatelink.azurecr.io", "no zone of their own"),
            (
                "westeurope.data.privatelink.azurecr.io",
                "no zone of their own",
            ),
            (
                "privatelink.azurecr.us",
                "looked up in privatelink.azurecr.io",
            ),
        ] {
            let error = check_zone(zone, "azurecr.io").unwrap_err();
            assert!(error.contains(reason), "{zone}: {error}");
        }
    }

    #[test]
    fn images_are_asked_for_at_the_login_server() {
        for image in [
            "myreg.azurecr.io/app:1",
            "docker.io/library/nginx",
            "nginx",
            "privatelink.azurecr.io/app",
            "myreg.westeurope.data.azurecr.io/x",
        ] {
            assert_eq!(check_image_reference(image), Ok(()), "{image}");
        }
        for (image, instead) in [
            (
                "myreg.privatelink.azurecr.io/app:1",
                "\"myreg.azurecr.io/app:1\"",
            ),
            (
                "MyReg.PrivateLink.azurecr.cn:443/a/b@sha256:00",
                "\"myreg.azurecr.cn:443/a/b@sha256:00\"",
            ),
            (
                "myreg.westeurope.data.privatelink.azurecr.io",
                "\"myreg.azurecr.io\"",
            ),
        ] {
            let error = check_image_reference(image).unwrap_err();
            assert!(error.ends_with(instead), "{error}");
        }
    }
}
