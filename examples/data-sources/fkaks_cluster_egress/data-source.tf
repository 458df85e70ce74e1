data "fkaks_cluster_egress" "example" {
  cluster_id = fkaks_cluster.example.id
}

# Someone else's firewall lets the cluster in.
resource "azurerm_key_vault" "partner" {
  name                = "partner"
  location            = "westeurope"
  resource_group_name = "rg-partner"
  tenant_id           = "11111111-1111-1111-1111-111111111111"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = data.fkaks_cluster_egress.example.ip_ranges
  }

  lifecycle {
    precondition {
      condition     = data.fkaks_cluster_egress.example.known
      error_message = coalesce(data.fkaks_cluster_egress.example.reason, "unknown")
    }
  }
}
