//! A network's life that values cannot tell: others in it, users of its subnets, moves, import.

mod late;

use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_network_is_made_with_its_subnets_in_one_request",
        run: one_request,
    },
    Step {
        name: "subnets_move_and_a_prefix_leaves_in_one_apply",
        run: moves,
    },
    Step {
        name: "a_subnet_in_use_is_neither_removed_nor_renamed",
        run: in_use,
    },
    Step {
        name: "what_others_add_stays_and_is_planned_around",
        run: others,
    },
    Step {
        name: "what_we_attached_is_detached_and_what_others_attached_stays",
        run: attachments,
    },
    Step {
        name: "what_is_changed_outside_is_shown_and_repaired",
        run: drift,
    },
    Step {
        name: "an_address_space_that_no_plan_knew_is_compared_with_the_peers_before_it_is_written",
        run: late::known_late,
    },
    Step {
        name: "a_network_of_someone_else_is_refused_and_then_imported",
        run: import,
    },
    Step {
        name: "a_killed_apply_is_finished_by_the_next",
        run: killed,
    },
    Step {
        name: "all_mistakes_are_told_at_once_without_azure",
        run: bad_input,
    },
];

const NETWORK: &str = "fkaks_network.aks";
const VERSION: &str = "2025-05-01";
const SECURITY_GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.Network/networkSecurityGroups/nsg-shared";

fn id(session: &Session) -> String {
    session.state(NETWORK)["id"].as_str().unwrap().to_owned()
}

fn subnet(session: &Session, name: &str) -> Value {
    let id = format!("{}/subnets/{name}", id(session));
    session.sandbox.get(&id, VERSION)["properties"].clone()
}

/// The writes since then, as method and last part of the path.
fn writes(session: &Session, since: usize) -> Vec<String> {
    let requests = session.sandbox.requests();
    let writes = requests.iter().filter(|request| {
        request["kind"] == "arm"
            && ["PUT", "DELETE", "PATCH"]
                .iter()
                .any(|m| request["method"] == *m)
    });
    let writes = writes.map(|request| {
        let path = request["path"].as_str().unwrap();
        let name = path.rsplit('/').next().unwrap();
        format!("{} {name}", request["method"].as_str().unwrap())
    });
    writes.skip(since).collect()
}

fn one_request(session: &mut Session) {
    let before = session.sandbox.writes();
    session.apply();
    assert_eq!(writes(session, before), ["PUT rg-app", "PUT fk-vnet"]);
    let reads = session.sandbox.requests().len();
    session.plan().must_be_empty("a network that was just made");
    let paths: Vec<String> = session.sandbox.requests()[reads..]
        .iter()
        .filter(|request| request["kind"] == "arm")
        .map(|request| request["path"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        !paths.iter().any(|path| path.contains("/subnets/")),
        "subnets come within the network's answer: {paths:?}"
    );
    let before = session.sandbox.writes();
    session.destroy();
    assert_eq!(
        writes(session, before),
        ["DELETE fk-vnet", "DELETE rg-app"],
        "a network takes its subnets along"
    );
}

fn moves(session: &mut Session) {
    session.set(
        "subnets",
        r#"{
          a = { purpose = "general", address_prefixes = ["10.10.4.0/24"] }
          b = { purpose = "general", address_prefixes = ["10.10.5.0/24"] }
          c = { purpose = "general", address_prefixes = ["10.10.6.0/24"] }
        }"#,
    );
    session.apply();
    let before = session.sandbox.writes();
    // `b` takes the place of `c`, which goes; `a` takes that of `b`; `d` takes that of `a`.
    session.set(
        "subnets",
        r#"{
          a = { purpose = "general", address_prefixes = ["10.10.5.0/24"] }
          b = { purpose = "general", address_prefixes = ["10.10.6.0/24"] }
          d = { purpose = "general", address_prefixes = ["10.10.4.0/24"] }
        }"#,
    );
    session.plan().must(action::UPDATE, NETWORK);
    session.apply();
    assert_eq!(
        writes(session, before),
        ["DELETE c", "PUT b", "PUT a", "PUT d"]
    );
    session.plan().must_be_empty("subnets that have moved");

    session.set("address_space", r#"["10.20.0.0/16"]"#);
    session.set(
        "subnets",
        r#"{ a = { purpose = "general", prefix_length = 24 } }"#,
    );
    session.apply();
    let network = session.sandbox.get(&id(session), VERSION);
    assert_eq!(
        network["properties"]["addressSpace"]["addressPrefixes"],
        json!(["10.20.0.0/16"])
    );
    assert_eq!(subnet(session, "a")["addressPrefix"], "10.20.0.0/24");
    session.plan().must_be_empty("a network that has moved");

    session.set("address_space", r#"["10.20.0.0/16", "10.21.0.0/16"]"#);
    session.set(
        "subnets",
        r#"{
          a = { purpose = "general", address_prefixes = ["10.20.1.0/24"] }
          e = { purpose = "general", address_prefixes = ["10.20.0.0/24"] }
        }"#,
    );
    session.apply();
    session.set(
        "subnets",
        r#"{
          a = { purpose = "general", address_prefixes = ["10.20.0.0/24"] }
          e = { purpose = "general", address_prefixes = ["10.20.1.0/24"] }
        }"#,
    );
    session
        .run(&["plan"])
        .must_fail_saying(&["Subnets a, e cannot change places in one apply"]);
    session.set("subnets", "{}");
}

