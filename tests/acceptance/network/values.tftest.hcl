run "ids_and_places_are_known_before_anything_is_made" {
  command = plan

  assert {
    condition     = output.subnet_ids["bastion"] == "${output.id}/subnets/AzureBastionSubnet"
    error_message = "the id of the Bastion subnet should have the name that Azure demands"
  }
  assert {
    condition = output.subnet_address_prefixes == tomap({
      fk-subnet-aks               = tolist(["10.10.8.0/22"])
      fk-subnet-private-endpoints = tolist(["10.10.4.0/24"])
      bastion                     = tolist(["10.10.5.0/26"])
      api                         = tolist(["10.10.5.64/28"])
    })
    error_message = "the places are ${jsonencode(output.subnet_address_prefixes)}"
  }
}

run "what_was_planned_is_made" {
  assert {
    condition     = fkaks_network.aks.subnets["api"].address_prefixes == tolist(["10.10.5.64/28"])
    error_message = "the API server's subnet is somewhere else than planned"
  }
  assert {
    condition     = fkaks_network.aks.subnet_addresses["fk-subnet-aks"].usable == 1019
    error_message = "a /22 has 1019 usable addresses"
  }
  assert {
    condition     = fkaks_network.aks.location == "West Europe"
    error_message = "the user's spelling of the region is lost"
  }
  assert {
    condition     = length(fkaks_network.aks.objects["subnets"]) == 4 && length(fkaks_network.aks.other_subnets) == 0
    error_message = "the resource should own its four subnets, and there should be no others"
  }
}

run "subnets_stay_when_others_come_and_go" {
  variables {
    subnets = {
      fk-subnet-aks = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
      agents        = { purpose = "agents", prefix_length = 25 }
      api           = { purpose = "aks_api_server", prefix_length = 28 }
    }
  }
  assert {
    condition     = output.subnet_address_prefixes["api"] == tolist(["10.10.5.64/28"])
    error_message = "the API server's subnet has moved"
  }
  assert {
    condition     = output.subnet_address_prefixes["agents"] == tolist(["10.10.4.0/25"])
    error_message = "the agents should take the room that is free now"
  }
}

run "tags_alone_leave_the_subnets_known" {
  command = plan
  variables {
    subnets = {
      fk-subnet-aks = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
      agents        = { purpose = "agents", prefix_length = 25 }
      api           = { purpose = "aks_api_server", prefix_length = 28 }
    }
    tags = { env = "prod" }
  }
  assert {
    condition     = output.subnet_address_prefixes["agents"] == tolist(["10.10.4.0/25"])
    error_message = "a change of tags should leave the places known"
  }
}
