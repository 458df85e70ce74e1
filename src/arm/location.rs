//! Azure region names: one region has a display name ("West Europe") and a short name
//! ("westeurope"), and services answer with either. Compared and stored in the short form.

/// The short form of a region name: lower case, without spaces.
pub fn normalize(location: &str) -> String {
    location
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether two spellings name the same region.
pub fn same_location(a: &str, b: &str) -> bool {
    normalize(a) == normalize(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_and_short_names_are_the_same_region() {
        assert_eq!(normalize("West Europe"), "westeurope");
        assert_eq!(normalize("global"), "global");
        assert!(same_location("East US 2", "eastus2"));
        assert!(!same_location("eastus", "eastus2"));
    }
}
