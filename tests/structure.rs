//! The borders of `ARCHITECTURE.md` that Cargo cannot enforce, and the completeness of the lists.
//! A failure names the file and the rule.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use terraform_provider_fkaks::provider;
use tfplugin_rs::schema::Schema;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Folder, and what no code in it may mention: the layers above it, and those beside it.
const BORDERS: &[(&str, &[&str])] = &[
    (
        "tfplugin-rs/src/value",
        &["crate::schema", "crate::framework", "crate::server"],
    ),
    (
        "tfplugin-rs/src/schema",
        &["crate::framework", "crate::server"],
    ),
    (
        "tfplugin-rs/src/framework",
        &["crate::server", "tonic::", "prost::"],
    ),
    ("tfplugin-rs/src", &["Microsoft.", "azure"]),
    (
        "src/arm",
        &["crate::network", "crate::provider", "tfplugin_rs"],
    ),
    (
        "src/network",
        &[
            "crate::arm",
            "crate::provider",
            "tfplugin_rs",
            "reqwest",
            "tokio",
        ],
    ),
    ("src/provider", &["reqwest", "hyper", "tonic", "prost"]),
    (
        "src/provider/resources",
        &["crate::arm::Client", "tokio", "async "],
    ),
    (
        "src/provider/data_sources",
        &["crate::arm::Client", "tokio", "async "],
    ),
    ("sandbox/src", &["tfplugin", "terraform_provider"]),
];

