resource "fkaks_resource_group" "example" {
  name     = "images"
  location = "westeurope"
}

resource "fkaks_network" "cluster" {
  name              = "vnet-aks"
  resource_group_id = fkaks_resource_group.example.id
  location          = fkaks_resource_group.example.location
  address_space     = ["10.10.0.0/16"]

  subnets = {
    nodes = { purpose = "aks_nodes", prefix_length = 22 }
  }
}

# A hub that another team manages, in another subscription.
variable "hub_id" {
  type    = string
  default = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub"
}

# Both sides: what the hub's firewall forwards is let in, and nothing is forwarded to the hub.
resource "fkaks_network_peering" "example" {
  name                      = "to-hub"
  virtual_network_id        = fkaks_network.cluster.id
  remote_virtual_network_id = var.hub_id
  allow_forwarded_traffic   = true

  remote = {
    name = "to-vnet-aks"
  }

  # An address space that changes in an apply is synced in the same apply.
  triggers = {
    space = jsonencode(fkaks_network.cluster.address_space)
  }
}

output "peering_state" {
  value = fkaks_network_peering.example.peering_state
}
