//! Which addresses shall be allowed, for whom, and how that stands: the one reckoning behind what
//! is written, what is shown and what is drift.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::schema::parse_duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ADDED, Entry, IMPORT, Input, Window};
use crate::arm::{ArmId, Json};
use crate::provider::egress::{self, Egress};
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::registry::body::{ip_rules, stripped};

/// Where addresses come from: an id, `ip_ranges`, or `temporary.` and a key.
pub type Source = String;

/// How all addresses stand.
#[derive(Debug)]
pub struct Reckoning {
    /// The rules of the registry.
    rules: BTreeSet<String>,
    /// What shall be allowed, and for whom.
    wanted: BTreeMap<String, BTreeSet<Source>>,
    /// What was known of each address before, or has been added by this apply.
    before: BTreeMap<String, Entry>,
    /// Whether an apply is under way, which decides what of an import is this resource's.
    applying: bool,
    /// The time limits by key.
    limits: BTreeMap<String, Limit>,
    /// Sources whose addresses cannot be found out now, and why. What they had stays.
    silent: BTreeMap<Source, String>,
}

impl Entry {
    /// Whether an import found it, and no apply has named it since.
    pub fn is_found(&self) -> bool {
        self.sources.contains(IMPORT)
    }
}

/// How long something may be allowed.
#[derive(Debug, Clone)]
struct Limit {
    since: OffsetDateTime,
    until: OffsetDateTime,
    over: bool,
}

impl Reckoning {
    /// Reckons with the facts of now.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    pub fn of(input: &Input, seen: &Seen) -> Result<Self, Unread> {
        let registry = seen.look(&input.registry_id);
        let sources = sources(input, seen);
        let rules = registry?.found().map(rules_of).unwrap_or_default();
        let before = entries_before(input, seen);
        let limits = limits(input, seen);
        let mut reckoning = Self {
            rules,
            wanted: BTreeMap::new(),
            applying: seen.prior().is_some(),
            silent: BTreeMap::new(),
            before,
            limits,
        };
        for (source, addresses) in sources? {
            reckoning.add(&source, addresses);
        }
        Ok(reckoning)
    }

    fn add(&mut self, source: &str, addresses: Result<BTreeSet<String>, String>) {
        if self.is_over(source) {
            return;
        }
        let addresses = addresses.unwrap_or_else(|why| {
            self.silent.insert(source.to_owned(), why);
            let had = self
                .before
                .iter()
                .filter(|(_, entry)| entry.sources.contains(source));
            had.map(|(address, _)| address.clone()).collect()
        });
        for address in addresses {
            self.wanted
                .entry(address)
                .or_default()
                .insert(source.to_owned());
        }
    }

    /// What shall be allowed and is not.
    pub fn missing(&self) -> BTreeSet<String> {
        let wanted = self.wanted.keys();
        wanted
            .filter(|address| !self.rules.contains(*address))
            .cloned()
            .collect()
    }

    /// What this resource has added and nobody needs any more.
    pub fn obsolete(&self) -> BTreeSet<String> {
        let owned = self
            .before
            .iter()
            .filter(|(_, entry)| entry.owned && !entry.is_found());
        owned
            .map(|(address, _)| address)
            .filter(|address| self.rules.contains(*address) && !self.wanted.contains_key(*address))
            .cloned()
            .collect()
    }

    /// Every address that is allowed for this resource, and what it has added.
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for address in &self.rules {
            let before = self.before.get(address);
            let owned = before.is_some_and(|entry| entry.owned);
            let sources = self.wanted.get(address).cloned();
            let found = before.is_some_and(Entry::is_found);
            if sources.is_none() && (!owned || found && self.applying) {
                continue;
            }
            let mut sources = sources.unwrap_or_default();
            if found && !self.applying {
                sources.insert(IMPORT.to_owned());
            }
            entries.insert(address.clone(), Entry { sources, owned });
        }
        entries
    }

    /// For how long what is allowed for a while is allowed.
    pub fn expiry(&self) -> BTreeMap<String, Window> {
        let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        let windows = self.limits.iter().map(|(key, limit)| {
            let window = Window {
                since: text(limit.since),
                expires_at: text(limit.until),
                expired: limit.over,
            };
            (key.clone(), window)
        });
        windows.collect()
    }

    fn is_over(&self, source: &str) -> bool {
        let limit = source
            .strip_prefix(TEMPORARY)
            .and_then(|key| self.limits.get(key));
        limit.is_some_and(|limit| limit.over)
    }

    /// How many rules there are.
    pub fn standing(&self) -> usize {
        self.rules.len()
    }

    /// How many rules there would be with these beside those that stay.
    pub fn total_with(&self, added: &BTreeSet<String>) -> usize {
        let obsolete = self.obsolete();
        let stay = self.rules.iter().filter(|rule| !obsolete.contains(*rule));
        stay.chain(added).collect::<BTreeSet<_>>().len()
    }

    /// What is not as it shall be, a line for each address.
    pub fn reasons(&self) -> Vec<String> {
        let missing = self.missing().into_iter().map(|address| {
            let sources = self.wanted[&address].iter().map(String::as_str);
            format!(
                "{address} of {} is not allowed",
                sources.collect::<Vec<_>>().join(", ")
            )
        });
        let obsolete = self.obsolete().into_iter().map(|address| {
            let mut sources = self.before[&address].sources.iter();
            let expired = sources.find(|source| self.is_over(source));
            match expired {
                Some(source) => {
                    format!("{address} of {source} is still allowed, and its time is over")
                }
                None => format!("{address} is still allowed, and no source has it any more"),
            }
        });
        missing.chain(obsolete).collect()
    }

    /// The sources that tell nothing now, and why.
    pub fn silent(&self) -> &BTreeMap<Source, String> {
        &self.silent
    }
}

