run "the_plan_is_on_and_what_it_was_is_shown" {
  assert {
    condition     = fkaks_registry_defender.containers.pricing_tier == "Standard"
    error_message = "the tier is ${fkaks_registry_defender.containers.pricing_tier}"
  }
  assert {
    condition     = fkaks_registry_defender.containers.previous.pricing_tier == "Free"
    error_message = "it was ${jsonencode(fkaks_registry_defender.containers.previous)}"
  }
}
