data "fkaks_network" "example" {
  name              = "fk-vnet-aks"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-network"

  private_dns_zone_links_enabled = true
}

# Where private endpoints go, by what the subnet is for and not by its name.
output "endpoint_subnet_ids" {
  value = [
    for subnet in data.fkaks_network.example.subnets : subnet.id
    if subnet.purpose == "private_endpoints" && subnet.free_addresses >= 2
  ]
}
