resource "fkaks_network" "example" {
  name              = "vnet-aks"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  location          = "westeurope"
  address_space     = ["10.10.0.0/16"]
  reserved_prefixes = ["10.10.0.0/22"] # kept for later

  subnets = {
    nodes     = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
    endpoints = { purpose = "private_endpoints", prefix_length = 24 } # placed at plan
    bastion   = { purpose = "bastion", prefix_length = 26 }           # becomes AzureBastionSubnet
    agents = {
      purpose                         = "agents"
      prefix_length                   = 27
      service_endpoints               = ["Microsoft.Storage"]
      network_security_group_id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/networkSecurityGroups/nsg-agents"
      default_outbound_access_enabled = false
    }
  }

  tags = { env = "prod" }
}

output "endpoints_subnet_id" {
  value = fkaks_network.example.subnet_ids["endpoints"]
}
