# A subnet in a hub that another team manages.
resource "fkaks_subnet" "example" {
  name               = "images-endpoints"
  virtual_network_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub"
  purpose            = "private_endpoints"
  prefix_length      = 27 # the first free /27 of the hub; or address_prefixes = ["10.0.4.0/27"]
}

output "prefixes" {
  value = fkaks_subnet.example.address_prefixes
}
