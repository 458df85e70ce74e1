use super::*;
use crate::schema::{Check, Computed, Kind, Literal};

const SCHEMA: Schema = Schema::new(
    "Manages a thing.\nAnd more of it.",
    &[
        Attribute::optional("sku", Kind::String)
            .describe("The tier")
            .checked(&[Check::OneOf(&["Basic", "Premium"])])
            .default_to(Literal::String("Premium")),
        Attribute::required("name", Kind::String)
            .describe("The name.")
            .replaces(),
        Attribute::optional("size", Kind::Integer)
            .describe("The size.")
            .replaces_when("it shrinks", |_, _| false),
        Attribute::optional("password", Kind::String)
            .describe("The password.")
            .write_only()
            .sensitive(),
        Attribute::optional(
            "subnets",
            Kind::Nested(
                Nesting::Map,
                &[
                    Attribute::required("purpose", Kind::String).describe("The purpose."),
                    Attribute::optional(
                        "rules",
                        Kind::Nested(
                            Nesting::List,
                            &[Attribute::optional("port", Kind::Integer)
                                .describe("The port.")
                                .replaces()],
                        ),
                    )
                    .describe("The rules."),
                ],
            ),
        )
        .describe("The subnets."),
        Attribute::optional("zones", Kind::Set(&Kind::String))
            .describe("The zones.")
            .checked(&[
                Check::Items(1, 3),
                Check::Each(&Check::Text("a digit", |_| Ok(()))),
            ])
            .deprecated("Use `sku`."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe("The id."),
    ],
);

const EXPECTED: &str = r#"---
page_title: "x_thing Resource - x"
subcategory: "Things"
description: |-
  Manages a thing. And more of it.
---

# x_thing (Resource)

Manages a thing.
And more of it.

## Example Usage

```terraform
resource "x_thing" "a" {}
```

## Arguments

- `name` (String, required, replaces) The name.
- `sku` (String, optional) The tier. One of `Basic`, `Premium`. Default `"Premium"`.
- `size` (Whole number, optional, may replace) The size. A change replaces the resource when it shrinks.
- `password` (String, optional, sensitive, write-only) The password.
- `subnets` (Map of objects, optional) The subnets. See [below](#nested--subnets).
- `zones` (Set of String, optional, deprecated) The zones. 1 to 3 elements. Each element: must be a digit. **Deprecated:** Use `sku`.

## Attributes

- `id` (String) The id.

<a id="nested--subnets"></a>
### `subnets`

- `purpose` (String, required) The purpose.
- `rules` (List of objects, optional) The rules. See [below](#nested--subnets--rules).

<a id="nested--subnets--rules"></a>
### `subnets.rules`

- `port` (Whole number, optional, replaces) The port.

## What replaces the resource

A change of one of these destroys the resource and makes another:

- `name`
- `size`, when it shrinks
- `subnets.rules.port`

## Timeouts

The argument `timeouts` is an object with any of these, each a duration such as `90s`, `30m` or `1h30m`:

- `create` (default `30m`)
- `read` (default `5m`)

## Permissions

Some.

## Import

With an `import` block and an id:

```terraform
import {}
```

With the command (`tofu import` alike):

```shell
terraform import x_thing.a /id
```
"#;

#[test]
fn a_page_says_all_that_the_schema_says() {
    let page = Page {
        subject: Subject::Resource,
        provider: "x",
        name: "x_thing",
        subcategory: "Things",
        schema: &SCHEMA,
        timeouts: Some(&Timeouts::minutes(30, 5, 0, 0)),
        examples: &[("", "resource \"x_thing\" \"a\" {}\n")],
        import: Some(ImportExamples {
            command: "terraform import x_thing.a /id",
            by_id: "import {}\n",
            by_identity: "",
        }),
        sections: &[("Permissions", "Some.".to_owned())],
    };
    assert_eq!(page.render(), EXPECTED);
}

#[test]
fn the_page_of_a_provider_is_its_index() {
    let page = Page {
        subject: Subject::Provider,
        provider: "x",
        name: "x",
        subcategory: "",
        schema: &Schema::new("The provider.", &[]),
        timeouts: None,
        examples: &[],
        import: None,
        sections: &[],
    };
    let text = page.render();
    assert!(
        text.starts_with("---\npage_title: \"x Provider\"\n"),
        "{text}"
    );
    assert!(text.ends_with("# x Provider\n\nThe provider.\n"), "{text}");
}
