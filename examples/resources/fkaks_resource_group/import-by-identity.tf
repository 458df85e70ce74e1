import {
  to = fkaks_resource_group.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  }
}