#[test]
fn each_layer_leans_only_on_those_below_it() {
    let mut broken = Vec::new();
    for (folder, forbidden) in BORDERS {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            for (number, line) in code_lines(&file) {
                for word in *forbidden {
                    if line.contains(word) {
                        broken.push(format!(
                            "{}:{number} has `{word}`, which {folder} may not know",
                            file.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_sandbox_and_the_framework_depend_on_nothing_of_ours() {
    for package in ["sandbox", "tfplugin-rs"] {
        let manifest =
            fs::read_to_string(Path::new(ROOT).join(package).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
        for ours in ["terraform-provider-fkaks", "fkaks-sandbox", "tfplugin-rs"] {
            assert!(
                !dependencies.contains(ours),
                "{package}/Cargo.toml depends on {ours}"
            );
        }
    }
}

#[test]
fn every_resource_has_its_file_its_example_its_scenario_and_its_page() {
    let mut missing = Vec::new();
    for resource in provider::resources() {
        let short = resource.name.strip_prefix("fkaks_").unwrap();
        let example = format!("examples/resources/{}", resource.name);
        for path in [
            format!("src/provider/resources/{short}.rs"),
            format!("{example}/resource.tf"),
            format!("{example}/import.sh"),
            format!("{example}/import-by-identity.tf"),
            format!("tests/acceptance/{}", short),
            format!("docs/resources/{short}.md"),
        ] {
            if !Path::new(ROOT).join(&path).exists() {
                missing.push(format!("{} needs {path}", resource.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Data sources share a scenario, in which each is read by the real commands.
#[test]
fn every_data_source_has_its_file_its_example_its_page_and_a_place_in_the_scenario() {
    let scenario = Path::new(ROOT).join("tests/acceptance/data_sources/main.tf");
    let scenario = fs::read_to_string(scenario).unwrap();
    let mut missing = Vec::new();
    for source in provider::data_sources() {
        let short = source.name.strip_prefix("fkaks_").unwrap();
        for path in [
            format!("src/provider/data_sources/{short}.rs"),
            format!("examples/data-sources/{}/data-source.tf", source.name),
            format!("docs/data-sources/{short}.md"),
        ] {
            if !Path::new(ROOT).join(&path).exists() {
                missing.push(format!("data.{} needs {path}", source.name));
            }
        }
        if !scenario.contains(&format!("data \"{}\"", source.name)) {
            missing.push(format!(
                "tests/acceptance/data_sources reads no {}",
                source.name
            ));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_lists_are_sorted_and_every_file_is_in_them() {
    let resources = provider::resources();
    let resources: Vec<&str> = resources.iter().map(|resource| resource.name).collect();
    in_order("resources", &resources);
    let sources = provider::data_sources();
    let sources: Vec<&str> = sources.iter().map(|source| source.name).collect();
    in_order("data_sources", &sources);
}

fn in_order(folder: &str, names: &[&str]) {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(
        names, sorted,
        "the {folder} in src/provider/mod.rs are in alphabetical order"
    );
    for file in fs::read_dir(Path::new(ROOT).join("src/provider").join(folder)).unwrap() {
        let path = file.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|end| end == "rs") && stem != "mod" {
            assert!(
                names.contains(&format!("fkaks_{stem}").as_str()),
                "{folder}/{stem}.rs is not in the list"
            );
        }
    }
}

#[test]
fn every_resource_has_the_attributes_that_the_engine_fills() {
    for resource in provider::resources() {
        for name in ["id", "objects", "drift"] {
            assert!(
                resource.schema.attribute(name).is_some(),
                "{} has no {name}",
                resource.name
            );
        }
        documented(resource.name, &resource.schema, &resource.page);
    }
}

#[test]
fn every_data_source_says_what_it_tells_and_what_it_takes() {
    for source in provider::data_sources() {
        documented(source.name, &source.schema, &source.page);
        for attribute in source.schema.attributes {
            assert!(
                attribute.default.is_none(),
                "{}.{}: nothing plans a data source, so that nobody fills in a default",
                source.name,
                attribute.name
            );
        }
    }
}

fn documented(name: &str, schema: &Schema, page: &provider::Page) {
    for attribute in schema.attributes {
        assert!(
            attribute.description.ends_with('.'),
            "{name}.{} needs a description in whole sentences",
            attribute.name
        );
    }
    assert!(!page.permissions.is_empty(), "{name} names no permissions");
    assert!(!page.failures.is_empty(), "{name} names no failures");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    for folder in ["src", "tfplugin-rs/src", "sandbox/src", "tests"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            if file.ends_with("structure.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for word in ["todo!", "unimplemented!", "TODO", "FIXME", "#[ignore"] {
                assert!(!text.contains(word), "{} has {word}", file.display());
            }
        }
    }
}

/// The lines of a file's code, without comments, texts of documentation, and unit tests.
fn code_lines(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_schema_is_one_that_both_clis_accept() {
    let problems = tfplugin_rs::framework::audit(&provider::Fkaks::new());
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The table is generated; where Azure's published types lie beside the repository, or a part of them, it
/// must be what they say.
#[test]
fn the_table_of_writable_properties_is_that_of_azures_types() {
    let types = Path::new(ROOT).join("../shared/azure/types");
    if !types.is_dir() {
        // The types are data of 30 MB that the repository does not carry.
        return;
    }
    let written = std::process::Command::new("python3")
        .arg(Path::new(ROOT).join("tools/writable-table"))
        .arg(&types)
        .output()
        .unwrap();
    assert!(
        written.status.success(),
        "{}",
        String::from_utf8_lossy(&written.stderr)
    );
    let committed =
        fs::read_to_string(Path::new(ROOT).join("src/provider/parts/writable.txt")).unwrap();
    let written = String::from_utf8(written.stdout).unwrap();
    let (written, committed) = (by_type(&written), by_type(&committed));
    assert!(
        !written.is_empty(),
        "no type was found in {}",
        types.display()
    );
    let wrong: Vec<&str> = written
        .iter()
        .filter(|(name, properties)| committed.get(*name) != Some(*properties))
        .map(|(name, _)| *name)
        .collect();
    assert!(
        wrong.is_empty(),
        "tools/writable-table TYPES > src/provider/parts/writable.txt writes these anew: {wrong:?}"
    );
}

/// The properties of each type in the table, by the type and its API version.
fn by_type(table: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in table.lines() {
        match line.strip_prefix("# ") {
            Some(name) => {
                current = name;
                types.entry(name).or_default();
            }
            None => types.entry(current).or_default().push(line),
        }
    }
    types
}
