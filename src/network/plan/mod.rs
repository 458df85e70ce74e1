//! Plans the addresses of a network before Azure is asked: `placing` gives each subnet its block,
//! `checks` and `overlaps` find all that is wrong, and `problem` has the words for it.
//!
//! First fit, and stable: what stands stays where it is when others come and go. What is not
//! known yet is no problem; it only leaves undecided what depends on it.

mod checks;
mod overlaps;
mod placing;
mod problem;

pub use problem::{Finding, Owner, Place, Problem};

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::cidr::{self, UNUSABLE};
use super::purpose::{Attachment, Purpose};

/// What is wanted of a network's addresses. `None` stands for what is not known yet.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The prefixes of the network.
    pub address_space: Option<Vec<String>>,
    /// What no subnet may use.
    pub reserved: Option<Vec<String>>,
    /// The subnets, by key.
    pub subnets: BTreeMap<String, Subnet>,
    /// The prefixes of subnets of the network that are not ours, by name.
    pub others: BTreeMap<String, Vec<IpNet>>,
}

/// What is wanted of one subnet.
#[derive(Debug, Clone)]
pub struct Subnet {
    /// Its name in Azure.
    pub name: Option<String>,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// Which addresses it gets.
    pub size: Size,
    /// The prefixes that it has, if it stands.
    pub previous: Vec<IpNet>,
    /// What the user attaches to it; defaults of the purpose are not named.
    pub attachments: BTreeSet<Attachment>,
}

/// Which addresses a subnet gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Size {
    /// These prefixes.
    Prefixes(Vec<String>),
    /// Any free IPv4 block of that prefix length.
    Length(u8),
    /// That is not known yet.
    Unknown,
    /// The user said nothing.
    Missing,
    /// The user gave prefixes and a length.
    Both,
}

/// Where the subnets go, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The prefixes of each subnet; `None` where they cannot be said.
    pub prefixes: BTreeMap<String, Option<Vec<IpNet>>>,
    /// All that is wrong, in the order of the arguments and keys.
    pub problems: Vec<Problem>,
}

/// The name that a subnet has in Azure: the given one, else the one that Azure demands for its
/// purpose, else its key.
#[must_use]
pub fn subnet_name<'a>(key: &'a str, name: Option<&'a str>, purpose: Purpose) -> &'a str {
    name.or(purpose.rules().subnet_name).unwrap_or(key)
}

/// Places the subnets and finds what is wrong.
#[must_use]
pub fn plan(wanted: &Wanted) -> Layout {
    let mut planner = Planner::new(wanted);
    planner.read();
    planner.place();
    planner.check();
    planner.problems.sort_by(|a, b| a.place.cmp(&b.place));
    Layout {
        prefixes: planner.layout,
        problems: planner.problems,
    }
}

/// A range of addresses that someone has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    owner: Owner,
    prefix: IpNet,
}

/// The work in progress.
struct Planner<'a> {
    wanted: &'a Wanted,
    /// The IPv4 and IPv6 prefixes of the network, sorted.
    space: Option<Vec<IpNet>>,
    claims: Vec<Claim>,
    /// What earlier suggestions gave away.
    suggested: Vec<IpNet>,
    layout: BTreeMap<String, Option<Vec<IpNet>>>,
    problems: Vec<Problem>,
}

