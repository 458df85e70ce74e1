run "a_registry_is_found_by_its_id_and_by_its_name" {
  assert {
    condition     = data.fkaks_registry.by_id.login_server == fkaks_registry.acr.login_server
    error_message = "the login server is ${data.fkaks_registry.by_id.login_server}"
  }
  assert {
    condition     = data.fkaks_registry.by_name.id == fkaks_registry.acr.id
    error_message = "the id is ${data.fkaks_registry.by_name.id}"
  }
  assert {
    condition     = data.fkaks_registry.by_id.exposure == "private" && data.fkaks_registry.by_id.sku == "Premium"
    error_message = "it is ${data.fkaks_registry.by_id.exposure} and ${data.fkaks_registry.by_id.sku}"
  }
  assert {
    condition     = data.fkaks_registry.by_name.georeplications["northeurope"].regional_endpoint_enabled
    error_message = "the replicas are ${jsonencode(data.fkaks_registry.by_name.georeplications)}"
  }
  assert {
    condition     = data.fkaks_registry.by_id.private_endpoint_connections[0].private_endpoint_id == fkaks_private_registry_link.acr.id
    error_message = "the connections are ${jsonencode(data.fkaks_registry.by_id.private_endpoint_connections)}"
  }
}

run "a_cluster_tells_who_it_is_and_where" {
  assert {
    condition     = data.fkaks_cluster.by_name.id == fkaks_cluster.aks.id
    error_message = "the id is ${data.fkaks_cluster.by_name.id}"
  }
  assert {
    condition     = data.fkaks_cluster.by_id.kubelet_identity == fkaks_cluster.aks.kubelet_identity
    error_message = "the kubelet identity is ${jsonencode(data.fkaks_cluster.by_id.kubelet_identity)}"
  }
  assert {
    condition     = data.fkaks_cluster.by_id.identity.principal_id == fkaks_cluster.aks.identity.principal_id
    error_message = "the identity is ${jsonencode(data.fkaks_cluster.by_id.identity)}"
  }
  assert {
    condition     = data.fkaks_cluster.by_id.oidc_issuer_url == fkaks_cluster.aks.oidc_issuer_url && data.fkaks_cluster.by_id.private_zone_id == fkaks_cluster.aks.private_zone_id
    error_message = "the issuer is ${data.fkaks_cluster.by_id.oidc_issuer_url}, the zone ${data.fkaks_cluster.by_id.private_zone_id}"
  }
  assert {
    condition     = data.fkaks_cluster.by_id.subnet_ids == toset([fkaks_network.aks.subnet_ids["fk-subnet-aks"]])
    error_message = "the subnets are ${jsonencode(data.fkaks_cluster.by_id.subnet_ids)}"
  }
  assert {
    condition     = data.fkaks_cluster.by_id.node_pools["system"].node_count == 2
    error_message = "the pools are ${jsonencode(data.fkaks_cluster.by_id.node_pools)}"
  }
}

run "a_cluster_s_addresses_are_ranges_and_known" {
  assert {
    condition     = data.fkaks_cluster_egress.aks.known && data.fkaks_cluster_egress.aks.reason == null
    error_message = "they are not known: ${coalesce(data.fkaks_cluster_egress.aks.reason, "no reason")}"
  }
  assert {
    condition     = data.fkaks_cluster_egress.aks.ip_ranges == toset([for ip in fkaks_cluster.aks.egress_ips : "${ip}/32"])
    error_message = "the ranges are ${jsonencode(data.fkaks_cluster_egress.aks.ip_ranges)}"
  }
}

run "a_network_tells_what_its_subnets_are_for_and_which_zones_it_asks" {
  assert {
    condition     = data.fkaks_network.aks.subnets["fk-subnet-private-endpoints"].purpose == "private_endpoints" && data.fkaks_network.aks.subnets["fk-subnet-aks"].purpose == "aks_nodes"
    error_message = "the subnets are ${jsonencode(data.fkaks_network.aks.subnets)}"
  }
  assert {
    condition     = data.fkaks_network.aks.subnets["fk-subnet-private-endpoints"].free_addresses == 248
    error_message = "${data.fkaks_network.aks.subnets["fk-subnet-private-endpoints"].free_addresses} addresses are free"
  }
  assert {
    condition     = contains(data.fkaks_network.aks.private_dns_zone_links[*].zone_id, fkaks_private_registry_link.acr.zone_id)
    error_message = "the zones are ${jsonencode(data.fkaks_network.aks.private_dns_zone_links)}"
  }
}

run "the_cluster_pulls_privately_and_every_check_says_so" {
  assert {
    condition     = data.fkaks_image_path.aks.can_pull == true && data.fkaks_image_path.aks.privately == true
    error_message = jsonencode([for finding in data.fkaks_image_path.aks.findings : finding if finding.verdict != "ok"])
  }
  assert {
    condition     = alltrue([for finding in data.fkaks_image_path.aks.findings : finding.verdict == "ok"])
    error_message = jsonencode([for finding in data.fkaks_image_path.aks.findings : finding if finding.verdict != "ok"])
  }
  assert {
    condition     = length(data.fkaks_image_path.aks.findings) == 13
    error_message = "the checks are ${join(", ", data.fkaks_image_path.aks.findings[*].check)}"
  }
}

run "nobody_has_called_a_registry_that_is_new" {
  assert {
    condition     = length(data.fkaks_registry_callers.acr.callers) == 0 && length(data.fkaks_registry_callers.acr.unknown) == 0
    error_message = "the callers are ${jsonencode(data.fkaks_registry_callers.acr.callers)}"
  }
  assert {
    condition     = data.fkaks_registry_callers.acr.window == "24h" && strcontains(data.fkaks_registry_callers.acr.query, lower(fkaks_registry.acr.id))
    error_message = "the query is ${data.fkaks_registry_callers.acr.query}"
  }
}
