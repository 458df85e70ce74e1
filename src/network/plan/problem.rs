//! What can be wrong with the addresses of a network, each thing with its argument and its words:
//! what cannot be, the evidence, and the HCL that mends it.

use ipnet::IpNet;

use super::super::cidr::{CidrError, SMALLEST_SUBNET, Unusable, usable_addresses};
use super::super::purpose::{Purpose, Refusal};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The argument that it is about.
    pub place: Place,
    /// What it is.
    pub finding: Finding,
}

/// An argument of a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `address_space`
    AddressSpace,
    /// `reserved_prefixes`
    ReservedPrefixes,
    /// An argument of a subnet.
    Subnet {
        /// The subnet's key.
        key: String,
        /// The argument's name.
        argument: &'static str,
    },
}

/// Who has a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The network itself.
    AddressSpace,
    /// Nobody: it is to stay free.
    Reserved,
    /// The subnet of that key.
    Subnet(String),
    /// A subnet of that name which this resource does not manage.
    Other(String),
}

/// What is wrong. `instead` is the whole value that would mend the argument, where one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A text is no address prefix.
    NotAPrefix {
        /// Why not.
        error: CidrError,
        /// The list with the prefix that was meant.
        instead: Option<Vec<String>>,
    },
    /// The network has no addresses.
    NoAddressSpace,
    /// A prefix of the network is too small for any subnet.
    SpaceTooSmall {
        /// The prefix.
        prefix: IpNet,
    },
    /// Azure, or AKS, keeps that range.
    Unusable {
        /// The prefix.
        prefix: IpNet,
        /// The range that it touches.
        unusable: Unusable,
        /// The list with a free block.
        instead: Option<Vec<String>>,
    },
    /// Two ranges share addresses.
    Overlap {
        /// The one at fault.
        prefix: IpNet,
        /// Who has the other.
        with: Owner,
        /// The other.
        other: IpNet,
        /// The list with a free block.
        instead: Option<Vec<String>>,
    },
    /// A subnet lies outside its network.
    Outside {
        /// The subnet's prefix.
        prefix: IpNet,
        /// The network's.
        space: Vec<IpNet>,
        /// The list with a free block.
        instead: Option<Vec<String>>,
    },
    /// A subnet is too small or too large for its purpose.
    WrongLength {
        /// What it is for.
        purpose: Purpose,
        /// Its prefix length.
        length: u8,
        /// The limit that it breaks.
        limit: u8,
        /// The list with a free block.
        instead: Option<Vec<String>>,
    },
    /// An IPv6 subnet has another length than /64.
    Ipv6Length {
        /// The prefix.
        prefix: IpNet,
    },
    /// No free block is large enough.
    NoRoom {
        /// The prefix length that was asked for.
        length: u8,
        /// The network's prefixes.
        space: Vec<IpNet>,
        /// The prefix length of the largest free block.
        largest: Option<u8>,
        /// The address space with room for it.
        more: Option<Vec<String>>,
    },
    /// The user gave neither prefixes nor a length, or both.
    Size {
        /// Whether both.
        both: bool,
        /// The longest prefix for its purpose.
        longest: Option<u8>,
    },
    /// The name breaks Azure's rules.
    BadName {
        /// How.
        error: String,
    },
    /// Two subnets have one name.
    NameTwice {
        /// The name.
        name: String,
        /// The other subnet's key.
        other: String,
    },
    /// Azure demands another name for the purpose.
    WrongName {
        /// The name.
        name: String,
        /// The purpose.
        purpose: Purpose,
        /// What Azure demands.
        demanded: &'static str,
    },
    /// Azure keeps the name for a purpose that is not the subnet's.
    NameOfPurpose {
        /// The name.
        name: String,
        /// What Azure keeps it for.
        purpose: Purpose,
    },
    /// The purpose bears no such attachment.
    Refused {
        /// The purpose.
        purpose: Purpose,
        /// What, and why.
        refusal: Refusal,
    },
}

