# Alone, a name is looked up in the provider's subscription.
data "fkaks_cluster" "example" {
  name = "fk-aks"
}

# A workload identity trusts the cluster's tokens.
resource "azurerm_federated_identity_credential" "example" {
  name      = "web"
  parent_id = azurerm_user_assigned_identity.web.id
  issuer    = data.fkaks_cluster.example.oidc_issuer_url
  subject   = "system:serviceaccount:web:web"
  audience  = ["api://AzureADTokenExchange"]
}

output "kubelet_object_id" {
  value = data.fkaks_cluster.example.kubelet_identity.object_id
}
