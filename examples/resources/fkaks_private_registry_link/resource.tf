resource "fkaks_private_registry_link" "example" {
  name              = "pe-images"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  registry_id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/images"
  subnet_id         = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/virtualNetworks/vnet-aks/subnets/endpoints"

  dns = {
    virtual_network_ids = {
      aks = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/virtualNetworks/vnet-aks"
    }
    # A hub's zone instead of one beside the endpoint:
    # zone_id = "/subscriptions/.../providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
  }
}

output "endpoints" {
  value = fkaks_private_registry_link.example.endpoints
}
