import {
  to = fkaks_registry_guardrails.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  }
}
