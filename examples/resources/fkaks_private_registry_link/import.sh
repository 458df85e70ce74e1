tofu import fkaks_private_registry_link.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Network/privateEndpoints/pe-images
