//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value, to_json};

use super::objects::grant_id;
use super::policies::{Kind, LONGEST_SUFFIX};
use super::{Input, MANAGEMENT_GROUP, Policy, REGISTRY, is_scope};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Unread, without_unknowns};
use crate::provider::roles::may_assign;

/// How long the name of an assignment may be at a management group (Microsoft Learn, "Naming rules and
/// restrictions for Azure resources").
const LONGEST_AT_GROUP: usize = 24;

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let scope = config.get("scope_id").as_str();
    let scope = scope.and_then(|id| ArmId::parse(id).ok());
    let given = |kind: &Kind| !config.get(kind.facts().argument).is_null();
    let policies: Vec<Kind> = Kind::ALL.into_iter().filter(given).collect();
    if policies.is_empty() {
        let names =
            Kind::ALL.map(|kind| format!("- {}: {}", kind.facts().argument, kind.facts().title));
        diagnostics.error(
            Path::root(),
            "no policy is assigned",
            format!(
                "{}\n\nFix: name the policies that shall hold, each with its effect or an empty object for the \
                 usual one:\n\n  unrestricted_network_access = {{ effect = \"Deny\" }}",
                names.join("\n")
            ),
        );
    }
    if let Some(scope) = &scope {
        at_scope(scope, config, &policies, diagnostics);
    }
    let modify = config.get(Kind::AdminAccountOff.facts().argument);
    if modify.get("remediate").as_bool() == Some(true)
        && modify.get("effect").as_str() == Some("Disabled")
    {
        diagnostics.error(
            Path::attribute("admin_account_off").then("remediate"),
            "a policy that is disabled remediates nothing",
            "Fix: leave remediate out, or let the policy act:\n\n  effect = \"Modify\"",
        );
    }
    exemptions(config, scope.as_ref(), &policies, diagnostics);
}

fn at_scope(scope: &ArmId, config: &Value, policies: &[Kind], diagnostics: &mut Diagnostics) {
    let wide = scope.is(MANAGEMENT_GROUP) || scope.is("Microsoft.Resources/subscriptions");
    let changes = policies.iter().any(|kind| kind.facts().role.is_some());
    if wide && changes && config.get("location").is_null() {
        diagnostics.error(
            Path::attribute("location"),
            "the identity of a policy needs a region, and the scope has none",
            format!(
                "- {scope}\n\nFix: say where the identity of admin_account_off lives; which region it is makes no \
                 difference to registries:\n\n  location = \"westeurope\""
            ),
        );
    }
    let name = config.get("name").as_str().unwrap_or(super::NAME);
    if scope.is(MANAGEMENT_GROUP) && name.len() + LONGEST_SUFFIX > LONGEST_AT_GROUP {
        let most = LONGEST_AT_GROUP - LONGEST_SUFFIX;
        diagnostics.error(
            Path::attribute("name"),
            format!("at a management group the name has {most} characters at most"),
            format!(
                "Azure takes {LONGEST_AT_GROUP} for the name of an assignment there, and the longest of this \
                 resource ends with {LONGEST_SUFFIX} of its own.\n\nFix: shorten it:\n\n  name = \"{}\"",
                name.chars().take(most).collect::<String>().trim_end_matches('-')
            ),
        );
    }
}

fn exemptions(
    config: &Value,
    scope: Option<&ArmId>,
    policies: &[Kind],
    diagnostics: &mut Diagnostics,
) {
    for (key, exemption) in config.get("exemptions").as_map().into_iter().flatten() {
        let path = || Path::attribute("exemptions").key(key);
        let own = exemption.get("scope_id").as_str();
        let own = own.and_then(|id| ArmId::parse(id).ok());
        if let (Some(scope), Some(own)) = (scope, &own)
            && !scope.is(MANAGEMENT_GROUP)
            && own != scope
            && !own.is_within(scope)
        {
            diagnostics.error(
                path().then("scope_id"),
                "an exemption lies outside of what the policies hold for",
                format!("- policies: {scope}\n- exemption: {own}\n\nFix: remove it; the policies do not hold there."),
            );
        }
        for name in exemption.get("policies").as_items().into_iter().flatten() {
            let Some(name) = name.as_str() else { continue };
            if Kind::of(name).is_some_and(|kind| !policies.contains(&kind)) {
                diagnostics.error(
                    path().then("policies"),
                    format!("{name} is exempted from and not assigned"),
                    format!("Fix: remove {name:?} here, or assign the policy:\n\n  {name} = {{}}"),
                );
            }
        }
    }
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    // Ask for everything first.
    let registries = registries(&input, check);
    let may = may_grant(&input, check);
    let registries = registries?;
    for (kind, policy) in input.policies() {
        let offenders: Vec<String> = registries
            .iter()
            .filter(|registry| !kind.is_met_by(registry))
            .filter_map(|registry| ArmId::parse(registry["id"].as_str()?).ok())
            .filter(|id| holds_for(&input, kind, policy, id))
            .map(|id| format!("- {id}"))
            .collect();
        if offenders.is_empty() || !policy.enforcement_enabled {
            continue;
        }
        warn(kind, policy, &offenders, check);
    }
    may
}

