data "fkaks_image_path" "example" {
  cluster_id  = fkaks_cluster.example.id
  registry_id = fkaks_registry.example.id

  # Made in the same configuration: look when they stand.
  depends_on = [fkaks_private_registry_link.example, fkaks_registry_access.nodes]
}

locals {
  wrong = [for finding in data.fkaks_image_path.example.findings : finding if finding.verdict != "ok"]
}

check "the_cluster_pulls_privately" {
  assert {
    condition     = data.fkaks_image_path.example.can_pull == true && data.fkaks_image_path.example.privately == true
    error_message = join("\n", [for finding in local.wrong : "${finding.check}: ${finding.summary}"])
  }
}
