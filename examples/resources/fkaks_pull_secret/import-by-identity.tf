import {
  to = fkaks_pull_secret.example
  identity = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks/providers/Microsoft.ContainerService/managedClusters/aks/namespaces/apps/secrets/team-pull"
  }
}
