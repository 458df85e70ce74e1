run "the_ids_are_known_before_anything_is_made" {
  command = plan

  assert {
    condition     = fkaks_private_registry_link.acr.zone_id == var.zone_id
    error_message = "the given zone should be known at plan"
  }
  assert {
    condition     = endswith(fkaks_private_registry_link.acr.id, "/privateEndpoints/pe-acr")
    error_message = "the endpoint's id should be known at plan"
  }
}

run "every_name_leads_into_the_endpoints_subnet" {
  assert {
    condition = toset(keys(output.endpoints)) == toset([
      "theirregistry.azurecr.io",
      "theirregistry.westeurope.data.azurecr.io",
    ])
    error_message = "unexpected names: ${join(", ", keys(output.endpoints))}"
  }
  assert {
    condition     = alltrue([for endpoint in output.endpoints : startswith(endpoint.ip, "10.10.20.")])
    error_message = "an address is not of the endpoints' subnet"
  }
  assert {
    condition     = output.endpoints["theirregistry.westeurope.data.azurecr.io"].member == "registry_data_westeurope"
    error_message = "the data endpoint has the wrong member"
  }
  assert {
    condition     = fkaks_private_registry_link.acr.connection_state == "Approved"
    error_message = "the connection is ${fkaks_private_registry_link.acr.connection_state}"
  }
  assert {
    condition     = !contains(keys(fkaks_private_registry_link.acr.objects), "zone")
    error_message = "a given zone is not owned"
  }
}

run "tags_change_nothing_else" {
  variables {
    tags = { env = "test" }
  }
  assert {
    condition     = fkaks_private_registry_link.acr.tags["env"] == "test"
    error_message = "the tag is missing"
  }
}

run "explicit_records_take_over_from_the_zone_group" {
  variables {
    records = "explicit"
  }
  assert {
    condition     = length(fkaks_private_registry_link.acr.objects["records"]) == 2
    error_message = "two records should be owned"
  }
}
