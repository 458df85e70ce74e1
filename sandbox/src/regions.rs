//! The regions that the sandbox offers, with the names that Azure lists for them.
//! `West Europe` and `westeurope` are the same region; answers show the short form.

/// Short name, display name and the paired region of each region.
pub const REGIONS: &[(&str, &str, &str)] = &[
    ("australiaeast", "Australia East", "australiasoutheast"),
    ("australiasoutheast", "Australia Southeast", "australiaeast"),
    ("brazilsouth", "Brazil South", "southcentralus"),
    ("canadacentral", "Canada Central", "canadaeast"),
    ("canadaeast", "Canada East", "canadacentral"),
    ("centralindia", "Central India", "southindia"),
    ("centralus", "Central US", "eastus2"),
    ("eastasia", "East Asia", "southeastasia"),
    ("eastus", "East US", "westus"),
    ("eastus2", "East US 2", "centralus"),
    ("francecentral", "France Central", "francesouth"),
    ("germanywestcentral", "Germany West Central", "germanynorth"),
    ("italynorth", "Italy North", "italynorth"),
    ("japaneast", "Japan East", "japanwest"),
    ("japanwest", "Japan West", "japaneast"),
    ("koreacentral", "Korea Central", "koreasouth"),
    ("northcentralus", "North Central US", "southcentralus"),
    ("northeurope", "North Europe", "westeurope"),
    ("norwayeast", "Norway East", "norwaywest"),
    ("polandcentral", "Poland Central", "polandcentral"),
    ("qatarcentral", "Qatar Central", "qatarcentral"),
    ("southafricanorth", "South Africa North", "southafricawest"),
    ("southcentralus", "South Central US", "northcentralus"),
    ("southeastasia", "Southeast Asia", "eastasia"),
    ("southindia", "South India", "centralindia"),
    ("spaincentral", "Spain Central", "spaincentral"),
    ("swedencentral", "Sweden Central", "swedensouth"),
    ("switzerlandnorth", "Switzerland North", "switzerlandwest"),
    ("uaenorth", "UAE North", "uaecentral"),
    ("uksouth", "UK South", "ukwest"),
    ("ukwest", "UK West", "uksouth"),
    ("westcentralus", "West Central US", "westus2"),
    ("westeurope", "West Europe", "northeurope"),
    ("westus", "West US", "eastus"),
    ("westus2", "West US 2", "westcentralus"),
    ("westus3", "West US 3", "eastus"),
];

/// The short form of a region's name: lower case, without spaces.
#[must_use]
pub fn normalize(location: &str) -> String {
    location
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_lowercase()
}

/// True when the sandbox knows the region, in either spelling.
#[must_use]
pub fn known(location: &str) -> bool {
    let short = normalize(location);
    REGIONS.iter().any(|(name, ..)| *name == short)
}

/// The display names of all regions, as a provider lists them.
#[must_use]
pub fn display_names() -> Vec<&'static str> {
    REGIONS.iter().map(|(_, display, _)| *display).collect()
}
