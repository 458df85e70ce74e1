import {
  to = fkaks_registry_image.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/fkacrprivate"
  }
}
