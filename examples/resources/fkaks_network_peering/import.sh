tofu import fkaks_network_peering.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/images/providers/Microsoft.Network/virtualNetworks/vnet-aks/virtualNetworkPeerings/to-hub
