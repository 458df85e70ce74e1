//! Documentation pages in the layout of the registries, from the same tables that the wire and the plan read: what a
//! page says of an argument is what the provider does.

mod text;

use std::fmt::Write as _;

use super::shape::Shape;
use super::{Attribute, Block, Nesting, Replace, Schema, Timeouts, Usage};
use text::{cell, default_text, one_line, rules, type_name};

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The provider itself: `index.md`.
    Provider,
    /// A managed resource.
    Resource,
    /// A data source.
    DataSource,
    /// An ephemeral resource.
    EphemeralResource,
    /// An action.
    Action,
}

impl Subject {
    fn title(self) -> &'static str {
        match self {
            Self::Provider => "Provider",
            Self::Resource => "Resource",
            Self::DataSource => "Data Source",
            Self::EphemeralResource => "Ephemeral Resource",
            Self::Action => "Action",
        }
    }
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// What it is about.
    pub subject: Subject,
    /// The provider's name.
    pub provider: &'a str,
    /// The whole type name, or the provider's name on its own page.
    pub name: &'a str,
    /// The section of the registry's navigation.
    pub subcategory: &'a str,
    /// The schema, without `timeouts`.
    pub schema: &'a Schema,
    /// The default timeouts of a resource.
    pub timeouts: Option<&'a Timeouts>,
    /// Examples: a heading, empty where there is only one, and the HCL.
    pub examples: &'a [(&'a str, &'a str)],
    /// How it is imported.
    pub import: Option<ImportExamples<'a>>,
    /// Further sections, each a heading and Markdown. They stand before the import.
    pub sections: &'a [(&'a str, String)],
}

/// How a resource is imported, as files of the examples folder have it. An empty one is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportExamples<'a> {
    /// The command.
    pub command: &'a str,
    /// An `import` block with an id.
    pub by_id: &'a str,
    /// An `import` block with an identity.
    pub by_identity: &'a str,
}

impl Page<'_> {
    /// The page in Markdown, with its front matter.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Writer::default();
        self.head(&mut page);
        self.examples(&mut page);
        page.members(self.schema.into());
        if self.subject == Subject::Resource {
            replacing(self.schema, &mut page);
        }
        if let Some(timeouts) = self.timeouts {
            timeouts_section(timeouts, &mut page);
        }
        for (heading, text) in self.sections {
            page.section(heading);
            page.paragraph(text);
        }
        if let Some(import) = self.import {
            import_section(import, &mut page);
        }
        page.finish()
    }

    fn head(&self, page: &mut Writer) {
        let (title, name, provider) = (self.subject.title(), self.name, self.provider);
        let (page_title, heading) = match self.subject {
            Subject::Provider => (format!("{name} {title}"), format!("{name} {title}")),
            _ => (
                format!("{name} {title} - {provider}"),
                format!("{name} ({title})"),
            ),
        };
        let description = one_line(self.schema.description);
        page.line("---");
        page.line(&format!("page_title: \"{page_title}\""));
        page.line(&format!("subcategory: \"{}\"", self.subcategory));
        page.line("description: |-");
        page.line(&format!("  {description}"));
        page.line("---");
        page.paragraph(&format!("# {heading}"));
        if let Some(instead) = self.schema.deprecated {
            page.paragraph(&format!("~> **Deprecated** {instead}"));
        }
        page.paragraph(self.schema.description);
    }

    fn examples(&self, page: &mut Writer) {
        if self.examples.is_empty() {
            return;
        }
        page.section("Example Usage");
        for (heading, code) in self.examples {
            if !heading.is_empty() {
                page.paragraph(&format!("### {heading}"));
            }
            page.code("terraform", code);
        }
    }
}

fn replacing(schema: &Schema, page: &mut Writer) {
    let mut found = Vec::new();
    collect_replacing(schema.into(), "", &mut found);
    page.section("What replaces the resource");
    if found.is_empty() {
        page.paragraph("Nothing: every argument is changed in place.");
        return;
    }
    page.paragraph("A change of one of these destroys the resource and makes another:");
    for (name, when) in found {
        let when = when
            .map(|when| format!(", when {when}"))
            .unwrap_or_default();
        page.line(&format!("- `{name}`{when}"));
    }
}