fn interface(session: &Session, name: &str) -> String {
    let nic = format!(
        "{}/networkInterfaces/nic",
        id(session).split("/virtualNetworks").next().unwrap()
    );
    let subnet = format!("{}/subnets/{name}", id(session));
    let body = json!({
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "x", "properties": {"subnet": {"id": subnet}}}]}
    });
    session.sandbox.put(&nic, VERSION, &body);
    nic
}

fn in_use(session: &mut Session) {
    session.apply();
    let nic = interface(session, "fk-subnet-private-endpoints");
    let before = session.sandbox.writes();
    let counted = |session: &Session| {
        session.apply();
        session.state(NETWORK)["subnet_addresses"]["fk-subnet-private-endpoints"].clone()
    };
    assert_eq!(counted(session), json!({"usable": 251, "free": 250}));
    session.set(
        "subnets",
        r#"{ api = { purpose = "aks_api_server", prefix_length = 28 } }"#,
    );
    session.run(&["plan"]).must_fail_saying(&[
        "Subnet \"fk-subnet-private-endpoints\" cannot be removed: it is in use",
        &nic,
        "Fix: keep it in `subnets`",
    ]);
    let renamed = r#"{
          fk-subnet-private-endpoints = {
            purpose = "private_endpoints", name = "endpoints", prefix_length = 24
          }
        }"#;
    session.set("subnets", renamed);
    session.run(&["plan"]).must_fail_saying(&[
        "cannot be renamed to \"endpoints\": it is in use",
        &nic,
        "name = \"fk-subnet-private-endpoints\"",
    ]);
    // A destroy plans the configuration too, so that one without mistakes is needed.
    session.set(
        "subnets",
        r#"{ fk-subnet-private-endpoints = { purpose = "private_endpoints", prefix_length = 24 } }"#,
    );
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&["subnet fk-subnet-private-endpoints cannot be deleted", &nic]);
    assert_eq!(session.sandbox.writes(), before, "nothing was deleted");
    session.sandbox.delete(&nic, VERSION);
    session.set("subnets", renamed);
    session.apply();
    session.plan().must_be_empty("a renamed subnet");
}