/// The rules of a registry, as Azure writes them.
pub fn rules_of(registry: &Json) -> BTreeSet<String> {
    ip_rules(registry)
        .into_iter()
        .map(|rule| stripped(rule).to_owned())
        .collect()
}

/// The addresses of each source; or why they cannot be found out.
#[expect(
    clippy::type_complexity,
    reason = "one use, and its parts are said in the sentence above"
)]
fn sources(
    input: &Input,
    seen: &Seen,
) -> Result<Vec<(Source, Result<BTreeSet<String>, String>)>, Unread> {
    type Find = fn(&ArmId, &Seen) -> Result<Egress, Unread>;
    let kinds: [(&Option<BTreeSet<ArmId>>, Find); 3] = [
        (&input.cluster_ids, of_cluster),
        (&input.nat_gateway_ids, |id, seen| {
            egress::of_nat_gateways(&[id.clone()].into(), seen)
        }),
        (&input.public_ip_ids, |id, seen| {
            egress::of_public_addresses(&[id.clone()].into(), seen)
        }),
    ];
    let found: Vec<_> = kinds
        .into_iter()
        .flat_map(|(ids, find)| {
            ids.iter()
                .flatten()
                .map(move |id| (id.to_string(), find(id, seen)))
        })
        .collect();
    let mut sources = Vec::new();
    for (source, egress) in found {
        sources.push((source, addresses(egress?)));
    }
    let plain = |ranges: &BTreeSet<String>| -> BTreeSet<String> {
        ranges
            .iter()
            .map(|range| stripped(range).to_owned())
            .collect()
    };
    if let Some(ranges) = &input.ip_ranges {
        sources.push(("ip_ranges".to_owned(), Ok(plain(ranges))));
    }
    for (key, temporary) in input.temporary.iter().flatten() {
        sources.push((temporary_source(key), Ok(plain(&temporary.ip_ranges))));
    }
    Ok(sources)
}

/// From where a cluster comes. One that is gone or cannot be read tells nothing.
fn of_cluster(id: &ArmId, seen: &Seen) -> Result<Egress, Unread> {
    match seen.look(id)? {
        Look::Found(cluster) => egress::of(id, cluster, seen),
        Look::Absent => Ok(Egress::unfound(id, egress::Why::Absent)),
        Look::Denied(error) => Ok(Egress::unfound(id, egress::Why::Denied(error))),
    }
}

/// The addresses that a registry can allow: IPv4 alone (Azure Container Registry, IP network rules).
fn addresses(egress: Egress) -> Result<BTreeSet<String>, String> {
    match egress {
        Egress::Known(addresses) => {
            let v4 = addresses
                .iter()
                .filter(|address| address.range.addr().is_ipv4());
            let v4: BTreeSet<String> = v4.map(egress::Address::text).collect();
            if v4.is_empty() {
                return Err("it has no IPv4 address".to_owned());
            }
            Ok(v4)
        }
        Egress::Routed => Err("its traffic goes where a route table leads".to_owned()),
        Egress::Closed => Err("it has no way out".to_owned()),
        Egress::Unfound(gaps) => {
            let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
            Err(gaps.join("; "))
        }
    }
}

/// What the state says of each address, and what this apply has added since.
fn entries_before(input: &Input, seen: &Seen) -> BTreeMap<String, Entry> {
    let prior = || {
        seen.prior()
            .and_then(|prior| serde_json::from_value(prior["entries"].clone()).ok())
    };
    let mut before: BTreeMap<String, Entry> =
        input.entries.clone().or_else(prior).unwrap_or_default();
    for note in seen.noted(ADDED) {
        for address in note
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
        {
            let entry = before.entry(address.to_owned()).or_default();
            entry.owned = true;
        }
    }
    before
}

/// When what is allowed for a while began, and when it ends. The times are whole seconds, so that
/// they are the same when they are read from the state again.
fn limits(input: &Input, seen: &Seen) -> BTreeMap<String, Limit> {
    let prior = || {
        seen.prior()
            .and_then(|prior| serde_json::from_value(prior["expiry"].clone()).ok())
    };
    let known: BTreeMap<String, Window> = input.expiry.clone().or_else(prior).unwrap_or_default();
    let now = seen.now().replace_nanosecond(0).unwrap_or(seen.now());
    let temporary = input.temporary.iter().flatten();
    temporary
        .filter_map(|(key, temporary)| {
            let span = parse_duration(&temporary.expires_after).ok()?;
            let since = known
                .get(key)
                .and_then(|window| OffsetDateTime::parse(&window.since, &Rfc3339).ok())
                .unwrap_or(now);
            let until = since + span;
            let over = until <= seen.now();
            Some((key.clone(), Limit { since, until, over }))
        })
        .collect()
}

/// What the names of sources that are allowed for a while begin with.
const TEMPORARY: &str = "temporary.";

/// The name of a source that is allowed for a while.
fn temporary_source(key: &str) -> Source {
    format!("{TEMPORARY}{key}")
}
