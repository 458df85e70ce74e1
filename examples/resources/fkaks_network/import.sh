tofu import fkaks_network.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/virtualNetworks/vnet-aks
