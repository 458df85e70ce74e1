"""The Azure CLI against the sandbox: a list of commands, and what each must answer."""

import json
import os
import shlex
import subprocess

import local

NETWORK = f"/subscriptions/{local.SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.Network"
REGISTRY = f"/subscriptions/{local.SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.ContainerRegistry/registries/fkacrclients"
ZONE = "privatelink.azurecr.io"
WORKSPACE = f"/subscriptions/{local.SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.OperationalInsights/workspaces/fkaks-logs"
VAULT = f"/subscriptions/{local.SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.KeyVault/vaults/fkaks-clients"
ASSIGNMENT = f"/subscriptions/{local.SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.Authorization/policyAssignments/no-public"
# Built-in policies for registries: public network access off (audit, deny), and the admin account off (modify).
NO_PUBLIC = "0fdf0491-d080-4575-b627-ad0e843cba0f"
NO_ADMIN = "79fdfe03-ffcb-4e55-b4d0-b925b8241759"
# Somebody in the directory: without Microsoft Graph, roles are assigned by object id and type.
PRINCIPAL = "5d2c1a7e-0b1f-4c55-9d3c-0c5f3b5a7a01"


# The passwords that Azure has told, by the words that stand for them in later commands.
PASSWORDS = {}


def answers(path, expected):
    """A check: the value at this dotted path of the answer."""

    def check(answer):
        value = answer
        for part in path.split("."):
            value = value[int(part)] if part.isdigit() else value[part]
        return value == expected or f"{path} is {value!r}, not {expected!r}"

    return check


def equals(expected):
    """A check: the whole answer."""
    return lambda answer: answer == expected or f"it is {answer!r}, not {expected!r}"


def has_password(name):
    """A check: the value of this password of a token is told, and of no other one. Later commands may have it."""

    def check(answer):
        told = {each["name"]: each["value"] for each in answer["passwords"] if each.get("value")}
        PASSWORDS.update({each.upper(): value for each, value in told.items()})
        return list(told) == [name] or f"the passwords {list(told)} are told"

    return check


def refused(words):
    """Marks a command that must fail with these words."""
    return ("refused", words)


def has(count, path=None, at_least=False):
    """A check: the length of the answer, or of the list at this dotted path of it."""

    def check(answer):
        for part in path.split(".") if path else []:
            answer = answer[part]
        found = len(answer)
        return found == count or (at_least and found >= count) or f"{found} entries, not {count}"

    return check


