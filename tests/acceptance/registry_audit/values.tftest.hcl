run "the_events_go_to_the_workspace" {
  assert {
    condition     = fkaks_registry_audit.images.id == local.registry
    error_message = "the id is ${fkaks_registry_audit.images.id}"
  }
  assert {
    condition     = fkaks_registry_audit.images.collected["login"].owned && fkaks_registry_audit.images.collected["repository"].owned
    error_message = "what is collected is ${jsonencode(fkaks_registry_audit.images.collected)}"
  }
  assert {
    condition     = length(fkaks_registry_audit.images.workspace_customer_id) == 36
    error_message = "the customer id is ${fkaks_registry_audit.images.workspace_customer_id}"
  }
}

run "a_workspace_of_its_own" {
  variables {
    own_workspace = true
    metrics       = true
  }
  assert {
    condition     = endswith(fkaks_registry_audit.images.workspace_id, "/workspaces/log-images")
    error_message = "the workspace is ${fkaks_registry_audit.images.workspace_id}"
  }
  assert {
    condition     = fkaks_registry_audit.images.collected["metrics"].owned
    error_message = "what is collected is ${jsonencode(fkaks_registry_audit.images.collected)}"
  }
  assert {
    condition     = fkaks_registry_audit.images.objects.workspace[0] == fkaks_registry_audit.images.workspace_id
    error_message = "the objects are ${jsonencode(fkaks_registry_audit.images.objects)}"
  }
}
