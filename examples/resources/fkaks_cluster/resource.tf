resource "fkaks_cluster" "example" {
  name              = "fk-aks"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks"
  location          = "westeurope"

  # The API server is private, its zone is made by AKS, and the control plane gets an identity that
  # may use the subnets. Instead of "system": the id of a zone privatelink.westeurope.azmk8s.io.
  private_dns_zone_id = "system"

  kubernetes_version        = "1.34"
  automatic_upgrade_channel = "patch"

  node_pools = {
    system = {
      mode           = "System"
      vm_size        = "Standard_D4ds_v5"
      node_count     = 3
      zones          = ["1", "2", "3"]
      vnet_subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks/providers/Microsoft.Network/virtualNetworks/fk-vnet-aks/subnets/fk-subnet-aks"
    }
    apps = {
      vm_size              = "Standard_D8ds_v5"
      auto_scaling_enabled = true
      min_count            = 1
      max_count            = 10
      vnet_subnet_id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks/providers/Microsoft.Network/virtualNetworks/fk-vnet-aks/subnets/fk-subnet-aks"
    }
  }

  tags = { team = "platform" }
}

# The identity that pulls images, for a role on a registry.
output "kubelet_object_id" {
  value = fkaks_cluster.example.kubelet_identity.object_id
}