# What is created here is deleted by the end, each kind of object by its own command.
COMMANDS = [
    ("account show", answers("id", local.SUBSCRIPTION)),
    ("account list-locations", has(2, at_least=True)),
    ("provider show -n Microsoft.Network", answers("namespace", "Microsoft.Network")),
    ("provider register -n Microsoft.ContainerRegistry --wait", None),
    ("provider show -n Microsoft.ContainerRegistry", answers("registrationState", "Registered")),
    ("group create -n app -l westeurope --tags purpose=clients", answers("properties.provisioningState", "Succeeded")),
    ("group show -n app", answers("tags.purpose", "clients")),
    ("group exists -n app", lambda answer: answer is True or "it is said not to exist"),
    ("group list", has(1)),
    ("network nsg create -g app -n nsg", answers("NewNSG.provisioningState", "Succeeded")),
    ("network nsg rule create -g app --nsg-name nsg -n https --priority 100 --destination-port-ranges 443", answers("priority", 100)),
    ("network nsg show -g app -n nsg", has(1, "securityRules")),
    ("network route-table create -g app -n routes", answers("name", "routes")),
    ("network route-table route create -g app --route-table-name routes -n out --address-prefix 0.0.0.0/0 --next-hop-type Internet", None),
    ("network route-table show -g app -n routes", has(1, "routes")),
    ("network public-ip create -g app -n outbound --sku Standard --allocation-method Static", answers("publicIp.provisioningState", "Succeeded")),
    ("network public-ip show -g app -n outbound", answers("publicIPAllocationMethod", "Static")),
    ("network nat gateway create -g app -n nat --public-ip-addresses outbound", answers("name", "nat")),
    ("network nat gateway show -g app -n nat", has(1, "publicIpAddresses")),
    ("network vnet create -g app -n net --address-prefixes 10.0.0.0/16 --subnet-name nodes --subnet-prefixes 10.0.1.0/24", answers("newVNet.provisioningState", "Succeeded")),
    ("network vnet subnet create -g app --vnet-name net -n endpoints --address-prefixes 10.0.2.0/24 --nsg nsg --route-table routes", answers("addressPrefix", "10.0.2.0/24")),
    ("network vnet subnet update -g app --vnet-name net -n nodes --nat-gateway nat", None),
    ("network vnet subnet show -g app --vnet-name net -n nodes", answers("natGateway.id", f"{NETWORK}/natGateways/nat")),
    ("network vnet show -g app -n net", has(2, "subnets")),
    ("network nic create -g app -n nic --vnet-name net --subnet nodes", answers("NewNIC.provisioningState", "Succeeded")),
    ("network nic show -g app -n nic", answers("ipConfigurations.0.privateIPAddress", "10.0.1.4")),
    ("aks get-versions -l westeurope", has(2, "values", at_least=True)),
    (
        f"aks create -g app -n aks -l westeurope --no-ssh-key --nodepool-name system --node-count 1 --vnet-subnet-id {NETWORK}/virtualNetworks/net/subnets/nodes"
        " --network-plugin azure --network-plugin-mode overlay --pod-cidr 192.168.0.0/16 --service-cidr 172.16.0.0/16 --dns-service-ip 172.16.0.10"
        " --outbound-type userAssignedNATGateway --skip-subnet-role-assignment --yes",
        answers("provisioningState", "Succeeded"),
    ),
    ("aks show -g app -n aks", answers("nodeResourceGroup", "MC_app_aks_westeurope")),
    ("aks list -g app", has(1)),
    ("aks nodepool add -g app --cluster-name aks -n work -c 1 --mode User", answers("provisioningState", "Succeeded")),
    ("aks nodepool scale -g app --cluster-name aks -n work -c 2", answers("count", 2)),
    ("aks nodepool list -g app --cluster-name aks", has(2)),
    ("aks nodepool delete -g app --cluster-name aks -n work", None),
    ("aks update -g app -n aks --tags purpose=clients --yes", answers("tags.purpose", "clients")),
    ("aks get-credentials -g app -n aks -f kubeconfig", None),
    ("aks command invoke -g app -n aks -c 'kubectl get namespaces' -o json", answers("exitCode", 0)),
    ("aks delete -g app -n aks -y", None),
    ("aks list -g app", has(0)),
    ("acr check-name -n fkacrclients", answers("nameAvailable", True)),
    ("acr create -g app -n fkacrclients --sku Premium --public-network-enabled false", answers("loginServer", "fkacrclients.azurecr.io")),
    ("acr check-name -n fkacrclients", answers("nameAvailable", False)),
    ("acr show -g app -n fkacrclients", answers("publicNetworkAccess", "Disabled")),
    ("acr show-usage -g app -n fkacrclients", has(1, "value", at_least=True)),
    ("acr replication create -g app -r fkacrclients -l northeurope", answers("provisioningState", "Succeeded")),
    ("acr replication list -g app -r fkacrclients", has(2)),
    ("acr update -n fkacrclients --admin-enabled true", answers("adminUserEnabled", True)),
    ("acr credential renew -n fkacrclients --password-name password2", answers("username", "fkacrclients")),
    ("acr credential show -n fkacrclients", has(2, "passwords")),
    ("acr update -n fkacrclients --admin-enabled false", answers("adminUserEnabled", False)),
    ("acr import -n fkacrclients --source docker.io/library/nginx:1.27 --image team/web:1 --image team/web:2", None),
    ("acr import -n fkacrclients --source docker.io/library/nginx:1.28 --image other/web:1", None),
    (
        "acr scope-map create -r fkacrclients -n team-pull --repository team/* content/read metadata/read",
        answers("actions.0", "repositories/team/*/content/read"),
    ),
    ("acr scope-map update -r fkacrclients -n team-pull --description teams", answers("description", "teams")),
    ("acr scope-map show -r fkacrclients -n _repositories_pull", answers("actions.0", "repositories/*/content/read")),
    ("acr scope-map list -r fkacrclients", has(6)),
    ("acr token create -r fkacrclients -n cluster --scope-map team-pull", has(2, "credentials.passwords")),
    ("acr token create -r fkacrclients -n build --repository team/web content/write content/read --no-passwords true", answers("status", "enabled")),
    ("acr token credential generate -r fkacrclients -n cluster --password2 --expiration-in-days 30", has_password("password2")),
    ("acr token show -r fkacrclients -n cluster", has(2, "credentials.passwords")),
    ("acr token credential delete -r fkacrclients -n cluster --password1", None),
    ("acr token show -r fkacrclients -n cluster", has(1, "credentials.passwords")),
    ("acr token list -r fkacrclients", has(2)),
    ("acr repository list -n fkacrclients", refused("you don't have access to registry")),
    ("acr update -n fkacrclients --public-network-enabled true --default-action Allow", answers("publicNetworkAccess", "Enabled")),
    ("acr login -n fkacrclients --expose-token", answers("loginServer", "fkacrclients.azurecr.io")),
    ("acr repository list -n fkacrclients", equals(["other/web", "team/web"])),
    ("acr repository show -n fkacrclients --repository team/web", answers("tagCount", 2)),
    ("acr repository show-tags -n fkacrclients --repository team/web", equals(["1", "2"])),
    ("acr repository show-tags -n fkacrclients --repository team/web -u cluster -p PASSWORD2", equals(["1", "2"])),
    ("acr repository show-tags -n fkacrclients --repository other/web -u cluster -p PASSWORD2", refused("authentication required")),
    ("acr token update -r fkacrclients -n cluster --status disabled", answers("status", "disabled")),
    ("acr repository show-tags -n fkacrclients --repository team/web -u cluster -p PASSWORD2", refused("Response code: 401")),
    ("acr repository untag -n fkacrclients --image team/web:2", None),
    ("acr manifest list-metadata -r fkacrclients -n team/web", answers("0.tags", ["1"])),
    ("acr repository delete -n fkacrclients --image other/web:1 -y", None),
    ("acr repository delete -n fkacrclients --repository team/web -y", None),
    ("acr update -n fkacrclients --public-network-enabled false", answers("publicNetworkAccess", "Disabled")),
    ("acr token delete -r fkacrclients -n cluster -y", None),
    ("acr token delete -r fkacrclients -n build -y", None),
    ("acr scope-map delete -r fkacrclients -n team-pull -y", None),
    ("monitor log-analytics workspace create -g app -n fkaks-logs -l westeurope --retention-time 60", answers("provisioningState", "Succeeded")),
    ("monitor log-analytics workspace show -g app -n fkaks-logs", answers("retentionInDays", 60)),
    ("monitor log-analytics workspace update -g app -n fkaks-logs --retention-time 90", answers("retentionInDays", 90)),
    ("monitor log-analytics workspace get-shared-keys -g app -n fkaks-logs", has(2)),
    ("monitor log-analytics workspace list -g app", has(1)),
    (f"monitor diagnostic-settings categories list --resource {REGISTRY}", has(3, "value")),
    (
        f"monitor diagnostic-settings create -n audit --resource {REGISTRY} --workspace {WORKSPACE}"
        """ --logs '[{"categoryGroup": "audit", "enabled": true}]'""",
        answers("name", "audit"),
    ),
    (f"monitor diagnostic-settings show -n audit --resource {REGISTRY}", answers("workspaceId", WORKSPACE)),
    (f"monitor diagnostic-settings list --resource {REGISTRY}", has(1)),
    (f"monitor diagnostic-settings delete -n audit --resource {REGISTRY}", None),
    ("monitor log-analytics workspace delete -g app -n fkaks-logs --yes", None),
    ("monitor log-analytics workspace list-deleted-workspaces -g app", has(1)),
    ("monitor log-analytics workspace recover -g app -n fkaks-logs", answers("provisioningState", "Succeeded")),
    ("monitor log-analytics workspace delete -g app -n fkaks-logs --force true --yes", None),
    ("security pricing show -n Containers", answers("pricingTier", "Free")),
    ("security pricing create -n Containers --tier standard", answers("pricingTier", "Standard")),
    ("security pricing list", has(10, "value", at_least=True)),
    ("security pricing create -n Containers --tier free", answers("pricingTier", "Free")),
    (f"policy definition show -n {NO_PUBLIC}", answers("policyType", "BuiltIn")),
    (
        f"policy assignment create -n no-public --policy {NO_PUBLIC} -g app"
        """ --params '{"effect": {"value": "Deny"}}'""",
        answers("enforcementMode", "Default"),
    ),
    ("policy assignment list -g app", has(1)),
    ("policy assignment show -n no-public -g app", answers("name", "no-public")),
    (
        f"policy exemption create -n later -g app --policy-assignment {ASSIGNMENT} --exemption-category Waiver",
        answers("exemptionCategory", "Waiver"),
    ),
    ("policy exemption delete -n later -g app", None),
    ("policy state list -g app", answers("0.complianceState", "Compliant")),
    ("policy state summarize -g app", answers("results.nonCompliantResources", 0)),
    ("policy state trigger-scan -g app", None),
    ("policy assignment delete -n no-public -g app", None),
    (
        f"policy assignment create -n no-admin --policy {NO_ADMIN} -g app -l westeurope --mi-system-assigned"
        f" --role Contributor --identity-scope /subscriptions/{local.SUBSCRIPTION}/resourceGroups/app",
        answers("identity.type", "SystemAssigned"),
    ),
    ("acr update -n fkacrclients --admin-enabled true", answers("adminUserEnabled", False)),
    ("policy remediation create -g app -n now --policy-assignment no-admin", answers("provisioningState", "Accepted")),
    ("policy remediation list -g app", has(1)),
    ("policy assignment delete -n no-admin -g app", None),
    ("keyvault create -g app -n fkaks-clients -l westeurope", answers("properties.enableRbacAuthorization", True)),
    ("keyvault show -g app -n fkaks-clients", answers("properties.provisioningState", "Succeeded")),
    (
        f"""rest --method put --url {VAULT}/secrets/pull?api-version=2023-07-01 --body '{{"properties": {{"value": "s3cret"}}}}'""",
        lambda answer: "value" not in answer["properties"] or "the value of a secret is told",
    ),
    ("keyvault delete -g app -n fkaks-clients", None),
    ("keyvault list-deleted", has(1)),
    ("keyvault recover -g app -n fkaks-clients -l westeurope", answers("name", "fkaks-clients")),
    ("keyvault delete -g app -n fkaks-clients", None),
    ("keyvault purge -n fkaks-clients -l westeurope", None),
    ("keyvault list-deleted", has(0)),
    ("identity create -g app -n kubelet", answers("name", "kubelet")),
    ("identity show -g app -n kubelet", answers("type", "Microsoft.ManagedIdentity/userAssignedIdentities")),
    ("identity list -g app", has(1)),
    (
        "identity federated-credential create -g app --identity-name kubelet -n work --issuer https://oidc.example/1"
        " --subject system:serviceaccount:ns:sa --audiences api://AzureADTokenExchange",
        answers("name", "work"),
    ),
    ("identity federated-credential list -g app --identity-name kubelet", has(1)),
    ("role definition list --name AcrPull", answers("0.roleName", "AcrPull")),
    (
        f"role assignment create --role AcrPull --assignee-object-id {PRINCIPAL} --assignee-principal-type ServicePrincipal --scope {REGISTRY}",
        answers("principalId", PRINCIPAL),
    ),
    (f"role assignment list --scope {REGISTRY} --fill-principal-name false", has(1)),
    (f"role assignment list --assignee-object-id {PRINCIPAL} --scope {REGISTRY} --fill-principal-name false", has(1)),
    (f"role assignment delete --role AcrPull --assignee-object-id {PRINCIPAL} --scope {REGISTRY}", None),
    (f"role assignment list --scope {REGISTRY} --fill-principal-name false", has(0)),
    ("identity federated-credential delete -g app --identity-name kubelet -n work -y", None),
    ("identity delete -g app -n kubelet", None),
    (f"network private-link-resource list --id {REGISTRY}", has(1)),
    (f"network private-endpoint create -g app -n pe --vnet-name net --subnet endpoints --connection-name c --private-connection-resource-id {REGISTRY} --group-id registry", answers("provisioningState", "Succeeded")),
    ("network private-endpoint show -g app -n pe", answers("privateLinkServiceConnections.0.privateLinkServiceConnectionState.status", "Approved")),
    ("acr private-endpoint-connection list -g app -r fkacrclients", has(1)),
    (f"network private-dns zone create -g app -n {ZONE}", answers("name", ZONE)),
    (f"network private-dns link vnet create -g app -z {ZONE} -n link -v net -e false", answers("virtualNetworkLinkState", "Completed")),
    (f"network private-dns link vnet show -g app -z {ZONE} -n link", answers("registrationEnabled", False)),
    (f"network private-endpoint dns-zone-group create -g app --endpoint-name pe -n default --private-dns-zone {ZONE} --zone-name acr", answers("provisioningState", "Succeeded")),
    ("network private-endpoint dns-zone-group show -g app --endpoint-name pe -n default", has(1, "privateDnsZoneConfigs")),
    (f"network private-dns record-set a show -g app -z {ZONE} -n fkacrclients", has(1, "aRecords")),
    (f"network private-dns record-set a create -g app -z {ZONE} -n by-hand --ttl 300", answers("ttl", 300)),
    (f"network private-dns record-set a add-record -g app -z {ZONE} -n by-hand -a 10.0.2.99", has(1, "aRecords")),
    (f"network private-dns record-set soa show -g app -z {ZONE}", answers("name", "@")),
    (f"network private-dns record-set list -g app -z {ZONE}", has(5)),
    ("lock create -g app -n keep --lock-type CanNotDelete", answers("level", "CanNotDelete")),
    ("lock list -g app", has(1)),
    ("lock delete -g app -n keep", None),
    ("resource list -g app", has(8, at_least=True)),
    ("network private-endpoint dns-zone-group delete -g app --endpoint-name pe -n default", None),
    ("network private-endpoint delete -g app -n pe", None),
    (f"network private-dns record-set a delete -g app -z {ZONE} -n by-hand -y", None),
    (f"network private-dns link vnet delete -g app -z {ZONE} -n link -y", None),
    (f"network private-dns zone delete -g app -n {ZONE} -y", None),
    ("acr replication delete -g app -r fkacrclients -n northeurope", None),
    ("acr delete -g app -n fkacrclients -y", None),
    ("network nic delete -g app -n nic", None),
    ("network vnet subnet delete -g app --vnet-name net -n endpoints", None),
    ("network vnet delete -g app -n net", None),
    ("network nat gateway delete -g app -n nat", None),
    ("network public-ip delete -g app -n outbound", None),
    ("network route-table delete -g app -n routes", None),
    ("network nsg delete -g app -n nsg", None),
    ("resource list -g app", has(0)),
    ("group delete -n app -y", None),
    ("group exists -n app", lambda answer: answer is False or "it is said to exist"),
]


