//! Who reaches the registry in public, and whether the nodes would.

use ipnet::IpNet;

use super::finding::{Check, Finding, Verdict};
use crate::arm::{ArmId, Json};
use crate::provider::egress::{self, Egress};
use crate::provider::parts::{Seen, Unread};
use crate::provider::resources::registry::{self, Exposure};

const CLOSE: &str = "exposure = \"private\" # in fkaks_registry, once the private way stands";

/// The finding, and whether the nodes get in when they ask in public.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn finding(
    cluster_id: &ArmId,
    cluster: &Json,
    registry_id: &ArmId,
    found: &Json,
    asked_in_public: bool,
    seen: &Seen,
) -> Result<(Finding, Verdict), Unread> {
    let check = Check::PublicAccess;
    let exposure = Exposure::of(found);
    let (finding, open) = match (exposure, asked_in_public) {
        (Exposure::Private, false) => (
            Finding::ok(check, "Nobody reaches the registry in public."),
            Verdict::Problem,
        ),
        (Exposure::Private, true) => (
            Finding::problem(
                check,
                "The nodes ask for the registry in public, where nobody is let in.",
                "Link the nodes' network to the private zone: fkaks_private_registry_link does it.",
            ),
            Verdict::Problem,
        ),
        (Exposure::Public, _) => (
            Finding::problem(check, "Everyone reaches the registry in public.", CLOSE),
            Verdict::Ok,
        ),
        (Exposure::Allowlist, false) => {
            let summary = "Only allowed addresses reach the registry in public.";
            let finding = Finding::ok(check, summary);
            (
                finding.evidence(registry::ip_rules(found)),
                Verdict::Unknown,
            )
        }
        (Exposure::Allowlist, true) => allowed(cluster_id, cluster, found, seen)?,
    };
    Ok((finding.evidence([registry_id]), open))
}

/// Whether the addresses from which the nodes come are on the registry's list.
fn allowed(
    cluster_id: &ArmId,
    cluster: &Json,
    found: &Json,
    seen: &Seen,
) -> Result<(Finding, Verdict), Unread> {
    let check = Check::PublicAccess;
    let rules: Vec<IpNet> = registry::ip_rules(found)
        .into_iter()
        .filter_map(|rule| {
            let single = || rule.parse::<std::net::IpAddr>().ok().map(IpNet::from);
            rule.parse().ok().or_else(single)
        })
        .collect();
    let addresses = match egress::of(cluster_id, cluster, seen)? {
        Egress::Known(addresses) => addresses,
        Egress::Closed => {
            let finding = Finding::problem(
                check,
                "The nodes ask for the registry in public, and the cluster has no way out.",
                "Give the cluster a private way to the registry: fkaks_private_registry_link.",
            );
            return Ok((finding, Verdict::Problem));
        }
        Egress::Routed => {
            let summary = "The nodes come by a firewall, whose address is not known here, and only allowed \
                           addresses are let in.";
            return Ok((Finding::unknown(check, summary), Verdict::Unknown));
        }
        Egress::Unfound(gaps) => {
            let summary =
                "Only allowed addresses are let in, and those of the nodes cannot be found out.";
            return Ok((
                Finding::unknown(check, summary).evidence(gaps),
                Verdict::Unknown,
            ));
        }
    };
    let missing: Vec<String> = addresses
        .iter()
        .filter(|address| !rules.iter().any(|rule| rule.contains(&address.range)))
        .map(|address| format!("{}, of {}", address.range, address.id))
        .collect();
    Ok(if missing.is_empty() {
        let all = addresses.iter().map(|address| address.range.to_string());
        let summary = "The nodes' addresses are allowed in public.";
        (Finding::ok(check, summary).evidence(all), Verdict::Ok)
    } else {
        let finding = Finding::problem(
            check,
            "The nodes ask for the registry in public, and their addresses are not allowed there.",
            "Link their network to the private zone, or allow the addresses with fkaks_registry_allowlist.",
        );
        (finding.evidence(missing), Verdict::Problem)
    })
}