impl Problem {
    /// One line: what cannot be, and why.
    #[must_use]
    pub fn summary(&self) -> String {
        let what = self.place.title();
        match &self.finding {
            Finding::NotAPrefix { error, .. } => format!("{what}: {error}"),
            Finding::NoAddressSpace => "The network has no address space".to_owned(),
            Finding::SpaceTooSmall { prefix } => {
                format!("{what}: {prefix} is too small for any subnet")
            }
            Finding::Unusable {
                prefix, unusable, ..
            } => format!(
                "{what} cannot use {prefix}: {} is {}",
                unusable.range, unusable.what
            ),
            Finding::Overlap {
                prefix,
                with,
                other,
                ..
            } => format!("{what}: {prefix} overlaps {other} of {}", with.title()),
            Finding::Outside { prefix, .. } => {
                format!("{what}: {prefix} is outside the network's address space")
            }
            Finding::WrongLength {
                purpose,
                length,
                limit,
                ..
            } => {
                let (wrong, needed) = if length > limit {
                    ("small", "larger")
                } else {
                    ("large", "smaller")
                };
                format!(
                    "{what}: a /{length} is too {wrong} for {}; it must be a /{limit} or {needed}",
                    purpose.rules().title
                )
            }
            Finding::Ipv6Length { prefix } => {
                format!("{what}: {prefix} is no /64, and Azure has no other IPv6 subnets")
            }
            Finding::NoRoom { length, .. } => {
                format!("{what}: the network has no free /{length} left")
            }
            Finding::Size { both: true, .. } => {
                format!("{what} has both address_prefixes and prefix_length")
            }
            Finding::Size { both: false, .. } => {
                format!("{what} needs address_prefixes or prefix_length")
            }
            Finding::BadName { error } => format!("{what}: Azure takes no such name: {error}"),
            Finding::NameTwice { name, other } => {
                format!("{what} has the name {name:?}, which subnet {other:?} has already")
            }
            Finding::WrongName {
                purpose, demanded, ..
            } => format!(
                "{what} must be named {demanded:?}: Azure runs {} in no other",
                purpose.rules().title
            ),
            Finding::NameOfPurpose { name, purpose } => format!(
                "{what} cannot be named {name:?}: Azure keeps that name for {}",
                purpose.rules().title
            ),
            Finding::Refused { purpose, refusal } => format!(
                "{what} cannot have {}: it is for {}, and {}",
                refusal.attachment.title(),
                purpose.rules().title,
                refusal.because
            ),
        }
    }

