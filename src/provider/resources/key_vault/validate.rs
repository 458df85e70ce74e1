//! What can be found wrong without Azure. All of it at once, each on its argument.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use crate::provider::parts::is_of;
use crate::provider::resources::registry::validate::allowed_once;

const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

/// Checks across arguments; values may be unknown.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    is_of(
        "Microsoft.Resources/resourceGroups",
        config.get("resource_group_id"),
        Path::attribute("resource_group_id"),
        diagnostics,
    );
    let subnets = config.get("allowed_subnet_ids").as_items();
    for id in subnets.into_iter().flatten() {
        let path = Path::attribute("allowed_subnet_ids");
        is_of(SUBNET, id, path, diagnostics);
    }
    allowed_once(config, diagnostics);
    allowed_only_by_an_allowlist(config, diagnostics);
}

fn allowed_only_by_an_allowlist(config: &Value, diagnostics: &mut Diagnostics) {
    let exposure = match config.get("exposure") {
        Value::Null => Some("private"),
        exposure => exposure.as_str(),
    };
    let Some(exposure) = exposure else {
        return;
    };
    let lists = ["allowed_ip_ranges", "allowed_subnet_ids"];
    if exposure != "allowlist" {
        let why = match exposure {
            "public" => "everyone reaches it",
            _ => "only private endpoints reach it",
        };
        for list in lists {
            let items = config.get(list).as_items();
            if items.is_some_and(|items| !items.is_empty()) {
                diagnostics.error(
                    Path::attribute(list),
                    format!("{list} opens nothing: the vault is {exposure}"),
                    format!(
                        "With exposure = \"{exposure}\"{}, {why}.\n\nFix: leave {list} out, or set\n\n  exposure = \
                         \"allowlist\"",
                        match config.get("exposure").is_null() {
                            true => " (the default)",
                            false => "",
                        }
                    ),
                );
            }
        }
        return;
    }
    let allows_none = |list: &str| {
        let value = config.get(list);
        value.is_null() || value.as_items().is_some_and(<[Value]>::is_empty)
    };
    if lists.into_iter().all(allows_none) {
        diagnostics.warning(
            Path::attribute("exposure"),
            "the allowlist allows no address",
            "Only private endpoints and trusted services reach the vault, as with exposure = \"private\".\n\nFix: \
             name who may reach it in allowed_ip_ranges or allowed_subnet_ids, or say what it is:\n\n  exposure = \
             \"private\"",
        );
    }
}
