tofu import fkaks_key_vault.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.KeyVault/vaults/kv-example-images