    /// The evidence and the way out.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut detail = String::new();
        for line in self.evidence() {
            detail.push_str("- ");
            detail.push_str(&line);
            detail.push('\n');
        }
        if !detail.is_empty() {
            detail.push('\n');
        }
        detail.push_str("Fix: ");
        detail.push_str(&self.fix());
        detail
    }

    fn evidence(&self) -> Vec<String> {
        match &self.finding {
            Finding::SpaceTooSmall { prefix } => vec![format!(
                "{prefix} has {} usable addresses; Azure's smallest subnet is a /{SMALLEST_SUBNET}",
                usable_addresses(prefix)
            )],
            Finding::Unusable {
                prefix, unusable, ..
            } => vec![format!(
                "{prefix} touches {} ({})",
                unusable.range, unusable.what
            )],
            Finding::Overlap {
                prefix,
                with,
                other,
                ..
            } => vec![
                format!("{}: {prefix} ({})", self.place.title(), span(prefix)),
                format!("{}: {other} ({})", with.title(), span(other)),
            ],
            Finding::Outside { space, .. } => vec![format!("address space: {}", join(space))],
            Finding::WrongLength {
                purpose, length, ..
            } => vec![format!(
                "a /{length} has {} usable addresses; {}",
                (1u64 << (32 - u32::from((*length).min(32)))).saturating_sub(5),
                purpose.rules().longest_because
            )],
            Finding::NoRoom { space, largest, .. } => vec![
                format!("address space: {}", join(space)),
                largest.map_or_else(
                    || "nothing in it is free".to_owned(),
                    |largest| format!("the largest free block is a /{largest}"),
                ),
            ],
            _ => Vec::new(),
        }
    }

    fn fix(&self) -> String {
        match &self.finding {
            Finding::NotAPrefix { instead, .. }
            | Finding::Unusable { instead, .. }
            | Finding::Overlap { instead, .. }
            | Finding::Outside { instead, .. }
            | Finding::WrongLength {
                instead: instead @ Some(_),
                ..
            } => match instead {
                Some(list) => self.place.set(&self.place.list_argument(), &hcl_list(list)),
                None => self.without_suggestion(),
            },
            Finding::WrongLength { limit, .. } => match &self.place {
                Place::Subnet {
                    argument: "prefix_length",
                    ..
                } => self.place.set("prefix_length", &limit.to_string()),
                _ => format!("use a prefix of length /{limit}"),
            },
            Finding::NoAddressSpace => "set\n\n    address_space = [\"10.0.0.0/16\"]".to_owned(),
            Finding::SpaceTooSmall { .. } => {
                format!("use a prefix of length /{SMALLEST_SUBNET} or shorter")
            }
            Finding::Ipv6Length { prefix } => {
                let meant = IpNet::new(prefix.network(), 64).map_or(*prefix, |net| net.trunc());
                self.place
                    .set("address_prefixes", &hcl_list(&[meant.to_string()]))
            }
            Finding::NoRoom { largest, more, .. } => {
                let mut ways = Vec::new();
                if let Some(more) = more {
                    ways.push(format!(
                        "widen the network\n\n    address_space = {}",
                        hcl_list(more)
                    ));
                }
                if let Some(largest) = largest {
                    ways.push(self.place.set("prefix_length", &largest.to_string()));
                }
                if ways.is_empty() {
                    ways.push("widen the network's address_space".to_owned());
                }
                ways.join("\n\nor ")
            }
            Finding::Size { both: true, .. } => {
                "remove one of them: address_prefixes says which addresses, prefix_length lets \
                 this resource choose a free block of that size"
                    .to_owned()
            }
            Finding::Size {
                both: false,
                longest,
            } => self
                .place
                .set("prefix_length", &longest.unwrap_or(24).min(24).to_string()),
            Finding::BadName { .. } | Finding::NameTwice { .. } => {
                "give it another key, or set `name`".to_owned()
            }
            Finding::WrongName { demanded, .. } => self.place.set("name", &format!("{demanded:?}")),
            Finding::NameOfPurpose { purpose, .. } => self
                .place
                .set("purpose", &format!("{:?}", purpose.rules().name)),
            Finding::Refused { refusal, .. } => {
                format!("remove {} from it", refusal.attachment.argument())
            }
        }
    }

    /// What to do where no free block can be named.
    fn without_suggestion(&self) -> String {
        match (&self.finding, &self.place) {
            (Finding::NotAPrefix { .. }, _) => {
                "write address prefixes, such as \"10.0.0.0/24\"".to_owned()
            }
            (Finding::Overlap { other, .. }, Place::ReservedPrefixes) => {
                format!("take {other} out of reserved_prefixes, or move the subnet first")
            }
            (Finding::Overlap { prefix, other, .. }, Place::AddressSpace) => {
                format!("keep the larger of {prefix} and {other} alone")
            }
            (_, Place::AddressSpace) => {
                "use private ranges, such as 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16".to_owned()
            }
            _ => "the network has no free block of that size: widen its address_space, or make \
                  the subnet smaller"
                .to_owned(),
        }
    }
}

impl Place {
    /// An argument of a subnet.
    #[must_use]
    pub fn subnet(key: &str, argument: &'static str) -> Self {
        Self::Subnet {
            key: key.to_owned(),
            argument,
        }
    }

    fn title(&self) -> String {
        match self {
            Self::AddressSpace => "The address space".to_owned(),
            Self::ReservedPrefixes => "The reserved prefixes".to_owned(),
            Self::Subnet { key, .. } => format!("Subnet {key:?}"),
        }
    }

    /// The argument that takes a list of prefixes here.
    fn list_argument(&self) -> String {
        match self {
            Self::AddressSpace => "address_space",
            Self::ReservedPrefixes => "reserved_prefixes",
            Self::Subnet { .. } => "address_prefixes",
        }
        .to_owned()
    }

    fn set(&self, argument: &str, value: &str) -> String {
        let within = match self {
            Self::Subnet { key, .. } => format!("in subnet {key:?} set"),
            Self::AddressSpace | Self::ReservedPrefixes => "set".to_owned(),
        };
        format!("{within}\n\n    {argument} = {value}")
    }
}

impl Owner {
    fn title(&self) -> String {
        match self {
            Self::AddressSpace => "the address space".to_owned(),
            Self::Reserved => "the reserved prefixes".to_owned(),
            Self::Subnet(key) => format!("subnet {key:?}"),
            Self::Other(name) => format!("subnet {name:?}, which is managed elsewhere"),
        }
    }
}

fn span(prefix: &IpNet) -> String {
    format!("{} to {}", prefix.network(), prefix.broadcast())
}

fn join(prefixes: &[IpNet]) -> String {
    let texts: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn hcl_list(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(", "))
}
