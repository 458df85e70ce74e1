tofu import fkaks_registry_guardrails.example /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.Authorization/policyAssignments/fkaks-network