fn collect_replacing(shape: Shape, prefix: &str, found: &mut Vec<(String, Option<&'static str>)>) {
    for attribute in shape.attributes {
        let name = format!("{prefix}{}", attribute.name);
        match attribute.replace {
            Replace::OnChange => found.push((name, None)),
            Replace::When(when, _) | Replace::Beside(when, _) => found.push((name, Some(when))),
            Replace::Never => {
                if let Some((_, shape)) = Shape::nested(&attribute.kind) {
                    collect_replacing(shape, &format!("{name}."), found);
                }
            }
        }
    }
    for block in shape.blocks {
        collect_replacing(block.into(), &format!("{prefix}{}.", block.name), found);
    }
}

fn timeouts_section(timeouts: &Timeouts, page: &mut Writer) {
    let defaults = timeouts.texts();
    if defaults.is_empty() {
        return;
    }
    page.section("Timeouts");
    page.paragraph("The argument `timeouts` is an object with any of these, each a duration such as `90s`, `30m` or `1h30m`:");
    for (operation, default) in defaults {
        page.line(&format!("- `{operation}` (default `{default}`)"));
    }
}

fn import_section(import: ImportExamples<'_>, page: &mut Writer) {
    let ImportExamples {
        command,
        by_id,
        by_identity,
    } = import;
    page.section("Import");
    if !by_id.is_empty() {
        page.paragraph("With an `import` block and an id:");
        page.code("terraform", by_id);
    }
    if !by_identity.is_empty() {
        page.paragraph(
            "With an `import` block and an identity (Terraform and OpenTofu 1.12 and later):",
        );
        page.code("terraform", by_identity);
    }
    if !command.is_empty() {
        page.paragraph("With the command (`tofu import` alike):");
        page.code("shell", command);
    }
}

/// A nested attribute or block whose members get a section of their own.
struct Nested {
    path: String,
    shape: Shape,
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.gap();
        self.line(text.trim());
        self.text.push('\n');
    }

    fn section(&mut self, heading: &str) {
        self.paragraph(&format!("## {heading}"));
    }

    fn code(&mut self, language: &str, code: &str) {
        self.paragraph(&format!("```{language}\n{}\n```", code.trim_end()));
    }

    fn finish(mut self) -> String {
        while self.text.ends_with("\n\n") {
            self.text.pop();
        }
        self.text
    }

    /// The arguments, the attributes that only the provider sets, and a section for each nested object.
    fn members(&mut self, shape: Shape) {
        let mut nested = Vec::new();
        let computed = |attribute: &&Attribute| matches!(attribute.usage, Usage::Computed(_));
        let (attributes, arguments): (Vec<&Attribute>, Vec<&Attribute>) =
            shape.attributes.iter().partition(computed);
        if !arguments.is_empty() || !shape.blocks.is_empty() {
            self.section("Arguments");
            self.list(&arguments, shape.blocks, "", &mut nested);
        }
        if !attributes.is_empty() {
            self.section("Attributes");
            self.list(&attributes, &[], "", &mut nested);
        }
        let mut next = 0;
        while next < nested.len() {
            let Nested { ref path, shape } = nested[next];
            let path = path.clone();
            self.paragraph(&format!("<a id=\"{}\"></a>\n### `{path}`", anchor(&path)));
            let attributes: Vec<&Attribute> = shape.attributes.iter().collect();
            self.list(&attributes, shape.blocks, &format!("{path}."), &mut nested);
            next += 1;
        }
    }

    /// Required ones first, and otherwise in the order of the schema.
    fn list(
        &mut self,
        attributes: &[&Attribute],
        blocks: &[Block],
        prefix: &str,
        nested: &mut Vec<Nested>,
    ) {
        let (required, others): (Vec<&Attribute>, Vec<&Attribute>) = attributes
            .iter()
            .partition(|attribute| attribute.is_required());
        for attribute in required.into_iter().chain(others) {
            let path = format!("{prefix}{}", attribute.name);
            let mut text = entry(attribute);
            if let Some((_, shape)) = Shape::nested(&attribute.kind) {
                text = format!("{text} See [below](#{}).", anchor(&path));
                nested.push(Nested { path, shape });
            }
            self.line(&text);
        }
        for block in blocks {
            let path = format!("{prefix}{}", block.name);
            self.line(&format!(
                "{} See [below](#{}).",
                block_entry(block),
                anchor(&path)
            ));
            nested.push(Nested {
                path,
                shape: block.into(),
            });
        }
    }
}

/// One bullet: name, type and marks, then what it means and which values it takes.
fn entry(attribute: &Attribute) -> String {
    let mut marks = vec![type_name(&attribute.kind)];
    match attribute.usage {
        Usage::Required => marks.push("required".to_owned()),
        Usage::Optional | Usage::OptionalComputed(_) => marks.push("optional".to_owned()),
        Usage::Computed(_) => {}
    }
    match attribute.replace {
        Replace::OnChange => marks.push("replaces".to_owned()),
        Replace::When(..) | Replace::Beside(..) => marks.push("may replace".to_owned()),
        Replace::Never => {}
    }
    if attribute.sensitive {
        marks.push("sensitive".to_owned());
    }
    if attribute.write_only {
        marks.push("write-only".to_owned());
    }
    if attribute.deprecated.is_some() {
        marks.push("deprecated".to_owned());
    }
    let mut text = format!(
        "- `{}` ({}) {}",
        attribute.name,
        marks.join(", "),
        cell(attribute.description)
    );
    for rule in rules(attribute.checks) {
        let _ = write!(text, " {rule}");
    }
    if let Some(default) = attribute.default {
        let _ = write!(text, " Default {}.", default_text(default));
    }
    if let Replace::When(when, _) | Replace::Beside(when, _) = attribute.replace {
        let _ = write!(text, " A change replaces the resource when {when}.");
    }
    if let Some(instead) = attribute.deprecated {
        let _ = write!(text, " **Deprecated:** {}", cell(instead));
    }
    text.trim_end().to_owned()
}

fn block_entry(block: &Block) -> String {
    let kind = match block.nesting {
        Nesting::Single => "block",
        Nesting::List | Nesting::Set => "blocks",
        Nesting::Map => "labelled blocks",
    };
    let count = match (block.min_items, block.max_items) {
        (0, 0) => String::new(),
        (0, most) => format!(", at most {most}"),
        (least, 0) => format!(", at least {least}"),
        (least, most) if least == most => format!(", exactly {least}"),
        (least, most) => format!(", {least} to {most}"),
    };
    format!(
        "- `{}` ({kind}{count}) {}",
        block.name,
        cell(block.description)
    )
    .trim_end()
    .to_owned()
}

fn anchor(path: &str) -> String {
    format!("nested--{}", path.replace('.', "--"))
}

#[cfg(test)]
mod tests;
