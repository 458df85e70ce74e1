//! The registry's pages in `docs/`, generated from the schemas and the examples. The test fails
//! when they are stale; `make docs` writes them.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use terraform_provider_fkaks::provider::{self, Fkaks, Page as About};
use tfplugin_rs::framework::Provider;
use tfplugin_rs::schema::docs::{ImportExamples, Page, Subject};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_pages_are_those_of_the_schemas_and_the_examples() {
    let pages = pages();
    let folder = Path::new(ROOT).join("docs");
    if std::env::var_os("FKAKS_WRITE_DOCS").is_some() {
        for (name, text) in &pages {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let stale: Vec<&String> = pages
        .iter()
        .filter(|(name, text)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name)
        .collect();
    assert!(stale.is_empty(), "`make docs` writes these anew: {stale:?}");
    for part in ["resources", "data-sources"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let name = format!("{part}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(
                pages.contains_key(&name),
                "docs/{name} is the page of nothing"
            );
        }
    }
}

#[test]
fn pages_are_small_enough_for_the_registries() {
    for (name, text) in pages() {
        assert!(text.len() < 500_000, "docs/{name} has {} bytes", text.len());
        assert!(
            text.starts_with("---\npage_title:"),
            "docs/{name} has no front matter"
        );
    }
}

fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let provider = Fkaks::new();
    let schema = provider.schema();
    let index = Page {
        subject: Subject::Provider,
        provider: provider.name(),
        name: provider.name(),
        subcategory: "",
        schema: &schema,
        timeouts: None,
        examples: &[("", &example("provider/provider.tf"))],
        import: None,
        sections: &[("Logging in", LOGGING_IN.to_owned())],
    };
    pages.insert("index.md".to_owned(), index.render());
    for resource in provider::resources() {
        let file = |name: &str| example(&format!("resources/{}/{name}", resource.name));
        let (code, command, by_identity) = (
            file("resource.tf"),
            file("import.sh"),
            file("import-by-identity.tf"),
        );
        let sections = sections(resource.name, &resource.page);
        let page = Page {
            subject: Subject::Resource,
            provider: provider.name(),
            name: resource.name,
            subcategory: resource.page.subcategory,
            schema: &resource.schema,
            timeouts: Some(&resource.timeouts),
            examples: &[("", &code)],
            import: Some(ImportExamples {
                command: &command,
                by_id: "",
                by_identity: &by_identity,
            }),
            sections: &sections,
        };
        let short = resource.name.strip_prefix("fkaks_").unwrap();
        pages.insert(format!("resources/{short}.md"), page.render());
    }
    for source in provider::data_sources() {
        let code = example(&format!("data-sources/{}/data-source.tf", source.name));
        let page = Page {
            subject: Subject::DataSource,
            provider: provider.name(),
            name: source.name,
            subcategory: source.page.subcategory,
            schema: &source.schema,
            timeouts: Some(&source.timeouts),
            examples: &[("", &code)],
            import: None,
            sections: &sections(source.name, &source.page),
        };
        let short = source.name.strip_prefix("fkaks_").unwrap();
        pages.insert(format!("data-sources/{short}.md"), page.render());
    }
    pages
}

fn sections(name: &str, page: &About) -> Vec<(&'static str, String)> {
    let mut sections = Vec::new();
    if !page.notes.is_empty() {
        let (heading, text) = page.notes.split_once("\n\n").unwrap();
        sections.push((heading.trim_start_matches("## "), text.to_owned()));
    }
    sections.push(("Permissions", permissions(name, page)));
    sections.push(("When something goes wrong", failures(page)));
    sections
}

fn permissions(name: &str, page: &About) -> String {
    let mut text =
        String::from("What the caller needs, and what for:\n\n| Action | For |\n|---|---|\n");
    for (action, purpose) in page.permissions {
        let _ = writeln!(text, "| `{action}` | {purpose} |");
    }
    let _ = write!(
        text,
        "\nAs a custom role:\n\n```terraform\nresource \"azurerm_role_definition\" \"{name}\" {{\n  \
         name  = \"{name}\"\n  scope = \"/subscriptions/00000000-0000-0000-0000-000000000000\"\n\n  \
         permissions {{\n    actions = [\n"
    );
    for (action, _) in page.permissions {
        let _ = writeln!(text, "      \"{action}\",");
    }
    text.push_str("    ]\n  }\n}\n```");
    text
}

fn failures(page: &About) -> String {
    let mut text = String::new();
    for (symptom, remedy) in page.failures {
        let _ = writeln!(text, "- **{symptom}**: {remedy}");
    }
    text.trim_end().to_owned()
}

fn example(path: &str) -> String {
    let path = Path::new(ROOT).join("examples").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const LOGGING_IN: &str = "\
The arguments and `ARM_*` variables are azurerm's, and an argument wins over its variable. The first of these that is \
configured is used:\n\n\
1. a client certificate (`client_certificate`, `client_certificate_path`),\n\
2. a client secret (`client_secret`, `client_secret_file_path`),\n\
3. a federated token (`use_oidc`): a token, a token file, which is read again at each use, Azure Pipelines, or GitHub \
Actions; or AKS workload identity (`use_aks_workload_identity`),\n\
4. a managed identity (`use_msi`),\n\
5. the Azure CLI's account (`use_cli`, on by default).\n\n\
Nothing is read from Azure before it is needed, and one provider instance serves every subscription: references are \
whole ARM ids. When no method works, the error says which were tried and why each did not.";
