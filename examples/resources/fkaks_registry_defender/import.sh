tofu import fkaks_registry_defender.example /subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/pricings/Containers
