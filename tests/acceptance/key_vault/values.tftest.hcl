run "its_address_is_known_before_it_is_made" {
  command = plan

  assert {
    condition     = endswith(fkaks_key_vault.pull.id, "/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-pull")
    error_message = "the id is ${fkaks_key_vault.pull.id}"
  }

  assert {
    condition     = fkaks_key_vault.pull.vault_uri == "https://kv-pull.vault.azure.net/"
    error_message = "the address is ${fkaks_key_vault.pull.vault_uri}"
  }
}

run "a_new_vault_is_private_and_keeps_what_is_deleted_for_long" {
  assert {
    condition     = fkaks_key_vault.pull.exposure == "private" && fkaks_key_vault.pull.sku == "standard"
    error_message = "it is ${fkaks_key_vault.pull.sku}, and ${fkaks_key_vault.pull.exposure}"
  }

  assert {
    condition     = fkaks_key_vault.pull.soft_delete_retention_days == 90 && !fkaks_key_vault.pull.purge_protection_enabled
    error_message = "the retention is ${fkaks_key_vault.pull.soft_delete_retention_days}"
  }

  assert {
    condition     = fkaks_key_vault.pull.tenant_id == "11111111-1111-1111-1111-111111111111"
    error_message = "the tenant is ${fkaks_key_vault.pull.tenant_id}"
  }

  assert {
    condition     = fkaks_key_vault.pull.objects["vault"] == tolist([fkaks_key_vault.pull.id])
    error_message = "it owns ${jsonencode(fkaks_key_vault.pull.objects)}"
  }
}

run "it_is_opened_to_addresses_and_subnets_in_the_users_spelling" {
  variables {
    exposure          = "allowlist"
    allowed_ip_ranges = ["203.0.113.7", "198.51.100.0/24"]
    allowed_subnets   = ["nodes"]
    sku               = "premium"
    tags              = { env = "test" }
  }

  assert {
    condition     = fkaks_key_vault.pull.allowed_ip_ranges == toset(["203.0.113.7", "198.51.100.0/24"])
    error_message = "the ranges became ${join(", ", fkaks_key_vault.pull.allowed_ip_ranges)}"
  }

  assert {
    condition     = length(fkaks_key_vault.pull.allowed_subnet_ids) == 1 && fkaks_key_vault.pull.sku == "premium"
    error_message = "the tier is ${fkaks_key_vault.pull.sku}"
  }
}

run "what_is_no_longer_written_is_taken_back" {
  variables {
    exposure                 = "public"
    trusted_services_enabled = false
  }

  assert {
    condition     = fkaks_key_vault.pull.allowed_ip_ranges == null && fkaks_key_vault.pull.tags == null
    error_message = "these are still allowed: ${jsonencode(fkaks_key_vault.pull.allowed_ip_ranges)}"
  }
}