fn warn(kind: Kind, policy: &Policy, offenders: &[String], check: &mut Check<'_>) {
    let facts = kind.facts();
    let path = Path::attribute(facts.argument);
    let list = offenders.join("\n");
    match policy.effect.as_str() {
        "Deny" => check.warning(
            path.then("effect"),
            "registries at the scope would be denied their next change",
            format!(
                "{list}\n\nThey do not meet {:?}. They stay as they are, and Azure refuses every write to them, and \
                 to new ones like them, with RequestDisallowedByPolicy.\n\nFix: change them first ({}), exempt them \
                 in exemptions, or begin with effect = \"Audit\".",
                facts.title,
                kind.remedy()
            ),
        ),
        "Modify" if policy.remediates() => check.warning(
            path.then("remediate"),
            "the admin user of registries at the scope is turned off",
            format!(
                "{list}\n\nWhoever logs in with the admin user there is locked out once the remediation has run. \
                 A configuration that keeps it on shows drift for ever.\n\nExempt those that need it in exemptions."
            ),
        ),
        _ => {}
    }
}

/// Whether a policy holds for a registry: it is neither excluded nor exempt.
fn holds_for(input: &Input, kind: Kind, policy: &Policy, id: &ArmId) -> bool {
    let covers = |scope: &ArmId| scope == id || id.is_within(scope);
    let mut excluded = policy.excluded_scope_ids.iter().flatten();
    let exempt = input.exemptions.iter().flatten();
    let mut exempt = exempt.filter(|(_, exemption)| input.exempted(exemption).contains(&kind));
    !excluded.any(covers) && !exempt.any(|(_, exemption)| covers(&exemption.scope_id))
}

/// The registries at the scope, as far as Azure Resource Manager lists them: not those below a management
/// group.
fn registries(input: &Input, check: &Check<'_>) -> Result<Vec<Json>, Unread> {
    let scope = &input.scope_id;
    if scope.is(REGISTRY) {
        return Ok(check.look(scope)?.into_iter().cloned().collect());
    }
    if scope.is(MANAGEMENT_GROUP) {
        return Ok(Vec::new());
    }
    let list = check.seen.list(scope, &format!("providers/{REGISTRY}"))?;
    Ok(list.found().unwrap_or_default().to_vec())
}

/// Whether the caller may give the identity its role, where that is still to be done.
fn may_grant(input: &Input, check: &mut Check<'_>) -> Result<(), Unread> {
    if !input.role_assignment_enabled || input.scope_id.is(MANAGEMENT_GROUP) {
        return Ok(());
    }
    let roles = input
        .policies()
        .filter_map(|(kind, _)| Some((kind, kind.facts().role?)));
    let Some((kind, role)) = roles.into_iter().next() else {
        return Ok(());
    };
    if check.look(&grant_id(input, kind, role))?.is_some() {
        return Ok(());
    }
    may_assign(
        &[&input.scope_id],
        "admin_account_off",
        "the caller may not assign roles at the scope",
        "Or have the owner give the identity Contributor at the scope, and say so:\n\n  \
         role_assignment_enabled = false",
        check,
    )
}

/// The input as far as it is known; what is unknown of it decides nothing here.
fn planned(check: &Check<'_>) -> Option<Input> {
    let scope = check.id("scope_id").filter(is_scope)?;
    let mut known = without_unknowns(check.planned);
    let vague = |value: &Value| !value.is_wholly_known();
    for kind in Kind::ALL {
        if vague(check.planned.get(kind.facts().argument)) {
            known.set(kind.facts().argument, Value::Null);
        }
    }
    if vague(check.planned.get("exemptions")) || vague(check.planned.get("name")) {
        return None;
    }
    let mut json = to_json(&known).ok()?;
    json["scope_id"] = scope.as_str().into();
    serde_json::from_value(json).ok()
}

/// The ids of scopes.
pub fn scope_id(text: &str) -> Result<(), String> {
    match ArmId::parse(text) {
        Ok(id) if is_scope(&id) => Ok(()),
        Ok(id) => Err(format!(
            "The id of a management group, a subscription, a resource group or a registry is needed here, and {id} \
             is one of {}.",
            id.resource_type()
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// What names and keys are made of.
pub fn word(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let ends = |c: char| c.is_ascii_alphanumeric();
    if (1..=24).contains(&text.len())
        && text.chars().all(fits)
        && text.starts_with(ends)
        && text.ends_with(ends)
    {
        Ok(())
    } else {
        Err(format!(
            "{text:?} does not fit: 1 to 24 letters, digits and hyphens, no hyphen at either end"
        ))
    }
}

/// A point in time as Azure writes it.
pub fn instant(text: &str) -> Result<(), String> {
    let shape = "0000-00-00T00:00:00Z";
    let same = |(a, b): (char, char)| {
        if b == '0' { a.is_ascii_digit() } else { a == b }
    };
    let number = |range: std::ops::Range<usize>| -> u32 {
        text.get(range)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(u32::MAX)
    };
    let fits = text.len() == shape.len()
        && text.chars().zip(shape.chars()).all(same)
        && (1..=12).contains(&number(5..7))
        && (1..=31).contains(&number(8..10))
        && number(11..13) < 24
        && number(14..16) < 60
        && number(17..19) < 60;
    if fits {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no point in time in UTC such as 2027-01-31T00:00:00Z"
        ))
    }
}