fn others(session: &mut Session) {
    session.apply();
    let theirs = format!("{}/subnets/theirs", id(session));
    session.sandbox.put(
        &theirs,
        VERSION,
        &json!({"properties": {"addressPrefix": "10.10.6.0/24"}}),
    );
    session
        .plan()
        .must_be_empty("a subnet that someone else added");
    session.set(
        "subnets",
        r#"{ new = { purpose = "general", prefix_length = 23 } }"#,
    );
    session.set("address_space", r#"["10.10.4.0/22"]"#);
    session.run(&["plan"]).must_say(&["new", "10.10.4.0/23"]);
    session.apply();
    assert_eq!(
        session.state(NETWORK)["other_subnets"]["theirs"]["id"],
        theirs
    );
    session.set("address_space", r#"["10.10.4.0/23"]"#);
    session
        .run(&["plan"])
        .must_fail_saying(&["leaves out 10.10.6.0/24 of subnet \"theirs\""]);
    session.set("address_space", r#"["10.10.4.0/22"]"#);
    session.set(
        "subnets",
        r#"{ theirs = { purpose = "general", prefix_length = 25 } }"#,
    );
    session.run(&["plan"]).must_fail_saying(&[
        "the network has a subnet of that name, which is managed elsewhere",
        &theirs,
    ]);
    session.set("subnets", "{}");
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&["virtual network fk-vnet cannot be deleted", &theirs]);
    session.sandbox.delete(&theirs, VERSION);
}

fn attachments(session: &mut Session) {
    let with = format!(
        r#"{{ a = {{ purpose = "general", prefix_length = 24, network_security_group_id = "{SECURITY_GROUP}" }}
             b = {{ purpose = "general", prefix_length = 24 }} }}"#
    );
    session.set("subnets", &with);
    session.apply();
    let b = format!("{}/subnets/b", id(session));
    let body = json!({"properties": {
        "addressPrefix": "10.10.5.0/24", "networkSecurityGroup": {"id": SECURITY_GROUP}
    }});
    session.sandbox.put(&b, VERSION, &body);
    session.plan().must_be_empty("what someone else attached");
    session.set(
        "subnets",
        r#"{ a = { purpose = "general", prefix_length = 24 }
             b = { purpose = "general", prefix_length = 24, service_endpoints = ["Microsoft.Storage"] } }"#,
    );
    session.apply();
    assert!(
        subnet(session, "a")["networkSecurityGroup"].is_null(),
        "what was attached here is detached"
    );
    let b = subnet(session, "b");
    assert_eq!(
        b["networkSecurityGroup"]["id"], SECURITY_GROUP,
        "what others attached stays while something else changes"
    );
    assert_eq!(b["serviceEndpoints"][0]["service"], "Microsoft.Storage");
    session.plan().must_be_empty("a detached group");
}

fn drift(session: &mut Session) {
    session.apply();
    let network = id(session);
    session
        .sandbox
        .delete(&format!("{network}/subnets/AzureBastionSubnet"), VERSION);
    let api = format!("{network}/subnets/api");
    let mut body = session.sandbox.get(&api, VERSION);
    body["properties"]["delegations"] = json!([]);
    session.sandbox.put(&api, VERSION, &body);
    let plan = session.plan();
    plan.must(action::UPDATE, NETWORK);
    assert!(
        plan.words().contains("subnet was deleted outside"),
        "the missing subnet should be named"
    );
    session.apply();
    assert_eq!(
        subnet(session, "api")["delegations"][0]["properties"]["serviceName"],
        "Microsoft.ContainerService/managedClusters"
    );
    assert_eq!(
        subnet(session, "AzureBastionSubnet")["addressPrefix"],
        "10.10.5.0/26"
    );
    session.plan().must_be_empty("a repaired network");
    session.sandbox.delete(&network, VERSION);
    session.plan().must(action::CREATE, NETWORK);
    session.apply();
}

fn import(session: &mut Session) {
    session.set(
        "subnets",
        &format!(
            r#"{{ general = {{ purpose = "general", prefix_length = 24, network_security_group_id = "{SECURITY_GROUP}" }}
                  bastion = {{ purpose = "bastion", name = "AzureBastionSubnet", address_prefixes = ["10.10.5.0/26"] }}
                  api     = {{ purpose = "aks_api_server", prefix_length = 28 }} }}"#
        ),
    );
    session.apply();
    let id = id(session);
    session.forget(NETWORK);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "virtual network fk-vnet cannot be created: it exists already",
        &id,
        "to = fkaks_network.example",
    ]);
    session.import(NETWORK, &id);
    let imported = session.state(NETWORK)["subnets"].clone();
    assert_eq!(imported["AzureBastionSubnet"]["purpose"], "bastion");
    assert_eq!(imported["api"]["purpose"], "aks_api_server");
    assert_eq!(
        imported["general"]["network_security_group_id"],
        SECURITY_GROUP
    );
    let before = session.sandbox.writes();
    session.apply();
    assert_eq!(
        session.sandbox.writes(),
        before,
        "an import of what is as configured writes nothing"
    );
    session.plan().must_be_empty("an imported network");
}

