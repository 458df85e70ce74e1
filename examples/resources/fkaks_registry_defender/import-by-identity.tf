import {
  to = fkaks_registry_defender.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/pricings/Containers"
  }
}
