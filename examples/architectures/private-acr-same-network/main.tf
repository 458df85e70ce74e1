# A private AKS cluster that pulls with a repository token from a private registry in its network.

terraform {
  required_version = ">= 1.6"
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

resource "fkaks_resource_group" "this" {
  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

resource "fkaks_network" "aks" {
  name              = "vnet-aks"
  resource_group_id = fkaks_resource_group.this.id
  location          = var.location
  address_space     = ["10.20.0.0/16"]
  tags              = var.tags

  subnets = {
    nodes = {
      purpose           = "aks_nodes"
      address_prefixes  = ["10.20.0.0/22"]
      service_endpoints = ["Microsoft.KeyVault"]
    }
    endpoints = {
      purpose          = "private_endpoints"
      address_prefixes = ["10.20.8.0/26"]
    }
  }
}

resource "fkaks_cluster" "aks" {
  name                = var.cluster_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  deletion_protection = var.deletion_protection
  tags                = var.tags

  node_pools = {
    system = {
      mode           = "System"
      vm_size        = var.vm_size
      node_count     = var.node_count
      vnet_subnet_id = fkaks_network.aks.subnet_ids["nodes"]
    }
  }
}

resource "fkaks_registry" "acr" {
  name                = var.registry_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  sku                 = "Premium"
  exposure            = "private"
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

# The registry fetches it by itself: an import needs no public access, and no agent in the network.
resource "fkaks_registry_image" "nginx" {
  registry_id = fkaks_registry.acr.id
  source      = { image = "docker.io/library/nginx:1.27" }
  target_tags = ["nginx:1.27"]
}

resource "fkaks_private_registry_link" "acr" {
  name              = "acr-pe"
  resource_group_id = fkaks_resource_group.this.id
  registry_id       = fkaks_registry.acr.id
  subnet_id         = fkaks_network.aks.subnet_ids["endpoints"]
  tags              = var.tags

  dns = {
    virtual_network_ids = { aks = fkaks_network.aks.id }
  }
}

# It keeps the token's password, for the nodes alone: they reach it from their subnet, with the role that the pull
# secret gives them. Azure Resource Manager writes into it, whatever its network rules are.
resource "fkaks_key_vault" "passwords" {
  name                = var.key_vault_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  exposure            = "allowlist"
  allowed_subnet_ids  = [fkaks_network.aks.subnet_ids["nodes"]]
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

# A login that pulls this one repository. Its password goes to the vault, as the content of a pull secret, and is in
# no state.
resource "fkaks_registry_token" "pull" {
  registry_id = fkaks_registry.acr.id
  name        = "nginx-pull"
  scope       = { nginx = ["content/read", "metadata/read"] }

  key_vault_secret = {
    vault_id           = fkaks_key_vault.passwords.id
    name               = "${var.registry_name}-pull"
    docker_config_name = "${var.registry_name}-pull-dockerconfigjson"
  }

  rotate_after = var.rotate_after
  overlap      = "48h"
}

# Written from within the cluster, by run command: nothing else reaches the API server. A rotated token is followed
# in the same apply.
resource "fkaks_pull_secret" "pull" {
  cluster_id           = fkaks_cluster.aks.id
  namespace            = "default"
  name                 = "tokensecret"
  key_vault_secret_id  = fkaks_registry_token.pull.secrets["dockerconfigjson"].id
  key_vault_secret_uri = fkaks_registry_token.pull.secrets["dockerconfigjson"].versioned_uri
}

data "fkaks_image_path" "nginx" {
  cluster_id  = fkaks_cluster.aks.id
  registry_id = fkaks_registry.acr.id

  # Made in this configuration: look when they stand.
  depends_on = [fkaks_private_registry_link.acr]
}

# The proof: the registry's names lead the nodes to its endpoint, and nobody comes in over the internet.
check "pulls_are_private" {
  assert {
    condition = alltrue([
      for endpoint in fkaks_private_registry_link.acr.endpoints :
      startswith(endpoint.ip, "10.20.8.")
    ])
    error_message = "A name of the registry leads out of the endpoints' subnet."
  }
  assert {
    condition     = contains(values(fkaks_private_registry_link.acr.dns.virtual_network_ids), fkaks_network.aks.id)
    error_message = "The cluster's network does not ask the registry's zone."
  }
  assert {
    condition     = fkaks_registry.acr.exposure == "private"
    error_message = "The registry is reached over the internet."
  }
  assert {
    condition = data.fkaks_image_path.nginx.privately == true
    # No role is asked for here: it is the token that pulls.
    error_message = join("\n", concat(["The way to the registry is not private, or cannot be seen."], [
      for finding in data.fkaks_image_path.nginx.findings :
      "${finding.check}: ${finding.summary}" if finding.verdict != "ok" && finding.check != "role"
    ]))
  }
}

# The token stands in for a role: it is enabled and not due, and the cluster has what is in the vault.
check "the_token_pulls" {
  assert {
    condition     = !fkaks_registry_token.pull.rotation_due
    error_message = "The token is due for rotation: apply."
  }
  assert {
    condition     = fkaks_pull_secret.pull.source == fkaks_registry_token.pull.secrets["dockerconfigjson"].versioned_uri
    error_message = "The cluster's pull secret is of ${fkaks_pull_secret.pull.source}."
  }
}
