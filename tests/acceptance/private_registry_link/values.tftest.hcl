run "ids_are_known_at_plan" {
  command = plan

  assert {
    condition     = endswith(fkaks_private_registry_link.acr.id, "/resourceGroups/rg-app/providers/Microsoft.Network/privateEndpoints/fk-acr-pe")
    error_message = "the id is ${fkaks_private_registry_link.acr.id}"
  }

  assert {
    condition     = endswith(fkaks_private_registry_link.acr.zone_id, "/resourceGroups/rg-app/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io")
    error_message = "the zone is ${fkaks_private_registry_link.acr.zone_id}"
  }
}

run "every_name_of_the_registry_leads_into_the_subnet" {
  assert {
    condition     = toset(keys(output.endpoints)) == toset(["fkacrlink.azurecr.io", "fkacrlink.westeurope.data.azurecr.io"])
    error_message = "the names are ${join(", ", keys(output.endpoints))}"
  }

  assert {
    condition     = output.endpoints["fkacrlink.azurecr.io"].member == "registry"
    error_message = "the login server is the member ${output.endpoints["fkacrlink.azurecr.io"].member}"
  }

  assert {
    condition     = output.endpoints["fkacrlink.westeurope.data.azurecr.io"].region == "westeurope"
    error_message = "the data endpoint has another region"
  }

  assert {
    condition     = alltrue([for endpoint in values(output.endpoints) : startswith(endpoint.ip, "10.10.20.") && endpoint.record_id != null])
    error_message = "an address is outside the subnet, or a record is missing: ${jsonencode(output.endpoints)}"
  }

  assert {
    condition     = fkaks_private_registry_link.acr.connection_state == "Approved"
    error_message = "the connection is ${fkaks_private_registry_link.acr.connection_state}"
  }

  assert {
    condition     = length(fkaks_private_registry_link.acr.drift) == 0
    error_message = "drift right after an apply: ${join(", ", fkaks_private_registry_link.acr.drift)}"
  }
}

run "records_can_be_taken_over_from_the_zone_group" {
  variables {
    records = "explicit"
  }

  assert {
    condition     = alltrue([for endpoint in values(output.endpoints) : endpoint.record_id != null])
    error_message = "a record is missing: ${jsonencode(output.endpoints)}"
  }
}

run "another_network_is_another_link" {
  variables {
    records  = "explicit"
    networks = ["vnet-aks", "vnet-hub"]
  }

  assert {
    condition     = length(fkaks_private_registry_link.acr.objects["zone_links"]) == 2
    error_message = "the links are ${jsonencode(fkaks_private_registry_link.acr.objects)}"
  }
}
