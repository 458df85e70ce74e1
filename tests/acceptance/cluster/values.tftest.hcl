run "what_follows_from_the_configuration_is_known_before" {
  command = plan

  assert {
    condition     = endswith(fkaks_cluster.aks.id, "/resourceGroups/rg-aks/providers/Microsoft.ContainerService/managedClusters/fk-aks")
    error_message = "the id is ${fkaks_cluster.aks.id}"
  }
  assert {
    condition     = fkaks_cluster.aks.node_resource_group == "MC_rg-aks_fk-aks_westeurope"
    error_message = "the group of the nodes is ${fkaks_cluster.aks.node_resource_group}"
  }
  assert {
    condition     = fkaks_cluster.aks.dns_prefix == "fk-aks"
    error_message = "the prefix is ${fkaks_cluster.aks.dns_prefix}"
  }
}

run "it_is_private_and_may_do_what_it_needs" {
  assert {
    condition     = fkaks_cluster.aks.fqdn == null && endswith(fkaks_cluster.aks.private_fqdn, ".privatelink.westeurope.azmk8s.io")
    error_message = "the private name is ${jsonencode(fkaks_cluster.aks.private_fqdn)}"
  }
  assert {
    condition     = startswith(fkaks_cluster.aks.private_zone_id, "${fkaks_cluster.aks.node_resource_group_id}/providers/Microsoft.Network/privateDnsZones/")
    error_message = "the zone is ${jsonencode(fkaks_cluster.aks.private_zone_id)}"
  }
  assert {
    condition     = length(fkaks_cluster.aks.objects["grants"]) == 1 && length(fkaks_cluster.aks.identity.principal_id) == 36
    error_message = "it owns ${jsonencode(fkaks_cluster.aks.objects)}"
  }
  assert {
    condition     = length(fkaks_cluster.aks.kubelet_identity.object_id) == 36
    error_message = "the kubelet's identity is ${jsonencode(fkaks_cluster.aks.kubelet_identity)}"
  }
  assert {
    condition     = length(fkaks_cluster.aks.egress_ips) == 1
    error_message = "it reaches the world from ${jsonencode(fkaks_cluster.aks.egress_ips)}"
  }
  assert {
    condition     = startswith(fkaks_cluster.aks.oidc_issuer_url, "https://")
    error_message = "the issuer is ${jsonencode(fkaks_cluster.aks.oidc_issuer_url)}"
  }
}

run "pools_come_and_scale" {
  variables {
    apps       = true
    node_count = 3
    tags       = { env = "test" }
  }

  assert {
    condition     = length(fkaks_cluster.aks.objects["pools"]) == 2
    error_message = "it owns ${jsonencode(fkaks_cluster.aks.objects)}"
  }
}

run "pools_go" {
  assert {
    condition     = length(fkaks_cluster.aks.objects["pools"]) == 1
    error_message = "it owns ${jsonencode(fkaks_cluster.aks.objects)}"
  }
}
