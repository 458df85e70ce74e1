# The nodes of a cluster pull: their kubelet identity is found.
resource "fkaks_registry_access" "example" {
  registry_id = fkaks_registry.images.id
  cluster_id  = azurerm_kubernetes_cluster.apps.id
  permissions = ["pull"]
}

# A pipeline pushes, into some repositories only. The registry is in the mode AbacRepositoryPermissions.
resource "fkaks_registry_access" "pipeline" {
  registry_id   = fkaks_registry.images.id
  principal_ids = { ci = azurerm_user_assigned_identity.ci.principal_id }
  permissions   = ["pull", "push"]
  repositories  = ["team/*", "base/nginx"]
}

output "kubelet" {
  value = fkaks_registry_access.example.principals["kubelet"]
}