/// A machine that is lost in the middle of a write has saved nothing of it: what was made then is refused as someone
/// else's, and taken over by importing the network.
fn killed(session: &mut Session) {
    for write in 1..=2 {
        assert!(
            session.kill_at_write(&["apply", "-auto-approve"], write),
            "killed at write {write} of the creation"
        );
        go_on(session);
        session.destroy();
    }
    session.apply();
    const BEFORE: &str = r#"{
      a = { purpose = "general", address_prefixes = ["10.10.4.0/24"] }
      b = { purpose = "general", address_prefixes = ["10.10.5.0/24"] }
    }"#;
    const AFTER: &str = r#"{
      b = { purpose = "general", address_prefixes = ["10.10.6.0/24"] }
      c = { purpose = "general", address_prefixes = ["10.10.4.0/24"] }
    }"#;
    // `a` goes, `b` moves, `c` comes.
    for write in 1..=3 {
        session.set("subnets", BEFORE);
        session.apply();
        session.set("subnets", AFTER);
        assert!(
            session.kill_at_write(&["apply", "-auto-approve"], write),
            "killed at write {write} of the change"
        );
        go_on(session);
    }
    session.destroy();
}

/// Applies again, after taking over what a killed apply has made and not saved.
fn go_on(session: &mut Session) {
    const ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/fk-vnet";
    const GROUP: &str = "fkaks_resource_group.app";
    let exists = |id: &str| {
        let all = session.sandbox.resources();
        all.iter().any(|found| found.eq_ignore_ascii_case(id))
    };
    let group = ID.split("/providers/").next().unwrap();
    if session.state(GROUP).is_null() && exists(group) {
        session
            .run(&["apply", "-auto-approve"])
            .must_fail_saying(&["exists already", "import {"]);
        session.import(GROUP, group);
    }
    let applied = session.run(&["apply", "-auto-approve"]);
    if applied.code != Some(0) {
        applied.must_fail_saying(&["Nothing is adopted silently", "import"]);
        if !session.state(NETWORK).is_null() {
            session.forget(NETWORK);
        }
        session.import(NETWORK, ID);
        session.apply();
    }
    session
        .plan()
        .must_be_empty("what a killed apply left, applied again");
}

fn bad_input(session: &mut Session) {
    session.set(
        "subnets",
        r#"{
          aks     = { purpose = "aks_nodes", address_prefixes = ["10.10.10.0/22"] }
          bastion = { purpose = "bastion", prefix_length = 27 }
          fw      = { purpose = "general", name = "AzureFirewallSubnet", prefix_length = 26 }
          kept    = { purpose = "general", address_prefixes = ["10.10.1.0/24"] }
          out     = { purpose = "general", address_prefixes = ["10.11.1.0/24"] }
        }"#,
    );
    let before = asked(session);
    // Variables without a value are not known when a configuration is only validated.
    session.run(&["plan", "-refresh=false"]).must_fail_saying(&[
        "a /22 that holds 10.10.10.0 is 10.10.8.0/22",
        "a /27 is too small for Azure Bastion; it must be a /26 or larger",
        "Azure keeps that name for Azure Firewall",
        "10.10.1.0/24 overlaps 10.10.0.0/22 of the reserved prefixes",
        "10.11.1.0/24 is outside the network's address space",
    ]);
    assert_eq!(asked(session), before, "none of this needs Azure");
}

/// The requests about resources; the names of a cloud come from its metadata, which is none.
fn asked(session: &Session) -> usize {
    let requests = session.sandbox.requests();
    let about_resources = |request: &&Value| request["path"] != "/metadata/endpoints";
    requests.iter().filter(about_resources).count()
}