impl<'a> Planner<'a> {
    fn new(wanted: &'a Wanted) -> Self {
        Self {
            wanted,
            space: None,
            claims: Vec::new(),
            suggested: Vec::new(),
            layout: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    fn find(&mut self, place: Place, finding: Finding) {
        self.problems.push(Problem { place, finding });
    }

    /// Reads all prefixes that the user wrote, and those of others.
    fn read(&mut self) {
        let wanted = self.wanted;
        self.space = wanted.address_space.as_ref().map(|texts| {
            let mut space = self.read_list(&Place::AddressSpace, texts);
            space.sort();
            space
        });
        let reserved = wanted.reserved.as_deref().unwrap_or_default();
        for prefix in self.read_list(&Place::ReservedPrefixes, reserved) {
            self.claim(Owner::Reserved, prefix);
        }
        let ours: BTreeSet<_> = wanted
            .subnets
            .values()
            .filter_map(|subnet| subnet.name.as_ref())
            .map(|name| name.to_lowercase())
            .collect();
        for (name, prefixes) in &wanted.others {
            if !ours.contains(&name.to_lowercase()) {
                for prefix in prefixes {
                    self.claim(Owner::Other(name.clone()), *prefix);
                }
            }
        }
        for (key, subnet) in &wanted.subnets {
            let prefixes = match &subnet.size {
                Size::Prefixes(texts) => {
                    let place = Place::subnet(key, "address_prefixes");
                    let read = self.read_list(&place, texts);
                    for prefix in &read {
                        self.claim(Owner::Subnet(key.clone()), *prefix);
                    }
                    (read.len() == texts.len()).then_some(read)
                }
                _ => None,
            };
            self.layout.insert(key.clone(), prefixes);
        }
    }

    fn read_list(&mut self, place: &Place, texts: &[String]) -> Vec<IpNet> {
        let mut read = Vec::new();
        for text in texts {
            match cidr::parse(text) {
                Ok(prefix) => read.push(prefix),
                Err(error) => {
                    let instead = error.meant().map(|meant| replaced(texts, text, meant));
                    self.find(place.clone(), Finding::NotAPrefix { error, instead });
                }
            }
        }
        read
    }

    fn claim(&mut self, owner: Owner, prefix: IpNet) {
        self.claims.push(Claim { owner, prefix });
    }

    fn taken(&self, without: Option<&Claim>) -> Vec<IpNet> {
        let unusable = UNUSABLE.iter().map(|unusable| IpNet::V4(unusable.range));
        self.claims
            .iter()
            .filter(|claim| Some(*claim) != without)
            .map(|claim| claim.prefix)
            .chain(self.suggested.iter().copied())
            .chain(unusable)
            .collect()
    }
}

/// The list with one of its texts replaced.
pub(super) fn replaced(texts: &[String], bad: &str, good: IpNet) -> Vec<String> {
    texts
        .iter()
        .map(|text| {
            if text == bad {
                good.to_string()
            } else {
                text.clone()
            }
        })
        .collect()
}

#[cfg(test)]
mod fixture {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    /// A subnet with these prefixes, under the name that its purpose demands.
    pub(super) fn subnet(purpose: Purpose, prefixes: &[&str]) -> Subnet {
        Subnet {
            name: purpose.rules().subnet_name.map(str::to_owned),
            purpose: Some(purpose),
            size: Size::Prefixes(prefixes.iter().map(|text| (*text).to_owned()).collect()),
            previous: Vec::new(),
            attachments: BTreeSet::new(),
        }
    }

    /// The summaries and details of all problems of a network in which someone else has a subnet.
    pub(super) fn told(
        space: &[&str],
        reserved: &[&str],
        subnets: Vec<(&str, Subnet)>,
    ) -> Vec<(String, String)> {
        let texts = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
        let layout = plan(&Wanted {
            address_space: texts(space),
            reserved: texts(reserved),
            subnets: subnets
                .into_iter()
                .map(|(key, subnet)| (key.to_owned(), subnet))
                .collect(),
            others: BTreeMap::from([(
                "theirs".to_owned(),
                vec![cidr::parse("10.10.255.0/24").unwrap()],
            )]),
        });
        layout
            .problems
            .iter()
            .map(|problem| (problem.summary(), problem.detail()))
            .collect()
    }

    /// The one problem that there is.
    pub(super) fn one(
        space: &[&str],
        reserved: &[&str],
        subnets: Vec<(&str, Subnet)>,
    ) -> (String, String) {
        let mut told = told(space, reserved, subnets);
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }
}