def run(az, sandbox, folder):
    """Signs in, runs the commands in order, prints one line for each, and returns whether each was right."""
    environment = {
        **os.environ,
        "AZURE_CONFIG_DIR": str(folder / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_NO_COLOR": "true",
        "AZURE_CORE_OUTPUT": "json",
        "AZURE_CORE_SURVEY_MESSAGE": "false",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "AZURE_HTTP_USER_AGENT": "fkaks-clients",
        # Login servers are the sandbox, too, for someone who comes from this public address.
        "HTTPS_PROXY": f"http://203.0.113.7@127.0.0.1:{sandbox.host.rsplit(':', 1)[1]}",
        "NO_PROXY": "localhost,127.0.0.1",
        "REQUESTS_CA_BUNDLE": str(sandbox.authority),
    }

    def ask(command):
        arguments = [str(part) for part in az] + [PASSWORDS.get(part, part) for part in shlex.split(command)]
        return subprocess.run(
            arguments, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    sign_in = [
        f"cloud register -n sandbox --endpoint-resource-manager {sandbox.url}",
        "cloud set -n sandbox",
        f"login --service-principal -u {local.CLIENT} -p {local.SECRET} --tenant {local.TENANT}",
    ]
    results = []
    for command, check in [(command, None) for command in sign_in] + COMMANDS:
        problem = judge(ask(command), check)
        print(f"FAILED az {command}\n{problem}" if problem else f"ok az {command}", flush=True)
        results.append(not problem)
        if problem and command in sign_in:
            break  # Nothing can work without a sign-in.
    return results


def judge(done, check):
    """What is wrong with how a command ended; None when nothing is."""
    if isinstance(check, tuple):
        return None if done.returncode and check[1] in done.stderr else f"it should fail with: {check[1]}\n{done.stderr.strip()}"
    if done.returncode:
        return done.stderr.strip() or f"exit code {done.returncode}"
    if check is None:
        return None
    try:
        verdict = check(json.loads(done.stdout))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        verdict = f"{type(error).__name__}: {error}"
    return None if verdict is True else f"{verdict}\n{done.stdout.strip()[:2000]}"
