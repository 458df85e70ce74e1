tofu import fkaks_resource_group.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images
