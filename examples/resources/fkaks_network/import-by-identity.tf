import {
  to = fkaks_network.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/virtualNetworks/vnet-aks"
  }
}
