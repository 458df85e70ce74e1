run "the_policies_are_assigned_and_evaluated" {
  assert {
    condition     = fkaks_registry_guardrails.images.id == local.group
    error_message = "the id is ${fkaks_registry_guardrails.images.id}"
  }
  assert {
    condition     = endswith(fkaks_registry_guardrails.images.assignment_ids["private_link"], "/fkaks-private-link")
    error_message = "the assignments are ${jsonencode(fkaks_registry_guardrails.images.assignment_ids)}"
  }
  assert {
    condition     = length(fkaks_registry_guardrails.images.compliance) == 2
    error_message = "the compliance is ${jsonencode(fkaks_registry_guardrails.images.compliance)}"
  }
}
