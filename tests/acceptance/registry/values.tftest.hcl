run "its_hosts_are_known_before_it_is_made" {
  command = plan

  variables {
    data_endpoint_enabled = true
    georeplications       = { northeurope = {} }
  }

  assert {
    condition     = endswith(fkaks_registry.acr.id, "/resourceGroups/rg-app/providers/Microsoft.ContainerRegistry/registries/fkacrprivate")
    error_message = "the id is ${fkaks_registry.acr.id}"
  }

  assert {
    condition     = fkaks_registry.acr.login_server == "fkacrprivate.azurecr.io"
    error_message = "the login server is ${fkaks_registry.acr.login_server}"
  }

  assert {
    condition     = contains(fkaks_registry.acr.data_endpoint_host_names, "fkacrprivate.northeurope.data.azurecr.io")
    error_message = "the data endpoints are ${join(", ", fkaks_registry.acr.data_endpoint_host_names)}"
  }
}

run "a_new_registry_is_private_at_once_with_its_link_in_one_apply" {
  variables {
    linked                = true
    data_endpoint_enabled = true
    georeplications       = { "North Europe" = { tags = { env = "test" } } }
  }

  assert {
    condition     = fkaks_registry.acr.exposure == "private" && fkaks_registry.acr.sku == "Premium"
    error_message = "it is ${fkaks_registry.acr.sku}, and ${fkaks_registry.acr.exposure}"
  }

  assert {
    condition = fkaks_registry.acr.data_endpoint_host_names == toset([
      "fkacrprivate.westeurope.data.azurecr.io",
      "fkacrprivate.northeurope.data.azurecr.io",
    ])
    error_message = "the data endpoints are ${join(", ", fkaks_registry.acr.data_endpoint_host_names)}"
  }

  assert {
    condition     = length(fkaks_private_registry_link.acr[0].endpoints) == 3
    error_message = "the endpoints are ${jsonencode(fkaks_private_registry_link.acr[0].endpoints)}"
  }

  assert {
    condition     = fkaks_registry.acr.georeplications["North Europe"].regional_endpoint_enabled
    error_message = "a replica serves its region by default"
  }

  assert {
    condition     = length(fkaks_registry.acr.objects["replications"]) == 1
    error_message = "it owns ${jsonencode(fkaks_registry.acr.objects)}"
  }
}

run "it_knows_who_is_connected" {
  variables {
    linked                = true
    data_endpoint_enabled = true
    georeplications       = { "North Europe" = {} }
    tags                  = { env = "prod" }
  }

  assert {
    condition     = fkaks_registry.acr.private_endpoint_connections[0].state == "Approved"
    error_message = "the connections are ${jsonencode(fkaks_registry.acr.private_endpoint_connections)}"
  }

  assert {
    condition     = fkaks_registry.acr.private_endpoint_connections[0].private_endpoint_id == fkaks_private_registry_link.acr[0].id
    error_message = "the endpoint is ${fkaks_registry.acr.private_endpoint_connections[0].private_endpoint_id}"
  }
}

run "it_is_opened_to_addresses_in_the_users_spelling" {
  variables {
    exposure          = "allowlist"
    allowed_ip_ranges = ["203.0.113.7/32", "198.51.100.0/24"]
    identity          = { type = "SystemAssigned" }
  }

  assert {
    condition     = fkaks_registry.acr.allowed_ip_ranges == toset(["203.0.113.7/32", "198.51.100.0/24"])
    error_message = "the ranges became ${join(", ", fkaks_registry.acr.allowed_ip_ranges)}"
  }

  assert {
    condition     = length(fkaks_registry.acr.identity.principal_id) == 36
    error_message = "the identity has no object id"
  }

  assert {
    condition     = !contains(keys(fkaks_registry.acr.objects), "replications")
    error_message = "the replica should be gone"
  }
}

run "what_is_no_longer_written_is_taken_back" {
  variables {
    exposure                 = "public"
    retention_policy_in_days = 30
    tags                     = { env = "test" }
  }

  assert {
    condition     = fkaks_registry.acr.retention_policy_in_days == 30 && fkaks_registry.acr.identity == null
    error_message = "the identity is still ${jsonencode(fkaks_registry.acr.identity)}"
  }
}

run "a_lower_tier_takes_nothing_along" {
  variables {
    exposure = "public"
    sku      = "Basic"
  }

  assert {
    condition     = fkaks_registry.acr.sku == "Basic" && fkaks_registry.acr.retention_policy_in_days == null
    error_message = "the tier is ${fkaks_registry.acr.sku}"
  }
}
